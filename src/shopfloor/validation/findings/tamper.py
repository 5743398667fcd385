"""Was the measuring changed instead of the work? Pure findings over what a change did to tests and their set-up.

Restoring the base's tests at judging makes tampering useless; this names it, so that the verdict says what was tried,
and nothing of it lands. It does not know why a test was changed: a contract that wants one changed lists it under
`supersedes`.
"""

from collections.abc import Collection

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.sources import is_test_configuration
from shopfloor.validation.findings.changes import Change, finding
from shopfloor.validation.findings.imported import about_source
from shopfloor.validation.findings.moves import in_tests, moved
from shopfloor.validation.findings.protection import (
    DELETED,
    EXPECTATIONS,
    SKIPPED,
    Whole,
    about_test,
    whole_of,
)
from shopfloor.validation.findings.set_up import about_environment, about_set_up, in_the_place_of_another

MOVED = "tests-moved"
MEANT = (DELETED, EXPECTATIONS, SKIPPED, MOVED)
"""What an honest author may have meant, where it refuses nothing."""


def findings(
    changes: Collection[Change],
    supersedes: Collection[str] = (),
    *,
    tests_before: bool = True,
    by_contract: bool = True,
    files: Collection[str] = (),
) -> tuple[Finding, ...]:
    """What this change did to the measuring. P0 and P1 refuse; P2 and P3 only tell.

    `files` are the paths of the base. Where there were no `tests_before`, saying where tests lie leaves none of them
    out. Where no contract says what may change, what an honest author may well have meant is told and refuses nothing:
    other values that are expected as strictly, new names, tests of what the change takes away, and skips on some
    machines only.
    """
    found: list[Finding] = []
    told: Severity = "P0" if by_contract else "P2"
    whole = whole_of(changes, told)
    elsewhere = moved(changes)
    for change in changes:
        if change.path in elsewhere:
            found.append(finding(MOVED, "P2", change, "its tests stand somewhere else now: see that they still run"))
        elif change.path not in supersedes:
            found += _about(change, whole, tests_before=tests_before, files=files)
    return tuple(found)


def _about(change: Change, whole: Whole, *, tests_before: bool, files: Collection[str]) -> list[Finding]:
    if stands_in := in_the_place_of_another(change, files):
        return [stands_in]
    if is_test_configuration(change.path):
        found = about_set_up(change, tests_before=tests_before, told=whole.told)
        return found if any(one.refuses for one in found) else found + about_environment(change, told=whole.told)
    found = about_environment(change, told=whole.told)
    if change.before is not None and in_tests(change.path):
        found += about_test(change, change.before, whole)
    if change.after is not None:
        found += about_source(change, change.after)
    return found
