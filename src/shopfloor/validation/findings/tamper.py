"""Was the measuring changed instead of the work? Pure findings over what a change did to tests and their set-up.

Restoring the base's tests at judging makes tampering useless; this names it, so that the verdict says what was tried,
and nothing of it lands. It does not know why a test was changed: a contract that wants one changed lists it under
`supersedes`.
"""

import ast
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.python import parsed, unparsed
from shopfloor.repo.sources import is_test, is_test_configuration
from shopfloor.validation.findings.cases import Case, Unreadable, cases, found_again, lost, renamed, still_there
from shopfloor.validation.findings.changes import Change, added_lines
from shopfloor.validation.findings.skips import always_skipped
from shopfloor.validation.findings.stand_ins import stands_in_for_itself
from shopfloor.validation.findings.strength import Statement, all_words, unreplaced

DELETED = "tests-deleted"
WEAKENED = "tests-weakened"
EXPECTATIONS = "expectations-changed"
SKIPPED = "tests-skipped"
RUNNER = "test-runner-patched"
EXIT = "early-exit"
MOVED = "tests-moved"
SERVICES = "services-changed"
AWARE = "asks-if-tested"
MEANT = (DELETED, EXPECTATIONS, SKIPPED, MOVED)
"""What an honest author may have meant, where it refuses nothing."""

_DECIDES_OUTCOMES = re.compile(
    r"\bpytest_(?:pyfunc_call|runtest_protocol|runtest_call|runtest_logreport|ignore_collect|report_teststatus)\b"
    r"|\.outcome\s*=[^=]|force_result|force_exception|wasxfail|exitstatus\s*=[^=]|os\._exit"
    r"|__eq__\s*=|\bitems\[:\]\s*=|\bitems\.clear\(|\bdel items\b|_deselected|\bcollect_ignore"
)
_SKIPS_ANYWHERE = re.compile(r"\bautouse\s*=\s*True|\bdef pytest_|\bpytestmark\b")
_HAS_A_SAY = re.compile(r"\bpytest_(?:runtest_\w+|collection_\w+|sessionfinish|unconfigure|exception_interact)\b")
_NARROWS = re.compile(
    r"(?:addopts|pytest|py\.test|jest|vitest|mocha|unittest|--test)\b.*?"
    r"(?:--deselect|--ignore|--collect-only|--co\b|\s-k[\s=]|-m\s*\\?[\"']?not\b|--testPathIgnore|--passWithNoTests|--grep)"
    r"|^\s*[\"']?--(?:deselect|ignore|ignore-glob)=|^\s*[\"']?--(?:collect-only|co|passWithNoTests)\b"
    r"|^\s*(?:testpaths|python_files|python_functions|python_classes)\s*=|\bitems\.(?:remove|pop)\("
    r"|\bnorecursedirs\b|\bcollect_ignore|\btestPathIgnorePatterns|\bxfail_strict\s*=\s*false",
    re.M,
)
_SHADOWS = re.compile(
    r"(?:^|/)(?:pytest|unittest|_pytest|nose2?|doctest|sitecustomize|usercustomize)(?:\.[\w-]+)*\.(?:pyc?|so|pyd)$"
    r"|(?:^|/)(?:pytest|unittest|_pytest|nose2?|doctest)/__init__\.py$"
)
_COMPILED = (".pyc", ".pyo")
_PROSE = (".md", ".rst")
SKIPS = re.compile(
    r"\b(?:pytest\.mark|unittest|mark)\.(?:skip|xfail|expectedFailure)\w*|\bpytest\.(?:skip|xfail|importorskip)\("
    r"|\bself\.skipTest\(|\bSkipTest\b|\b__test__\s*=\s*False|^def load_tests\b|^@(?:skip|expectedFailure)\w*"
    r"|(?<![.\w])(?:it|test|describe)\.(?:skip|todo|only|failing)\b|(?<![.\w])(?:xit|xtest|xdescribe|fit|fdescribe)\("
    r"|\bt\.Skip\w*\(|#\[(?:ignore|cfg_attr\([^)]*ignore)|@(?:Disabled|Ignore)\b",
    re.M,
)
_ASKS_IF_TESTED = re.compile(
    r"PYTEST_CURRENT_TEST|[\"'](?:unittest|pytest|_pytest)[\"']\s+(?:not\s+)?in\s+sys\.(?:modules|argv)"
    r"|JEST_WORKER_ID|VITEST_WORKER_ID"
)
_SCRIPT_EXIT = re.compile(r"^process\.exit\((?:0|)\)", re.M)
_SCRIPTS = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")
_PROGRAMS = re.compile(r"(?:^|/)(?:bin|scripts?|tools|cli)/|(?:^|/)(?:cli|__main__)\.\w+$")
_RUNNER_MODULES = ("unittest", "pytest", "_pytest", "nose2")


