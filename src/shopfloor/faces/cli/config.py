"""`shopfloor config show`: every setting, its value, and where it came from."""

import os

import msgspec

from shopfloor.faces.cli.show import print_each, print_json
from shopfloor.settings import Settings, read_settings, state_folder, user_file


def show(output: str) -> None:
    """Prints the settings in force. Keys are never among them: only the names of their variables are."""
    sourced = read_settings({}, os.environ)
    values = msgspec.to_builtins(sourced.settings)
    rows = [(name, values.get(name, getattr(Settings(), name)), sourced.sources[name]) for name in sourced.sources]
    if output == "stream-json":
        print_each([{"name": name, "value": value, "source": source} for name, value, source in rows], output)
        return
    if output == "json":
        print_json({name: {"value": value, "source": source} for name, value, source in rows})
        return
    for name, value, source in rows:
        print(f"{name:<10} {value!r:<28} {source}")
    print(f"\nYour settings file: {user_file(os.environ)}")
    print(f"State folder:       {state_folder(sourced.settings, os.environ)}")
