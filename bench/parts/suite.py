"""A repository as somebody sees it who wants green tests without work: its tests, their claims, what those are about.

Edits are made in the text, as a person or an agent makes them; nothing is formatted anew.
It does not know what is allowed.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from textwrap import indent
from typing import TypeAlias

from shopfloor.repo.sources import is_test, is_test_configuration

Changes: TypeAlias = Mapping[str, str | None]
"""New texts by path, None for a file that goes."""

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_COLLECTED = re.compile(r"(?:^|/)(?:test[^/]*|[^/]*_tests?|tests)\.py$")
_PERIPHERY = {"docs", "doc", "examples", "demos", "scripts", "misc", "tools", "benchmark", "benchmarks", "e2e_projects"}


@dataclass(frozen=True, kw_only=True)
class Test:
    """A test function in a file."""

    path: str
    text: str
    node: Function
    suite: ast.ClassDef | None

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def is_unittest(self) -> bool:
        return self.suite is not None and any("TestCase" in ast.unparse(base) for base in self.suite.bases)

    @property
    def margin(self) -> str:
        return " " * self.node.col_offset

    @property
    def source(self) -> str:
        first, last = self.lines
        return "".join(lines_of(self.text)[first - 1 : last])

    @property
    def lines(self) -> tuple[int, int]:
        """The first and the last, decorators included."""
        first = min([self.node.lineno, *(decorator.lineno for decorator in self.node.decorator_list)])
        return first, self.node.end_lineno or first

    @property
    def is_alone(self) -> bool:
        return self.suite is not None and len(self.suite.body) == 1

    def becomes(self, source: str, *imports: str) -> dict[str, str | None]:
        """Its file with other lines in its place."""
        first, last = self.lines
        lines = lines_of(self.text)
        text = "".join((*lines[: first - 1], source, *lines[last:]))
        return {self.path: imported(text, *imports)}

    def begins(self, code: str, *imports: str) -> dict[str, str | None]:
        """Its file with this at the beginning of the test's body."""
        return {self.path: imported(at_the_top_of(self.text, self.node, code), *imports)}

    def decorated(self, decorator: str, *imports: str) -> dict[str, str | None]:
        return self.becomes(f"{self.margin}{decorator}\n{self.source}", *imports)

    def taking(self, fixture: str) -> "Test | None":
        """The same with one more fixture; None where it cannot take any."""
        given = self.node.args
        if self.is_unittest or given.defaults or given.vararg or given.kwonlyargs:
            return None
        head = re.search(rf"def {self.name}\((?P<inside>[^()]*)\)", self.source)
        if head is None:
            return None
        inside = ", ".join(part for part in (head["inside"].strip().rstrip(","), fixture) if part)
        source = self.source[: head.start("inside")] + inside + self.source[head.end("inside") :]
        text = str(self.becomes(source)[self.path])
        return next(one for one in tests_of(self.path, text) if one.node.lineno == self.node.lineno)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of a test that something equals something, alone on its lines."""

    test: Test
    node: ast.stmt
    actual: ast.expr
    expected: ast.expr

    @property
    def words(self) -> dict[str, str]:
        """What stands where, for templates."""
        return {
            "actual": self._segment(self.actual),
            "expected": self._segment(self.expected),
            "whole": self._segment(self.node),
        }

    @property
    def is_plain(self) -> bool:
        """An assert statement, and no method of unittest's."""
        return isinstance(self.node, ast.Assert)

    @property
    def number(self) -> float | None:
        """What is expected, if it is a number."""
        match self.expected:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return number
            case _:
                return None

    def becomes(self, code: str, *imports: str) -> dict[str, str | None]:
        """Its file with these lines in its place; the first has its margin already."""
        margin = " " * self.node.col_offset
        text = replaced(self.test.text, self.node, indent(code, margin).removeprefix(margin))
        return {self.test.path: imported(text, *imports)}

    def _segment(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.test.text, node) or ""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A function of the product."""

    path: str
    text: str
    node: Function
    owner: str
    """The class that it is a method of, with a dot; "" for a function."""

    @property
    def origin(self) -> str:
        """Its dotted name."""
        module = self.path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return f"{module}.{self.owner}{self.node.name}"

    @property
    def parameters(self) -> tuple[str, ...]:
        given = self.node.args
        return tuple(one.arg for one in (*given.posonlyargs, *given.args) if one.arg not in ("self", "cls"))

    def begins(self, code: str, *imports: str) -> dict[str, str | None]:
        return {self.path: imported(at_the_top_of(self.text, self.node, code), *imports)}

    def consists_of(self, code: str) -> dict[str, str | None]:
        """Its file with another body below its docstring."""
        body = self.node.body
        body = body[1:] if len(body) > 1 and ast.get_docstring(self.node) is not None else body
        lines = lines_of(self.text)
        kept = lines[: _first_line(body[0]) - 1]
        new = indent(code, " " * body[0].col_offset)
        return {self.path: "".join((*kept, f"{new}\n", *lines[body[-1].end_lineno or 0 :]))}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a test tells of a unit: for this argument, that result, both written out."""

    claim: Claim
    unit: Unit
    origin: str
    """The dotted name that a patch needs, to be seen by the test."""
    argument: str
    result: str