def findings(
    changes: Collection[Change],
    supersedes: Collection[str] = (),
    *,
    tests_before: bool = True,
    by_contract: bool = True,
) -> tuple[Finding, ...]:
    """What this change did to the measuring. P0 and P1 refuse; P2 and P3 only tell.

    Where there were no `tests_before`, saying where tests lie leaves none of them out. Where no contract says what may
    change, what an honest author may well have meant is told and refuses nothing: other values that are expected as
    strictly, new names, tests of what the change takes away, and skips on some machines only.
    """
    found: list[Finding] = []
    told: Severity = "P0" if by_contract else "P2"
    whole = _Whole(fresh=_fresh_cases(changes), gone=_gone_from(changes), told=told, tests_before=tests_before)
    elsewhere = moved(changes)
    for change in changes:
        if change.path in elsewhere:
            found.append(_finding(MOVED, "P2", change, "its tests stand somewhere else now: see that they still run"))
        elif change.path not in supersedes:
            found += _about(change, whole)
    return tuple(found)


def other_ways_to_run(changes: Collection[Change], command: str, recipes: Mapping[str, str]) -> tuple[Finding, ...]:
    """What a change did to the way in which its tests are run, where nobody can make them fail to see that they are.

    `recipes` are the base's files of recipes: the command may stand for one, and that for a script.
    """
    words = set(re.split(r"[\s\"';&|()=]+", " ".join((command, *recipes.values()))))
    what = f"has a say in {command!r}, and nothing shows that tests still run"
    return tuple(
        _finding(RUNNER, "P1", change, what)
        for change in changes
        if change.before is not None and (change.path in recipes or change.path in words)
    )


def is_recipe(path: str) -> bool:
    """Whether a file says what a command like `make test` stands for."""
    return _RECIPES.search(path) is not None


_RECIPES = re.compile(r"(?:^|/)(?:(?:GNUm|m|M)akefile|justfile|Taskfile\.ya?ml|package\.json|Rakefile|noxfile\.py)$")


@dataclass(frozen=True, kw_only=True)
class _Whole:
    """What must be known of the whole change to judge one file of it."""

    fresh: Sequence[Case]
    gone: "_Gone"
    told: Severity
    """How grave it is what an author without a contract may do."""
    tests_before: bool


@dataclass(frozen=True)
class _Gone:
    """Names and messages that the product had, and has no more, or less often."""

    names: frozenset[str]
    messages: frozenset[str]

    def names_any(self, words: Collection[str]) -> bool:
        """Whether any of these words names something that is gone."""
        return not self.names.isdisjoint(words)

    def says_any(self, words: Collection[str]) -> bool:
        """Whether any of these words names it, or is part of what it said."""
        long = [word for word in words if len(word) >= LEAST_MESSAGE]
        return self.names_any(words) or any(
            message in word or word in message for message in self.messages for word in long
        )


LEAST_MESSAGE = 8
"""Letters from which on a text says something of its own."""
MOST_MESSAGE = 200
"""Letters up to which a text is something that is said, and no page about it."""
LEAST_NAME = 4
"""Letters from which on a name does."""


