"""`shopfloor config show`: every setting, its value, and where it came from."""

import os
from typing import Any

import anyio
import msgspec

from shopfloor.faces.cli.show import print_each, print_json
from shopfloor.models.roster import Roster
from shopfloor.settings import Settings, read_settings, state_folder, user_file


def show(output: str) -> None:
    """Prints the settings in force. Keys are never among them: only the names of their variables are."""
    sourced = read_settings({}, os.environ)
    values = msgspec.to_builtins(sourced.settings)
    rows: dict[str, dict[str, Any]] = {
        name: {"value": values.get(name, getattr(Settings(), name)), "source": source}
        for name, source in sourced.sources.items()
    }
    if not sourced.settings.model:
        rows["model"]["used"] = anyio.run(Roster(environment=os.environ).usual)
    if output == "stream-json":
        print_each([{"name": name, **row} for name, row in rows.items()], output)
    elif output == "json":
        print_json(rows)
    else:
        _print(rows)
        print(f"\nYour settings file: {user_file(os.environ)}")
        print(f"State folder:       {state_folder(sourced.settings, os.environ)}")


def _print(rows: dict[str, dict[str, Any]]) -> None:
    for name, row in rows.items():
        unlimited = ", so nothing is limited" if name == "budget" and row["value"] in ("", "none") else ""
        print(f"{name:<10} {row['value']!r:<28} {row['source']}{unlimited}")
    if "used" in rows["model"]:
        usual = rows["model"]["used"]
        print(f"\nNo model is named, {f'so {usual} would be used' if usual else 'and none is found here'}.")
