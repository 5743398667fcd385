"""The repository's own tests, as judges use them: what they say of a candidate means something only beside the base.

The same command runs over the same tests on the base and on the candidate, once as they are and once all made to fail.
What ran on the base must run here; what was seen to fail on the base must be seen to fail here. Nothing is asked of a
runner but to say what it did. It does not know who did the work.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

import msgspec

from shopfloor.domain.mission import CheckOutcome
from shopfloor.repo.sources import configures_only_tests, is_test, is_test_configuration, language_of
from shopfloor.sandbox.protocol import Finished
from shopfloor.validation.court import Court
from shopfloor.validation.findings.cases import Unreadable
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.moves import holds_tests, moved_to
from shopfloor.validation.findings.reading import cases
from shopfloor.validation.findings.skips import SKIPS
from shopfloor.validation.findings.tamper import MOVED
from shopfloor.validation.trials.beside import side_by_side
from shopfloor.validation.trials.counterproof import (
    HELD,
    NOT_CHECKED,
    Twins,
    broken,
    doubt,
    own_name,
    patient,
    still_passed,
    twins_of,
)
from shopfloor.validation.trials.stage import Stage
from shopfloor.validation.trials.testrun import Outcomes, got_worse, left_out, outcomes

LANDING = "tests as they land"
MOST_ALONE = 8
"""Files that are made to fail one by one, where a run over all does not name them."""
MOST_CONTROLLED = 400
KILLED = 128
"""Exit codes from here on are those of processes that a signal ended, also one that we sent."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One run of the tests."""

    finished: Finished
    output: str

    @cached_property
    def said(self) -> Outcomes:
        return outcomes(self.output)

    @property
    def ended(self) -> bool:
        """Whether it came to an end of its own."""
        return self.finished.exit_code < KILLED and not self.finished.timed_out


@dataclass(frozen=True, kw_only=True)
class OwnTests:
    """The tests of the base commit: the command that runs them, and the files that hold and configure them."""

    court: Court
    command: str
    base: Stage
    files: Mapping[str, bytes]
    supersedes: Collection[str] = ()
    apart: bool = False
    """Whether what runs beside them has a sandbox of its own."""

    @property
    def twins(self) -> dict[str, Twins]:
        tests = {path: content for path, content in self.files.items() if is_test(path)}
        return twins_of(dict(list(tests.items())[:MOST_CONTROLLED]))

    async def on_base(self) -> Tried:
        """What they said before anybody touched anything; run once."""
        return await self._remembered(AS_THEY_ARE, {})

    async def broken_on_base(self, twins: Mapping[str, Twins]) -> Tried:
        """What they said when all were made to fail; run once."""
        return await self._remembered("made to fail", broken(twins))

    async def _remembered(self, how: str, laid: Mapping[str, bytes]) -> Tried:
        key = remembered_as(self.base.commit, self.base.build, self.command, how)
        if key not in self.court.remembered:
            self.court.remembered[key] = await self.base.run(self.command, laid)
        finished, output = self.court.remembered[key]
        return Tried(finished=finished, output=output)


AS_THEY_ARE = "as they are"


def remembered_as(commit: str, build: str, command: str, how: str = AS_THEY_ARE) -> str:
    """Under which name a court remembers what tests said of a commit."""
    return f"{commit} {build!r} {command!r} {how}"


async def files_of_base(court: Court, base: str, *, exempt: Collection[str]) -> dict[str, bytes]:
    """The base's tests, and what configures tests and nothing else: they are laid over what is judged."""
    entries = [
        entry
        for entry in await court.store.entries(base)
        if entry.kind == "blob" and entry.mode != SYMLINK and _is_text(entry.path)
    ]
    judging = [one for one in entries if _judges(one.path) and one.path not in exempt]
    files = await court.store.contents(judging)
    return {path: content for path, content in files.items() if not is_product(path, content)}


def _judges(path: str) -> bool:
    return is_test(path) or configures_only_tests(path)


def _is_text(path: str) -> bool:
    """Whether a name can be said at all; a file whose name cannot stays as the change has it."""
    return path.encode(errors="replace").decode() == path


SYMLINK = "120000"
"""How git marks what points somewhere else: it stays as the change has it, and what it points to is judged there."""


def is_product(path: str, content: bytes) -> bool:
    """Whether a Python file has only the name of a test: it stands in no folder of tests, and holds none."""
    name = PurePosixPath(path).name
    by_folder = is_test(path.removesuffix(name) + "other.py")
    text = content.decode(errors="replace")
    return name.endswith(".py") and is_test(path) and not by_folder and not holds_tests(path, text)