def _gone_from(changes: Collection[Change]) -> _Gone:
    products = [change for change in changes if change.path.endswith(".py") and not is_test(change.path)]
    before = [_parsed(change.before or "") for change in products]
    after = [_parsed(change.after or "") for change in products]
    left = frozenset[str]().union(*map(all_words, after))
    texts = Counter(chain(*map(_texts, before))) - Counter(chain(*map(_texts, after)))
    names = {name for tree in before for name in _defined(tree) if len(name) >= LEAST_NAME}
    names |= {word for text in texts if (word := text.strip("-").replace("-", "_")).isidentifier()}
    for change, tree in zip(products, before, strict=True):
        names |= {PurePosixPath(change.path).stem, *_defined(tree)} if change.after is None else set()
    names |= {name for change in changes for name in _no_longer_required(change)}
    said = (text for text in texts if LEAST_MESSAGE <= len(text) <= MOST_MESSAGE and "\n" not in text.strip())
    return _Gone(frozenset(names - left), frozenset(said))


def _texts(tree: ast.Module) -> list[str]:
    """The texts of a module but those that document it."""
    about = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in about]
    return [node.value for node in constants if isinstance(node.value, str)]


def _no_longer_required(change: Change) -> set[str]:
    """Packages that a list of requirements named, and does not now."""
    if not _REQUIREMENTS.search(change.path):
        return set()
    return set(_REQUIRED.findall(change.before or "")) - set(_REQUIRED.findall(change.after or ""))


_REQUIREMENTS = re.compile(r"(?:^|/)(?:requirements[\w-]*\.(?:txt|in)|pyproject\.toml|setup\.(?:py|cfg))$")
_REQUIRED = re.compile(r"^[\s\"']*([A-Za-z][\w.]*)(?=[\[<>=~!;\s\"',]|$)", re.M)


def _defined(tree: ast.Module) -> set[str]:
    """What others can ask a module for: not what a function calls its own."""
    names: set[str] = set()
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names |= {name, *(argument.arg for argument in (*node.args.args, *node.args.kwonlyargs))}
            case ast.ClassDef(name=name, body=body):
                names.add(name)
                waiting += body
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.ImportFrom(names=imported) | ast.Import(names=imported):
                names |= {one.asname or one.name for one in imported}
            case ast.If(body=body, orelse=orelse) | ast.Try(body=body, orelse=orelse):
                waiting += [*body, *orelse]
            case _:
                pass
    return names


def moved(changes: Collection[Change]) -> Mapping[str, tuple[str, ...]]:
    """Test files that are gone, and where all of their tests stand now, asserting as much; not whether they run."""
    gone = [change for change in changes if change.after is None and change.before is not None]
    places = {change.path: _stands_now(change, changes) for change in gone}
    return {path: found for path, found in places.items() if found}


def moved_to(changes: Collection[Change]) -> tuple[str, ...]:
    """Files in which tests stand that stood in others before: each must be run where it is."""
    gone: list[Case] = []
    for change in changes:
        if _holds_tests(change.path) and change.before is not None:
            now = _readable(change.path, change.after) if change.after is not None else ()
            gone += lost(_readable(change.path, change.before), now)
    places = {place for found in moved(changes).values() for place in found}
    places |= {
        change.path
        for change in changes
        if change.after is not None and any(found_again(case, _fresh_cases((change,))) for case in gone)
    }
    return tuple(sorted(places))


def _stands_now(change: Change, changes: Collection[Change]) -> tuple[str, ...]:
    for other in changes:
        same = other.before is None and other.after == change.before
        if same and is_test(other.path) and _is_named_alike(other.path, change.path):
            return (other.path,)
    waiting = [case for case in _readable(change.path, change.before or "") if case.is_test]
    places: list[str] = []
    for other in changes if waiting else ():
        fresh = _fresh_cases((other,))
        if found := [case for case in waiting if found_again(case, fresh)]:
            places.append(other.path)
            waiting = [case for case in waiting if case not in found]
    return () if waiting else tuple(places)


