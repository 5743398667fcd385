"""A small real library: a list of things to do, and ways to misbehave."""

import contextlib
import os
import sys
import time


class Todos:
    def __init__(self) -> None:
        self._titles: list[str] = []

    def add(self, title: str) -> None:
        if not title:
            raise EmptyTitle("a thing to do has words")
        self._titles.append(title)

    def titles(self) -> tuple[str, ...]:
        return tuple(self._titles)

    @property
    def count(self) -> int:
        return len(self._titles)


class Canned:
    """Looks like the same, and keeps nothing."""

    def add(self, title: str) -> None:
        pass

    def titles(self) -> list[str]:
        return ["milk"]


class EmptyTitle(ValueError):
    pass


def shouted(text: str, *, times: int = 1) -> str:
    print(f"shouting {text}")
    return text.upper() + "!" * times


def canned(text: str) -> str:
    return "MILK!"


def total(parts: list[dict[str, float]], unit: object = None) -> dict[str, object]:
    return {"sum": sum(part["amount"] for part in parts), "unit": unit}


async def later(value: object) -> object:
    return value


def wait(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def crash() -> None:
    os.abort()


def leave() -> None:
    sys.exit(0)


# --- what tries to pass by other means --------------------------------------------------------------------------


class Everything(str):
    """Equal to all there is, and reads as one likes."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "MILK!"

    __repr__ = __iter__ = __str__  # type: ignore[assignment]

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return dict


class Pretender:
    """No text at all, whatever it says."""

    __class__ = str  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "MILK!"

    __repr__ = __str__


def everything(text: str) -> str:
    return Everything("nothing")


def pretender(text: str) -> Pretender:
    return Pretender()


def answers_itself(text: str) -> str:
    """Writes answers to every open file, before and after its own."""
    write_everywhere(b'{"id": "0", "json": "\\"MILK!\\""}\n')
    print('{"id": "0", "json": "\\"MILK!\\""}')
    return "nothing"


def repeats_itself(text: str) -> str:
    """Finds the number of what it is asked, and answers it twice."""
    frame = sys._getframe()
    while frame and "ask" not in frame.f_locals:
        frame = frame.f_back
    assert frame
    answer = b'{"id": "%s", "json": "\\"MILK!\\""}\n' % frame.f_locals["ask"]["id"].encode()
    write_everywhere(answer * 2)
    return "nothing"


def write_everywhere(text: bytes) -> None:
    for file in range(3, 20):
        with contextlib.suppress(OSError):
            os.write(file, text)