def not_of_base(changes: Sequence[Change], exempt: Collection[str]) -> tuple[str, ...]:
    """Tests and test configuration that are new: they judge what lands, and not whether the base's tests pass."""
    fresh = {change.path: (change.after or "").encode() for change in changes if change.before is None}
    judging = [path for path in fresh if (is_test(path) or configures_only_tests(path)) and path not in exempt]
    return tuple(path for path in judging if not is_product(path, fresh[path]))


async def compared(own: OwnTests, now: Tried) -> tuple[bool, str]:
    """Whether a run over the base's tests is as good as the one on the base, and why not."""
    base = await own.on_base()
    if now.finished.exit_code == 0:
        missing = left_out(_without(base.said, own.supersedes), now.said) if base.ended else ""
        missing = missing or _never_ran(own, base.said, now.said)
        return not missing, missing
    if not now.ended:
        return False, ""
    worse = got_worse(base.output, now.output)
    return not worse, f"it failed on the base too{f', {worse}' if worse else ''}"


def _never_ran(own: OwnTests, base: Outcomes, now: Outcomes) -> str:
    """Tests that the base could not even read, for what they ask for was missing there: all of them must run here."""
    unread = [path for path in own.files if path.endswith(".py") and _was_unread(path, base)]
    found = {path: cases(path, own.files[path].decode(errors="replace")) for path in unread}
    wanted = {
        own_name(case.name)
        for path, some in found.items()
        if not isinstance(some, Unreadable)
        for case in some
        if case.is_test and not SKIPS.search(own.files[path].decode(errors="replace"))
    }
    ran = {own_name(name) for name in (*now.names_passed, *now.names_failed)}
    if now.names_all_passed and (missing := sorted(wanted - ran)):
        return f"tests that the base could not read did not run here either: {', '.join(missing[:5])}"
    if wanted and now.skipped:
        return f"{now.skipped} tests were skipped, and nothing in the tests says so"
    return ""


def _was_unread(path: str, base: Outcomes) -> bool:
    module = path.removesuffix(".py").replace("/", ".")
    stem = PurePosixPath(path).stem
    return any(
        name == path or ("_FailedTest" in name and name.split(" ")[0].rpartition(".")[2] in (module, stem))
        for name in base.names_failed
    )


def _without(said: Outcomes, superseded: Collection[str]) -> Outcomes:
    """What was said of all tests but these, whose number nobody knows where they have no names."""
    if not superseded:
        return said
    names = tuple(name for name in said.names_passed if not any(_stands_in(name, path) for path in superseded))
    return Outcomes(passed=len(names), names_passed=names) if said.names_all_passed else Outcomes()


async def control_of_tests(own: OwnTests, candidate: Stage, plain: Tried) -> CheckOutcome:
    """Whether what these tests say of the candidate is to be believed: made to fail, they must be seen to fail."""
    twins = own.twins
    if not twins:
        return NOT_CHECKED
    waiting = patient(candidate, plain.finished.seconds)
    spoiled, base = await side_by_side(
        lambda: tried(waiting, own.command, broken(twins)), lambda: own.broken_on_base(twins), apart=own.apart
    )
    if spoiled.finished.exit_code == 0 and base.finished.exit_code == 0:
        return NOT_CHECKED
    if why := _believed_too_much(own, spoiled, base, plain, twins):
        return doubt(own.court, own.command, spoiled.finished, spoiled.output, why)
    quiet = [path for path, one in twins.items() if not _is_named(path, one, spoiled.said)]
    for path in quiet[:MOST_ALONE]:
        alone = {path: twins[path]}
        seen = await tried(waiting, own.command, broken(alone))
        if _bites(seen, plain):
            continue
        on_base = await tried(patient(own.base, plain.finished.seconds), own.command, broken(alone))
        if _bites(on_base, await own.on_base()):
            why = f"tests in {path} that were made to fail are seen to fail on the base, but not here"
            return doubt(own.court, own.command, seen.finished, seen.output, why)
    left = len(quiet) - MOST_ALONE
    return msgspec.structs.replace(HELD, detail=f"{HELD.detail}; {left} files only all at once") if left > 0 else HELD


async def tried(stage: Stage, command: str, files: Mapping[str, bytes] | None = None) -> Tried:
    """Runs the tests once."""
    finished, output = await stage.run(command, files)
    return Tried(finished=finished, output=output)


