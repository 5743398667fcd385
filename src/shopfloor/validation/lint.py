"""What is wrong with a contract before anything is built or judged: pure complaints, each with a better wording.

A dead dummy must not be able to pass an assertion, and a judge must be able to tell when it has. It does not know the
product: whether an assertion holds today is seen by judging it (validation.judging).
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.domain.errors import AskModelAgain
from shopfloor.domain.fact import Fact
from shopfloor.validation.contract_file import Draft
from shopfloor.validation.drivers.actions import parse_published
from shopfloor.validation.drivers.steps import Unspeakable
from shopfloor.validation.turns import has_effect, turns_of

Kind: TypeAlias = Literal[
    "id",
    "vague",
    "vacuous",
    "untestable",
    "unclaimed",
    "claimed-twice",
    "used-twice",
    "no-surface",
    "bad-steps",
    "holds-already",
    "fails-today",
    "empty",
    "no-negative",
    "breaks-interface",
    "undocumented",
    "unasserted",
]
ADVICE: frozenset[Kind] = frozenset(("no-negative", "undocumented", "unasserted"))


class Complaint(Fact):
    """One thing that is wrong. `better` says how it would be right."""

    assertion: str
    kind: Kind
    text: str
    better: str = ""

    @property
    def refuses(self) -> bool:
        """Whether a contract with it cannot be sealed."""
        return self.kind not in ADVICE

    def __str__(self) -> str:
        better = f"; {self.better}" if self.better else ""
        return f"{self.assertion}: {self.text}{better}." if self.assertion else f"{self.text}{better}."


ID = re.compile(r"^VAL-[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d{3}$")
_ACTS = re.compile(
    r"\b(when|whenever|if|while|where|after|once|upon|until)\b"
    r"|\b(?:call|runn|send|post|click|press|typ|submit|open|reload|add|delet|remov|start|stopp)ing\b"
    r"|\w\([^)]*\)|`[^`]+`|\b(?:GET|POST|PUT|PATCH|DELETE|HEAD) /",  # or the input itself: a call, a command, a request
    re.IGNORECASE,
)
_SHOWS = re.compile(
    r"\b(then|shall|must|is|are|has|returns?|shows?|becomes?|contains?|(?:dis)?appears?|prints?|answers|responds|outputs"
    r"|gives|yields|raises|holds|exits|ends|fails|goes|drops|rises|stays|rejects|refuses|creates|removes|stores|writes)\b"
    r"|==|!=|->|=>|→",
    re.IGNORECASE,
)
_DATA = re.compile(r"""(?<!\w)'[^']*'(?!\w)|"[^"]*"|`[^`]*`|(?<!\w)/[\w./-]+""")
_VAGUE = re.compile(
    r"\b(works? (?:well|correctly|properly|as expected|fine|smoothly)|user[- ]friendly|nice(?:ly)?|robust(?:ly)?"
    r"|fast|quickly|intuitive(?:ly)?|appropriate(?:ly)?|properly|correctly|reasonabl[ey]|seamless(?:ly)?"
    r"|efficient(?:ly)?|should be able to|etc|and so on|gracefully|as needed|if possible)\b",
    re.IGNORECASE,
)
_WORDS = r"(?:[^\W\d]+\s+)"
_NAME_OR_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|(?<!\S)@([a-z][a-z0-9-]*)')
"""A published name in a step; what stands in quotes, or in an address, is none."""
_ONLY_PRESENCE = re.compile(
    rf"(?:then|,)\s+{_WORDS}{{0,6}}(?:exists?|appears?|loads?|is (?:present|visible|displayed|shown|rendered))\s*\.?$"
    rf"|(?:shall|must)\s+(?:display|show|render|have|contain)\s+(?:an?|the)\s+{_WORDS}{{0,3}}[^\W\d]+\.?$",
    re.IGNORECASE,
)
"""The thing is there, and no value says which of two inputs was given."""
_INTERNAL = re.compile(
    r"\b(?:the )?(?:code|class|function|method|variable|component|module|database|table|private)\b[^.]*"
    r"\b(?:uses?|is (?:named|called|implemented|refactored|written)|inherits|imports)\b",
    re.IGNORECASE,
)


