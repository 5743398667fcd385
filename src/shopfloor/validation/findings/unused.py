"""Code that a change brings and nothing reaches: statements that cannot run, names that nobody says, idle imports.

Pure findings over Python texts. A name counts as used as soon as it stands anywhere as a word, be it in a comment, in
documentation or in configuration; what a decorator or a base class may register is left alone. So it misses much, and
what it tells is hardly ever wrong. It cannot know who outside the repository uses a public name.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath
from typing import cast

from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.python import parsed, unparsed
from shopfloor.repo.sources import is_generated, is_test, is_test_configuration
from shopfloor.validation.findings.changes import Change, added_lines, words_in

UNREACHABLE, UNUSED, IDLE = "unreachable-code", "unused-name", "unused-import"


class Named(Fact):
    """Something that a file gives a name to: what it is, and the lines it takes."""

    name: str
    what: str
    line: int
    end: int
    module: str = ""
    """Of an import, where it comes from."""


class Source(Fact):
    """A Python file of a change with what it brings; texts that cannot be parsed are none."""

    change: Change
    names: tuple[Named, ...]
    imports: tuple[Named, ...]


def sources_of(changes: Collection[Change]) -> list[Source]:
    """What each changed file brings that none of them had. Only what its new lines may hold is looked for."""
    python = [change for change in changes if _is_python(change)]
    added = {change.path: "\n".join(added_lines(change)) for change in python}
    defining = {path for path, text in added.items() if _DEFINES.search(text)}
    earlier = [change.before for change in changes if change.path.endswith(".py") and change.before is not None]
    known = {named.name for text in earlier for named in _defined(text)} if defining else set[str]()
    sources: list[Source] = []
    for change in python:
        asked = _defined(change.after or "") if change.path in defining else ()
        names = [one for one in asked if one.name not in known and _is_asked(change.path, one)]
        imports = _new_imports(change) if _IMPORTS.search(added[change.path]) else ()
        sources.append(Source(change=change, names=tuple(names), imports=tuple(imports)))
    return sources


def names_of(sources: Collection[Source]) -> frozenset[str]:
    """The names that `unused` must know of whether any file beside the changed ones says them."""
    return frozenset(named.name for source in sources for named in (*source.names, *source.imports))


def unused(changes: Collection[Change], sources: Collection[Source], said: Collection[str]) -> tuple[Finding, ...]:
    """A finding for each new statement that cannot run, and each new name and import that nothing mentions.

    `said` are those of `names_of` that stand as words in files which did not change.
    """
    found = [one for change in changes if _is_python(change) for one in _unreachable(change)]
    spoken = _Spoken(changes, said)
    for source in sources:
        found += _unused_names(source, spoken)
        found += _idle_imports(source, spoken)
    return tuple(found)


class _Spoken:
    """Which words stand where: in files that did not change, and in each that did."""

    def __init__(self, changes: Collection[Change], said: Collection[str]) -> None:
        self.said = said
        self.of = {change.path: Counter(words_in(change.after)) for change in changes if change.after is not None}
        self.files = Counter(word for words in self.of.values() for word in words)

    def outside(self, path: str, word: str) -> bool:
        """Whether any other file says it."""
        return word in self.said or self.files[word] > (word in self.of[path])


_DEFINES = re.compile(r"^\s*(?:async\s+)?(?:def|class)\s|^[A-Z_]\w*\s*[:=]", re.MULTILINE)
_IMPORTS = re.compile(r"\bimport\b|^[ \t]*\w[\w ,]*(?:#.*)?$", re.MULTILINE)


def _new_imports(change: Change) -> Iterator[Named]:
    if PurePosixPath(change.path).name != "__init__.py":
        before = {(one.module, one.name) for one in _imported(change.before or "")}
        yield from (one for one in _imported(change.after or "") if (one.module, one.name) not in before)


def _is_python(change: Change) -> bool:
    return change.path.endswith(".py") and change.after is not None and not is_generated(change.path)


# --- statements that cannot run ---------------------------------------------------------------------------------


def _unreachable(change: Change) -> Iterator[Finding]:
    dead = list(_dead(change.after or ""))
    before = {unparsed(node) for node in _dead(change.before or "")} if dead else set[str]()
    for node in dead:
        if (words := unparsed(node)) and words not in before:
            text = f"cannot run: {words.splitlines()[0][:80]}"
            yield _finding(UNREACHABLE, "P2", change, node.lineno, text)


def _dead(text: str) -> Iterator[ast.stmt]:
    """The first statement of each block that nothing can get to."""
    tree = parsed(text)
    for node in () if tree is None else ast.walk(tree):
        for _, value in ast.iter_fields(node):
            if isinstance(value, list):
                yield from _dead_of([one for one in cast(list[object], value) if isinstance(one, ast.stmt)])


def _dead_of(block: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for at, node in enumerate(block):
        match node:
            case ast.Return() | ast.Raise() | ast.Continue() | ast.Break() if block[at + 1 :]:
                rest = block[at + 1 :]
                if not any(map(_is_meant, rest)):
                    yield rest[0]
                return
            case (
                ast.If(test=ast.Constant(value=value), body=body) | ast.While(test=ast.Constant(value=value), body=body)
            ):
                if not value and not any(map(_is_meant, body)):
                    yield node
            case _:
                pass


def _is_meant(node: ast.stmt) -> bool:
    """Whether it says something without running: a yield makes a generator, an import tells a type."""
    return any(isinstance(one, ast.Yield | ast.YieldFrom | ast.Import | ast.ImportFrom) for one in ast.walk(node))


# --- names that nobody says -------------------------------------------------------------------------------------

_LOOKS_UP = re.compile(r"\bglobals\(|\bvars\(|sys\.modules\[|\bgetattr\(\s*(?:self|cls|sys\.modules)|\b__getattr__\b")
_BY_CONVENTION = re.compile(
    r"main$|setup$|upgrade$|downgrade$|revision$|(?:\w*_)?handler$|create_app$|register\w*$|load_\w+$|application$"
    r"|(?:pytest|visit|depart|do|cmd|on|handle|test|hook)_|__\w+__$|_$"
)
_READ_BY_NAME = re.compile(
    r"(?:^|/)(?:conf|config|settings|\w*_settings|tasks|fabfile|dodo|local|urls|admin|apps)\w*\.py$"
    r"|(?:^|/)(?:\w*_tests?|examples?|docs?|benchmarks?)/"
)
_PLAIN_BASES = re.compile(r"(?:\w+\.)*(?:object|ABC|Enum|IntEnum|StrEnum|NamedTuple|TypedDict|\w*(?:Error|Exception))")


def _is_asked(path: str, named: Named) -> bool:
    """Whether a name must be said somewhere for the thing to be of use."""
    if is_test(path) or is_test_configuration(path) or _READ_BY_NAME.search(path) or "migrations/" in path:
        return False
    return not _BY_CONVENTION.match(named.name)


def _unused_names(source: Source, spoken: _Spoken) -> Iterator[Finding]:
    change = source.change
    if not source.names or _LOOKS_UP.search(change.after or ""):
        return
    lines = (change.after or "").splitlines()
    for named in source.names:
        within = words_in("\n".join(lines[named.line - 1 : named.end])).count(named.name)
        if spoken.of[change.path][named.name] == within and not spoken.outside(change.path, named.name):
            text = f"nothing in the repository mentions the new {named.what} {named.name!r}"
            yield _finding(UNUSED, "P2", change, named.line, text)


def _defined(text: str) -> Iterator[Named]:
    """Functions, classes and constants of a module, and the private methods of classes that inherit from nothing."""
    tree = parsed(text)
    for node in [] if tree is None else tree.body:
        yield from _defined_by(node)
        if isinstance(node, ast.ClassDef) and not node.bases:
            for member in node.body:
                yield from (one for one in _defined_by(member) if one.what == "function" and one.name.startswith("_"))


def _defined_by(node: ast.stmt) -> Iterator[Named]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() if not node.decorator_list:
            yield _named(node.name, "function", node)
        case ast.ClassDef() if not node.decorator_list and not node.keywords:
            if all(_PLAIN_BASES.fullmatch(unparsed(base)) for base in node.bases):
                yield _named(node.name, "class", node)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            if name.isupper() or name.startswith("_"):
                yield _named(name, "constant", node)
        case _:
            pass


def _named(name: str, what: str, node: ast.stmt, module: str = "") -> Named:
    return Named(name=name, what=what, line=node.lineno, end=node.end_lineno or node.lineno, module=module)


# --- imports ----------------------------------------------------------------------------------------------------

_WANTED = re.compile(r"#.*(?:noqa|unused-import|import-not-found|re-?export|side.effect|pyright)", re.IGNORECASE)
_FOR_THEIR_EFFECT = ("readline", "rlcompleter", "__future__", "gnureadline")


def _idle_imports(source: Source, spoken: _Spoken) -> Iterator[Finding]:
    if not source.imports:
        return
    change = source.change
    lines = (change.after or "").splitlines()
    imports = tuple(_imported(change.after or ""))
    taken = {number for one in imports for number in range(one.line, one.end + 1)}
    said = {word for number, line in enumerate(lines, 1) if number not in taken for word in words_in(line)}
    for one in source.imports:
        own = one.module.partition(".")[0] in sys.stdlib_module_names or is_test(change.path)
        # Another file may take it from here; nobody takes the standard library from anywhere but itself.
        if one.name in said or (not own and spoken.outside(change.path, one.name)):
            continue
        if not any(_WANTED.search(line) for line in lines[one.line - 1 : one.end]):
            yield _finding(IDLE, "P3", change, one.line, f"the import of {one.name!r} is never used")


def _imported(text: str) -> Iterator[Named]:
    """Names that imports bind, but where an import is tried: that may only ask whether something is there."""
    nodes = list(ast.walk(parsed(text) or ast.Module(body=[], type_ignores=[])))
    tried = {
        id(inner) for node in nodes if isinstance(node, ast.Try | ast.TryStar | ast.With) for inner in ast.walk(node)
    }
    for node in nodes:
        match node:
            case ast.Import(names=names) if id(node) not in tried:
                for one in names:
                    if one.asname != one.name and one.name not in _FOR_THEIR_EFFECT:
                        yield _named(one.asname or one.name.partition(".")[0], "import", node, one.name)
            case ast.ImportFrom(names=names) if id(node) not in tried and node.module != "__future__":
                for one in names:
                    if one.asname != one.name and one.name != "*":
                        yield _named(one.asname or one.name, "import", node, "." * node.level + (node.module or ""))
            case _:
                pass


def _finding(check: str, severity: Severity, change: Change, line: int, text: str) -> Finding:
    return Finding(check=check, severity=severity, text=text, path=change.path, line=line)
