"""Controls of a check file: twins of it, alike but for one number; one must go on passing, the other must fail.

What a check reports is believed only when it can fail. Work that ends the run early, patches the runner, equals
everything or reads the expected values out of the check keeps the `broken` twin green. Work that knows the check by
its text, and forges the outcome for that text alone, makes the `sound` twin red. The real tests are changed, rather
than one added: a command that selects tests by name still meets it, and there is no name to make an exception for.
Tests fail where they meet the work, or else at their end: what equals everything must be asked whether it equals
something else, and what ends the run lies in wait for the first call of the work.
It does not know how a check is run.
"""

import ast
import re
from pathlib import PurePosixPath

from shopfloor.domain.fact import Fact
from shopfloor.repo.python import parsed
from shopfloor.validation.trials.edits import COMPOUND, Edits


class Controls(Fact):
    """A check file twice. `tests` is how many tests it holds, each of which must fail; None where nobody can say."""

    path: str
    sound: str
    broken: str
    tests: int | None = None


def controls(path: str, text: str, number: int) -> Controls | None:
    """The twins of a check file; None where we do not know how, or where it holds nothing that could fail.

    `number` is even, and drawn anew for each judgement; the broken twin differs in holding the next, odd one.
    """
    sound, broken = _controlled(path, text, f"{number} % 2"), _controlled(path, text, f"{number + 1} % 2")
    if sound is None or broken is None:
        return None
    return Controls(path=path, sound=sound, broken=broken, tests=_count(text) if path.endswith(".py") else None)


def _controlled(path: str, text: str, odd: str) -> str | None:
    match PurePosixPath(path).suffix:
        case ".py":
            return _python(text, odd)
        case ".js" | ".jsx" | ".mjs" | ".cjs" | ".ts" | ".tsx" | ".mts" | ".cts":
            return _javascript(path, text, odd)
        case ".go" if path.endswith("_test.go"):
            return _at_each(_GO_TEST, text, f' if {odd} == 1 {{ \\1.Errorf("not so") }};')
        case ".rs" if text.count("should_panic") < len(_RUST_TEST.findall(text)):
            return _at_each(_RUST_TEST, text, _RUST_GUARD.format(odd=odd))
        case ".java":
            return _java(text, odd)
        case _:
            return None


# --- Python -----------------------------------------------------------------------------------------------------

_BOM = "\ufeff"
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_ANOTHER = " else ".join(
    (
        "not seen if isinstance(seen, bool)",
        "seen * -2 + 1000000007 if isinstance(seen, (int, float))",
        "seen + '~' if isinstance(seen, str)",
        "[*seen, seen] if isinstance(seen, list)",
        "{**seen, '~': seen} if isinstance(seen, dict)",
        "(seen,)",
    )
)
"""A wrong value of the right kind where there is one: what equals all of its kind must be asked, too."""
_EQUALS = re.compile(r"assert(?:(?!Not)\w*Equals?|Is)")


def _python(text: str, odd: str) -> str | None:
    """Every expected value hangs on the number, and so does the end of a test that may not come to compare one."""
    if text.startswith(_BOM):
        spoiled = _python(text.removeprefix(_BOM), odd)
        return None if spoiled is None else f"{_BOM}{spoiled}"
    tree = parsed(text)
    if tree is None:
        return None
    edits = Edits(text)
    expected = [value for node in ast.walk(tree) if (value := _expected(node)) is not None]
    tests = _test_functions(tree)
    for value in expected:
        edits.wrap(value, f"(lambda seen: (seen, {_ANOTHER})[{odd}])(", ")")
    for test in tests:
        if not _surely_compares(test.body):
            edits.end_with(test.body, f"assert {odd} == 0")
            for way_out in _returns(test.body):
                edits.begin_with(way_out, f"assert {odd} == 0; ")
    return edits.apply() if expected or tests else None