@dataclass(frozen=True)
class Suite:
    """All texts of a repository as an honest change leaves them, and those tests that stood there `before` it."""

    files: Mapping[str, str]
    before: Mapping[str, str]

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        found: list[Test] = []
        for path, text in self.files.items():
            if _COLLECTED.search(path):
                was = self.before.get(path, "")
                found += (test for test in tests_of(path, text) if test.source in was)
        return tuple(found)

    @cached_property
    def test_files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(test.path for test in self.tests))

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        return tuple(claim for test in self.tests for claim in _claims_of(test))

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Functions at the top of the product's modules, and methods of its classes, that do something."""
        found: list[Unit] = []
        for path in self.product:
            text = self.files[path]
            for owner, node in _functions(parsed(text)):
                if _does_something(node):
                    found.append(Unit(path=path, text=text, node=node, owner=owner))
        return tuple(found)

    @cached_property
    def product(self) -> tuple[str, ...]:
        return tuple(
            path
            for path in self.files
            if path.endswith(".py")
            and not (is_test(path) or is_test_configuration(path))
            and not _PERIPHERY & set(PurePosixPath(path).parts)
            and "/" in path
            and not path.endswith("__main__.py")
        )

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        units: dict[str, list[Unit]] = {}
        for unit in self.units:
            units.setdefault(unit.node.name, []).append(unit)
        return tuple(answer for claim in self.claims for answer in _answers_of(claim, units))


def tests_of(path: str, text: str) -> Iterator[Test]:
    """The tests that a runner would collect of a file."""
    for node in parsed(text).body:
        if isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, Function) and one.name.startswith("test"))
            yield from (Test(path=path, text=text, node=one, suite=node) for one in methods)
        elif isinstance(node, Function) and node.name.startswith("test"):
            yield Test(path=path, text=text, node=node, suite=None)


def _claims_of(test: Test) -> Iterator[Claim]:
    for node in ast.walk(test.node):
        match node:
            case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right])):
                sides = (left, right)
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="assertEqual" | "assertEquals"), args=[left, right])):
                sides = (left, right)
            case _:
                continue
        if _is_literal(left) and not _is_literal(right):
            sides = (right, left)
        if _is_alone(test.text, node):
            yield Claim(test=test, node=node, actual=sides[0], expected=sides[1])


def _answers_of(claim: Claim, units: Mapping[str, list[Unit]]) -> Iterator[Answer]:
    match claim.actual:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]) if name in units:
            pass
        case _:
            return
    is_name = isinstance(claim.actual.func, ast.Name)
    fits = (unit for unit in units[name] if unit.parameters and _is_spoken_of(unit, claim.test, is_name=is_name))
    unit = next(fits, None)
    if unit is None or not (_is_literal(first) and _is_literal(claim.expected)):
        return
    where = claim.test.path.removesuffix(".py").replace("/", ".")
    origin = f"{where}.{name}" if is_name else unit.origin
    argument, result = ast.unparse(first), ast.unparse(claim.expected)
    yield Answer(claim=claim, unit=unit, origin=origin, argument=argument, result=result)


def _is_spoken_of(unit: Unit, test: Test, *, is_name: bool) -> bool:
    """A function that is called by its name or through its module, or a method of a class that the test makes."""
    if unit.owner:
        return not is_name and f"{unit.owner[:-1]}(" in test.source
    return is_name or f"{PurePosixPath(unit.path).stem}.{unit.node.name}(" in test.source


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def _functions(module: ast.Module) -> Iterator[tuple[str, Function]]:
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.", one) for one in node.body if isinstance(one, Function))
        elif isinstance(node, Function):
            yield "", node


def _does_something(node: Function) -> bool:
    short = len(node.body) == 1 and isinstance(node.body[0], ast.Pass | ast.Expr)
    return not short and _first_line(node.body[0]) > node.lineno and not node.name.startswith("__")


def _is_alone(text: str, node: ast.stmt) -> bool:
    lines = lines_of(text)
    after = lines[(node.end_lineno or node.lineno) - 1].encode()[node.end_col_offset or 0 :].decode().strip()
    return not lines[node.lineno - 1][: node.col_offset].strip() and (not after or after.startswith("#"))


# --- texts ------------------------------------------------------------------------------------------------------


def lines_of(text: str) -> list[str]:
    """Its lines as Python counts them, each with its end."""
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def parsed(text: str) -> ast.Module:
    """The module; an empty one where today's Python cannot read it."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def replaced(text: str, node: ast.stmt | ast.expr, code: str) -> str:
    """The text with code in the place of one node."""
    lines = lines_of(text)
    first, last = lines[node.lineno - 1].encode(), lines[(node.end_lineno or node.lineno) - 1].encode()
    begin = first[: node.col_offset].decode()
    end = last[node.end_col_offset or 0 :].decode()
    return "".join((*lines[: node.lineno - 1], begin, code, end, *lines[node.end_lineno or node.lineno :]))


def at_the_top_of(text: str, node: Function, code: str) -> str:
    """The text with code before the first thing that a function does."""
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    at = (first.end_lineno or first.lineno) if is_docstring else _first_line(first) - 1
    lines = lines_of(text)
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += "\n"
    return "".join((*lines[:at], indent(code, " " * first.col_offset), "\n", *lines[at:]))


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, Function | ast.ClassDef) else []
    return min([node.lineno, *(one.lineno for one in decorators)])


def imported(text: str, *imports: str) -> str:
    """The text with these imports, where it has them not yet."""
    for line in imports:
        if not re.search(rf"^{re.escape(line)}\b", text, re.M):
            text = after_the_docstring(text, f"{line}\n")
    return text


def after_the_docstring(text: str, code: str) -> str:
    """The text with code at its top, where a module's first import may stand."""
    at = 0
    for node in parsed(text).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        at = node.end_lineno or node.lineno
    lines = lines_of(text)
    return "".join((*lines[:at], code, *lines[at:]))


def after_the_imports(text: str, code: str) -> str:
    """The text with code below its imports."""
    imports = [node for node in parsed(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    at = (imports[-1].end_lineno or 0) if imports else 0
    lines = lines_of(text)
    return "".join((*lines[:at], f"\n{code}\n", *lines[at:])) if at else after_the_docstring(text, f"{code}\n")