def _believed_too_much(own: OwnTests, spoiled: Tried, base: Tried, plain: Tried, twins: Mapping[str, Twins]) -> str:
    if spoiled.finished.exit_code == 0:
        return f"tests that were made to fail fail under {own.command!r} on the base, but never here"
    known = set(still_passed(base.said, twins))
    if still := [name for name in still_passed(spoiled.said, twins) if name not in known]:
        return f"tests that were made to fail were reported as passed: {', '.join(still[:5])}"
    if spoiled.said.names_passed or not _all_controlled(own, twins):
        return ""
    beside = (plain.said.ran or 0) - sum(one.made.tests or 0 for one in twins.values())
    if (spoiled.said.passed or 0) > max(base.said.passed or 0, beside):
        return f"{spoiled.said.passed} tests that were made to fail were reported as passed"
    return ""


def _all_controlled(own: OwnTests, twins: Mapping[str, Twins]) -> bool:
    """Whether every file that may hold tests could be made to fail."""
    hold = [path for path in own.files if is_test(path) and language_of(path) and _holds(own, path)]
    return all(path in twins for path in hold) and "doctest" not in own.command


def _holds(own: OwnTests, path: str) -> bool:
    return holds_tests(path, own.files[path].decode(errors="replace"))


def _is_named(path: str, one: Twins, said: Outcomes) -> bool:
    """Whether a run names a failing test of that file."""
    return any(_stands_in(name, path) or own_name(name) in one.tests for name in said.names_failed)


def _stands_in(name: str, path: str) -> bool:
    """Whether a test that a runner named stands in that file, as far as the name says."""
    module = path.removesuffix(".py").replace("/", ".")
    return name.startswith((f"{path}::", path)) or f"({module}." in name or f"({module})" in name


def _bites(seen: Tried, plain: Tried) -> bool:
    """Whether making tests fail made a difference."""
    if plain.finished.exit_code == 0:
        return seen.finished.exit_code != 0
    return bool(set(seen.said.names_failed) - set(plain.said.names_failed))


# --- as they land -----------------------------------------------------------------------------------------------


def touches_tests(changes: Sequence[Change]) -> bool:
    """Whether what lands is judged by other tests, or in another way, than what was on the base."""
    return any(is_test(change.path) or is_test_configuration(change.path) for change in changes)


async def as_they_land(
    own: OwnTests, landing: Stage, changes: Sequence[Change], restored: Tried
) -> tuple[CheckOutcome, ...]:
    """The tests with the change's own versions of them: they must pass, and run all that ran, also what was moved."""
    now = await tried(landing, own.command)
    good, why = await compared(own, now) if now.finished.exit_code else (True, "")
    if good:
        missing = _no_longer_run(_without(restored.said, own.supersedes), now.said)
        good, why = not missing, missing or why
    evidence = own.court.transcript(own.command, now.finished, now.output, f"{LANDING}: {own.command}")
    outcome = CheckOutcome(
        name=LANDING,
        passed=good,
        detail=f"exit code {now.finished.exit_code}{f'; {why}' if why else ''}",
        command=own.command,
        exit_code=now.finished.exit_code,
        evidence=(evidence,),
    )
    if now.ended and good and any(is_test_configuration(change.path) for change in changes):
        held = await control_of_tests(own, landing, now)
        if not held.passed:
            return (outcome, msgspec.structs.replace(held, name=f"{held.name} of {LANDING}"))
    after = {change.path: change.after for change in changes}
    places = twins_of({place: (after[place] or "").encode() for place in moved_to(changes)})
    if not now.ended or not places:
        return (outcome,)
    return (outcome, await _moved_tests_run(own, landing, places, now))


def _no_longer_run(restored: Outcomes, now: Outcomes) -> str:
    """Tests of the base that passed on what is judged, but do not run as it lands."""
    if restored.names_all_passed and now.names_all_passed:
        ran = {own_name(name) for name in now.names_passed}
        missing = [name for name in restored.names_passed if own_name(name) not in ran]
        return f"tests that passed do not run as it lands: {', '.join(missing[:5])}" if missing else ""
    if restored.ran is not None and now.ran is not None and now.ran < restored.ran:
        return f"{restored.ran} tests ran, and only {now.ran} do as it lands"
    return ""


async def _moved_tests_run(own: OwnTests, landing: Stage, places: Mapping[str, Twins], plain: Tried) -> CheckOutcome:
    """Whether the command runs tests where they stand now: each file, made to fail, must be missed."""
    waiting = patient(landing, plain.finished.seconds)
    seen = await tried(waiting, own.command, broken(places))
    for path, one in places.items():
        if _is_named(path, one, seen.said):
            continue
        alone = await tried(waiting, own.command, broken({path: one}))
        if not _bites(alone, plain):
            why = f"tests were moved to {path}, where {own.command!r} does not run them"
            return doubt(own.court, own.command, alone.finished, alone.output, why, name=MOVED)
    return CheckOutcome(name=MOVED, passed=True, detail="tests that were moved still run where they stand now")
