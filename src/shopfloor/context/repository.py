"""What an agent should know of a repository before its first turn: its own rules, and a map of its files.

It reads nothing itself: files and their content come as values.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from shopfloor.context.prompt import Fragment

RULES_CAP = 8_000
MAP_CAP = 3_000
MAP_FILES = 120
RULE_FILES = ("AGENTS.md", "CLAUDE.md", ".github/copilot-instructions.md", "CONTRIBUTING.md")


def rules_fragment(path: str, text: str) -> Fragment:
    """The repository's own rules for agents, quoted as the repository's words."""
    body = f"# The repository's own rules ({path})\n\n{text}"
    return Fragment(source=path, text=body, cap=RULES_CAP, stability="repository")


def map_fragment(files: Sequence[str]) -> Fragment:
    """The files of the checkout: all of a small repository, folders with counts of a large one."""
    lines = list(files) if len(files) <= MAP_FILES else _folders(files)
    body = f"# Files ({len(files)})\n\n" + "\n".join(lines)
    return Fragment(source="file map", text=body, cap=MAP_CAP, stability="repository")


def _folders(files: Sequence[str]) -> list[str]:
    depth = 3
    counts = Counter(str(PurePosixPath(*PurePosixPath(path).parts[:-1][:depth])) for path in files)
    return [f"{folder}/ ({count} files)" for folder, count in sorted(counts.items())]