def _is_named_alike(path: str, other: str) -> bool:
    """Whether runners that collect by name look at one where they looked at the other."""
    where, whence = PurePosixPath(path), PurePosixPath(other)
    return where.suffix == whence.suffix and (
        where.suffix != ".py" or _is_collected(where) or not _is_collected(whence)
    )


def _is_collected(path: PurePosixPath) -> bool:
    return path.stem.startswith("test") or path.stem.endswith(("_test", "tests"))


def _fresh_cases(changes: Collection[Change]) -> tuple[Case, ...]:
    """Tests that were not there before: where a moved one may be found again."""
    fresh: list[Case] = []
    for change in changes:
        if _holds_tests(change.path) and change.after is not None:
            fresh += lost(_readable(change.path, change.after), _readable(change.path, change.before or ""))
    return tuple(fresh)


def _about(change: Change, whole: _Whole) -> list[Finding]:
    if change.path.endswith(_COMPILED):
        return [_finding(RUNNER, "P1", change, "is compiled, and may run in place of a source: take it out")]
    if _SHADOWS.search(change.path) and change.before is None:
        return [_finding(RUNNER, "P0", change, "takes the place of a module that runs the tests")]
    if is_test_configuration(change.path):
        return _about_configuration(change, tests_before=whole.tests_before)
    found: list[Finding] = []
    if change.before is not None and _holds_tests(change.path):
        found += _about_test(change, change.before, whole)
    if change.after is not None:
        found += _about_source(change, change.after)
    return found


def holds_tests(path: str, text: str) -> bool:
    """Whether a file holds tests, as far as we can read it."""
    return any(case.is_test for case in _readable(path, text))


def _holds_tests(path: str) -> bool:
    """Rust keeps tests in the sources themselves."""
    return path.endswith(".rs") or (is_test(path) and not path.endswith(_PROSE))


def _readable(path: str, text: str) -> Sequence[Case]:
    found = cases(path, text)
    return () if isinstance(found, Unreadable) else found


# --- what configures tests --------------------------------------------------------------------------------------


def _about_configuration(change: Change, *, tests_before: bool) -> list[Finding]:
    if change.after is None:
        return [_finding(RUNNER, "P1", change, "test configuration was deleted")]
    added = _added(change)
    if change.path.endswith("services.toml"):
        return [_finding(SERVICES, "P2", change, "configures judging; judges go on using the base's version")]
    if SKIPS.search(added) and _SKIPS_ANYWHERE.search(change.after):
        return [_finding(RUNNER, "P0", change, "skips tests from outside them")]
    if _DECIDES_OUTCOMES.search(added) or _patches_a_runner(change):
        return [_finding(RUNNER, "P0", change, "changes the outcome of tests")]
    if _NARROWS.search(added):
        return [_finding(RUNNER, "P1" if tests_before else "P2", change, "leaves tests out of the run")]
    if _HAS_A_SAY.search(added):
        return [_finding(RUNNER, "P2", change, "has a say in the outcome of tests")]
    return [_finding(RUNNER, "P3", change, "test configuration was changed")]


def _added(change: Change) -> str:
    return "\n".join(added_lines(change))


# --- tests ------------------------------------------------------------------------------------------------------


def _about_test(change: Change, before: str, whole: _Whole) -> list[Finding]:
    was = _readable(change.path, before)
    if change.after is None and not any(case.is_test for case in was):
        return [_finding(DELETED, "P2", change, "what tests may look at is gone")] if is_test(change.path) else []
    now = cases(change.path, change.after) if change.after is not None else ()
    if isinstance(now, Unreadable):
        return [_finding(WEAKENED, "P0", change, "the file can no longer be parsed")] if was else []
    found = _about_lost(change, [case for case in lost(was, now) if not found_again(case, whole.fresh)], whole)
    found += _about_changed(change, still_there(was, now), whole)
    if change.path.endswith(".py") and (alone := stands_in_for_itself(before, change.after or "")):
        test, name = alone[0]
        found.append(_finding(WEAKENED, "P0", change, f"{test} asks a stand-in for {name}, which it is about"))
    if change.after is not None and _skips_more(before, change.after, was, now):
        always = not change.path.endswith(".py") or always_skipped(change.after) > always_skipped(before)
        what = "tests that ran before are skipped" + ("" if always else ", on some machines")
        found.append(_finding(SKIPPED, "P0" if always else whole.told, change, what))
    return found


