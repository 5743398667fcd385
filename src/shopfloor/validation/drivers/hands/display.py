"""A display that nobody sees: Xvfb, keyboard and mouse through xdotool, and what is shown on it.

Windows get the focus as a window manager would give it; no other stands between an app and its user. It does not know
which app draws there.
"""

import contextlib
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from shopfloor.validation.drivers.hands.picture import Difference, Picture, difference, read_picture
from shopfloor.validation.drivers.hands.wire import Compare, Shown, Touch
from shopfloor.validation.drivers.hands.xclient import XClient

SIZE = (1024, 768)
STARTING_S = 20.0
ENDING_S = 2.0
INPUT_S = 5.0
"""How long the display may take for a key or a click: an app can hold it for itself."""
SETTLE_S = 2.0
"""A display that never rests is used after so long."""
LOOK_S = 0.1
BLINK_S = 1.0
"""In so long, every caret that blinks has been seen dark and light."""
BETWEEN_KEYS_MS = 12
_PROGRAMS = {"Xvfb": "xvfb", "xdotool": "xdotool"}


class NoDisplay(Exception):
    """There can be none here; the message says why."""


class Display:
    """One display from its opening on. What is held up, or gone, is told as a problem."""

    def __init__(self, *, shared: bool) -> None:
        missing = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
        if missing:
            raise NoDisplay(f"{' and '.join(missing)} not installed: apt-get install {' '.join(missing)}")
        self._folder = Path(tempfile.mkdtemp(prefix="display-"))
        self._server, number = _started(self._folder, shared=shared)
        self.address = f"127.0.0.1:{number}" if shared else f":{number}"
        try:
            self._client = _connected(number, shared=shared)
        except OSError as error:
            self.close()
            raise NoDisplay(f"Xvfb does not answer: {error}") from error
        self._known: frozenset[int] = frozenset()
        self._pictures = {"": self._picture()}

    def close(self) -> None:
        with contextlib.suppress(AttributeError):
            self._client.close()
        _end(self._server)
        shutil.rmtree(self._folder, ignore_errors=True)

    def touch(self, touch: Touch) -> Shown:
        """Does one thing, waits until the display rests, and says what is then shown. OSError if it is broken."""
        problem = ""
        if touch.do in ("type", "keys", "click"):
            problem = self._prepared(touch)
            self._pictures[""] = self._picture()
            for words in () if problem else _words(touch):
                problem = problem or self._input(*words)
        elif touch.do == "remember":
            self._pictures[touch.text] = self._picture()
        if touch.do != "remember":
            self._settle()
        return self._shown(problem, picture=touch.do != "remember")

    def compare(self, compare: Compare) -> Shown:
        """Waits until the display differs from a picture, or is like it, for as long as a caret takes to blink."""
        before = self._pictures.get(compare.picture)
        if before is None:
            return self._shown(f"no picture was kept as {compare.picture!r}", picture=False)
        if not compare.seconds:
            return self._shown(_otherwise(difference(before, self._picture()), compare), picture=False)
        if not compare.differs:
            time.sleep(BLINK_S)  # an app may take a moment to do what it should not
        until = time.monotonic() + max(compare.seconds, BLINK_S + LOOK_S)
        while (problem := self._lasting(before, compare)) and time.monotonic() < until:
            pass
        return self._shown(problem, picture=True)

    def _lasting(self, before: Picture, compare: Compare) -> str:
        """How it is otherwise, from now until every caret has blinked, or ""."""
        until, lasting = time.monotonic() + BLINK_S, difference(before, self._picture())
        while time.monotonic() < until and not (compare.differs and not lasting.is_seen):
            time.sleep(LOOK_S)
            lasting &= difference(before, self._picture())
        if compare.differs or not lasting.bits:
            return _otherwise(lasting, compare)
        return f"it changed {_place(lasting)}"

    def copied(self) -> Shown:
        """What is in the clipboard."""
        copied = self._client.copied()
        shown = self._shown("" if copied is not None else "nothing was copied", picture=True)
        shown.copied = copied
        return shown

    def _prepared(self, touch: Touch) -> str:
        """The focus is where it will be, and the pointer: what follows from that is not yet an effect."""
        if touch.do == "click":
            if problem := self._input("mousemove", str(touch.x), str(touch.y)):
                return problem
            self._focus(self._client.under_pointer())
        self._settle()
        return ""

    def _settle(self) -> None:
        """Waits until two looks agree, and gives a new window the focus."""
        until, last = time.monotonic() + SETTLE_S, self._picture()
        while time.monotonic() < until:
            time.sleep(LOOK_S)
            focused, now = self._focus(), self._picture()
            if not focused and now.pixels == last.pixels:
                return
            last = now

    def _focus(self, wanted: int = 0) -> bool:
        """Gives the focus to `wanted`, to a window that is new, or to the uppermost if none has it; whether it did."""
        shown = self._client.windows()
        held = any(window.focused for window in shown)
        windows = [window for window in shown if not window.popup]
        new = [window for window in windows if window.id not in self._known]
        self._known = frozenset(window.id for window in windows)
        chosen = [window for window in windows if window.id == wanted] or new or ([] if held else windows)
        if not chosen or chosen[-1].focused:
            return False
        self._client.give_focus(chosen[-1].id)
        return True

    def _input(self, *words: str) -> str:
        """Has xdotool do it; why it could not, or ""."""
        seconds = INPUT_S + sum(map(len, words)) * BETWEEN_KEYS_MS / 500
        environment = {**os.environ, "DISPLAY": self.address}
        try:
            done = subprocess.run(
                ("xdotool", *words), capture_output=True, text=True, timeout=seconds, check=False, env=environment
            )
        except subprocess.TimeoutExpired:
            return f"the display took no input for {seconds:.0f} s: an app holds it for itself"
        complaints = [line for line in done.stderr.splitlines() if line.strip()]
        return complaints[0] if complaints else "xdotool could not do it" if done.returncode else ""

    def _shown(self, problem: str, *, picture: bool) -> Shown:
        if self._server.poll() is not None:
            raise OSError(f"Xvfb ended with exit code {self._server.returncode}")
        shown = Shown(problem=problem, address=self.address, windows=self._client.windows())
        if picture:
            now = self._picture()
            shown.changed, shown.picture = difference(self._pictures[""], now).box or (), now.png()
        return shown

    def _picture(self) -> Picture:
        return read_picture(self._folder / "Xvfb_screen0")


