"""Python files that no Python can read any more, whether or not a test imports them. Pure, over texts.

It reads as the Python that runs it does, and does not know which one the repository is meant for: it tells, and
refuses nobody.
"""

import ast
import sys
import warnings
from collections.abc import Collection

from shopfloor.domain.mission import Finding
from shopfloor.validation.findings.changes import Change

UNREADABLE = "unreadable-python"


def unreadable(changes: Collection[Change]) -> tuple[Finding, ...]:
    """A finding for each file that a change lets Python no longer read; one that it never could stays as it was."""
    found: list[Finding] = []
    for change in changes:
        if not change.path.endswith(".py") or change.after is None or "\0" in change.after:
            continue
        wrong = _wrong(change.after)
        if wrong is None or (change.before is not None and _wrong(change.before) is not None):
            continue
        line, why = wrong
        text = f"Python {sys.version_info.major}.{sys.version_info.minor} cannot read this file: {why}"
        found.append(Finding(check=UNREADABLE, severity="P2", text=text, path=change.path, line=line))
    return tuple(found)


def _wrong(text: str) -> tuple[int, str] | None:
    """Where a text stops being Python, and why; None where it does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text.removeprefix("\ufeff"))
    except SyntaxError as wrong:
        return wrong.lineno or 0, wrong.msg
    except (ValueError, RecursionError, MemoryError, SystemError):
        return None
    return None
