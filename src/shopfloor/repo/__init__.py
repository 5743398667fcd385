"""The code under change: the person's repository, the mission's store, and what can be known of both."""
