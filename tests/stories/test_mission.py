"""A whole mission, from a brief to a verified branch."""

from shopfloor.testing.workshop import Workshop, git


def test_a_brief_becomes_a_verified_branch(workshop: Workshop) -> None:
    """The mission's branch holds the feature and the checks that prove it; the person's branch is untouched."""
    before = git(workshop.repository, "rev-parse", "main")

    report = workshop.mission("Add subtraction to the calculator")

    assert (report.exit, report.verified) == ("done", True), report.reason
    assert [(line.id, line.verdict) for line in report.assertions] == [("VAL-CALC-001", "passed")]
    assert all(line.evidence for line in report.assertions)
    assert report.branch == "shopfloor/add-subtraction-calculator-1"
    files = git(workshop.repository, "ls-tree", "-r", "--name-only", report.branch).split()
    assert files == ["calc.py", "test_calc.py", "test_subtract.py"]
    assert git(workshop.repository, "rev-parse", "main") == before
    assert git(workshop.repository, "status", "--porcelain") == ""
