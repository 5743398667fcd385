"""What the judge's side asks of its hands, and what they answer: one JSON line each.

It does not know who asks.
"""

from typing import Literal, TypeAlias

import msgspec

PATIENCE_S = 3.0
"""How long a thing on a page may take to be there and ready."""


class Where(msgspec.Struct, omit_defaults=True):
    """One step on the way to a thing on a page."""

    by: str
    name: str = ""
    role: str = ""
    number: int = 0


class Send(msgspec.Struct, tag="send", omit_defaults=True):
    """An HTTP request."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    follow: bool = False
    seconds: float = 10.0


class Knock(msgspec.Struct, tag="knock"):
    """Does anything accept connections there?"""

    host: str
    port: int


class Forget(msgspec.Struct, tag="forget"):
    """Drop the cookies of plain requests."""


class Fresh(msgspec.Struct, tag="fresh", omit_defaults=True):
    """A new session of the browser with nothing in it. `names` are published ones, each with all it may stand for.

    One that is `traced` is recorded from its beginning.
    """

    names: dict[str, tuple[tuple[Where, ...], ...]] = {}
    traced: bool = False


class Trace(msgspec.Struct, tag="trace"):
    """End the recording of the session, and hand it over."""


Deed: TypeAlias = Literal[
    "start",
    "look",
    "screenshot",
    "open",
    "tab",
    "switch",
    "reload",
    "back",
    "accept",
    "dismiss",
    "wait",
    "wait_gone",
    "click",
    "double_click",
    "hover",
    "fill",
    "type",
    "press",
    "select",
    "check",
    "uncheck",
]


class Act(msgspec.Struct, tag="act", omit_defaults=True):
    """Something to do in the browser. `where` leads from the outermost container to the thing itself."""

    do: Deed
    where: tuple[Where, ...] = ()
    text: str = ""
    number: int = 0
    seconds: float = PATIENCE_S
    picture: bool = False
    quiet: bool = False
    """Do not look before and after: what is expected will be asked."""


Condition: TypeAlias = Literal[
    "shown",
    "absent",
    "checked",
    "unchecked",
    "focused",
    "enabled",
    "disabled",
    "count",
    "texts",
    "value",
    "address_is",
    "address_has",
    "calm",
]


class Expect(msgspec.Struct, tag="expect", omit_defaults=True):
    """Wait until that holds; the answer's `problem` says what there is instead when time is up."""

    that: Condition
    where: tuple[Where, ...] = ()
    text: str = ""
    texts: tuple[str, ...] = ()
    number: int = 0
    seconds: float = PATIENCE_S
    picture: bool = False


class Open(msgspec.Struct, tag="open", omit_defaults=True):
    """A new display with nothing on it. One that is `shared` is reached over the arena's own network."""

    shared: bool = False


class Touch(msgspec.Struct, tag="touch", omit_defaults=True):
    """Something to do on the display; `look` waits until it rests, `glance` does not.

    `remember` keeps what is seen now as the picture `text`; "" is that before the last deed. A click is at `x`, `y`.
    """

    do: Literal["look", "glance", "remember", "type", "keys", "click"]
    text: str = ""
    names: tuple[str, ...] = ()
    x: int = 0
    y: int = 0
    button: int = 1
    times: int = 1


class Compare(msgspec.Struct, tag="compare", omit_defaults=True):
    """Wait until the display differs from a picture that was remembered, or is like it."""

    differs: bool
    picture: str = ""
    seconds: float = PATIENCE_S


class Paste(msgspec.Struct, tag="paste"):
    """What is in the display's clipboard?"""


class Close(msgspec.Struct, tag="close"):
    """End: browser and display first."""


OnDisplay: TypeAlias = Open | Touch | Compare | Paste
Ask: TypeAlias = Send | Knock | Forget | Fresh | Trace | Act | Expect | OnDisplay | Close


class Exchanged(msgspec.Struct, tag="exchanged", omit_defaults=True):
    """An exchange, whole; `problem` says why there is none, or what is missing of it."""

    request: bytes = b""
    status: int = 0
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    url: str = ""
    problem: str = ""
    seconds: float = 0.0


class Seen(msgspec.Struct, tag="seen", omit_defaults=True):
    """What the browser shows. `before` and `after` are the accessible tree around the deed."""

    url: str = ""
    title: str = ""
    before: str = ""
    after: str = ""
    tabs: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    picture: bytes = b""
    problem: str = ""
    missing: bool = False
    """The thing pointed at is not there at all."""
    no_browser: bool = False


class Traced(msgspec.Struct, tag="traced", omit_defaults=True):
    """A recording that playwright's trace viewer opens; empty if there is none, or one too large to hand over."""

    content: bytes = b""


class TopWindow(msgspec.Struct, omit_defaults=True):
    """A window that is shown. A `popup` is a menu or a hint, which no window manager touches."""

    id: int
    title: str
    x: int
    y: int
    width: int
    height: int
    popup: bool = False
    focused: bool = False


class Shown(msgspec.Struct, tag="shown", omit_defaults=True):
    """What the display shows: windows from the lowest to the uppermost, and where it differs from before the deed.

    `changed` is left, top, and the first column and row outside; () for nowhere.
    """

    address: str = ""
    windows: tuple[TopWindow, ...] = ()
    changed: tuple[int, ...] = ()
    picture: bytes = b""
    copied: str | None = None
    problem: str = ""
    broken: bool = False
    """There is no display, or none any more."""


Answer: TypeAlias = Exchanged | Seen | Traced | Shown
