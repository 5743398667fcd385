"""What a change did to the tests of one file: which are gone, which demand less, which are skipped.

Pure. What stands in its place, or is excused by what the product does no more, is told and not accused. It does not
know which files a contract lets change.
"""

import ast
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.python import read, unparsed
from shopfloor.repo.sources import is_test, language_of
from shopfloor.validation.findings.cases import Case, Unreadable, found_again, lost, renamed, still_there
from shopfloor.validation.findings.changes import Change, finding
from shopfloor.validation.findings.gone import Gone, gone_from
from shopfloor.validation.findings.in_python import swallowers
from shopfloor.validation.findings.moves import fresh_cases, in_tests, is_looked_at, readable
from shopfloor.validation.findings.reading import cases
from shopfloor.validation.findings.skips import freshly_skipped
from shopfloor.validation.findings.stand_ins import stands_in_for_itself
from shopfloor.validation.findings.strength import Statement, all_words, unreplaced

DELETED = "tests-deleted"
WEAKENED = "tests-weakened"
EXPECTATIONS = "expectations-changed"
SKIPPED = "tests-skipped"
DATA = "expected-data-changed"


@dataclass(frozen=True, kw_only=True)
class Whole:
    """What must be known of the whole change to judge one file of it."""

    fresh: Sequence[Case]
    """Tests that were not there before."""
    fresh_by_name: Sequence[Case]
    """The same, where runners look for them by the names of files."""
    gone: Gone
    aside: Collection[str]
    """Tests that are kept where no runner looks: whoever does that did not mean to be rid of them."""
    swallowing: frozenset[str]
    told: Severity
    """How grave it is what an author without a contract may do."""

    def fresh_beside(self, path: str) -> Sequence[Case]:
        """New tests where runners look that looked into this file."""
        return self.fresh_by_name if is_looked_at(path) else self.fresh


def whole_of(changes: Collection[Change], told: Severity) -> Whole:
    tests = [change for change in changes if in_tests(change.path) and change.path.endswith(".py")]
    return Whole(
        fresh=fresh_cases(changes),
        fresh_by_name=fresh_cases([change for change in changes if is_looked_at(change.path)]),
        gone=gone_from(changes),
        aside=frozenset(name for change in changes for name in _put_aside(change)),
        swallowing=frozenset(name for change in tests for name in swallowers(read(change.after or ""))),
        told=told,
    )


def _put_aside(change: Change) -> list[str]:
    """Names of tests in a new file that no runner collects."""
    kept = change.before is None and (not change.path.endswith(".py") or not is_looked_at(change.path))
    return _DEFINES.findall(change.after or "") if kept else []


_DEFINES = re.compile(r"^[ \t]*(?:async )?def (test\w*)\(", re.M)
_DEFINES_ASIDE = re.compile(r"^[ \t]*#[# \t]*(?:async )?def (test\w*)\(", re.M)


def about_test(change: Change, before: str, whole: Whole) -> list[Finding]:
    """What is found of one file that held tests."""
    if change.after is not None and not language_of(change.path):
        return [finding(DATA, "P2", change, "what tests compare with is another now; the base's version judges")]
    was = readable(change.path, before)
    if change.after is None and not any(case.is_test for case in was):
        return [finding(DELETED, "P2", change, "what tests may look at is gone")] if is_test(change.path) else []
    now = cases(change.path, change.after, whole.swallowing) if change.after is not None else ()
    if isinstance(now, Unreadable):
        return [finding(WEAKENED, "P0", change, "the file can no longer be parsed")] if was else []
    missing = [case for case in lost(was, now) if not found_again(case, whole.fresh_beside(change.path))]
    kept = [case for case in now if not case.is_test and case not in was]
    found = _about_lost(change, missing, kept, whole)
    found += _about_changed(change, still_there(was, now), whole)
    if change.path.endswith(".py"):
        found += _about_what_is_around(change, before, whole)
    skipped = None
    if change.after is not None:
        skipped = freshly_skipped(change.path, before, change.after, new_tests=len(lost(now, was)))
    if skipped is not None:
        what = "tests that ran before are skipped" + ("" if skipped.always else ", on some machines")
        found.append(finding(SKIPPED, "P0" if skipped.always else whole.told, change, what))
    return found


def _about_lost(change: Change, missing: Sequence[Case], kept: Sequence[Case], whole: Whole) -> list[Finding]:
    """`kept` are functions that are no tests, and were not there, or were."""
    around = _imported(change.before or "") if change.after is None else set[str]()
    aside = {*whole.aside, *_defined_aside(change.after or "")}
    meant = [
        case
        for case in missing
        if _own(case) not in aside
        and not any(_is_same(case, other) for other in kept)
        and (renamed(case, whole.fresh_beside(change.path)) or whole.gone.names_any(case.words | around))
    ]
    away = [case for case in missing if case not in meant]
    found = [finding(DELETED, "P0", change, f"tests are gone: {_names(away)}")] if away else []
    if meant:
        what = f"tests are gone, or have other names, with what they were about: {_names(meant)}"
        found.append(finding(DELETED, whole.told, change, what))
    return found


