"""The library driver against a real library, honest and otherwise: what it answers is data, and the verdict is ours."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import pytest

from shopfloor.domain.errors import AskModelAgain
from shopfloor.validation.drivers.actions import Action
from shopfloor.validation.drivers.library import LibraryDriver, open_library
from shopfloor.validation.drivers.steps import read_step

if TYPE_CHECKING:
    from .conftest import Ground


def test_what_is_called_and_kept_is_told_and_compared(ground: "Ground") -> None:
    """Values by position and by name, kept things among them, attributes, coroutines, errors and what was printed."""
    held = (
        "from listed import shouted",
        *('call shouted("milk", times=2)', 'result is "MILK!!"', 'output is "shouting milk"'),
        "import listed",
        *("call listed.Todos() as todos", 'call todos.add("milk")', "ask todos.titles()", 'result is ["milk"]'),
        *("ask todos.count", "result is 1", "json $ is a number"),
        *('call listed.EmptyTitle("unit") as unit', "call str(unit) as words"),
        *('call listed.total([{"amount": 1.5}, {"amount": 2}], unit=words)', 'result is {"sum": 3.5, "unit": "unit"}'),
        *("json $.sum is 3.5", 'json $.unit has "ni"', "json $.tax is a absent"),
        *("call listed.later([true, null, 1])", "result is [true, null, 1]"),
        *('call todos.add("")', 'raises ValueError "has words"', "ask todos.titles()", "result counts 1"),
        *("ask todos.nothing", "raises AttributeError"),
        *("call listed.leave()", "raises SystemExit"),
        *("call sorted([3, 1])", "result is [1, 3]"),
    )

    async def story(library: LibraryDriver) -> None:
        assert [line for line in held if not await happens(library, line)] == []

    with_the_library(ground, story)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (('call listed.shouted("milk")', 'result is "milk"'), 'result is "milk": but $ is "MILK!"'),
        (('call listed.shouted("milk")', "raises ValueError"), 'but it gave "MILK!"'),
        (("call listed.shouted(3)", 'result is "3"'), "but it raised AttributeError: 'int' object"),
        (("call listed.shouted(3)", "raises ValueError"), "but it raised AttributeError"),
        (("call listed.Todos()", "result is {}"), "it is a Todos, which is no JSON"),
        (("call nowhere.shouted()",), "not done: nothing is known under the name 'nowhere'"),
        (("import nowhere",), "not done: it raised ModuleNotFoundError: No module named 'nowhere'"),
        (("call listed.wait(9) within 0.3 s",), "not done: no answer within 0.3 s"),
        (("call listed.crash()",), "not done: its process ended with exit code 134"),
        (("call listed.shouted(3)", 'call listed.shouted("a")'), "`call listed.shouted(3)` raised AttributeError"),
    ],
)
def test_what_is_not_so_is_told_in_words(ground: "Ground", lines: tuple[str, ...], words: str) -> None:
    """What came instead, or why nothing came."""

    async def story(library: LibraryDriver) -> None:
        assert await happens(library, "import listed")
        assert all([await happens(library, line) for line in lines[:-1]])
        assert not await happens(library, lines[-1])
        assert words in library.transcript.steps[-1].observation.text

    with_the_library(ground, story)


@pytest.mark.parametrize("trick", ["everything", "pretender", "answers_itself"])
def test_a_library_cannot_talk_its_way_to_a_pass(ground: "Ground", trick: str) -> None:
    """Equal to everything, reading as expected, answering in the protocol's stead: the comparison is made elsewhere."""

    async def story(library: LibraryDriver) -> None:
        assert await happens(library, "import listed")
        called = await happens(library, f'call listed.{trick}("milk")')

        assert not (called and await happens(library, 'result is "MILK!"'))
        await library.begin()
        assert await happens(library, "import listed")
        assert await happens(library, 'call listed.shouted("milk")')
        assert await happens(library, 'result is "MILK!"')

    with_the_library(ground, story)


def test_what_answers_in_its_own_stead_answers_once(ground: "Ground") -> None:
    """A library that finds out how it is asked can say what it could as well return; from then on it is not heard."""

    async def story(library: LibraryDriver) -> None:
        assert await happens(library, "import listed")
        await happens(library, 'call listed.repeats_itself("milk")')

        assert not await happens(library, 'call listed.shouted("milk")')

    with_the_library(ground, story)


def test_a_session_knows_nothing_of_the_one_before(ground: "Ground") -> None:
    """Each begins with a process of its own."""

    async def story(library: LibraryDriver) -> None:
        for line in ("import listed", "call listed.Todos() as todos", 'call todos.add("milk")'):
            assert await happens(library, line)
        await library.begin()

        assert not await happens(library, "ask todos.titles()")
        with pytest.raises(AskModelAgain, match="nothing was called"):
            await happens(library, "result is null")

    with_the_library(ground, story)


async def happens(library: LibraryDriver, line: str) -> bool:
    step = read_step(line)
    seen = await (library.perform(step) if isinstance(step, Action) else library.check(step, 0.0))
    return seen.happened


def with_the_library(ground: "Ground", story: Callable[[LibraryDriver], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with ground.arena() as arena, open_library(arena) as library:
            await story(library)

    anyio.run(whole)
