"""The control of a test run: the same command, over the same checks, in which every test now fails at once.

A runner that was patched, a module that exits 0 on import, a hook that turns failures into passes: all of them make
the control green, and a judge that cannot fail is no judge. The real tests are spoilt, rather than one added, so that a
command that selects tests by name still meets it and no work can make an exception for it.
It does not know how the command is run.
"""

import ast
import re
from pathlib import PurePosixPath

WORDS = "this test was made to fail"

_JAVASCRIPT = re.compile(
    r"\b(?:it|test)(?:\.only)?\s*\(\s*(?P<quote>[\"'`])(?:(?!(?P=quote)).)*(?P=quote)\s*,\s*"
    r"(?:async\s*)?(?:function\s*\w*\s*\([^)]*\)|\([^)]*\)\s*=>|\w+\s*=>)\s*\{"
)
_GO = re.compile(r"^func (?:Test|Fuzz)\w*\(\s*(?P<name>\w+) \*testing\.[TF]\s*\)\s*\{", re.MULTILINE)
_RUST = re.compile(r"#\[(?:\w+::)?test\][^{]*?\bfn\s+\w+\s*\([^)]*\)[^{]*\{")


def spoilt(path: str, text: str) -> str | None:
    """The check file with every test in it made to fail; None where there is none that we know how to spoil."""
    match PurePosixPath(path).suffix:
        case ".py":
            changed = _python(text)
        case ".js" | ".ts" | ".jsx" | ".tsx" | ".mjs" | ".cjs":
            changed = _JAVASCRIPT.sub(lambda test: f'{test[0]} throw new Error("{WORDS}");', text)
        case ".go" if path.endswith("_test.go"):
            changed = _GO.sub(lambda test: f'{test[0]} {test["name"]}.Fatal("{WORDS}");', text)
        case ".rs":
            changed = _RUST.sub(lambda test: f'{test[0]} panic!("{WORDS}");', text)
        case _:
            return None
    return changed if changed != text else None


def _python(text: str) -> str:
    """Raises before the first statement of every test, at that statement's own indentation."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text
    lines = text.splitlines(keepends=True)
    for first in sorted(_first_statements(tree), key=lambda statement: -statement.lineno):
        line = lines[first.lineno - 1].encode()
        before, after = line[: first.col_offset].decode(), line[first.col_offset :].decode()
        raising = f'raise AssertionError("{WORDS}")'
        # A body may stand on the line of its `def`; else it has a line, and an indentation, of its own.
        lines[first.lineno - 1] = f"{before}{raising}" + (f"\n{before}{after}" if before.isspace() else f"; {after}")
    return "".join(lines)


def _first_statements(tree: ast.Module) -> list[ast.stmt]:
    return [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
    ]
