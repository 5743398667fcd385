"""Writes what a judge without a model saw: a folder of pictures and transcripts, and one page to look at them.

It does not know how any of it came about.
"""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from shopfloor.validation.drivers.protocol import Exhibit
from shopfloor.validation.judging import Ruling
from shopfloor.validation.play import Frame

TEMPLATE = Path(__file__).with_name("evidence.html")
_ENDINGS = {"screenshot": "png"}


def write_evidence(folder: Path, title: str, where: str, rulings: Sequence[Ruling]) -> dict[str, tuple[str, ...]]:
    """Writes all that was seen below `folder`, and index.html; the paths of each assertion's evidence, relative to it.

    Raises OSError when the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, tuple[str, ...]] = {}
    parts: list[str] = []
    for ruling in rulings:
        names, frames = _written(folder, ruling)
        files[ruling.assertion.id] = names
        parts.append(_assertion(ruling, frames))
    passed = sum(ruling.played.verdict == "passed" for ruling in rulings)
    page = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(title),
        heading=escape(f"{title}: {passed} of {len(rulings)} passed"),
        subtitle=escape(f"{where} · {sum(ruling.seconds for ruling in rulings):.0f} s of judging, no model"),
        strip="".join(_mark(ruling) for ruling in rulings),
        assertions="".join(parts),
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
    return files


def _written(folder: Path, ruling: Ruling) -> tuple[tuple[str, ...], list[str]]:
    names: list[str] = []
    frames: list[str] = []
    steps: list[str] = []
    for number, frame in enumerate(ruling.played.frames, start=1):
        steps.append(_step(number, frame))
        shown = ""
        for exhibit in frame.evidence:
            name = f"{ruling.assertion.id}/{number:02}-{_slug(frame.step)}.{_ENDINGS.get(exhibit.kind, 'txt')}"
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(exhibit.content)
            names.append(name)
            shown += _shown(exhibit, name)
        if shown or number == len(ruling.played.frames):
            frames.append(_frame(frame, shown, steps))
            steps = []
    transcript = "\n\n".join(f"{frame.step}\n{frame.text}" for frame in ruling.played.frames)
    if transcript:
        name = f"{ruling.assertion.id}/transcript.txt"
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(transcript, encoding="utf-8", errors="replace")
        names.append(name)
    if ruling.played.trace:
        name = _trace_of(ruling)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(ruling.played.trace)
        names.append(name)
    return tuple(names), frames


def _trace_of(ruling: Ruling) -> str:
    return f"{ruling.assertion.id}/trace.zip"


def _slug(step: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", step.lower()).strip("-")[:40] or "step"


def _shown(exhibit: Exhibit, name: str) -> str:
    if exhibit.kind == "screenshot":
        return f'<a href="{escape(name)}"><img loading="lazy" src="{escape(name)}" alt="{escape(exhibit.caption)}"></a>'
    return f"<pre>{escape(exhibit.content.decode(errors='replace')[:4000])}</pre>"


def _step(number: int, frame: Frame) -> str:
    return f"<p><b>{number}</b> {escape(frame.step)}</p>"


def _frame(frame: Frame, shown: str, steps: Sequence[str]) -> str:
    """One picture, and the steps that led to it."""
    return f'<div class="frame{"" if frame.happened else " missed"}">{shown}{"".join(steps)}</div>'


def _mark(ruling: Ruling) -> str:
    words = escape(f"{ruling.assertion.id} {ruling.played.verdict}: {ruling.assertion.title}")
    return f'<a class="{ruling.played.verdict}" href="#{escape(ruling.assertion.id)}" title="{words}"></a>'


def _assertion(ruling: Ruling, frames: Sequence[str]) -> str:
    one, played = ruling.assertion, ruling.played
    controls = "".join(f"<li>{escape(name)}: {escape(word)}</li>" for name, word in played.controls.items())
    why = ""
    if played.reason:
        why = f'<div class="why {played.verdict}">{escape(f"{played.reason}: {played.detail}")}</div>'
    if played.trace:
        name = escape(_trace_of(ruling))
        why += f'<p class="soft"><a href="{name}">{name}</a>, for `playwright show-trace`</p>'
    return (
        f'<details id="{escape(one.id)}"{" open" if played.reason else ""}><summary>'
        f'<span class="verdict {played.verdict}">{played.verdict}</span><code>{escape(one.id)}</code>'
        f'<span>{escape(one.title)}</span><span class="soft">{ruling.seconds:.1f} s</span></summary>'
        f'<p class="said">{escape(one.behaviour)}</p>{why}<ul class="controls">{controls}</ul>'
        f'<div class="film">{"".join(frames)}</div></details>'
    )