def _words(touch: Touch) -> tuple[tuple[str, ...], ...]:
    """What xdotool is told, key by key: it would take a name such as `exec` among others for an order."""
    match touch.do:
        case "type":
            return (("type", "--delay", str(BETWEEN_KEYS_MS), "--", touch.text),)
        case "keys":
            return tuple(("key", "--", name) for name in touch.names)
        case _:
            return (("click", "--repeat", str(touch.times), "--delay", "60", str(touch.button)),)


def _otherwise(differs: Difference, compare: Compare) -> str:
    """How it is not as wanted, or ""."""
    if compare.differs:
        return "" if differs.is_seen else "it is as it was"
    return f"it differs {_place(differs)}" if differs.is_seen else ""


def _place(differs: Difference) -> str:
    left, top, right, bottom = differs.box or (0, 0, 0, 0)
    return f"from {left} {top} to {right} {bottom}"


def _started(folder: Path, *, shared: bool) -> tuple[subprocess.Popen[bytes], int]:
    """Xvfb, and the number that it found free. Over the network it answers this machine alone."""
    told, tells = os.pipe()
    server = subprocess.Popen(
        ("Xvfb", "-displayfd", str(tells), "-screen", "0", "x".join(map(str, (*SIZE, 24))), "-fbdir", str(folder),
         "-nocursor", "-noreset", "-listen" if shared else "-nolisten", "tcp", "-extension", "MIT-SHM"),
        pass_fds=(tells,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(tells)
    with open(told, "rb") as numbers:  # noqa: PTH123 - it is open already
        ready, _, _ = select.select([numbers], [], [], STARTING_S)
        said = numbers.readline() if ready else b""
    if not said.strip().isdigit():
        raise NoDisplay(f"Xvfb did not start (exit code {_end(server)})")
    return server, int(said)


def _end(server: subprocess.Popen[bytes]) -> int:
    """Politely, so that it takes its sockets along."""
    server.terminate()
    try:
        return server.wait(timeout=ENDING_S)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


def _connected(number: int, *, shared: bool) -> XClient:
    if shared:
        return XClient(socket.AF_INET, ("127.0.0.1", 6000 + number))
    return XClient(socket.AF_UNIX, f"/tmp/.X11-unix/X{number}")