def _about_lost(change: Change, missing: Sequence[Case], whole: _Whole) -> list[Finding]:
    around = _imported(change.before or "") if change.after is None else set[str]()
    meant = [case for case in missing if renamed(case, whole.fresh) or whole.gone.names_any(case.words | around)]
    away = [case for case in missing if case not in meant]
    found = [_finding(DELETED, "P0", change, f"tests are gone: {_names(away)}")] if away else []
    if meant:
        what = f"tests are gone, or have other names, with what they were about: {_names(meant)}"
        found.append(_finding(DELETED, whole.told, change, what))
    return found


def _imported(text: str) -> set[str]:
    """The modules that a file is about, by each part of their names."""
    modules: list[str] = []
    for node in ast.walk(_parsed(text)):
        match node:
            case ast.Import(names=names):
                modules += [one.name for one in names]
            case ast.ImportFrom(module=str(module)):
                modules.append(module)
            case _:
                pass
    return {part for module in modules for part in module.split(".")}


def _about_changed(change: Change, pairs: Sequence[tuple[Case, Case]], whole: _Whole) -> list[Finding]:
    weaker, other = "", ""
    for was, now in pairs:
        missing, replaced = unreplaced(was.asserted, now.asserted)
        dropped = [one for one in missing if not whole.gone.says_any(_words(one))]
        if dropped:
            weaker = weaker or f"{was.name}: {_short(dropped[0])}"
        elif replaced:
            old, new = replaced[0]
            other = other or f"{was.name} expected {_short(old)}, and now {_short(new)}"
        elif missing:
            other = other or f"{was.name} expected {_short(missing[0])}, of what is gone"
    found = [_finding(WEAKENED, "P0", change, f"assertions were weakened or removed: {weaker}")] if weaker else []
    if other:
        found.append(_finding(EXPECTATIONS, whole.told, change, f"{other}: is that what was asked for?"))
    return found


def _short(statement: Statement) -> str:
    return str(statement)[:120]


def _words(statement: Statement) -> frozenset[str]:
    return all_words(_parsed(statement.text))


def _names(some: Sequence[Case]) -> str:
    return ", ".join(case.name for case in some[:5])


def _skips_more(before: str, after: str, was: Sequence[Case], now: Sequence[Case]) -> bool:
    """More skips than there were. New tests may be skipped, one each: they took nothing away."""
    more = len(SKIPS.findall(after)) - len(SKIPS.findall(before))
    earlier = {case.name.rpartition(".")[2] for case in was}
    return more > len(lost(now, was)) or bool((_with_skips(after) - _with_skips(before)) & earlier)


