"""The language of compiled steps: one line is one action or one expectation, as a person would say it.

`click button "Add"`, `see text "Milk"`, `GET /books`, `json $.total is 3`, `start "todo list"`. One table serves both
ways: what a judge did is written down in the words in which it can be judged again. Pure; it does not know how a step
is carried out.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias, cast, get_args

import msgspec

from shopfloor.domain.errors import AskModelAgain
from shopfloor.validation.drivers import actions, expectations
from shopfloor.validation.drivers.actions import Action, read_target
from shopfloor.validation.drivers.arguments import PLACE, read_arguments
from shopfloor.validation.drivers.expectations import Expectation

Step: TypeAlias = Action | Expectation


class Unspeakable(ValueError):
    """A line that is no step; its text says what a step looks like."""


# --- the slots of a line ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slot:
    """A field as it stands in a line: what it may look like, and how it is read and written."""

    pattern: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]


_QUOTED = r'"(?:[^"\\]|\\.)*"'
_HEADER = re.compile(r" \[([\w-]+): ([^\]]*)\]")


def _target(text: str) -> actions.Target:
    found, rest = read_target(text)
    if rest.strip():
        raise AskModelAgain(f"{rest.strip()!r} follows {found}, and means nothing there")
    return found


def _unquoted(text: str) -> str:
    return msgspec.json.decode(text, type=str)


def _quoted(text: str) -> str:
    return _literal(msgspec.json.encode(text).decode())


def _literal(json: str) -> str:
    """JSON in which nothing reads as a free word: braces beside each other stand only within its texts."""
    return json.replace("{{", "{\\u007b")


def _json(text: str) -> str:
    if not _FREE.search(text):
        msgspec.json.decode(text)
    return text


def _arguments(text: str) -> str:
    if not _FREE.search(text):
        read_arguments(text)
    return text


_FREE = re.compile(r"\{\{([a-z][a-z0-9-]*)(?::(word|number|email))?\}\}")
_TEXT = Slot(_QUOTED, _unquoted, _quoted)
_WORD = Slot(r"\S+", str, str)
_NUMBER = Slot(r"\d{1,9}", int, str)
_SLOTS: dict[str, Slot] = {
    **dict.fromkeys(("text", "option", "command", "value", "address", "title", "file"), _TEXT),
    **dict.fromkeys(("number", "code", "rows", "columns", "x", "y"), _NUMBER),
    **dict.fromkeys(("url", "key"), _WORD),
    "target": Slot(".+?", _target, str),
    "texts": Slot(
        rf"nothing|{_QUOTED}(?:, {_QUOTED})*",
        lambda text: tuple(_unquoted(one) for one in re.findall(_QUOTED, text)),
        lambda texts: ", ".join(map(_quoted, texts)) or "nothing",
    ),
    "names": Slot(r"\S.*", lambda text: tuple(text.split()), " ".join),
    "seconds": Slot(r"\d+(?:\.\d+)?", float, lambda seconds: f"{seconds:g}"),
    "path": Slot(r"\$\S*", str, str),
    "name": Slot("[a-z][a-z0-9-]*", str, str),
    "header": Slot(r"[\w-]+", str.lower, str),
    "json": Slot(".+", _json, _literal),
    "kind": Slot("|".join(get_args(expectations.JsonType)), str, str),
    "method": Slot("GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS", str, str),
    "headers": Slot(
        rf"(?:{_HEADER.pattern})*",
        lambda text: tuple((found[1], found[2]) for found in _HEADER.finditer(text)),
        lambda headers: "".join(f" [{name}: {value}]" for name, value in headers),
    ),
    **dict.fromkeys(("module", "place", "error"), Slot(PLACE, str, str)),
    **dict.fromkeys(("member", "kept"), Slot(r"[A-Za-z][A-Za-z0-9_]*", str, str)),
    "arguments": Slot(".*", _arguments, _literal),
    "body": Slot(r"(?: .*)?", str.strip, lambda body: f" {body}" if body else ""),
}


# --- the lines --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phrase:
    """How one kind of step is said: words with {fields} in them, and what the fields that are not said hold."""

    words: str
    kind: type
    fixed: Mapping[str, object]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\{(\w+)\}", self.words))

    def fits(self, step: Step) -> bool:
        return type(step) is self.kind and all(getattr(step, name) == value for name, value in self.fixed.items())

    def said(self, step: Step) -> str:
        return self.words.format(**{name: _SLOTS[name].write(getattr(step, name)) for name in self.fields})

    def meant(self, line: str) -> Step | None:
        found = _pattern(self.words).fullmatch(line)
        if found is None:
            return None
        return cast("Step", self.kind(**self.fixed, **{name: _SLOTS[name].read(found[name]) for name in self.fields}))


@cache
def _pattern(words: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", words)
    named = (
        f"(?P<{part}>{_SLOTS[part].pattern})" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
    return re.compile("".join(named), re.S)


def _phrase(words: str, kind: type, **fixed: object) -> Phrase:
    return Phrase(words, kind, fixed)


PHRASES: tuple[Phrase, ...] = (
    _phrase("open in a new tab {url}", actions.OpenTab),
    _phrase("open {url}", actions.OpenPage),
    _phrase("switch to tab {number}", actions.SwitchTab),
    _phrase("click {target}", actions.Click, double=False),
    _phrase("double-click {target}", actions.Click, double=True),
    _phrase("hover {target}", actions.Hover),
    _phrase("fill {target} with {text}", actions.Fill),
    _phrase("press {key}", actions.Press, target=None),
    _phrase("press {key} in {target}", actions.Press),
    _phrase("select {option} in {target}", actions.Select),
    _phrase("check {target}", actions.Check, checked=True),
    _phrase("uncheck {target}", actions.Check, checked=False),
    _phrase("reload", actions.Reload),
    _phrase("back", actions.Back),
    _phrase("accept dialogs", actions.AnswerDialogs, accept=True, text=""),
    _phrase("accept dialogs with {text}", actions.AnswerDialogs, accept=True),
    _phrase("dismiss dialogs", actions.AnswerDialogs, accept=False),
    _phrase("screenshot", actions.Screenshot, whole_page=False),
    _phrase("screenshot of the whole page", actions.Screenshot, whole_page=True),
    _phrase("look", actions.Look),
    _phrase("wait for {text}", actions.WaitFor, gone=False, seconds=5.0),
    _phrase("wait for {text} is gone", actions.WaitFor, gone=True, seconds=5.0),
    _phrase("wait for {text} within {seconds} s", actions.WaitFor, gone=False),
    _phrase("wait for {text} is gone within {seconds} s", actions.WaitFor, gone=True),
    _phrase("type {text}", actions.Type),
    _phrase("keys {names}", actions.Keys),
    _phrase("start {command}", actions.StartProgram),
    _phrase("resize to {rows} rows and {columns} columns", actions.Resize),
    *(
        _phrase(f"{click} at {{x}} {{y}}{where}", actions.ClickAt, button=button, double=double, **said)
        for click, button, double in (
            ("click", "left", False),
            ("double-click", "left", True),
            ("right-click", "right", False),
        )
        for where, said in (("", {"title": ""}), (" in window {title}", {}))
    ),
    _phrase("{method} {url}{headers} and follow within {seconds} s{body}", actions.Request, follow=True),
    _phrase("{method} {url}{headers} within {seconds} s{body}", actions.Request, follow=False),
    _phrase("{method} {url}{headers} and follow{body}", actions.Request, follow=True, seconds=10.0),
    _phrase("{method} {url}{headers}{body}", actions.Request, follow=False, seconds=10.0),
    _phrase("import {module}", actions.Import, member=""),
    _phrase("from {module} import {member}", actions.Import),
    _phrase("call {place}({arguments}) as {kept} within {seconds} s", actions.Call),
    _phrase("call {place}({arguments}) within {seconds} s", actions.Call, kept=""),
    _phrase("call {place}({arguments}) as {kept}", actions.Call, seconds=10.0),
    _phrase("call {place}({arguments})", actions.Call, kept="", seconds=10.0),
    _phrase("ask {place}({arguments})", actions.Ask),
    _phrase("ask {place}", actions.Ask, arguments=None),
    _phrase("see no {target}", expectations.Sees, state="absent"),
    *(
        _phrase(f"see {state} {{target}}", expectations.Sees, state=state)
        for state in ("checked", "unchecked", "focused", "enabled", "disabled")
    ),
    _phrase("see {target}", expectations.Sees, state="shown"),
    _phrase("count {target} is {number}", expectations.Counts),
    _phrase("read {target} as {texts}", expectations.Reads),
    _phrase("value of {target} is {value}", expectations.Holds),
    _phrase("address is {address}", expectations.At, whole=True),
    _phrase("address has {address}", expectations.At, whole=False),
    _phrase("no errors", expectations.Calm),
    _phrase("status is {code}", expectations.Status),
    _phrase("header {header} has {text}", expectations.Header),
    _phrase("body has {text}", expectations.Body, lacks=False),
    _phrase("body lacks {text}", expectations.Body, lacks=True),
    _phrase("json {path} is a {kind}", expectations.JsonIsA),
    *(
        _phrase(f"json {{path}} {relation} {{json}}", expectations.Json, relation=relation, lines=False)
        for relation in get_args(expectations.Relation)
    ),
    *(
        _phrase(f"json lines {{path}} {relation} {{json}}", expectations.Json, relation=relation, lines=True)
        for relation in get_args(expectations.Relation)
    ),
    _phrase("keep {path} as {name}", expectations.Keep),
    *(
        _phrase(f"screen {relation} {{text}}", expectations.Screen, relation=relation)
        for relation in ("has", "lacks", "is")
    ),
    _phrase("screen changes", expectations.Changes, changed=True),
    _phrase("screen does not change", expectations.Changes, changed=False),
    _phrase("keep screen as {name}", expectations.KeepScreen),
    _phrase("screen looks like {name}", expectations.LooksLike, alike=True),
    _phrase("screen looks unlike {name}", expectations.LooksLike, alike=False),
    *(
        _phrase(f"clipboard {relation} {{text}}", expectations.Copied, relation=relation)
        for relation in ("has", "lacks", "is")
    ),
    *(
        _phrase(f"file {{file}} {relation} {{text}}", expectations.Saved, relation=relation)
        for relation in ("has", "lacks", "is")
    ),
    *(
        _phrase(f"output {relation} {{text}}", expectations.Output, relation=relation)
        for relation in ("has", "lacks", "is")
    ),
    *(
        _phrase(f"result {relation} {{json}}", expectations.Result, relation=relation)
        for relation in get_args(expectations.Relation)
    ),
    _phrase("raises {error}", expectations.Raises, text=""),
    _phrase("raises {error} {text}", expectations.Raises),
    _phrase("exit code is {code}", expectations.Exit),
    _phrase("still runs", expectations.Exit, code=None),
)
"""The whole language. Where two could say the same, the first one does."""


def read_step(line: str) -> Step:
    """The step that a line says; the inverse of `spell`. Unspeakable if it says none."""
    words, problem = line.strip(), ""
    for phrase in PHRASES:
        try:
            if (step := phrase.meant(words)) is not None:
                return step
        except (AskModelAgain, msgspec.DecodeError) as wrong:
            problem = problem or str(wrong)
    raise Unspeakable(f"{words!r} is no step: {problem or _nearest(words)}")


def read_steps(lines: Sequence[str]) -> tuple[Step, ...]:
    """The steps of these lines, without empty ones and comments (#). Unspeakable at the first that says none."""
    return tuple(read_step(line) for line in lines if line.strip() and not line.lstrip().startswith("#"))


def spell(step: Step) -> str:
    """A step as a line."""
    ready = [phrase for phrase in PHRASES if phrase.fits(step)]
    return min(ready, key=lambda phrase: len(phrase.fields)).said(step)


def _nearest(words: str) -> str:
    verb = words.partition(" ")[0].lower()
    alike = [phrase.words for phrase in PHRASES if phrase.words.startswith(verb)]
    verbs = dict.fromkeys(phrase.words.partition(" ")[0] for phrase in PHRASES if not phrase.words.startswith("{"))
    return f"it could be {'; '.join(alike)}" if alike else f"a step begins with GET, POST, …, {', '.join(verbs)}"


def language() -> str:
    """All that can be said, for who has to say it: one line per phrase."""
    return "\n".join(re.sub(r"\{(\w+)\}", lambda gap: _gap(gap[1]), phrase.words) for phrase in PHRASES)


def _gap(name: str) -> str:
    shown = {"headers": "[NAME: VALUE]", "body": " {JSON}", "texts": '"TEXT", "TEXT"', "json": "JSON"}
    return shown.get(name, f'"{name.upper()}"' if _SLOTS[name] is _TEXT else name.upper())


# --- free words -------------------------------------------------------------------------------------------------


def free_words(lines: Sequence[str]) -> dict[str, str]:
    """The names of free words in these lines, and the kind of each: word, number or email.

    `{{title}}` is a word that the judge draws anew for each run, so that no answer can be known beforehand. Values that
    a step keeps are written in the same way.
    """
    found: dict[str, str] = {}
    for line in lines:
        for name, kind in _FREE.findall(line):
            found[name] = kind or found.get(name, "word")
    return found


def filled(line: str, words: Mapping[str, str]) -> str:
    """A line with its free words put in. KeyError names one that nobody has drawn or kept."""
    return _FREE.sub(lambda found: words[found[1]], line)
