"""A case: what is to be judged and by what, and the candidate as each kind of check sees it.

It does not know what the checks are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import msgspec

from shopfloor.domain.contract import Contract, SealedChecks
from shopfloor.domain.mission import Finding
from shopfloor.repo.discovery import FoundCommands
from shopfloor.repo.sources import is_test
from shopfloor.validation.court import Court
from shopfloor.validation.findings import tamper
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.readers import ReviewCase
from shopfloor.validation.trials.own_tests import OwnTests, files_of_base, not_of_base
from shopfloor.validation.trials.power import Patience
from shopfloor.validation.trials.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is to be judged, and by what. `base` is where the mission began, `claims` what this feature must prove."""

    subject: str
    commit: str
    base: str
    contract: Contract
    seal: str
    claims: tuple[str, ...]
    checks: SealedChecks
    commands: FoundCommands
    failing_on_base: tuple[str, ...]
    review: ReviewCase | None
    by_contract: bool = True
    tests_are_proof: bool = False
    """Whether the repository's own tests are all that will ever speak for it."""
    """False for a change that nobody planned: its author may also change what tests expect, and it is told."""
    since: str = ""
    """Where that part of it began of which is tried how much the tests see; "" is the base."""
    patience: Patience | None = None
    """How long that may take; None where it is not asked."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A case as it lies before the court: what was changed, and the files that have a say in judging it."""

    court: Court
    case: Case
    changes: Sequence[Change]
    of_base: Mapping[str, bytes]
    """The base's tests, and what configures tests and nothing else."""
    tests: Mapping[str, str]
    """The text of every Python test that has a say: the base's, the sealed ones, and those that the change brings."""
    apart: bool = False
    """Whether trials are kept from each other by sandboxes, so that they can run side by side."""

    def as_the_author_has_it(self, found: Sequence[Finding]) -> "Scene":
        """The same, where the change's own versions of tests stand in for what is told of them."""
        told = {finding.path for finding in found if finding.check in tamper.MEANT and not finding.refuses}
        told -= {finding.path for finding in found if finding.refuses}
        own = {change.path: change.after for change in self.changes if change.path in told}
        now = {path: text.encode() for path, text in own.items() if text is not None}
        kept = {path: content for path, content in self.of_base.items() if path not in told}
        contract = msgspec.structs.replace(self.case.contract, supersedes=tuple(told))
        return replace(self, case=replace(self.case, contract=contract), of_base={**kept, **now})

    @property
    def landing(self) -> Stage:
        """The candidate as it is."""
        build = self.case.commands.build.command if self.case.commands.build else ""
        return Stage(court=self.court, commit=self.case.commit, laid={}, build=build)

    @property
    def as_it_lands(self) -> Stage:
        """The candidate with its sealed checks, which land with it."""
        return replace(self.landing, laid=self.court.sealed(self.case.checks))

    @property
    def under_sealed_checks(self) -> Stage:
        """With the sealed checks, beside the base's tests. Some runners take only one of two test files of one name."""
        sealed = self.court.sealed(self.case.checks)
        names = {PurePosixPath(path).name for path in (*self.of_base, *sealed) if is_test(path)}
        fresh = (path for path in self._fresh if is_test(path) and path not in sealed)
        in_the_way = tuple(path for path in fresh if PurePosixPath(path).name in names)
        return replace(self.landing, laid={**self.of_base, **sealed}, gone=in_the_way)

    @property
    def under_own_commands(self) -> Stage:
        """With what configures judging as the base has it: types and lint are judged of all that lands."""
        configuring = {path: content for path, content in self.of_base.items() if not is_test(path)}
        gone = tuple(path for path in self._fresh if not is_test(path))
        return replace(self.landing, laid=configuring, gone=gone)

    @property
    def under_own_tests(self) -> Stage:
        """With the base's tests and no other."""
        return replace(self.landing, laid=self.of_base, gone=self._fresh)

    @property
    def own_tests(self) -> OwnTests | None:
        """What the base's tests said of it; None where the repository has no command that runs them."""
        if self.case.commands.test is None:
            return None
        return OwnTests(
            court=self.court,
            command=self.case.commands.test.command,
            base=replace(self.landing, commit=self.case.base),
            files=self.of_base,
            supersedes=self.case.contract.supersedes,
            apart=self.apart,
        )

    @property
    def _fresh(self) -> tuple[str, ...]:
        return not_of_base(self.changes, self.case.contract.supersedes)


async def scene_of(court: Court, case: Case) -> Scene:
    """The scene of a case, read from the store."""
    changes = await changes_between(court, case.base, case.commit)
    of_base = await files_of_base(court, case.base, exempt=case.contract.supersedes)
    files = {**of_base, **court.sealed(case.checks)}
    tests = {path: content.decode(errors="replace") for path, content in files.items() if is_test(path)}
    tests |= {change.path: change.after for change in changes if change.after is not None and is_test(change.path)}
    in_python = {path: text for path, text in tests.items() if path.endswith(".py")}
    return Scene(court=court, case=case, changes=changes, of_base=of_base, tests=in_python)


async def changes_between(court: Court, began: str, commit: str) -> list[Change]:
    """What lies between two commits, file by file."""
    return [
        Change(
            path=file.path,
            before=_text(await court.store.show(began, file.path)),
            after=_text(await court.store.show(commit, file.path)),
        )
        for file in await court.store.changed_files(began, commit)
    ]


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode(errors="replace")
