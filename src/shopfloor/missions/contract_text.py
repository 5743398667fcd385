"""The contract as one plain file that a person can read. Its bytes are what is sealed."""

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.domain.mission import Plan


def contract_text(plan: Plan) -> str:
    """The whole contract in Markdown, one heading per assertion."""
    contract = plan.contract
    claimed = {claim: feature.id for feature in plan.features for claim in feature.claims}
    parts = [f"# Contract: {contract.title}"]
    if plan.spec.assumptions:
        parts.append("## Assumptions\n\n" + "\n".join(f"- {assumption}" for assumption in plan.spec.assumptions))
    if contract.start:
        parts.append(f"Start: `{contract.start}`")
    if contract.published.strip():
        parts.append(f"## Published\n\n{contract.published.strip()}")
    if contract.supersedes:
        parts.append("## Superseded tests\n\n" + "\n".join(f"- `{path}`" for path in contract.supersedes))
    parts.append("## Assertions")
    parts += [assertion_text(assertion, claimed.get(assertion.id, "")) for assertion in contract.assertions]
    return "\n\n".join(parts) + "\n"


def spec_text(plan: Plan) -> str:
    """The spec, with the assumptions that were made where the brief is silent."""
    assumptions = "\n".join(f"- {assumption}" for assumption in plan.spec.assumptions)
    return f"{plan.spec.text}\n\nAssumptions:\n{assumptions}" if assumptions else plan.spec.text


def assertion_text(assertion: Assertion, claimed_by: str = "") -> str:
    """One assertion in Markdown."""
    lines = [f"### {assertion.id}: {assertion.title}", "", assertion.behaviour.strip(), ""]
    if assertion.negative:
        lines.append(f"- never: {assertion.negative.strip()}")
    lines.append(f"- surface: {assertion.surface}")
    lines.append(f"- kind: {assertion.kind}")
    if claimed_by:
        lines.append(f"- claimed by: {claimed_by}")
    return "\n".join(lines)


def contract_of(contract: Contract, ids: tuple[str, ...]) -> str:
    """Only the assertions of these ids, in Markdown."""
    return "\n\n".join(assertion_text(assertion) for assertion in contract.assertions if assertion.id in ids)
