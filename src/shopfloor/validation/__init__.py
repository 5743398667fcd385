"""Validation: people who did not do the work say whether it is done, with evidence."""
