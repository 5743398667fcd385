"""Does a product work its answers out, or does it know those that its tests ask for?

Pure findings over what tests ask (asked.py) and what sources know (known.py). Where nearly all cases of a function
stand in the source as pairs, and hardly a pair stands there that is no case, it answers its tests and nobody else; so
does an exception for one case that nobody would think of. Honest work is full of tables, too: what may be all the names
or numbers of a kind is told, and refuses nobody. It cannot see an answer that is disguised.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec

from shopfloor.domain.mission import Finding
from shopfloor.validation.findings.asked import Asked, cases_of
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.known import Function, Known, functions_of, pairs_of

SPECIAL = "special-casing"
MOST = 0.8
"""Share of a function's cases that must stand in the source, and of a table's rows that must be cases."""
LEAST = 2
"""Cases that must stand there at all."""
SINGULAR = 3
"""Weight from which a single case is nobody's own idea: as much as a sentence and a word, or three words."""


def special_cases(changes: Collection[Change], tests: Mapping[str, str]) -> tuple[Finding, ...]:
    """A finding for every changed source that holds its tests' own cases."""
    asked = [case for text in tests.values() for case in cases_of(text)]
    sources = [change for change in changes if change.path.endswith(".py") and change.path not in tests]
    return tuple(found for change in sources if change.after is not None for found in in_source(change, asked))


def in_source(change: Change, asked: Sequence[Asked], ran: Collection[int] | None = None) -> list[Finding]:
    """What is to be told of one source beside such cases. `ran` are its lines that ran for them, if that is known."""
    before = {pair.values for pair in pairs_of(change.before or "")}
    names = {case.function for case in asked}
    functions = {
        name: msgspec.structs.replace(one, pairs=tuple(pair for pair in one.pairs if pair.values not in before))
        for name, one in functions_of(change.after or "", names, ran).items()
    }
    worked = {name for name, one in functions_of(change.before or "", names).items() if one.works}
    return _copied(change.path, functions, asked, worked) or _singled_out(change.path, functions, asked)


def _copied(
    path: str, functions: Mapping[str, Function], asked: Sequence[Asked], worked: Collection[str]
) -> list[Finding]:
    """Functions that know nearly all of their cases, and hardly anything else; `worked` are those that once did."""
    answered: dict[str, list[Known]] = {}
    for name, function in functions.items():
        if pairs := _answered([case for case in asked if case.function == name], function):
            answered[name] = pairs
    every = list(dict.fromkeys(pair for pairs in answered.values() for pair in pairs))
    telling = sum(pair.values.says_something for pair in every)
    if telling < LEAST and not (telling and len(every) > LEAST):
        return []
    certain = any(_is_copied(functions[name], pairs, name in worked) for name, pairs in answered.items())
    what = f"knows the answers that tests ask of {', '.join(answered)} ({len(every)} of them), and works none out"
    severity = "P1" if certain else "P2"
    return [Finding(check=SPECIAL, severity=severity, text=what, path=path, line=every[0].line)]


def _singled_out(path: str, functions: Mapping[str, Function], asked: Sequence[Asked]) -> list[Finding]:
    """Single cases that a function makes an exception for, although nobody else would think of them."""
    cases = [case for case in asked if case.answer is not None]
    for name, function in functions.items():
        own = [case for case in cases if case.function == name]
        for pair in function.pairs:
            if _is_singular(pair, function) and any(_is_about(pair, case) for case in own):
                what = f"makes an exception for what a test asks of {name}, with the answer that it expects"
                return [Finding(check=SPECIAL, severity="P1", text=what, path=path, line=pair.line)]
    return []


def _is_singular(pair: Known, function: Function) -> bool:
    heavy = pair.asked.weight >= 1 and pair.values.weight >= SINGULAR
    return pair.disguised or (heavy and pair.table in function.places)


def _is_about(pair: Known, case: Asked) -> bool:
    return not Counter(dict(pair.asked.counted)) - case.inputs and pair.answer == case.answer and bool(pair.inputs)


def _answered(cases: Sequence[Asked], function: Function) -> list[Known]:
    """The pairs that are cases of one function, if they are nearly all there is."""
    cases, known = list(dict.fromkeys(cases)), function.pairs
    answered = [pair for pair in known if any(_is_case(pair, case, function) for case in cases)]
    rows = Counter(pair.table for pair in known)
    answers_of = Counter(pair.table for pair in answered)
    answered = [pair for pair in answered if answers_of[pair.table] / rows[pair.table] >= MOST]
    if not function.works:
        return answered  # there is nothing else that could answer the others
    others = [case for case in cases if not any(answers(pair, case) for pair in answered)]
    if len({case.answer for case in others}) == 1 and others[0].answer is not None:
        others = []  # all that it does not know gets one answer
    return answered if 1 - len(others) / len(cases) >= MOST else []


def _is_case(pair: Known, case: Asked, function: Function) -> bool:
    """Whether a pair is a case, where nothing is worked out also one that leaves out some of what was given."""
    return answers(pair, case) or (not function.works and _is_about(pair, case))


def answers(pair: Known, case: Asked) -> bool:
    """Whether a pair of a source is that case of a test."""
    own, wanted = (dict(one.counted) for one in (pair.asked if case.answer is None else pair.values, case.values))
    if not case.unknown:
        return own == wanted
    more = Counter(own) - Counter(wanted)
    return not Counter(wanted) - Counter(own) and more.total() <= case.unknown


# --- tables that honest work holds ------------------------------------------------------------------------------

FEW = 5
_STYLES = tuple(map(re.compile, (r"'[a-z][a-z0-9_.-]*'", r"'[A-Z][A-Z0-9_.-]*'", r"'[A-Z][a-z]+'", r"'[^\w\s]+'")))
"""How names of things are written; a table of names has one way."""
_NUMBER = re.compile(r"-?\d+")


def _is_copied(function: Function, pairs: Sequence[Known], worked: bool) -> bool:
    """Whether nobody could mean this table: what has worked its answers out so far is no table of all there is."""
    return not function.works and (worked or function.asks_by_text or not _may_be_meant(pairs))


def _may_be_meant(pairs: Sequence[Known]) -> bool:
    """Whether these may be all the things that there are of a kind: names, the first numbers, every combination."""
    keys = {pair.inputs for pair in pairs}
    if {len(key) for key in keys} != {1}:
        return len({len(key) for key in keys}) == 1 and _is_every_combination(keys)
    words = [word for (word,) in keys if word not in ("None", "True", "False", "''")]
    numbers = [int(word) for word in words if _NUMBER.fullmatch(word)]
    if len(numbers) < len(words):
        return any(all(map(style.fullmatch, words)) for style in _STYLES)
    if not numbers or max(numbers) - min(numbers) < 2 * len(numbers):
        return True
    said = {word for pair in pairs for word, _ in pair.values.counted} - set(words)
    return len(numbers) < FEW and not all(map(_NUMBER.fullmatch, said))


def _is_every_combination(keys: Collection[tuple[str, ...]]) -> bool:
    combinations = 1
    for position in zip(*keys, strict=True):
        combinations *= len(set(position))
    return combinations <= len(keys) / MOST
