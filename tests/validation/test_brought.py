"""What a change brings along, in a real repository: what its texts do not say is asked of the store."""

from pathlib import Path

import anyio

from shopfloor.domain.mission import Finding
from shopfloor.testing.courtroom import open_courtroom
from shopfloor.validation.brought import brought
from shopfloor.validation.findings.changes import Change

LICENCE = "Mozilla Public License Version 2.0\n"
FILES = {
    "LICENSE": LICENCE,
    "pyproject.toml": '[project]\nname = "app"\ndependencies = ["one"]\n',
    "uv.lock": "",
    "docs/plugins.md": "Call `planned` when you are ready.\n",
}
FUNCTIONS = "".join(f"\n\ndef {name}():\n    pass\n" for name in ("planned", "sealed", "forgotten"))
APP = f"# SPDX-License-Identifier: MIT\n{FUNCTIONS}"


def changed() -> list[Change]:
    after = {
        "app.py": APP,
        "picture.png": "\0password = 'Wv7%kk2Lm!'",
        "pyproject.toml": FILES["pyproject.toml"] + "\n",
    }
    after["pyproject.toml"] = after["pyproject.toml"].replace('"one"', '"one", "two"')
    return [Change(path=path, before=FILES.get(path), after=text) for path, text in after.items()]


def test_a_change_is_seen_beside_the_whole_repository(tmp_path: Path) -> None:
    """Its terms, its lock file, who mentions a name: also those who judge. What is no text says nothing."""

    async def story() -> tuple[Finding, ...]:
        async with open_courtroom(tmp_path, FILES) as court:
            changes = changed()
            commit = court.commit({change.path: change.after or "" for change in changes})
            sealed = {"tests/test_app.py": b"from app import sealed\n"}
            store = court.court.store
            return await brought(store, court.base, commit, changes, sealed, by_contract=True)

    found = anyio.run(story)

    assert [(one.check, one.path, one.text.partition(":")[0]) for one in found] == [
        ("licence-foreign", "app.py", "comes under MIT, and the repository is under MPL"),
        ("dependencies-changed", "pyproject.toml", "adds two"),
        ("lock-out-of-step", "pyproject.toml", "asks for other packages than uv.lock holds, which did not change"),
        ("unused-name", "app.py", "nothing in the repository mentions the new function 'forgotten'"),
    ]
