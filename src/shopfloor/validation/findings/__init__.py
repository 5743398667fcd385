"""What is told of a change by its texts alone, before anything runs. Pure."""
