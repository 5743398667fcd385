"""The floor: jobs are claimed, carried to their end, and their result is handed to the person's repository."""
