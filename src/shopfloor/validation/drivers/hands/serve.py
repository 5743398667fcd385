"""One line in, one line out: the program that the judge's side starts inside the arena.

It does not know what is being judged.
"""

import os
import shutil
import signal
import sys
import tempfile
import traceback
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import FrameType

import msgspec

from shopfloor.validation.drivers.hands.display import Display, NoDisplay
from shopfloor.validation.drivers.hands.requests import exchange, knock
from shopfloor.validation.drivers.hands.window import NoBrowser, Window
from shopfloor.validation.drivers.hands.wire import (
    Act,
    Answer,
    Ask,
    Close,
    Compare,
    Exchanged,
    Expect,
    Forget,
    Fresh,
    Knock,
    OnDisplay,
    Open,
    Paste,
    Seen,
    Send,
    Shown,
    Touch,
    Trace,
    Traced,
)


def serve(chromium: str) -> None:
    """Answers until asked to close, or until nobody asks any more; leaves nothing behind."""
    answers = _private_stdout()
    home = tempfile.mkdtemp(prefix="judge-")
    os.environ.update(HOME=home, TMPDIR=home, XDG_CONFIG_HOME=home, XDG_CACHE_HOME=home)
    tempfile.tempdir = home
    signal.signal(signal.SIGTERM, _end)
    hands = Hands(chromium)
    try:
        for line in sys.stdin.buffer:
            ask = msgspec.json.decode(line, type=Ask)
            if isinstance(ask, Close):
                break
            _write_all(answers, msgspec.json.encode(hands.do(ask)) + b"\n")
    except Exception:
        _write_all(answers, traceback.format_exc().encode())
        raise
    finally:
        hands.close()
        shutil.rmtree(home, ignore_errors=True)


class Hands:
    """One cookie jar, and one browser and one display from the moment they are first asked for."""

    def __init__(self, chromium: str) -> None:
        self._chromium = chromium
        self._jar = CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))
        self._window: Window | None = None
        self._display: Display | None = None

    def do(self, ask: Send | Knock | Forget | Fresh | Trace | Act | Expect | OnDisplay) -> Answer:
        match ask:
            case Send():
                return exchange(ask, self._jar)
            case Knock():
                return knock(ask)
            case Forget():
                self._jar.clear()
                return Exchanged()
            case Trace():
                return Traced(content=self._window.trace() if self._window else b"")
            case Fresh() | Act() | Expect():
                return self._in_browser(ask)
            case Open() | Touch() | Compare() | Paste():
                return self._on_display(ask)

    def close(self) -> None:
        if self._window is not None:
            self._window.close()
        if self._display is not None:
            self._display.close()

    def _in_browser(self, ask: Fresh | Act | Expect) -> Seen:
        try:
            self._window = self._window or Window(self._chromium)
        except NoBrowser as error:
            return Seen(problem=str(error), no_browser=True)
        match ask:
            case Fresh(names=names, traced=traced):
                return self._window.begin(names, traced=traced)
            case Act():
                return self._window.act(ask)
            case Expect():
                return self._window.expect(ask)

    def _on_display(self, ask: OnDisplay) -> Shown:
        try:
            match ask:
                case Open(shared=shared):
                    self._open(shared=shared)
                    return self._shown().touch(Touch(do="look"))
                case Touch():
                    return self._shown().touch(ask)
                case Compare():
                    return self._shown().compare(ask)
                case Paste():
                    return self._shown().copied()
        except NoDisplay as error:
            return Shown(problem=str(error), broken=True)
        except OSError as error:
            return Shown(problem=f"the display broke: {error}", broken=True)

    def _open(self, *, shared: bool) -> None:
        if self._display is not None:
            self._display.close()
            self._display = None
        self._display = Display(shared=shared)

    def _shown(self) -> Display:
        if self._display is None:
            raise NoDisplay("none was opened")
        return self._display


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


def _private_stdout() -> int:
    """Keeps standard output for answers alone: whatever a browser prints goes nowhere."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