def about(assertion: Assertion) -> tuple[Complaint, ...]:
    """What is wrong with the words of one assertion."""
    name, behaviour = assertion.id, assertion.behaviour.strip()
    found: list[Complaint] = []
    if not ID.match(name):
        text, better = f"{name!r} is no id", "an id looks like VAL-EXPORT-001"
        found.append(Complaint(assertion=name, kind="id", text=text, better=better))
    if not (_ACTS.search(behaviour) and _SHOWS.search(behaviour)):
        better = "say what is done and what is then seen (Given … When … Then …)"
        found.append(Complaint(assertion=name, kind="untestable", text="nobody could try this", better=better))
    plain = _DATA.sub("…", behaviour)
    if vague := _VAGUE.search(plain):
        text = f"{vague.group(0)!r} cannot be checked"
        better = f"instead of {vague.group(0)!r}, name the value or the effect that is seen, and for which input"
        found.append(Complaint(assertion=name, kind="vague", text=text, better=better))
    if _ONLY_PRESENCE.search(behaviour):
        better = "say which action changes what, for two inputs"
        found.append(Complaint(assertion=name, kind="vacuous", text="a dead page would pass this", better=better))
    if assertion.surface != "library" and (inside := _INTERNAL.search(plain)):
        text = f"{inside.group(0)[:60]!r} is how it is built, which nobody outside can see"
        found.append(Complaint(assertion=name, kind="untestable", text=text, better="say what its user would notice"))
    return tuple(found)


def about_steps(assertion: Assertion, names: Iterable[str]) -> tuple[Complaint, ...]:
    """What is wrong with the compiled steps of one assertion; nothing if it has none."""
    if not assertion.steps:
        return ()
    try:
        turns = turns_of(assertion.steps)
    except Unspeakable as wrong:
        return (Complaint(assertion=assertion.id, kind="bad-steps", text=str(wrong)),)
    spoken = {name for line in assertion.steps for name in _NAME_OR_TEXT.findall(line) if name}
    unknown = sorted(spoken - set(names))
    if unknown:
        better = f'publish it: - @{unknown[0]}: class "…"'
        text = f"no @{', @'.join(unknown)} is published"
        return (Complaint(assertion=assertion.id, kind="bad-steps", text=text, better=better),)
    if not has_effect(turns):
        better = "do something whose effect is then seen, or the same with two inputs that show two results"
        text = "its steps only look, and a dead dummy would pass them"
        if assertion.surface == "desktop":
            better = "expect a title, the clipboard or a file, or let the picture change twice, not by typing"
            text = "a field that takes the focus, or shows what is typed, would pass its steps"
        return (Complaint(assertion=assertion.id, kind="vacuous", text=text, better=better),)
    return ()


def lint(draft: Draft) -> tuple[Complaint, ...]:
    """All that is wrong with a contract file, as far as reading it tells."""
    contract = draft.contract
    found = [*_about_names(contract)]
    if not contract.assertions:
        found.append(Complaint(assertion="", kind="empty", text="the contract has no assertion to judge by"))
    for assertion in contract.assertions:
        found += [*about(assertion), *about_steps(assertion, [name for name, _ in contract.names])]
        if not assertion.negative.strip():
            better = "add `- never:` and what must not happen"
            found.append(
                Complaint(
                    assertion=assertion.id, kind="no-negative", text="says nothing of the wrong way", better=better
                )
            )
    found += _about_use(contract)
    return (*found, *_about_claims(contract, draft.claims))


def _about_names(contract: Contract) -> list[Complaint]:
    found: list[Complaint] = []
    for name, meaning in contract.names:
        try:
            parse_published(meaning)
        except AskModelAgain as wrong:
            found.append(Complaint(assertion="", kind="bad-steps", text=f"@{name}: {wrong}"))
    return found


def _about_use(contract: Contract) -> list[Complaint]:
    found = [
        Complaint(assertion=name, kind="used-twice", text=f"used for {count} assertions", better="ids are unique")
        for name, count in repeated(one.id for one in contract.assertions)
    ]
    outside = [one for one in contract.assertions if one.surface != "library"]
    if outside and not contract.published.strip() and not contract.names:
        text = "nothing is published, but judges outside the source need URLs, names or commands to rely on"
        found.append(Complaint(assertion="", kind="no-surface", text=text, better="write them under ## Published"))
    return found


def _about_claims(contract: Contract, claims: Sequence[tuple[str, tuple[str, ...]]]) -> list[Complaint]:
    """Claims are checked where a contract makes any: one that only judges what exists has none."""
    if not claims:
        return []
    found: list[Complaint] = []
    by_id = dict(claims)
    for assertion in contract.assertions:
        claimed = by_id.get(assertion.id, ())
        if not claimed:
            better = "add `- claimed by:` and the one feature that will make it true"
            found.append(
                Complaint(assertion=assertion.id, kind="unclaimed", text="no feature claims it", better=better)
            )
        elif len(claimed) > 1:
            text = f"claimed by {', '.join(claimed)}"
            better = "exactly one feature claims it: split the assertion, or choose"
            found.append(Complaint(assertion=assertion.id, kind="claimed-twice", text=text, better=better))
    return found


def repeated(names: Iterable[str]) -> list[tuple[str, int]]:
    """Names that stand more than once, and how often."""
    return [(name, count) for name, count in Counter(names).items() if count > 1]
