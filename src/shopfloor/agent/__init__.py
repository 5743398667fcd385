"""The turn loop: one agent, from its first prompt to its last word."""
