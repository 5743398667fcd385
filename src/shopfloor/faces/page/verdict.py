"""One page for one verdict: what was judged, what was done to judge it, and what was seen, in the order it was seen.

It does not know where a verdict comes from.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from string import Template

from shopfloor.domain.contract import Contract
from shopfloor.domain.mission import CheckOutcome, Evidence, Finding, Judged, Verdict
from shopfloor.faces.page.evidence import TEMPLATE
from shopfloor.router.family import kinship

TEXT_CAP = 20_000
Blob = Callable[[str], bytes]
_KINDS = {"scrutiny": "Scrutiny of", "user_testing": "User testing of"}


def verdict_page(verdict: Verdict, contract: Contract | None, blob: Blob) -> str:
    """The whole page, with its pictures in it. `blob` gives the bytes of a piece of evidence by its hash."""
    judge = verdict.judge
    who = ", ".join((*judge.agents, *judge.models)) or "commands alone"
    who = " · ".join(filter(None, (f"judged by {who}", kinship(judge.models, judge.authors), judge.attempt)))
    parts = [_judged(one, contract, blob) for one in verdict.judged]
    parts += [_check(check, blob) for check in verdict.checks]
    parts += [_finding(finding) for finding in verdict.findings]
    outcome = "passed" if verdict.passed else "blocked" if verdict.only_blocked else "refused"
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{verdict.subject}: {outcome}"),
        heading=escape(f"{_KINDS[verdict.kind]} {verdict.subject}: {outcome}"),
        subtitle=escape(f"commit {verdict.commit[:10]} · {who} · independence {judge.independence}"),
        strip="".join(_mark(one.verdict, one.assertion) for one in verdict.judged)
        + "".join(_mark("passed" if check.passed else "failed", check.name) for check in verdict.checks),
        assertions="".join(parts),
    )


def _mark(kind: str, name: str) -> str:
    return f'<a class="{kind}" href="#{escape(name)}" title="{escape(f"{name}: {kind}")}"></a>'


def _judged(one: Judged, contract: Contract | None, blob: Blob) -> str:
    known = next((found for found in contract.assertions if found.id == one.assertion), None) if contract else None
    said = f'<p class="said">{escape(known.behaviour)}</p>' if known else ""
    why = f'<div class="why {one.verdict}">{escape(one.reason)}</div>' if one.reason else ""
    title = known.title if known else ""
    return _details(one.verdict, one.assertion, title, said + why, one.evidence, blob, opened=one.verdict != "passed")


def _check(check: CheckOutcome, blob: Blob) -> str:
    kind = "passed" if check.passed else "failed"
    kind = kind if check.was_made else "blocked"
    command = f'<p class="said"><code>{escape(check.command)}</code></p>' if check.command else ""
    return _details(kind, check.name, check.detail, command, check.evidence, blob, opened=not check.passed)


def _finding(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    kind = "failed" if finding.refuses else "blocked"
    where = f'<p class="said"><code>{escape(place)}</code></p>' if place else ""
    return (
        f'<details><summary><span class="verdict {kind}">{finding.severity}</span>'
        f"<code>{escape(finding.check)}</code><span>{escape(finding.words)}</span></summary>{where}</details>"
    )


def _details(
    kind: str, name: str, title: str, words: str, evidence: Sequence[Evidence], blob: Blob, *, opened: bool
) -> str:
    film = "".join(_frame(one, blob) for one in evidence)
    return (
        f'<details id="{escape(name)}"{" open" if opened else ""}><summary><span class="verdict {kind}">{kind}</span>'
        f"<code>{escape(name)}</code><span>{escape(title)}</span></summary>{words}"
        f'<div class="film">{film}</div></details>'
    )


def _frame(one: Evidence, blob: Blob) -> str:
    content = blob(one.blob)
    if one.kind == "screenshot":
        shown = f'<img src="data:image/png;base64,{b64encode(content).decode()}" alt="{escape(one.caption)}">'
    else:
        shown = f"<pre>{escape(content[:TEXT_CAP].decode(errors='replace'))}</pre>"
    return f'<div class="frame {one.kind}">{shown}<p>{escape(one.caption)}</p></div>'
