"""The contract as one plain file that people write and read. Its bytes are what is sealed.

Reading is the inverse of writing; what cannot be read is said line by line. It does not know whether a contract is any
good: that is validation.lint.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast, get_args

from shopfloor.domain.contract import Assertion, Contract, Control, EvidenceKind, Surface
from shopfloor.domain.errors import GiveUp
from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import Plan

# --- writing ----------------------------------------------------------------------------------------------------


def contract_text(plan: Plan) -> str:
    """The whole contract of a plan in Markdown, one heading per assertion."""
    claims = tuple((claim, (feature.id,)) for feature in plan.features for claim in feature.claims)
    return written(Draft(contract=plan.contract, assumptions=plan.spec.assumptions, claims=claims))


def spec_text(plan: Plan) -> str:
    """The spec, with the assumptions that were made where the brief is silent."""
    assumptions = "\n".join(f"- {assumption}" for assumption in plan.spec.assumptions)
    return f"{plan.spec.text}\n\nAssumptions:\n{assumptions}" if assumptions else plan.spec.text


def contract_of(contract: Contract, ids: tuple[str, ...]) -> str:
    """Only the assertions of these ids, in Markdown."""
    return "\n\n".join(_assertion_text(assertion) for assertion in contract.assertions if assertion.id in ids)


class Draft(Fact):
    """A contract file: the contract, what it assumes, and which feature claims which assertion."""

    contract: Contract
    assumptions: tuple[str, ...] = ()
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()


def written(draft: Draft) -> str:
    """The file of a draft."""
    contract, claims = draft.contract, dict(draft.claims)
    parts = [f"# Contract: {contract.title}"]
    if draft.assumptions:
        parts.append("## Assumptions\n\n" + "\n".join(f"- {assumption}" for assumption in draft.assumptions))
    if contract.start:
        parts.append(f"Start: `{contract.start}`")
    if contract.state != "app":
        parts.append(f"State: {contract.state}")
    if contract.interface:
        parts.append(f"Interface: `{contract.interface}`")
    if published := _published_text(contract):
        parts.append(f"## Published\n\n{published}")
    if contract.supersedes:
        parts.append("## Superseded tests\n\n" + "\n".join(f"- `{path}`" for path in contract.supersedes))
    parts.append("## Assertions")
    parts += [_assertion_text(assertion, claims.get(assertion.id, ())) for assertion in contract.assertions]
    return "\n\n".join(parts) + "\n"


def _published_text(contract: Contract) -> str:
    names = "\n".join(f"- @{name}: {meaning}" for name, meaning in contract.names)
    return "\n\n".join(part for part in (contract.published.strip(), names) if part)


def _assertion_text(assertion: Assertion, claimed_by: tuple[str, ...] = ()) -> str:
    lines = [f"### {assertion.id}: {assertion.title}", "", assertion.behaviour.strip(), ""]
    if assertion.negative:
        lines.append(f"- never: {assertion.negative.strip()}")
    lines.append(f"- surface: {assertion.surface}")
    lines.append(f"- kind: {assertion.kind}")
    if assertion.evidence:
        lines.append(f"- evidence: {', '.join(assertion.evidence)}")
    if assertion.controls:
        lines.append(f"- controls: {', '.join(assertion.controls)}")
    if claimed_by:
        lines.append(f"- claimed by: {', '.join(claimed_by)}")
    if assertion.steps:
        lines += ["", "```steps", *assertion.steps, "```"]
    return "\n".join(lines)


# --- reading ----------------------------------------------------------------------------------------------------

_TITLE = re.compile(r"# (?:Contract:\s*)?(?P<title>.+)")
_SECTION = re.compile(r"## (?P<name>.+)")
_ASSERTION = re.compile(r"### (?P<id>[^\s:]+)\s*(?::\s*(?P<title>.*))?")
_KEY = re.compile(r"- (?P<key>never|surface|kind|evidence|controls|claimed by): *(?P<value>.*)")
_NAME = re.compile(r"- @(?P<name>[a-z][a-z0-9-]*): +(?P<meaning>.+)")
_SETTING = re.compile(r"(?P<key>Start|State|Interface): *(?P<value>.+)")
_FENCE = re.compile(r"```+ *(?P<word>\w*) *")
SECTIONS = ("Assumptions", "Published", "Superseded tests", "Assertions")


def read_contract(text: str, name: str = "the contract") -> Draft:
    """The draft in a contract file. GiveUp names every line that cannot be read, and what would be."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), start=1):
        reader.take(number, line.rstrip())
    draft = reader.end()
    if reader.problems:
        raise GiveUp(f"{name} cannot be read:\n" + "\n".join(f"- {problem}" for problem in reader.problems))
    return draft


