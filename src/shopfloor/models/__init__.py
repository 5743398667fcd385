"""The wire: how one model is reached, for real, by script, or from a recording.

Import from the modules by name: `connect.connect` gives a model, and only `transport` loads an HTTP client.
"""
