"""What checks say of a candidate: outcomes and findings, which add up. It does not know who said which."""

from dataclasses import dataclass

from shopfloor.domain.mission import CheckOutcome, Finding


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one check said, or several together."""

    checks: tuple[CheckOutcome, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __add__(self, other: "Told") -> "Told":
        return Told(checks=(*self.checks, *other.checks), findings=(*self.findings, *other.findings))

    @property
    def is_good(self) -> bool:
        """Whether nothing of it refuses."""
        return all(check.passed for check in self.checks) and not any(finding.refuses for finding in self.findings)
