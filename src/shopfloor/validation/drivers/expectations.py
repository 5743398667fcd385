"""What can be expected of an app after an action: a closed union, and how each is said.

An expectation is about what a user can observe, never about how it came to be. It does not know how one looks.
"""

from typing import Literal, TypeAlias

from shopfloor.domain.fact import Fact
from shopfloor.validation.drivers.actions import Target

# --- a page -----------------------------------------------------------------------------------------------------

State: TypeAlias = Literal["shown", "absent", "checked", "unchecked", "focused", "enabled", "disabled"]


class Sees(Fact, tag="Sees"):
    """A thing on the page is in that state; `absent` is a thing that is not there, or not visible.

    On a desktop the things are its windows: `window` with the whole title, which is shown, absent or focused.
    """

    target: Target
    state: State = "shown"


class Counts(Fact, tag="Counts"):
    """So many visible things match."""

    target: Target
    number: int


class Reads(Fact, tag="Reads"):
    """The visible things that match read so, one after the other; runs of spaces count as one."""

    target: Target
    texts: tuple[str, ...]


class Holds(Fact, tag="Holds"):
    """A field holds exactly this."""

    target: Target
    value: str


class At(Fact, tag="At"):
    """The address of the page, without scheme and host, is this, or has it somewhere."""

    address: str
    whole: bool = True


class Calm(Fact, tag="Calm"):
    """No error of the page has been seen since it was last asked."""


# --- an HTTP answer ---------------------------------------------------------------------------------------------


class Status(Fact, tag="Status"):
    """The answer's status."""

    code: int


class Header(Fact, tag="Header"):
    """A header of the answer has this text in it."""

    header: str
    text: str


class Body(Fact, tag="Body"):
    """The answer's body has this text in it, or has it not."""

    text: str
    lacks: bool = False


# --- JSON, in an HTTP answer or printed by a program ------------------------------------------------------------

Relation: TypeAlias = Literal["is", "has", "lacks", "counts"]
JsonType: TypeAlias = Literal["string", "number", "boolean", "list", "object", "null", "absent"]


class Json(Fact, tag="Json"):
    """What stands at a place of the JSON that was answered or printed ($.items[0].title, $.items[*].title).

    `is` compares whole values; `has` and `lacks` look for a value in a list, or for a text in a text; `counts` is the
    length of a list. `json` is JSON. `lines` are many values, one on each line: they are looked at as their list.
    """

    path: str
    relation: Relation
    json: str
    lines: bool = False


class JsonIsA(Fact, tag="JsonIsA"):
    """What kind of value stands at a place of the JSON."""

    path: str
    kind: JsonType


class Keep(Fact, tag="Keep"):
    """Keep what stands at a place of the JSON under a name, for later steps. Fails if nothing stands there."""

    path: str
    name: str


# --- a terminal -------------------------------------------------------------------------------------------------


class Screen(Fact, tag="Screen"):
    """The screen shows this text somewhere, does not, or shows it and nothing else (spaces at ends aside)."""

    text: str
    relation: Literal["has", "lacks", "is"] = "has"


class Output(Fact, tag="Output"):
    """What was printed has this text somewhere, has it not, or is it and nothing else.

    By a program in the terminal: all since it was started, which no screen's size cuts or wraps. By a library: during
    the last call. Colours and ends of lines at its end aside, `is` means every character.
    """

    text: str
    relation: Literal["has", "lacks", "is"] = "has"


class Exit(Fact, tag="Exit"):
    """The program ended with this exit code; None while it still runs."""

    code: int | None


# --- a desktop --------------------------------------------------------------------------------------------------


class Changes(Fact, tag="Changes"):
    """The display looks different from just before the last action, and goes on so; or it does not.

    What blinks like a caret is no difference, and a display on which no window is left shows none.
    """

    changed: bool


class KeepScreen(Fact, tag="KeepScreen"):
    """Keep what the display shows under a name, for later steps."""

    name: str


class LooksLike(Fact, tag="LooksLike"):
    """The display looks as it did when it was kept under that name, or unlike it; compared as by `Changes`."""

    name: str
    alike: bool


class Copied(Fact, tag="Copied"):
    """What is in the clipboard."""

    text: str
    relation: Literal["has", "lacks", "is"] = "has"


class Saved(Fact, tag="Saved"):
    """A file has this text in it, has it not (but is there), or is it and nothing else, ends of lines at its end aside.

    `~/` is the home of whoever uses the app, empty at the beginning; else it lies below the folder the app starts in.
    """

    file: str
    text: str
    relation: Literal["has", "lacks", "is"] = "has"


# --- a library --------------------------------------------------------------------------------------------------


class Result(Fact, tag="Result"):
    """What the last call gave, or what was last asked for; its parts are looked at by `Json`. `json` is JSON."""

    relation: Relation
    json: str


class Raises(Fact, tag="Raises"):
    """The last call raised an error of that type, or of one made from it, with this text in its words."""

    error: str
    text: str = ""


WebExpectation: TypeAlias = Sees | Counts | Reads | Holds | At | Calm
JsonExpectation: TypeAlias = Json | JsonIsA | Keep
HttpExpectation: TypeAlias = Status | Header | Body | JsonExpectation
TerminalExpectation: TypeAlias = Screen | Output | Exit | JsonExpectation
DesktopExpectation: TypeAlias = Sees | Counts | Changes | KeepScreen | LooksLike | Copied | Saved | Exit
LibraryExpectation: TypeAlias = Result | Raises | Output | JsonExpectation
Expectation: TypeAlias = (
    WebExpectation | HttpExpectation | TerminalExpectation | DesktopExpectation | LibraryExpectation
)
