"""The control of a test run: the same command, over the same checks with one test in it that must fail.

A runner that was patched, a module that exits 0 on import, a hook that turns failures into passes: all of them make
the control green, and a judge that cannot fail is no judge. It does not know how the command is run.
"""

import ast
import re
from pathlib import PurePosixPath

_PYTHON = """
class {name}(__import__("unittest").TestCase):
    def test_this_must_fail(self):
        self.fail("{name}")


"""
_JAVASCRIPT = '\ntest("{name}", () => {{ throw new Error("{name}"); }});\n'
_GO = '\nfunc Test{name}(t *testing.T) {{ t.Fatal("{name}") }}\n'
_RUST = '\n#[test]\nfn {name}() {{ panic!("{name}"); }}\n'
_MAIN = re.compile(r"^if __name__ == ", re.MULTILINE)


def with_control(path: str, text: str, name: str) -> str | None:
    """The check file with one failing test of that name in it; None where we do not know how.

    `name` is an identifier that nobody can guess, so that no work can make an exception for it.
    """
    match PurePosixPath(path).suffix:
        case ".py":
            return _python(text, name)
        case ".js" | ".ts" | ".jsx" | ".tsx" | ".mjs" | ".cjs":
            return text + _JAVASCRIPT.format(name=name)
        case ".go" if path.endswith("_test.go"):
            return text + _GO.format(name=name)
        case ".rs":
            return text + _RUST.format(name=name)
        case _:
            return None


def _python(text: str, name: str) -> str | None:
    """Before the first statement that may end the module, and after its imports from the future."""
    try:
        ast.parse(text)
    except SyntaxError:
        return None
    control = _PYTHON.format(name=name)
    main = _MAIN.search(text)
    at = main.start() if main else len(text)
    return f"{text[:at].rstrip()}\n\n{control}{text[at:]}"
