"""What is laid beside a candidate to watch it under its tests; nothing here is run by the judge itself."""