def _is_same(case: Case, other: Case) -> bool:
    """Whether something is a test of before, but for its name."""
    return bool(case.words) and case.asserted == other.asserted and case.words == other.words


def _own(case: Case) -> str:
    return case.name.rpartition(".")[2]


def _defined_aside(text: str) -> set[str]:
    """Tests of a file that stand in a comment, under a condition, or inside of something that is no suite."""
    functions = (node for node in ast.walk(read(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    collected = {_own(case) for case in readable("test.py", text) if case.is_test}
    return {*_DEFINES_ASIDE.findall(text), *({node.name for node in functions} - collected)}


def _imported(text: str) -> set[str]:
    """The modules that a file is about, by each part of their names."""
    modules: list[str] = []
    for node in ast.walk(read(text)):
        match node:
            case ast.Import(names=names):
                modules += [one.name for one in names]
            case ast.ImportFrom(module=str(module)):
                modules.append(module)
            case _:
                pass
    return {part for module in modules for part in module.split(".")}


def _about_changed(change: Change, pairs: Sequence[tuple[Case, Case]], whole: Whole) -> list[Finding]:
    weaker, other = "", ""
    silenced = _silenced(change.after or "")
    for was, now in pairs:
        missing, replaced = unreplaced(was.asserted, now.asserted)
        dropped = [one for one in missing if not _is_excused(one, now, whole.gone, silenced)]
        if dropped:
            weaker = weaker or f"{was.name}: {_short(dropped[0])}"
        elif replaced:
            old, new = replaced[0]
            other = other or f"{was.name} expected {_short(old)}, and now {_short(new)}"
        elif missing:
            other = other or f"{was.name} expected {_short(missing[0])}, of what is gone"
    found = [finding(WEAKENED, "P0", change, f"assertions were weakened or removed: {weaker}")] if weaker else []
    if other:
        found.append(finding(EXPECTATIONS, whole.told, change, f"{other}: is that what was asked for?"))
    return found


def _is_excused(missing: Statement, now: Case, gone: Gone, silenced: str) -> bool:
    """Whether a statement went with what it was about: the test speaks of that no more, not even in a comment."""
    return gone.says_any(_words(missing) - now.words) and _dense(missing.text) not in silenced


def _silenced(text: str) -> str:
    """All comments of a file, without white space and in one kind of quotes."""
    return _dense(" ".join(_COMMENT.findall(text)))


_COMMENT = re.compile(r"#[^\n]*")


def _dense(text: str) -> str:
    return re.sub(r"\s+|#", "", text).replace('"', "'")


def _short(statement: Statement) -> str:
    return str(statement)[:120]


def _words(statement: Statement) -> frozenset[str]:
    return all_words(read(statement.text))


def _names(some: Sequence[Case]) -> str:
    return ", ".join(case.name for case in some[:5])


# --- around the tests of a file ---------------------------------------------------------------------------------


def _about_what_is_around(change: Change, before: str, whole: Whole) -> list[Finding]:
    after = change.after or ""
    found: list[Finding] = []
    if alone := stands_in_for_itself(before, after):
        test, name = alone[0]
        found.append(finding(WEAKENED, "P0", change, f"{test} asks a stand-in for {name}, which it is about"))
    if again := sorted(_tried_again(after) - _tried_again(before) - _new_tests(before, after)):
        found.append(finding(WEAKENED, whole.told, change, f"tests are tried until they pass: {', '.join(again[:5])}"))
    if hidden := _rebinding(after) - _rebinding(before):
        found.append(finding(DELETED, whole.told, change, f"names of the file are taken out by {min(hidden)}"))
    return found


def _tried_again(text: str) -> set[str]:
    """Tests that are repeated when they fail, and all of a file by its mark."""
    if not _AGAIN.search(text):
        return set()
    found = {"all of them"} if _AGAIN.search(" ".join(_marks(read(text)))) else set[str]()
    for node in ast.walk(read(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found |= {node.name} if any(_AGAIN.search(unparsed(one)) for one in node.decorator_list) else set()
    return found


def _marks(tree: ast.Module) -> list[str]:
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return [unparsed(node.value) for node in assigned if unparsed(node.targets[0]) == "pytestmark"]


_AGAIN = re.compile(r"\b(?:flaky|retry|retries|rerun|reruns|repeat_until\w*)\b")


def _new_tests(before: str, after: str) -> set[str]:
    return set(_DEFINES.findall(after)) - set(_DEFINES.findall(before))


def _rebinding(text: str) -> set[str]:
    """Statements by which a module changes its own names behind its reader's back."""
    if not _MAY_REBIND.search(text):
        return set()
    nodes = [node for node in ast.walk(read(text)) if isinstance(node, ast.Call | ast.Assign | ast.Delete)]
    return {words for node in nodes if _NAMES_OF_MODULE.search(words := unparsed(node)) and len(words) < 200}


_MAY_REBIND = re.compile(r"\b(?:globals|vars)\(\)|modules\[__name__\]")
_NAMES_OF_MODULE = re.compile(
    r"^(?:del )?(?:globals|vars)\(\)(?:\[[^\]]*\](?: =|$)|\.(?:pop|update|clear|__delitem__)\()"
    r"|^(?:set|del)attr\(sys\.modules\[__name__\]"
)
