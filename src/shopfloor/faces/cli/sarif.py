"""A verdict as SARIF 2.1.0, which code hosts show beside the lines. It does not know who reads it."""

from typing import Any

from shopfloor import __version__
from shopfloor.domain.mission import Finding, Severity, Verdict
from shopfloor.validation.meanings import MEANINGS

_LEVELS: dict[Severity, str] = {"P0": "error", "P1": "error", "P2": "warning", "P3": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(verdict: Verdict) -> dict[str, Any]:
    """The verdict as SARIF 2.1.0: findings, and checks that failed."""
    results = [_result(finding) for finding in verdict.findings]
    results += [
        {"ruleId": check.name, "level": "error", "message": {"text": f"{check.command}: {check.detail}"}}
        for check in verdict.checks
        if not check.passed
    ]
    rules = [_rule(name) for name in dict.fromkeys(str(result["ruleId"]) for result in results)]
    driver = {"name": "shopfloor", "version": __version__, "rules": rules}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(name: str) -> dict[str, Any]:
    said = MEANINGS.get(name)
    return {"id": name, "shortDescription": {"text": said}} if said else {"id": name}


def _result(finding: Finding) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "level": "note" if finding.refuted else _LEVELS[finding.severity],
        "message": {"text": finding.words},
    }
    if finding.path:
        where: dict[str, Any] = {"artifactLocation": {"uri": finding.path}}
        if finding.line:
            where["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": where}]
    return result