@dataclass
class _Begun:
    """An assertion as far as it has been read."""

    line: int
    id: str
    title: str
    behaviour: list[str] = field(default_factory=list[str])
    values: dict[str, str] = field(default_factory=dict[str, str])
    steps: list[str] = field(default_factory=list[str])
    last_key: str = ""


class _Reader:
    """Takes a file line by line."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._title = ""
        self._settings: dict[str, str] = {}
        self._section = ""
        self._text: dict[str, list[str]] = {section: [] for section in SECTIONS}
        self._names: list[tuple[str, str]] = []
        self._assertions: list[_Begun] = []
        self._fence = ""

    def take(self, number: int, line: str) -> None:
        """One more line."""
        if self._fence or (_FENCE.match(line) and self._section):
            self._in_fence(number, line)
        elif found := _ASSERTION.fullmatch(line):
            self._section = "Assertions"
            self._assertions.append(_Begun(number, found["id"], (found["title"] or "").strip()))
        elif found := _SECTION.fullmatch(line):
            self._begin_section(number, found["name"].strip())
        elif (found := _SETTING.fullmatch(line)) and self._section in ("", "Assumptions"):
            self._settings[found["key"]] = found["value"].strip("` ")
        elif self._section == "Assertions" and self._assertions:
            self._in_assertion(self._assertions[-1], line)
        elif self._section:
            self._in_section(line)
        elif found := _TITLE.fullmatch(line):
            self._title = found["title"].strip()
        elif line.strip():
            self.problems.append(f"line {number}: {line.strip()[:60]!r} stands before the first section (## Published)")

    def end(self) -> Draft:
        """What the file says."""
        if not self._title:
            self.problems.append("line 1: a contract begins with its title: # Contract: what it is about")
        state = self._settings.get("State", "app")
        if state not in ("app", "browser"):
            self.problems.append(f"State: {state!r} is none; say `app` or `browser`")
        contract = Contract(
            title=self._title,
            assertions=tuple(self._assertion(begun) for begun in self._assertions),
            published="\n".join(self._text["Published"]).strip(),
            start=self._settings.get("Start", ""),
            supersedes=_items(self._text["Superseded tests"]),
            names=tuple(self._names),
            state="browser" if state == "browser" else "app",
            interface=self._settings.get("Interface", ""),
        )
        claims = tuple(
            (begun.id, _listed(begun.values["claimed by"]))
            for begun in self._assertions
            if "claimed by" in begun.values
        )
        return Draft(contract=contract, assumptions=_items(self._text["Assumptions"]), claims=claims)

    def _begin_section(self, number: int, name: str) -> None:
        known = {section.casefold(): section for section in SECTIONS}
        if name.casefold() not in known:
            self.problems.append(f"line {number}: there is no section {name!r}; there are {', '.join(SECTIONS)}")
        self._section = known.get(name.casefold(), "Published")

    def _in_section(self, line: str) -> None:
        if self._section == "Published" and (found := _NAME.fullmatch(line)):
            self._names.append((found["name"], found["meaning"].strip()))
        else:
            self._text[self._section].append(line)

    def _in_fence(self, number: int, line: str) -> None:
        opened = self._fence
        if opened:
            self._fence = "" if line.strip() == "```" else opened
        elif found := _FENCE.match(line):
            self._fence = found["word"] or "text"
        if self._section != "Assertions" or not self._assertions:
            self._text[self._section].append(line)
        elif "steps" not in (opened, self._fence):
            self._assertions[-1].behaviour.append(line)
        elif opened and self._fence and line.strip():
            self._assertions[-1].steps.append(line.strip())

    def _in_assertion(self, begun: _Begun, line: str) -> None:
        if found := _KEY.fullmatch(line):
            key = found["key"]
            if key in begun.values:
                begun.values[key] += f", {found['value']}" if key in ("claimed by", "evidence", "controls") else ""
                if key not in ("claimed by", "evidence", "controls"):
                    self.problems.append(f"{begun.id}: says `{key}` twice")
            else:
                begun.values[key] = found["value"].strip()
            begun.last_key = key
        elif begun.last_key == "never" and line.strip():
            begun.values["never"] += f"\n{line}"
        elif not begun.last_key:
            begun.behaviour.append(line)
        elif line.strip():
            self.problems.append(f"{begun.id}: {line.strip()[:60]!r} follows `- {begun.last_key}:` and belongs nowhere")

    def _assertion(self, begun: _Begun) -> Assertion:
        kind = begun.values.get("kind", "new")
        if kind not in ("new", "guard"):
            self.problems.append(f"{begun.id}: kind {kind!r} is none; say `new`, or `guard` for what holds today")
        surfaces: tuple[str, ...] = get_args(Surface)
        surface = begun.values.get("surface", "")
        if surface not in surfaces:
            said = f"surface {surface!r} is none" if surface else "says no surface"
            self.problems.append(f"{begun.id}: {said}; write `- surface: ` and one of {', '.join(surfaces)}")
        return Assertion(
            id=begun.id,
            title=begun.title,
            behaviour="\n".join(begun.behaviour).strip(),
            surface=cast("Surface", surface if surface in surfaces else "library"),
            negative=begun.values.get("never", "").strip(),
            kind="guard" if kind == "guard" else "new",
            evidence=cast("tuple[EvidenceKind, ...]", self._some_of(begun, "evidence", get_args(EvidenceKind))),
            controls=cast("tuple[Control, ...]", self._some_of(begun, "controls", get_args(Control))),
            steps=tuple(begun.steps),
        )

    def _some_of(self, begun: _Begun, key: str, known: Sequence[str]) -> tuple[str, ...]:
        said = _listed(begun.values.get(key, ""))
        self.problems += [
            f"{begun.id}: {key} {one!r} is none; there are {', '.join(known)}" for one in said if one not in known
        ]
        return tuple(one for one in said if one in known)


def _items(lines: Sequence[str]) -> tuple[str, ...]:
    """The items of a list, without their marks; lines that go on are joined."""
    items: list[str] = []
    for line in lines:
        if line.startswith("- "):
            items.append(line[2:].strip().strip("`"))
        elif line.strip() and items:
            items[-1] += f"\n{line}"
    return tuple(items)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def steps_put_in(text: str, assertion: str, steps: Sequence[str]) -> str:
    """A contract file with these steps under that assertion, in place of those it had; all else stays as it was."""
    lines = text.splitlines()
    heads = [at for at, line in enumerate(lines) if line.startswith(("# ", "## ", "### "))]
    begin = next(at for at in heads if (found := _ASSERTION.fullmatch(lines[at].rstrip())) and found["id"] == assertion)
    end = next((at for at in heads if at > begin), len(lines))
    kept = "\n".join(lines[begin:end])
    kept = re.sub(r"\n```+ *steps\b.*?\n```[^\n]*", "", kept, flags=re.S).rstrip()
    block = "\n".join(["", "```steps", *steps, "```"])
    rest = ["", *lines[end:]] if end < len(lines) else []
    return "\n".join([*lines[:begin], kept, block, *rest]) + "\n"