def _returns(body: list[ast.stmt]) -> list[ast.Return]:
    """Where a test may end before its end."""
    found: list[ast.Return] = []
    waiting = [inner for node in body if isinstance(node, COMPOUND) for inner in ast.iter_child_nodes(node)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            found.append(node)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


def _expected(node: ast.AST) -> ast.expr | None:
    """Of an assertion that two values are equal, the one that is expected: the one that is written out."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[first, second, *_]) if _EQUALS.fullmatch(name):
            pass
        case ast.Assert(test=ast.Compare(left=first, ops=[ast.Eq()], comparators=[second])):
            pass
        case _:
            return None
    if isinstance(first, ast.Starred) or isinstance(second, ast.Starred):
        return None
    return first if _is_worked_out(second) and not _is_worked_out(first) else second


def _surely_compares(body: list[ast.stmt]) -> bool:
    """Whether a test that passes has come by an expected value."""
    for node in body:
        match node:
            case ast.Expr(value=value) if _expected(value) is not None:
                return True
            case ast.Assert() if _expected(node) is not None:
                return True
            case ast.Return():
                return False
            case _ if _returns([node]):
                return False
            case _:
                pass
    return False


def _is_worked_out(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Call | ast.Name) for part in ast.walk(node))


def _test_functions(tree: ast.Module) -> list[_Function]:
    """Test functions of the module and of its classes; what is defined inside a function is none."""
    found: list[_Function] = []
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found += [node] if name.startswith("test") else []
            case ast.ClassDef(body=body):
                waiting += body
            case ast.If(body=body, orelse=orelse) | ast.Try(body=body, orelse=orelse):
                waiting += [*body, *orelse]
            case _:
                pass
    return found


def _count(text: str) -> int:
    tree = parsed(text)
    return 0 if tree is None else len(_test_functions(tree))


# --- other languages, by the look of their text -----------------------------------------------------------------

_GO_TEST = re.compile(r"^func (?:Test|Fuzz)\w*\(\s*(\w+) \*testing\.[TF]\s*\)\s*\{", re.M)
_RUST_TEST = re.compile(
    r"#\[(?:\w+::)?test(?:\([^\]]*\))?\](?:\s*#\[[^\]]*\])*\s*(?:pub\s+)?(?:async\s+)?fn\s+\w+\s*\(\)[^{;]*\{"
)
_RUST_GUARD = (
    " struct AtTheEnd; impl Drop for AtTheEnd {{ fn drop(&mut self)"
    " {{ if {odd} == 1 && !std::thread::panicking() {{ panic!() }} }} }} let _at_the_end = AtTheEnd;"
)

_SCRIPT_TEST = re.compile(r"(?<![.\w])(?:test|it)(?:\.\w+)*\s*\(")
_SCRIPT_HEAD = re.compile(r"(?:#![^\n]*\n)?(?:\s|//[^\n]*|/\*.*?\*/|[\"']use \w+[\"'];?)*", re.S)
"""What has to stay at the top. The hook follows at once: in Node, tests defined before it do not have it."""
_SCRIPT_IMPORT = re.compile(r"from\s+[\"'](vitest|node:test|bun:test|@jest/globals)[\"']")
_SCRIPT_REQUIRE = re.compile(r"require\(\s*[\"'](node:test|@jest/globals)[\"']\s*\)")


def _at_each(test: re.Pattern[str], text: str, words: str) -> str | None:
    changed, count = test.subn(lambda found: found[0] + found.expand(words), text)
    return changed if count else None


def _javascript(path: str, text: str, odd: str) -> str | None:
    """A hook that every runner of note has: it fails each test after it has run."""
    if not _SCRIPT_TEST.search(text):
        return None
    before = _SCRIPT_HEAD.match(text)
    at = before.end() if before else 0
    hook = f"{_afterwards(path, text)} afterwards(() => {{ if ({odd}) throw new Error(); }});\n"
    return f"{text[:at]}{hook}{text[at:]}"


def _afterwards(path: str, text: str) -> str:
    """Where the hook comes from: some runners have it imported, others have it everywhere."""
    if found := _SCRIPT_IMPORT.search(text):
        return f'import {{ afterEach as afterwards }} from "{found[1]}";'
    if found := _SCRIPT_REQUIRE.search(text):
        return f'const {{ afterEach: afterwards }} = require("{found[1]}");'
    everything = "(globalThis as any)" if re.search(r"\.[mc]?tsx?$", path) else "globalThis"
    return f"const afterwards = {everything}.afterEach ?? ((check) => check());"


_JAVA_HOOKS = {
    "org.junit.jupiter": "@org.junit.jupiter.api.AfterEach",
    "org.junit.": "@org.junit.After public",
    "org.testng.": "@org.testng.annotations.AfterMethod public",
}


def _java(text: str, odd: str) -> str | None:
    """The same hook, before the brace that closes the class."""
    hook = next((words for mark, words in _JAVA_HOOKS.items() if mark in text), None)
    if hook is None or "@Test" not in text:
        return None
    body, brace, rest = text.rpartition("}")
    method = f"    {hook} void afterwards() {{ if ({odd} == 1) throw new AssertionError(); }}\n"
    return f"{body}{method}{brace}{rest}"
