"""Sources that ask who is asking: whether tests run them, and which. What behaves for tests alone proves nothing.

Pure, over texts; Python only. It does not look at what a source does when it knows.
"""

import ast
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath

from shopfloor.domain.mission import Finding
from shopfloor.repo.python import parsed
from shopfloor.repo.sources import is_test
from shopfloor.validation.findings.changes import Change

AWARE = "asks-for-tests"
RUNNERS = ("pytest", "_pytest", "unittest", "nose", "nose2", "hypothesis")
CURRENT_TEST = "PYTEST_CURRENT_TEST"
_WHO_ASKS = ("modules", "argv", "orig_argv", "stack", "_getframe", "currentframe", "extract_stack", "settrace")
"""Names by which a source learns what else is running."""


def aware(changes: Collection[Change], tests: Collection[str], *, by_contract: bool) -> tuple[Finding, ...]:
    """A finding for each product file that a change lets ask for tests; `tests` are the paths of all test files.

    Without a contract, an author may have meant to ask for a test runner, and is told; asking for a test never is.
    """
    named = {word for path in tests if path.endswith(".py") for word in _words_for(path)}
    return tuple(found for change in changes for found in _about(change, named, by_contract=by_contract))


def _words_for(path: str) -> Iterable[str]:
    """What a source may call a test file by."""
    module = path.removesuffix(".py").replace("/", ".")
    words = {path, PurePosixPath(path).name, module, PurePosixPath(path).stem}
    return {word for word in words if "test" in word} - {
        "tests.py",
        "tests",
        "test",
        "test.py",
        "conftest",
        "conftest.py",
    }


def _about(change: Change, named: Collection[str], *, by_contract: bool) -> Iterator[Finding]:
    if change.after is None or not change.path.endswith(".py") or is_test(change.path):
        return
    asked, known = dict(_asked(change.after, named)), {word for word, _ in _asked(change.before or "", named)}
    for word in [word for word in asked if word not in known][:1]:
        of_a_test = word in named or word == CURRENT_TEST
        severity = "P1" if by_contract or of_a_test else "P2"
        text = f"asks whether it is run by {'the tests' if of_a_test else 'a test runner'}: {word!r}"
        yield Finding(check=AWARE, severity=severity, text=text, path=change.path, line=asked[word])


def _asked(text: str, named: Collection[str]) -> Iterator[tuple[str, int]]:
    """The tests and runners that a source asks for, with the lines."""
    tree = parsed(text)
    if tree is None:
        return
    nodes = list(ast.walk(tree))
    looks_around = any(name in _WHO_ASKS for node in nodes for name in _names(node))
    for node in nodes:
        match node:
            case ast.Constant(value=str(word)) if word == CURRENT_TEST or (looks_around and word in named):
                yield word, node.lineno
            case ast.Compare(left=ast.Constant(value=str(word)), comparators=[place]) if _is_modules(place):
                if word in RUNNERS:
                    yield word, node.lineno
            case ast.Call(func=ast.Attribute(attr="get", value=place), args=[ast.Constant(value=str(word)), *_]):
                if _is_modules(place) and word in RUNNERS:
                    yield word, node.lineno
            case _:
                pass


def _names(node: ast.AST) -> Iterable[str]:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name):
            return (name,)
        case _:
            return ()


def _is_modules(node: ast.expr) -> bool:
    return "modules" in _names(node)
