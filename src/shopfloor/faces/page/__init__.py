"""A report as one self-contained HTML page: what one would show a colleague. Needs no network to be read."""
