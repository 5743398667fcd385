"""The repository's own commands: what builds it, and what checks its types and its style, as the base configured them.

Its tests are own_tests' matter. It does not know what any of the commands does.
"""

from pathlib import PurePosixPath

import msgspec

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.mission import CheckOutcome
from shopfloor.repo.discovery import FoundCommands
from shopfloor.sandbox.protocol import Blueprint, Level
from shopfloor.validation.case import Scene
from shopfloor.validation.court import Court, ending
from shopfloor.validation.told import Told
from shopfloor.validation.trials.own_tests import KILLED, remembered_as
from shopfloor.validation.trials.testrun import belied

BUILD, TYPES, LINT, TESTS = "build", "types", "lint", "tests"
RULES = ("pyproject.toml", "setup.cfg")
"""What configures types and lint among other things."""


def gates_of(commands: FoundCommands) -> tuple[tuple[str, str], ...]:
    """The repository's own commands, by the name of the check that each is."""
    named = ((BUILD, commands.build), (TYPES, commands.types), (LINT, commands.lint), (TESTS, commands.test))
    return tuple((name, found.command) for name, found in named if found is not None)


async def own_commands(scene: Scene) -> tuple[Told, Level]:
    """What all of them but the tests say of the candidate, and the level of the sandbox in which they ran."""
    stage, rules = scene.under_own_commands, await _rules_of_base(scene)
    outcomes: list[CheckOutcome] = []
    async with stage.sandbox() as sandbox:
        for name, command in gates_of(scene.case.commands):
            if name == TESTS:
                continue
            # The command before this one belongs to the work; and so does how it is built.
            await sandbox.lay(stage.laid if name == BUILD else {**stage.laid, **rules})
            outcome = await stage.court.outcome(sandbox, name, command)
            ended = outcome.exit_code is not None and outcome.exit_code < KILLED
            if not outcome.passed and ended and name in scene.case.failing_on_base:
                detail = f"{outcome.detail}; it failed on the base too"
                outcome = msgspec.structs.replace(outcome, passed=True, detail=detail)
            outcomes.append(outcome)
        return Told(checks=tuple(outcomes)), sandbox.level


async def _rules_of_base(scene: Scene) -> dict[str, bytes]:
    """The rules as the base has them, where the change has them otherwise."""
    changed = [one.path for one in scene.changes if PurePosixPath(one.path).name in RULES and one.before]
    return {path: await scene.court.store.show(scene.case.base, path) or b"" for path in changed}


async def failing_on_base(court: Court, commands: FoundCommands, base: str) -> tuple[str, ...]:
    """Which of the repository's own commands fail before anybody has touched it. GiveUp when one does not end."""
    gates = gates_of(commands)
    if not gates:
        return ()
    place = await court.checkout(base, "before")
    failing: list[str] = []
    build = commands.build.command if commands.build else ""
    async with court.start(Blueprint(checkout=str(place))) as sandbox:
        for name, command in gates:
            finished, output = await court.run(sandbox, command)
            if finished.exit_code >= KILLED:
                raise GiveUp(
                    f"The repository's own {command!r} does not come to its end on the base ({ending(finished)}), so "
                    "nothing could be verified by it. Mend it, or name another in services.toml, and start again."
                )
            if finished.exit_code != 0 or (name == TESTS and belied(command, output)):
                failing.append(name)
            if name == TESTS:
                court.remembered[remembered_as(base, build, command)] = finished, output
    return tuple(failing)
