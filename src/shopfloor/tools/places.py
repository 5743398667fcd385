"""Paths as a model writes them, and as the sandbox and the guard take them. It does not know what exists."""

from posixpath import join, normpath

from shopfloor.domain.errors import AskModelAgain
from shopfloor.sandbox.protocol import Sandbox

CHECKOUT = "/repo"


def place(sandbox: Sandbox, path: str) -> str:
    """The path relative to the checkout when it lies inside, else absolute.

    `/repo` always means the checkout, also where a sandbox shows it under another name.
    """
    if not path or "\0" in path:
        raise AskModelAgain(f"{path!r} is no path; give one relative to the checkout, such as 'src/app.py'")
    root = normpath(sandbox.root)
    path = normpath(path)
    if path == CHECKOUT or path.startswith(f"{CHECKOUT}/"):
        path = root + path.removeprefix(CHECKOUT)
    absolute = normpath(join(root, path))
    if absolute == root:
        return "."
    return absolute.removeprefix(f"{root}/")
