"""What a user can do to an app: a closed union of actions, and how a thing on a page is pointed at.

An action says what a user does, never how: no CSS, no coordinates, no script. Recorded steps are therefore data that
can be played again without a model. It does not know any driver.
"""

import re
from typing import Literal, TypeAlias

import msgspec

from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.fact import Fact

PointedBy: TypeAlias = Literal["role", "label", "placeholder", "testid", "text", "published", "class", "id", "element"]


class Target(Fact):
    """A thing on a page, as a user would name it: `button "Add"`, `label "Email"`, `checkbox in listitem "Milk"`.

    `@item "Milk"` is a thing that the contract publishes under the name in `role`, here one in which "Milk" is read.
    What a name stands for may be said with `class`, `id` and `element` too; nothing else may.
    `number` counts from 1 among several that match; 0 means that exactly one must match.
    """

    by: PointedBy
    name: str = ""
    role: str = ""
    number: int = 0
    within: "Target | None" = None

    def __str__(self) -> str:
        words = [{"role": self.role, "published": f"@{self.role}"}.get(self.by, self.by)]
        if self.name or self.by not in ("role", "published"):
            words.append(msgspec.json.encode(self.name).decode())
        if self.number:
            words.append(f"#{self.number}")
        if self.within is not None:
            words.append(f"in {self.within}")
        return " ".join(words)


_ONE_TARGET = re.compile(
    r'\s*(?P<kind>[a-z]+|@[a-z][a-z0-9-]*)(?:\s+(?P<name>"(?:[^"\\]|\\.)*"))?(?:\s+#(?P<number>[1-9]\d{0,5}))?'
)
_INSIDE = re.compile(r"\s+in\s+(?=[@a-z])")
_NAMED = ("label", "placeholder", "testid", "text")
_INTERNAL = ("class", "id", "element")


def parse_target(text: str) -> Target:
    """The target that `text` names; the inverse of `str(target)`. AskModelAgain if it names none."""
    target, rest = read_target(text)
    if rest.strip():
        raise _no_target(text)
    return target


def parse_published(text: str) -> tuple[Target, ...]:
    """What a published name stands for: targets with `or` between them, which may name classes, ids and elements."""
    target, rest = read_target(text, internal=True)
    if not rest.strip():
        return (target,)
    if not (further := re.match(r"\s+or\s+", rest)):
        raise _no_target(text)
    return (target, *parse_published(rest[further.end() :]))


def read_target(text: str, *, internal: bool = False) -> tuple[Target, str]:
    """The target at the beginning of `text`, and what follows it. AskModelAgain if there is none."""
    match = _ONE_TARGET.match(text)
    if match is None:
        raise _no_target(text)
    within, rest = None, text[match.end() :]
    if inside := _INSIDE.match(rest):
        within, rest = read_target(rest[inside.end() :], internal=internal)
    kind, number = match["kind"], int(match["number"] or 0)
    name = _unquoted(match["name"] or '""', text)
    if kind.startswith("@"):
        return Target(by="published", role=kind[1:], name=name, number=number, within=within), rest
    for by in (*_NAMED, *_INTERNAL):
        if kind == by:
            if not name or (by in _INTERNAL and not internal):
                raise _no_target(text)
            return Target(by=by, name=name, number=number, within=within), rest
    return Target(by="role", role=kind, name=name, number=number, within=within), rest


def _unquoted(quoted: str, text: str) -> str:
    try:
        return msgspec.json.decode(quoted, type=str)
    except msgspec.DecodeError:
        raise _no_target(text) from None


def _no_target(text: str) -> AskModelAgain:
    how = 'a role and its name in double quotes (button "Add"), or label, placeholder, testid, text with the words'
    return AskModelAgain(f'{text!r} names no target: write {how}; then, if needed, #2, or in listitem "Milk"')


# --- any driver -------------------------------------------------------------------------------------------------


class Look(Fact, tag="Look"):
    """See what is there now: the whole page with a screenshot, or the whole screen."""


class WaitFor(Fact, tag="WaitFor"):
    """Wait until `text` is seen, or no longer seen."""

    text: str
    seconds: float = 5.0
    gone: bool = False


# --- a web browser ----------------------------------------------------------------------------------------------


class OpenPage(Fact, tag="OpenPage"):
    """Go to an address of the app, whole or beginning with a slash."""

    url: str = "/"


