"""The app under test: when it counts as up, what is said when it does not come up, and what survives a restart."""

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest

from shopfloor.domain.errors import GiveUp
from shopfloor.validation.drivers.actions import Request
from shopfloor.validation.drivers.app import LOG_CAP, Recipe, app_under_test
from shopfloor.validation.drivers.drive import open_drive
from shopfloor.validation.drivers.hands.wire import Send
from shopfloor.validation.drivers.http import open_http

if TYPE_CHECKING:
    from .conftest import Ground


def test_what_an_app_keeps_survives_its_restart(ground: "Ground") -> None:
    """A restart is a real end and a real beginning: its output is in the log twice, its to-dos are still there."""

    async def story() -> None:
        async with ground.arena() as arena, ground.todo_app(arena) as app, open_http(arena, ground.base_url) as http:
            await http.perform(Request(method="POST", url="/todos", body='{"title": "milk"}'))
            assert (await app.restart()).healthy
            assert '"milk"' in (await http.perform(Request(url="/todos"))).text
            await app.stop()
            assert "nothing listens" in (await http.perform(Request(url="/todos"))).text

    anyio.run(story)
    assert ground.log.read_text().count("to-do app starting") == 2


def test_an_app_that_does_not_come_up_says_its_last_words(ground: "Ground") -> None:
    """A crash at the start and a port that never opens are values with the reason, in time."""

    async def start(command: str, health: str) -> str:
        recipe = Recipe(command=command, address=ground.base_url, health=health)
        async with ground.arena() as arena, app_under_test(arena, recipe, ground.log) as app:
            health_seen = await app.start(deadline_s=1.0)
            assert not health_seen.healthy
            return health_seen.text

    crashed = anyio.run(start, "echo no database here; exit 4", "/")
    silent = anyio.run(start, "echo waiting; sleep 1000", "tcp")

    assert "it ended with exit code 4" in crashed
    assert "no database here" in crashed
    assert "nothing listens at http://localhost" in silent
    assert "waiting" in silent


def test_any_open_port_can_count_as_up_and_a_talkative_app_never_waits_for_us(ground: "Ground") -> None:
    """Megabytes of output are read all along; the app serves as if nobody had to read them."""

    async def story() -> None:
        command = f"yes | head -c 3000000; exec $PYTHON todo.py {ground.port}"
        recipe = Recipe(command=command, address=ground.base_url, health="tcp")
        async with ground.arena() as arena, app_under_test(arena, recipe, ground.log) as app:
            assert (await app.start()).healthy

    anyio.run(story)
    assert ground.log.stat().st_size > 3_000_000


def test_an_app_that_prints_without_end_fills_no_disk_and_its_last_words_are_told(ground: "Ground") -> None:
    """The log keeps so much and no more; what was said last is known all the same, and the app answers meanwhile."""

    async def story() -> None:
        recipe = Recipe(command=f"exec $PYTHON trouble.py {ground.port} flood", address=ground.base_url)
        async with ground.arena() as arena, app_under_test(arena, recipe, ground.log) as app:
            assert (await app.start()).healthy
            with anyio.fail_after(60):
                while ground.log.stat().st_size < LOG_CAP:  # noqa: ASYNC110 - what it waits for happens elsewhere
                    await anyio.sleep(0.1)
            await anyio.sleep(0.5)
            assert (await app.died(), ground.log.stat().st_size) == ("", LOG_CAP)
            assert "all work and no play" in app.output()

    anyio.run(story)


def test_who_is_left_over_from_a_restart_is_named_with_what_to_do(ground: "Ground") -> None:
    """An app that leaves the group it was started in cannot be ended as a group: somebody has to say how it stops."""

    async def story() -> None:
        command = f"setsid $PYTHON todo.py {ground.port} & wait"
        async with (
            ground.arena() as arena,
            app_under_test(arena, Recipe(command=command, address=ground.base_url), ground.log) as app,
        ):
            assert (await app.start()).healthy
            again = await app.restart()
            assert not again.healthy
            assert "still answers" in again.text and "`[app] stop` in services.toml" in again.text
            await arena.renew()
            assert (await app.restart()).healthy

    anyio.run(story)


def test_a_command_says_when_it_is_up_and_another_ends_it_politely(ground: "Ground") -> None:
    """Both run beside the app, with its files; what it does on its polite end has been done."""
    command = f"trap 'echo farewell > farewell; exit' TERM; echo $$ > pid; $PYTHON todo.py {ground.port} & wait"

    async def story() -> None:
        recipe = Recipe(
            command=command,
            address=ground.base_url,
            health="test -s pid",
            stop="kill $(cat pid); while ! test -s farewell; do sleep 0.01; done",
        )
        async with ground.arena() as arena, app_under_test(arena, recipe, ground.log) as app:
            assert (await app.start()).healthy
            await app.stop()
            assert await arena.read("farewell", 100) == b"farewell\n"
            never = replace(recipe, health="echo not yet; exit 9")
            async with app_under_test(arena, never, ground.log) as other:
                assert "'echo not yet; exit 9' ended with exit code 9" in (await other.start(deadline_s=0.5)).text

    anyio.run(story)


def test_a_stranger_at_the_apps_address_blocks_the_judgement(ground: "Ground") -> None:
    """Whoever already answers there would be judged instead of the app: GiveUp, and it leaves its context unwrapped."""

    async def story() -> None:
        async with (
            ground.arena() as arena,
            ground.todo_app(arena),
            app_under_test(arena, Recipe(command="sleep 9", address=ground.base_url), ground.log) as second,
        ):
            await second.start()

    with pytest.raises(GiveUp, match="something else already answers"):
        anyio.run(story)


def test_a_judges_hands_that_cannot_work_block_the_judgement(ground: "Ground") -> None:
    """A drive server that breaks off is a GiveUp in words, never an answer."""

    async def story() -> None:
        async with ground.arena() as arena, open_drive(arena, python="/bin/false") as drive:
            await drive.send(Send(url=ground.base_url))

    with pytest.raises(GiveUp, match="the judge's drive server broke off"):
        anyio.run(story)
