"""Prompts are put together from fragments, each with its source, its cap and its stability.

Stable fragments come first and the role's words alone are the system text, so that all agents of a role share a prefix,
and nothing that a repository says speaks with the system's voice. Nothing in a prompt holds a clock.
It does not know what the fragments say.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from shopfloor.domain.errors import Broken
from shopfloor.domain.fact import Fact

Stability: TypeAlias = Literal["role", "repository", "task"]
"""Who shares the bytes: every agent of the role, every agent of the role in this repository, this one task."""

_ORDER: tuple[Stability, ...] = ("role", "repository", "task")
_GAP = re.compile(r"\{\{(\w+)\}\}")


class Fragment(Fact):
    """A piece of a prompt. `cap` is its largest size in bytes; a longer text is cut, and says so."""

    source: str
    text: str
    cap: int
    stability: Stability


def assemble(fragments: Sequence[Fragment]) -> str:
    """The prompt: stable fragments first, each within its cap, empty ones left out."""
    ordered = sorted(fragments, key=lambda fragment: _ORDER.index(fragment.stability))
    return "\n\n".join(capped(fragment) for fragment in ordered if fragment.text.strip()) + "\n"


def capped(fragment: Fragment) -> str:
    """The fragment's text within its cap, cut at a line's end; the note on what is missing counts too."""
    raw = fragment.text.strip().encode(errors="replace")  # names of files may be no text
    text = raw.decode()
    if len(raw) <= fragment.cap:
        return text
    room = max(0, fragment.cap - len(_left_out(fragment, len(raw)).encode()))
    kept = raw[:room].decode(errors="ignore").rsplit("\n", 1)[0]
    return kept + _left_out(fragment, len(raw) - len(kept.encode()))


def _left_out(fragment: Fragment, size: int) -> str:
    return f"\n[… {fragment.source}: {size:,} more bytes left out]"


def fill(template: str, values: dict[str, str]) -> str:
    """Puts values into the `{{gaps}}` of a prompt. Broken when a gap has no value or a value has no gap."""
    gaps = set(_GAP.findall(template))
    if gaps != set(values):
        raise Broken(f"The prompt's gaps {sorted(gaps)} and the values given {sorted(values)} differ.")
    return _GAP.sub(lambda match: values[match.group(1)], template)


def prompt_file(beside: str, name: str) -> str:
    """The text of `prompts/NAME.md` beside the module whose `__file__` is given."""
    return (Path(beside).parent / "prompts" / f"{name}.md").read_text(encoding="utf-8")
