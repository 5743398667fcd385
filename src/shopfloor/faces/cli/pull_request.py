"""A verdict as a review on a pull request, in the form that GitHub and those who speak like it take.

Remarks stand beside lines that the change shows, since a host takes no others; the rest stands in the review's text. It
never approves: that is for people.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.mission import CheckOutcome, Finding, Verdict

API = "https://api.github.com"
TOKEN = "GITHUB_TOKEN"
MOST_REMARKS = 50
_NAME = re.compile(r"(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)#(?P<number>\d+)")
_HUNK = re.compile(r"@@ -\S+ \+(\d+)")
_OWN, _SEEN = 422, (200, 201)
TIMEOUT_S = 30.0


def review_of(verdict: Verdict, diff: str) -> dict[str, Any]:
    """The body of a review: whether it asks for changes, its text, and remarks beside lines."""
    shown = lines_shown(diff)
    beside = [finding for finding in verdict.findings if finding.line in shown.get(finding.path, ())][:MOST_REMARKS]
    others = [finding for finding in verdict.findings if finding not in beside]
    return {
        "event": "COMMENT" if verdict.passed else "REQUEST_CHANGES",
        "body": _text(verdict, others),
        "comments": [{"path": one.path, "line": one.line, "side": "RIGHT", "body": _remark(one)} for one in beside],
    }


def lines_shown(diff: str) -> dict[str, frozenset[int]]:
    """Of each file of a unified diff, the numbers of its new lines that stand in it."""
    shown: dict[str, set[int]] = {}
    path, number = "", 0
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line[4:].removeprefix("b/").strip('"')
        elif place := _HUNK.match(line):
            number = int(place[1])
        elif path and line[:1] in ("+", " "):
            shown.setdefault(path, set()).add(number)
            number += 1
        elif line.startswith("diff "):
            path = ""
    return {path: frozenset(lines) for path, lines in shown.items()}


def _text(verdict: Verdict, others: list[Finding]) -> str:
    head = "Nothing refuses this change." if verdict.passed else "**This change is refused.**"
    checks = [_line(check) for check in verdict.checks]
    findings = [f"- **{one.severity}** `{one.check}` {_place(one)}{one.words}" for one in others]
    made = "" if verdict.checks else "\nNo command that checks this repository was found: nothing was run."
    return "\n".join([f"{head}{made}", "", *checks, *findings]).strip()


def _line(check: CheckOutcome) -> str:
    sign = "➖" if not check.was_made else "✅" if check.passed else "❌"
    return f"- {sign} {check.name}: {check.detail}"


def _place(finding: Finding) -> str:
    return f"`{finding.path}{f':{finding.line}' if finding.line else ''}`: " if finding.path else ""


def _remark(finding: Finding) -> str:
    return f"**{finding.severity}** `{finding.check}`: {finding.words}"


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """Where a review goes, and by whose leave."""

    name: str
    address: str
    token: str = field(repr=False)


def pull_request(name: str, environment: Mapping[str, str]) -> PullRequest:
    """The pull request OWNER/REPO#NUMBER. GiveUp when that is no name of one, or nobody gave leave to write to it."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise GiveUp(f"{name!r} names no pull request: write OWNER/REPO#NUMBER.")
    token = environment.get(TOKEN, "").strip()
    if not token:
        raise GiveUp(f"To review {name!r} on its host, {TOKEN} must hold a token that may write pull requests.")
    base = environment.get("GITHUB_API_URL", API).rstrip("/")
    address = f"{base}/repos/{match['owner']}/{match['repo']}/pulls/{match['number']}/reviews"
    return PullRequest(name=name, address=address, token=token)


def post(review: Mapping[str, Any], to: PullRequest) -> str:
    """Puts a review on a pull request; where it stands. GiveUp when the host does not take it."""
    headers = {"authorization": f"Bearer {to.token}", "accept": "application/vnd.github+json"}
    try:
        answer = httpx2.post(to.address, json=dict(review), headers=headers, timeout=TIMEOUT_S)
        if answer.status_code == _OWN and review["event"] != "COMMENT":  # nobody may ask for changes of their own
            answer = httpx2.post(to.address, json={**review, "event": "COMMENT"}, headers=headers, timeout=TIMEOUT_S)
    except httpx2.HTTPError as trouble:
        raise GiveUp(f"The host of {to.name!r} could not be reached at {to.address}: {trouble}") from trouble
    if answer.status_code not in _SEEN:
        raise GiveUp(f"The host did not take the review of {to.name!r}: {answer.status_code} {answer.text[:300]}")
    return str(answer.json().get("html_url", "")) or to.name
