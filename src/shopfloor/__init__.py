"""shopfloor: a software factory you own."""

__version__ = "0.1.0"
