"""Whether a value could be a secret: drawn by chance, chosen by a person, or only an example of one.

Pure, over single values. It does not know under which name a value stands, nor in which kind of file.
"""

import math
import re
from collections import Counter

_KINDS = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"), re.compile(r"[^A-Za-z0-9\s_./:-]"))
LEAST_DRAWN, LEAST_CHOSEN = 16, 8
LEAST_ENTROPY = 2.9
"""Bits for each character: words of a language have less variety at this length than what is drawn by chance."""


def looks_drawn(value: str) -> bool:
    """A machine's secret: long, of letters and digits, and no words."""
    return len(value) >= LEAST_DRAWN and mixes(value) and entropy(value) >= LEAST_ENTROPY and not _is_words(value)


def looks_chosen(value: str) -> bool:
    """A person's password, by the rules of those who make people choose: three kinds of characters."""
    kinds = sum(bool(one.search(value)) for one in _KINDS)
    return (len(value) >= LEAST_CHOSEN and kinds >= 3 and entropy(value) >= 2.5) or looks_drawn(value)


def mixes(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _is_words(value: str) -> bool:
    """Words with signs between them and perhaps a number behind: a name, not a secret."""
    parts = [part for part in re.split(r"[_./:-]+", value) if part]
    return len(parts) > 1 and all(
        re.fullmatch(r"[A-Z]?[a-z]*|[A-Z]+|\d{1,4}|[a-z]+\d{1,2}|v\d+", part) for part in parts
    )


def entropy(value: str) -> float:
    return -sum(number / len(value) * math.log2(number / len(value)) for number in Counter(value).values())


# --- examples ------------------------------------------------------------------------------------------------------

_EXAMPLE = re.compile(r"example|place.?holder|redacted|your[_. -]?|<|\.\.\.|…", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"change.?(?:me|this)|dummy|fake|sample|not.?a.?(?:real|secret|password)|insecure"
    r"|(?:my|the|some|insert|enter|add|put|new|old)[_. -]?(?:\w+[_. -])?(?:secret|token|password|passw|key|api|here)"
    r"|here$|foo.?bar|secret.?key$|lorem|todo|^password\d*!?$|^secret\d*$|initial$|hunter2|p4ssw0rd|s3cr3t|string$",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"\$\{[\w.:?=/$+-]*\}|\{\{[^{}]*\}\}|\{\w*\}|\$\(|^\$\w+$|^%|%[sd(]|^[{\[]|^@|^[\w.]+\(|\*\*\*|^#\{|\\\(|<%"
)
_CROSSED_OUT = re.compile(r"([xX*.#_-])\1{5}|([A-Za-z])\2{9}")
_IN_ORDER = re.compile(r"abcdefghijklmnopqrstuvwxyz|^(?:0?1234567890?|abc123|qwerty)\W*$|(\d{4})-\1", re.IGNORECASE)
_OF_CODE = re.compile(
    r"^(?:self|os|env|environ|process|config|settings|request|args|this|params|options|secrets|vault)\.|^\w+\["
)


def is_placeholder(value: str) -> bool:
    """Whether a value says of itself that it is none, or that it comes from somewhere else."""
    return is_example(value) or any(one.search(value) for one in (_PLACEHOLDER, _TEMPLATE, _OF_CODE))


def is_example(value: str) -> bool:
    """The same of what has a provider's shape, in which words come about by chance."""
    most = max(Counter(value).values()) / len(value)
    return most > 0.5 or any(one.search(value) for one in (_EXAMPLE, _CROSSED_OUT, _IN_ORDER))
