"""Whether a Python source patches what runs the tests, or takes its place, or the product's.

Pure. It does not know whether a test would tell.
"""

import ast
import re
from collections.abc import Collection
from pathlib import PurePosixPath
from unittest import TestCase

from shopfloor.repo.python import read, unparsed
from shopfloor.repo.sources import is_test
from shopfloor.validation.findings.changes import Change

_RUNNER_MODULES = ("unittest", "pytest", "_pytest", "nose2")
SHADOWS = re.compile(
    r"(?:^|/)(?:pytest|unittest|_pytest|nose2?|doctest|sitecustomize|usercustomize)(?:\.[\w-]+)*\.(?:pyc?|so|pyd)$"
    r"|(?:^|/)(?:pytest|unittest|_pytest|nose2?|doctest)/__init__\.py$"
)
"""Files that are imported in the place of a module that runs tests."""


def shadows_the_product(path: str, products: Collection[str]) -> bool:
    """Whether a new file is imported where tests ask for the product: `products` are the files that there were."""
    where = PurePosixPath(path)
    name = where.parent.name if where.name == "__init__.py" else where.stem
    beside = (product for product in products if not is_test(product) and product.endswith(".py"))
    modules = {parts[0].removesuffix(".py") for one in beside if (parts := _inside_sources(one))}
    if where.suffix != ".py" or name not in modules:
        return False
    in_front = f"src/{name}/__init__.py" in products and path in (f"{name}.py", f"{name}/__init__.py")
    return in_front or (is_test(path) and where.name != "__init__.py" and not _is_collected(where))


def _inside_sources(path: str) -> tuple[str, ...]:
    """The parts of a path below the folder of sources."""
    parts = PurePosixPath(path).parts
    return parts[1:] if parts[0] == "src" else parts


def _is_collected(where: PurePosixPath) -> bool:
    return where.stem.startswith("test") or where.stem.endswith("_test") or where.stem in ("conftest", "setup")


def patches_a_runner(change: Change) -> bool:
    """Whether it assigns to something inside a module that runs tests, and did not before."""
    return bool(_patches(change.after or "") - _patches(change.before or ""))


_MAY_PATCH = re.compile("|".join(_RUNNER_MODULES))


def _patches(text: str) -> set[str]:
    if not _MAY_PATCH.search(text):
        return set()
    tree = read(text)
    names = _names_of_runners(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets):
                found |= {unparsed(target) for target in targets if _inside(target, names)}
            case ast.AugAssign(target=target) | ast.Delete(targets=[target]):
                found |= {unparsed(target)} if _inside(target, names) else set()
            case ast.Call(func=ast.Name(id=how) | ast.Attribute(attr=how), args=[target, *_]) if (
                how in _SETS and _is_of(target, names)
            ):
                found.add(unparsed(node))
            case ast.ClassDef(name=name, body=body):
                found |= {f"{name}.{one.name}" for one in body if isinstance(one, ast.FunctionDef) and _says_yes(one)}
            case _:
                pass
    return found


_SETS = ("setattr", "delattr", "patch", "object", "multiple")
"""How a thing is put in another's place, by the last of its names."""


def _is_of(target: ast.expr, names: set[str]) -> bool:
    """Whether it is something of a runner, itself or by its dotted name."""
    if isinstance(target, ast.Constant):
        return str(target.value).split(".")[0] in _RUNNER_MODULES
    return _root(target) in names


def _says_yes(method: ast.FunctionDef) -> bool:
    """Whether it takes the place of an assertion of unittest's and asserts nothing."""
    inside = [one for statement in method.body for one in ast.walk(statement)]
    calls = [unparsed(one.func) for one in inside if isinstance(one, ast.Call)]
    asserts = any(isinstance(one, ast.Assert | ast.Raise) for one in inside)
    return method.name in _ASSERTIONS and not asserts and not any(_ASSERTS.search(call) for call in calls)


_ASSERTIONS = frozenset(name for name in dir(TestCase) if name.startswith("assert"))
_ASSERTS = re.compile(r"^super\(|assert|fail|raises|run|check|compare|expect|__class__|\b[A-Z]\w*\.")


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
