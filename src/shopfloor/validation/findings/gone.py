"""What a change takes away from the product: one thing that is gone excuses the tests of it, and no others.

Pure, over the texts of a change. It does not know which tests are gone.
"""

import ast
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

from shopfloor.repo.python import read
from shopfloor.repo.sources import is_test
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.strength import all_words


@dataclass(frozen=True)
class Gone:
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


def gone_from(changes: Collection[Change]) -> Gone:
    products = [change for change in changes if change.path.endswith(".py") and not is_test(change.path)]
    before = [read(change.before or "") for change in products]
    after = [read(change.after or "") for change in products]
    left = frozenset[str]().union(*map(all_words, after))
    texts = Counter(chain(*map(_texts, before))) - Counter(chain(*map(_texts, after)))
    names = {name for tree in before for name in _defined(tree) if len(name) >= LEAST_NAME}
    names |= {word for text in texts if (word := text.strip("-").replace("-", "_")).isidentifier()}
    for change, tree in zip(products, before, strict=True):
        names |= {PurePosixPath(change.path).stem, *_defined(tree)} if change.after is None else set()
    names |= {name for change in changes for name in _no_longer_required(change)}
    said = (text for text in texts if LEAST_MESSAGE <= len(text) <= MOST_MESSAGE and "\n" not in text.strip())
    return Gone(frozenset(names - left), frozenset(said))


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