class OpenTab(Fact, tag="OpenTab"):
    """Open an address in a further tab of the same browser, and go on there."""

    url: str = "/"


class SwitchTab(Fact, tag="SwitchTab"):
    """Go on in another tab; tabs count from 1."""

    number: int


class Click(Fact, tag="Click"):
    """Click, once or twice."""

    target: Target
    double: bool = False


class Hover(Fact, tag="Hover"):
    """Rest the mouse on something."""

    target: Target


class Fill(Fact, tag="Fill"):
    """Replace what a field holds by typing."""

    target: Target
    text: str


class Press(Fact, tag="Press"):
    """Press a key (Enter, Escape, Control+A) in `target`, or wherever the focus is."""

    key: str
    target: Target | None = None


class Select(Fact, tag="Select"):
    """Choose an option of a drop-down list by its words."""

    target: Target
    option: str


class Check(Fact, tag="Check"):
    """Tick a box, or untick it."""

    target: Target
    checked: bool = True


class Reload(Fact, tag="Reload"):
    """Load the page again."""


class Back(Fact, tag="Back"):
    """Go back in the tab's history."""


class AnswerDialogs(Fact, tag="AnswerDialogs"):
    """From now on, say yes (with `text`) or no to dialogs the page opens. A fresh browser says no."""

    accept: bool
    text: str = ""


class Screenshot(Fact, tag="Screenshot"):
    """Take a picture of the window, or of the whole page."""

    whole_page: bool = False


# --- HTTP -------------------------------------------------------------------------------------------------------


class Request(Fact, tag="Request"):
    """Send a request; cookies of earlier answers go along. Redirects are followed only if asked."""

    method: str = "GET"
    url: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    follow: bool = False
    seconds: float = 10.0


# --- a terminal -------------------------------------------------------------------------------------------------


class StartProgram(Fact, tag="StartProgram"):
    """Start a shell command in a fresh terminal, or on the display; a program still running there is ended first."""

    command: str


class Type(Fact, tag="Type"):
    """Type text where the focus is; a line break in it is the Enter key."""

    text: str


class Keys(Fact, tag="Keys"):
    """Press keys one after the other: Enter, Tab, Up, F1, ctrl-c, alt-x, shift-tab, or a single character.

    On a display, every key has the name that X gives it, too: Return, Prior, KP_Add, ctrl+shift+s.
    """

    names: tuple[str, ...]


class Resize(Fact, tag="Resize"):
    """Give the terminal another size."""

    rows: int
    columns: int


# --- a desktop --------------------------------------------------------------------------------------------------


class ClickAt(Fact, tag="ClickAt"):
    """Click at a place of the display, or of the inside of the window with that title; places count from 0 0."""

    x: int
    y: int
    title: str = ""
    button: Literal["left", "right"] = "left"
    double: bool = False


# --- a library --------------------------------------------------------------------------------------------------


class Import(Fact, tag="Import"):
    """Import a module, or one thing of it."""

    module: str
    member: str = ""


class Call(Fact, tag="Call"):
    """Call what was imported or kept, and keep what it gives under a name. An error that it raises is an answer too.

    `arguments` are values of JSON and names, as they stand between the parentheses.
    """

    place: str
    arguments: str = ""
    kept: str = ""
    seconds: float = 10.0


class Ask(Fact, tag="Ask"):
    """Look at something, by its name alone (`arguments` is None) or by a call that changes nothing."""

    place: str
    arguments: str | None = None


WebAction: TypeAlias = (
    OpenPage
    | OpenTab
    | SwitchTab
    | Click
    | Hover
    | Fill
    | Press
    | Select
    | Check
    | Reload
    | Back
    | AnswerDialogs
    | Screenshot
    | Type
    | Look
    | WaitFor
)
TerminalAction: TypeAlias = StartProgram | Type | Keys | Resize | Look | WaitFor
HttpAction: TypeAlias = Request
DesktopAction: TypeAlias = StartProgram | Type | Keys | ClickAt | Look | WaitFor
LibraryAction: TypeAlias = Import | Call | Ask
Action: TypeAlias = (
    Look
    | WaitFor
    | OpenPage
    | OpenTab
    | SwitchTab
    | Click
    | Hover
    | Fill
    | Press
    | Select
    | Check
    | Reload
    | Back
    | AnswerDialogs
    | Screenshot
    | Request
    | StartProgram
    | Type
    | Keys
    | Resize
    | ClickAt
    | Import
    | Call
    | Ask
)
