"""Which tests a file holds, and what each of them asserts, so that two versions of it can be compared.

Formatting, comments and the order of tests make no difference. Python is parsed; other languages are read by the look
of their text. It does not know which changes are allowed.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from pathlib import PurePosixPath

from shopfloor.domain.fact import Fact
from shopfloor.repo.python import parsed, unparsed
from shopfloor.repo.sources import language_of
from shopfloor.validation.findings.strength import Statement, all_words, unreplaced


class Case(Fact):
    """A test, or a helper of tests: where it is, its own name, how often it asserts what, and what it speaks of."""

    name: str
    asserted: Mapping[Statement, int]
    is_test: bool = True
    words: frozenset[str] = frozenset()


class Unreadable(Fact):
    """A test file that cannot be parsed any more."""


def cases(path: str, text: str) -> tuple[Case, ...] | Unreadable:
    """The tests of a file in order of appearance; of two with one name only the last, which is the one that runs."""
    if path.endswith(".py"):
        tree = parsed(text)
        if tree is None:
            return Unreadable()
        found: dict[str, Case] = {}
        _collect(tree.body, "", found, collected=True)
        return tuple(found.values())
    starts = _STARTS.get(PurePosixPath(path).suffix)
    if starts is not None:
        return _by_text(text, starts)
    return _by_lines(text) if language_of(path) else ()


def lost(before: Iterable[Case], after: Iterable[Case]) -> tuple[Case, ...]:
    """Tests that are no longer there, or are no tests any more."""
    names = {case.name for case in after if case.is_test}
    return tuple(case for case in before if case.is_test and case.name not in names)


def still_there(before: Iterable[Case], after: Iterable[Case]) -> list[tuple[Case, Case]]:
    """Each test and helper with what stands under its name now."""
    now = {case.name: case for case in after}
    return [(case, now[case.name]) for case in before if case.name in now]


def found_again(case: Case, elsewhere: Iterable[Case]) -> bool:
    """Whether a test that was lost stands somewhere else, under its own name and asserting as much."""
    own = _own_name(case.name)
    return any(
        _own_name(one.name) == own and one.is_test and not Counter(case.asserted) - Counter(one.asserted)
        for one in elsewhere
    )


def renamed(case: Case, fresh: Iterable[Case]) -> bool:
    """Whether a new test asserts all that a lost one did, or has a name like its own and asserts as much."""
    return any(one.is_test and _takes_the_place(one, case) for one in fresh)


def _takes_the_place(new: Case, old: Case) -> bool:
    if old.asserted and not Counter(old.asserted) - Counter(new.asserted) and _overlap(old.words, new.words) > ALIKE:
        return True
    alike = SequenceMatcher(None, _own_name(old.name), _own_name(new.name)).ratio() > ALIKE
    return alike and not unreplaced(old.asserted, new.asserted)[0]


ALIKE = 0.7
"""How much two names, or what two tests speak of, must have in common for one to be the other under a new name."""


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _own_name(name: str) -> str:
    return name.rpartition(".")[2]


# --- Python -----------------------------------------------------------------------------------------------------


def _collect(body: list[ast.stmt], prefix: str, found: dict[str, Case], *, collected: bool) -> None:
    """`collected`: runners look for tests here. In a class they do for its base class's sake, or for its name's."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            is_suite = bool(node.bases) or node.name.startswith("Test")
            _collect(node.body, f"{prefix}{node.name}.", found, collected=collected and is_suite)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            asserted: Counter[Statement] = Counter()
            _add_asserted(node.body, (), asserted)
            asserted.update(_parameters(node))
            name = f"{prefix}{node.name}"
            found.pop(name, None)
            is_test = collected and node.name.startswith("test")
            found[name] = Case(name=name, asserted=asserted, is_test=is_test, words=all_words(node) - {node.name})


def _add_asserted(body: list[ast.stmt], under: tuple[str, ...], asserted: Counter[Statement]) -> None:
    """Asserting statements, with the conditions they stand under: one that is never reached asserts nothing."""
    for place, node in enumerate(body):
        if _asserts(node):
            asserted[Statement(text=unparsed(node), under=under)] += 1
        for header, inner in _blocks(node):
            _add_asserted(inner, (*under, header) if header else under, asserted)
        if isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue) and place < len(body) - 1:
            return
        if isinstance(node, ast.If) and any(isinstance(inner, ast.Return) for inner in node.body):
            under = (*under, f"if not {unparsed(node.test)}")


def _blocks(node: ast.stmt) -> list[tuple[str, list[ast.stmt]]]:
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            return [(f"if {unparsed(test)}", body), (f"if not {unparsed(test)}", orelse)]
        case ast.While(test=test, body=body):
            return [(f"while {unparsed(test)}", body)]
        case ast.For(target=target, iter=iterated, body=body):
            return [(f"for {unparsed(target)} in {unparsed(iterated)}", body)]
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            header = "try" if handlers else ""
            caught = [("except", handler.body) for handler in handlers]
            return [(header, body), *caught, (header, orelse), ("", final)]
        case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
            held = [unparsed(item.context_expr) for item in items]
            return [(f"with {held[0]}" if any("suppress(" in one for one in held) else "", body)]
        case ast.Match(cases=cases):
            return [(f"case {unparsed(case.pattern)}", case.body) for case in cases]
        case _:
            return []


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterable[Statement]:
    """The cases that a test is run for."""
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr="parametrize"), args=[_, ast.List(elts=rows) | ast.Tuple(elts=rows)]):
                yield from (Statement(text=unparsed(row), is_row=True) for row in rows)
            case _:
                pass


