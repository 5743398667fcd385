"""What is told of a candidate by running it: the stage it stands on, the repository's own tests, and their control."""