def _with_skips(text: str) -> set[str]:
    """The own names of Python's tests that have a skip on them or in them."""
    functions = (node for node in ast.walk(_parsed(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name for node in functions if SKIPS.search(unparsed(node))}


# --- sources ----------------------------------------------------------------------------------------------------


def _about_source(change: Change, after: str) -> list[Finding]:
    found: list[Finding] = []
    if change.path.endswith(".py"):
        if _patches_a_runner(change):
            found.append(_finding(RUNNER, "P0", change, "changes the runner of the tests from within the product"))
        if words := _ends_when_imported(change, after):
            found.append(_finding(EXIT, "P0", change, f"ends the whole process when imported: {words}"))
    elif change.path.endswith(_SCRIPTS) and _is_imported(change.path, after) and _SCRIPT_EXIT.search(_added(change)):
        found.append(_finding(EXIT, "P0", change, "ends the whole process when imported: process.exit()"))
    if not is_test(change.path) and _ASKS_IF_TESTED.search(_added(change)):
        found.append(_finding(AWARE, "P1", change, "asks whether it is being tested"))
    return found


def _is_imported(path: str, text: str) -> bool:
    """Programs may end the process; what tests import may not."""
    return not text.startswith("#!") and not _PROGRAMS.search(path)


def _ends_when_imported(change: Change, after: str) -> str:
    """A statement at the top of a module that ends the process with success; "" if the change brings none."""
    if not _is_imported(change.path, after):
        return ""
    earlier = {unparsed(node) for node in _top_level(change.before or "")}
    for node in _top_level(after):
        words = unparsed(node) if isinstance(node, ast.Expr | ast.Raise) else ""
        if words and words not in earlier and (_ENDS.fullmatch(words) or (not is_test(change.path) and _skips(words))):
            return words
    return ""


def _skips(words: str) -> bool:
    return _SKIPS_WHO_IMPORTS.fullmatch(words) is not None


_ENDS = re.compile(
    r"os\._exit\(.*\)|(?:sys\.exit|exit|quit)\((?:0|None|False|)\)|raise SystemExit(?:\((?:0|None|False|)\))?"
    r"|atexit\.register\(os\._exit, .*\)"
)
_SKIPS_WHO_IMPORTS = re.compile(r"raise (?:\w+\.)*SkipTest.*|pytest\.skip\(.*")


def _top_level(text: str) -> list[ast.stmt]:
    """Statements that run whenever a module is imported; what stands under a condition may be a program's own."""
    found: list[ast.stmt] = []
    waiting = list(_parsed(text).body)
    while waiting:
        node = waiting.pop(0)
        match node:
            case ast.Try():
                waiting = [*node.body, *node.orelse, *node.finalbody, *waiting]
            case ast.With():
                waiting = [*node.body, *waiting]
            case _:
                found.append(node)
    return found


def _patches_a_runner(change: Change) -> bool:
    """Whether it assigns to something inside a module that runs tests, and did not before."""
    return bool(_patches(change.after or "") - _patches(change.before or ""))


def _patches(text: str) -> set[str]:
    tree = _parsed(text)
    names = _names_of_runners(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets):
                found |= {unparsed(target) for target in targets if _inside(target, names)}
            case ast.AugAssign(target=target) | ast.Delete(targets=[target]):
                found |= {unparsed(target)} if _inside(target, names) else set()
            case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[target, *_]) if _root(target) in names:
                found.add(unparsed(node))
            case _:
                pass
    return found


def _names_of_runners(tree: ast.Module) -> set[str]:
    """Names that stand for a module that runs tests, or for something out of one."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=imported):
                runners = [one for one in imported if one.name.split(".")[0] in _RUNNER_MODULES]
                names |= {one.asname or one.name.split(".")[0] for one in runners}
            case ast.ImportFrom(module=str(module), names=imported) if module.split(".")[0] in _RUNNER_MODULES:
                names |= {one.asname or one.name for one in imported}
            case _:
                pass
    return names


def _inside(target: ast.expr, names: set[str]) -> bool:
    return isinstance(target, ast.Attribute | ast.Subscript) and _root(target) in names and not _shows_more(target)


def _shows_more(target: ast.expr) -> bool:
    """What a runner prints of a failure is nobody's concern."""
    return isinstance(target, ast.Attribute) and target.attr in ("maxDiff", "longMessage")


def _root(node: ast.expr) -> str:
    """The name that a chain of attributes, items and calls starts from."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _parsed(text: str) -> ast.Module:
    """The module; an empty one where it cannot be parsed."""
    return parsed(text) or ast.Module(body=[], type_ignores=[])


def _finding(check: str, severity: Severity, change: Change, text: str) -> Finding:
    return Finding(check=check, severity=severity, text=text, path=change.path)
