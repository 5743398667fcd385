"""Which tests a file holds, and what each of them asserts, in any language.

Formatting, comments and the order of tests make no difference. Python is parsed; other languages are read by the look
of their text. It does not know which changes are allowed.
"""

import re
from collections import Counter
from functools import lru_cache
from pathlib import PurePosixPath

from shopfloor.repo.python import RECENT, parsed
from shopfloor.repo.sources import language_of
from shopfloor.validation.findings.cases import Case, Unreadable
from shopfloor.validation.findings.in_python import cases_in
from shopfloor.validation.findings.strength import Statement


@lru_cache(maxsize=RECENT)
def cases(path: str, text: str, swallowing: frozenset[str] = frozenset()) -> tuple[Case, ...] | Unreadable:
    """The tests of a file in order of appearance; of two with one name only the last, which is the one that runs.

    What runs inside something that is `swallowing` failures, here or in another file, may fail unseen.
    """
    if path.endswith(".py"):
        tree = parsed(text)
        return Unreadable() if tree is None else cases_in(tree, swallowing)
    starts = _STARTS.get(PurePosixPath(path).suffix)
    if starts is not None:
        return _by_text(text, starts)
    return _by_lines(text) if language_of(path) else ()


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