def _asserts(node: ast.stmt) -> bool:
    match node:
        case ast.Assert():
            return True
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return any("aises" in unparsed(item.context_expr) for item in items)
        case ast.Expr(value=ast.Call(func=function)) | ast.Expr(value=ast.Await(value=ast.Call(func=function))):
            return _called(function).startswith(("assert", "fail", "expect"))
        case _:
            return False


def _called(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


# --- other languages --------------------------------------------------------------------------------------------

_SCRIPT = re.compile(r"(?<![.\w])(?:test|it)(?:\.(?!each\b)\w+)*\(\s*([\"'`])(?P<name>(?:\\.|(?!\1).)+)\1", re.S)
_GO = re.compile(r"(?m)^func (?P<name>(?:Test|Benchmark|Fuzz|Example)\w*)\(")
_RUST = re.compile(r"#\[(?:\w+::)?test(?:\([^\]]*\))?\][^{;]*?\bfn (?P<name>\w+)")
_JAVA = re.compile(r"@(?:Test|ParameterizedTest|RepeatedTest)\b[^{;]*?\b(?:void|fun) (?P<name>\w+|`[^`]+`)\s*\(")
_STARTS = {
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"), _SCRIPT),
    ".go": _GO,
    ".rs": _RUST,
    **dict.fromkeys((".java", ".kt"), _JAVA),
}
_ASSERTION = re.compile(
    r"(?<![.\w])expect\s*\(|(?<![.\w])(?:\w+\.)*assert\w*!?(?:\.\w+)*\s*[(\[]|\bshould\b|\bpanic!\s*\("
    r"|if [^{}\n]*\{\s*(?=t\.(?:Error|Fatal))|(?<![.\w])t\.(?:Error|Fatal)\w*\("
)
_LINE_COMMENT = re.compile(r"(?<![:\"'`\w])//[^\n]*")
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.S)


def _by_text(text: str, start: re.Pattern[str]) -> tuple[Case, ...]:
    """A test reaches from its name to the next one's. Of two with one name both count, under numbers of their own."""
    text = _LINE_COMMENT.sub("", _BLOCK_COMMENT.sub("", text))
    places = list(start.finditer(text))
    seen: Counter[str] = Counter()
    found: list[Case] = []
    ends = [*(place.start() for place in places[1:]), len(text)]
    for place, end in zip(places, ends, strict=False):
        body = text[place.end() : end]
        name = place["name"]
        seen[name] += 1
        numbered = name if seen[name] == 1 else f"{name} ({seen[name]})"
        asserted = Counter(_said(_statement(body, assertion.start())) for assertion in _ASSERTION.finditer(body))
        found.append(Case(name=numbered, asserted=asserted))
    return tuple(found)


def _by_lines(text: str) -> tuple[Case, ...]:
    """All tests as one, where we know of a language only that its lines assert something."""
    lines = (re.sub(r"\s+", "", line) for line in text.splitlines() if _ASSERTING_LINE.search(line))
    asserted = Counter(map(_said, lines))
    return (Case(name="its tests", asserted=asserted),) if asserted else ()


_ASSERTING_LINE = re.compile(r"\b(?:assert\w*|refute\w*|expect\w*|should|XCTAssert\w*)\b", re.I)


def _said(text: str) -> Statement:
    """With its shape: what is left without what stands in parentheses, numbers and quotes."""
    shape = re.sub(r"\"[^\"]*\"|\b\d[\w.]*", "", text)
    while (inner := re.sub(r"\([^()]*\)", "", shape)) != shape:
        shape = inner
    return Statement(text=text, shape=shape)


def _statement(text: str, start: int) -> str:
    """From here to where the statement ends, without white space and in one kind of quotes."""
    depth, at = 0, start
    is_block = text.startswith("if ", start)
    while at < len(text):
        sign = text[at]
        depth += (sign in "([{") - (sign in ")]}")
        if depth < 0 or (depth == 0 and (sign == "}" if is_block else _ends(text, at))):
            break
        at += 1
    plain = re.sub(r"\s+", "", text[start:at]).replace("'", '"').replace("`", '"')
    return re.sub(r",(?=[)\]}])", "", plain).rstrip(";,")


def _ends(text: str, at: int) -> bool:
    """Whether a statement ends here; a line that begins with a dot goes on with it."""
    return text[at] == ";" or (text[at] == "\n" and _NEXT_IS_DOT.match(text, at) is None)


_NEXT_IS_DOT = re.compile(r"\s*\??\.")
