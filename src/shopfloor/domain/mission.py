"""A mission's parts: what is planned, what a worker hands over, what a judge says."""

from typing import Literal, TypeAlias

from shopfloor.domain.contract import Contract, EvidenceKind, Spec
from shopfloor.domain.fact import Fact


class Feature(Fact):
    """What lands as one piece. Every assertion of the contract is claimed by exactly one planned feature.

    A fix feature (`fixes` names the feature it mends) re-claims only what failed.
    """

    id: str
    title: str
    description: str
    claims: tuple[str, ...]
    milestone: str
    fixes: str | None = None
    starts_from: str | None = None
    """Commit a fix starts from when what it mends has not landed; None starts from the mission's branch."""


class Milestone(Fact):
    """A group of features after which a user of the product could tell the difference."""

    id: str
    title: str


class CostRange(Fact):
    """What the mission is expected to cost: low and high, in tokens and, where prices are known, US dollars."""

    tokens: tuple[int, int]
    usd: tuple[float, float] | None = None


class Plan(Fact):
    """What an orchestrator proposes."""

    spec: Spec
    contract: Contract
    milestones: tuple[Milestone, ...]
    features: tuple[Feature, ...]


class CommandRun(Fact):
    """A command that an agent says, or the journal proves, was run."""

    command: str
    exit_code: int


class Handoff(Fact):
    """What a worker says of its own work. A claim, never a proof."""

    summary: str
    done: str
    undone: str = ""
    commands: tuple[CommandRun, ...] = ()
    issues: tuple[str, ...] = ()
    conflict: str = ""
    """What contradicts what, when the feature cannot be built as it is asked for."""


class Evidence(Fact):
    """Something a person can look at: a blob, its kind, and what it shows."""

    kind: EvidenceKind
    blob: str
    caption: str


Severity: TypeAlias = Literal["P0", "P1", "P2", "P3"]


class Finding(Fact):
    """Something a check or a reviewer found. P0 and P1 refuse the work, unless refuted; P2 and P3 are advice."""

    check: str
    severity: Severity
    text: str
    path: str = ""
    line: int = 0
    refuted: str = ""
    """Why it does not hold, by a second reader who saw nothing but the change and what was found."""

    @property
    def refuses(self) -> bool:
        return self.severity in ("P0", "P1") and not self.refuted

    @property
    def words(self) -> str:
        """What was found, and why it does not hold if it was refuted."""
        return f"{self.text} (refuted: {self.refuted})" if self.refuted else self.text


class CheckOutcome(Fact):
    """One independent check of scrutiny: its name, whether it passed, and the evidence."""

    name: str
    passed: bool
    detail: str = ""
    command: str = ""
    exit_code: int | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def was_made(self) -> bool:
        """Whether anything was checked: where nothing could be, that refuses nobody, and is no pass either."""
        return not self.detail.startswith("not checked")


AssertionVerdict: TypeAlias = Literal["passed", "failed", "blocked"]


class Judged(Fact):
    """A judge's word on one assertion. Without evidence, `passed` is never written."""

    assertion: str
    verdict: AssertionVerdict
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()


class Judge(Fact):
    """Who judged: which streams, which models, and whether a sandbox enforced that it could not touch the work."""

    agents: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    independence: str = "enforced"
    attempt: str = ""
    """The judging attempt that signs: mission, kind, subject, round."""
    authors: tuple[str, ...] = ()
    """The models that made what was judged, where that is known."""


class Verdict(Fact):
    """What someone who did not do the work says of it, with evidence. `passed` is computed, never claimed."""

    kind: Literal["scrutiny", "user_testing"]
    subject: str
    """The feature or milestone judged."""
    commit: str
    contract: str
    """Hash of the sealed contract that was judged against."""
    judge: Judge
    checks: tuple[CheckOutcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    judged: tuple[Judged, ...] = ()

    @property
    def passed(self) -> bool:
        """All checks passed, nothing refuses, every judged assertion passed, and something was judged at all."""
        return (
            bool(self.checks or self.judged)
            and all(check.passed for check in self.checks)
            and not any(finding.refuses for finding in self.findings)
            and all(judged.verdict == "passed" and judged.evidence for judged in self.judged)
        )

    @property
    def only_blocked(self) -> bool:
        """Nothing was refused, but something could not be judged at all: no pass, and nothing a worker could mend."""
        words = {judged.verdict for judged in self.judged}
        refused = any(finding.refuses for finding in self.findings)
        return "blocked" in words and "failed" not in words and not refused

    @property
    def caught_by(self) -> tuple[str, ...]:
        """Names of the checks and assertions that refused the work."""
        names = [check.name for check in self.checks if not check.passed]
        names += [finding.check for finding in self.findings if finding.refuses]
        names += [judged.assertion for judged in self.judged if judged.verdict != "passed"]
        return tuple(dict.fromkeys(names))

    @property
    def refused_by(self) -> str:
        """The same for people: an assertion that the name of its check tells already is not told twice."""
        names = self.caught_by
        return ", ".join(name for name in names if not any(one.endswith(f": {name}") for one in names))
