"""Builds the report page: text escaped, pictures embedded. It does not know where the report comes from."""

from base64 import b64encode
from collections.abc import Callable
from html import escape
from pathlib import Path
from string import Template

from shopfloor.domain.mission import Evidence, Finding
from shopfloor.domain.spending import Spent
from shopfloor.floor.kept import Unaccepted
from shopfloor.floor.report import AssertionLine, CheckLine, FeatureLine, Report

TEMPLATE = Path(__file__).with_name("report.html")
NONE = '<p class="soft">None.</p>'
TEXT_CAP = 20_000
Blob = Callable[[str], bytes]


def report_page(report: Report, blob: Blob) -> str:
    """The whole page. `blob` gives the bytes of a piece of evidence by its hash."""
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(report.id),
        heading=escape(_heading(report)),
        subtitle=escape(f"{report.id} · base {report.base[:10]} · sandbox {report.sandbox} · seal {report.seal[:12]}"),
        brief=escape(report.brief.strip()),
        facts=_facts(report),
        merge=f"<pre>{escape(report.merge_command)}</pre>" if report.merge_command else "",
        assertions="".join(_assertion(line, blob) for line in report.assertions) or '<p class="soft">No contract.</p>',
        work="".join(_work(line, report) for line in report.features) or NONE,
        findings="".join(_finding(finding) for finding in report.findings) or NONE,
        checks="".join(_check(check, blob) for check in report.checks) or '<p class="soft">None ran.</p>',
        costs=_costs(report),
        diff=_diff(report.diff or report.diff_missing),
        unaccepted=_unaccepted(report.unaccepted) if report.unaccepted else "",
    )


def money(spent: Spent) -> str:
    """Money spent, with what is not known said to be unknown."""
    if spent.unpriced and not spent.usd:
        return "unknown"
    return f"{spent.usd:.4f} USD" + (" + unknown" if spent.unpriced else "")


def duration(seconds: float) -> str:
    """A time in minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"


def _heading(report: Report) -> str:
    if report.verified:
        return "Verified"
    return "Finished, unverified" if report.exit == "done" else f"{report.state} {report.reason}".strip().capitalize()


def _facts(report: Report) -> str:
    passed = sum(line.verdict == "passed" for line in report.assertions)
    facts = (
        ("assertions passed", f"{passed} of {len(report.assertions)}"),
        ("agents", str(len(report.agents))),
        ("fix on the way" if len(report.fixes) == 1 else "fixes on the way", str(len(report.fixes))),
        ("of work", duration(report.seconds)),
        ("tokens", f"{report.spent.usage.total:,}"),
        ("from cache", f"{report.spent.usage.cache_share:.0%}"),
        ("money", money(report.spent)),
    )
    return "".join(f"<li><b>{escape(value)}</b><span class=soft>{name}</span></li>" for name, value in facts)


def _assertion(line: AssertionLine, blob: Blob) -> str:
    verdict = line.verdict or "open"
    behaviour = f"<p>{escape(line.behaviour)}</p>" if line.behaviour else ""
    reason = f"<p>{escape(line.reason)}</p>" if line.reason else ""
    shown = "".join(_evidence(one, blob) for one in line.evidence)
    title = f"{escape(line.title)} <span class=soft>{line.surface}{_rounds(line)}</span>"
    head = f"<span class='verdict {verdict}'>{verdict}</span><code>{escape(line.id)}</code><span>{title}</span>"
    return f"<details><summary>{head}</summary>{behaviour}{reason}{shown}</details>"


def _rounds(line: AssertionLine) -> str:
    return f" · judged {line.rounds} times" if line.rounds > 1 else ""


def _work(line: FeatureLine, report: Report) -> str:
    """A feature in its worker's words, and for a fix what had refused the work."""
    word, kind = ("landed", "passed") if line.commit else ("open", "open")
    because = next((fix.because for fix in report.fixes if fix.id == line.id), "")
    notes = [f"to mend what {because} refused"] if because else []
    notes += [f"undone: {line.undone}"] if line.undone else []
    notes += [f"to know: {issue}" for issue in line.issues]
    said = escape(line.summary or line.title) + "".join(f"<br><span class=soft>{escape(one)}</span>" for one in notes)
    return f"<div class=row><span class='verdict {kind}'>{word}</span><code>{escape(line.id)}</code><p>{said}</p></div>"


def _finding(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    where = f"<br><code>{escape(place)}</code>" if place else ""
    kind = "failed" if finding.refuses else "open"
    head = f"<span class='verdict {kind}'>{finding.severity}</span><code>{escape(finding.check)}</code>"
    return f"<div class=row>{head}<p>{escape(finding.words)}{where}</p></div>"


def _check(check: CheckLine, blob: Blob) -> str:
    verdict = "passed" if check.passed else "failed"
    verdict = verdict if check.checked else "open"
    shown = "".join(_evidence(one, blob) for one in check.evidence)
    head = f"<span class='verdict {verdict}'>{verdict}</span><span>{escape(check.name)}</span>"
    return f"<details><summary>{head}<span class=soft>{escape(check.detail)}</span></summary>{shown}</details>"


def _evidence(evidence: Evidence, blob: Blob) -> str:
    content = blob(evidence.blob)
    caption = f"<figcaption>{escape(evidence.caption)}</figcaption>"
    if evidence.kind == "screenshot":
        return f'<figure>{caption}<img src="data:image/png;base64,{b64encode(content).decode()}" alt=""></figure>'
    text = content[:TEXT_CAP].decode(errors="replace")
    return f"<figure>{caption}<pre>{escape(text)}</pre></figure>"


def _costs(report: Report) -> str:
    head = "<tr><th>agent<th>calls<th>prompt tokens<th>from cache<th>output<th>money</tr>"
    rows = [_row(agent.name.removesuffix("/1"), agent.spent) for agent in report.agents]
    return f"<table>{head}{''.join(rows)}{_row('all', report.spent)}</table>"


def _row(name: str, spent: Spent) -> str:
    usage = spent.usage
    cells = (escape(name), str(spent.calls), f"{usage.prompt:,}", f"{usage.cache_share:.0%}", f"{usage.output:,}")
    return "<tr>" + "".join(f"<td>{cell}" for cell in (*cells, money(spent))) + "</tr>"


def _unaccepted(work: Unaccepted) -> str:
    """Work that is no result, told apart from the change."""
    words = escape(f"{work.feature} at {work.commit[:12]}: {work.because}. It is on no branch.")
    look = f"<pre>{escape(work.look_command)}</pre>" if work.look_command else ""
    return f"<h2>Not accepted</h2><p>{words}</p>{look}<pre>{_diff(work.diff)}</pre>"


def _diff(diff: str) -> str:
    return "\n".join(_diff_line(line) for line in diff.splitlines())


def _diff_line(line: str) -> str:
    kinds = (("+++", "at"), ("---", "at"), ("diff ", "at"), ("@@", "at"), ("+", "add"), ("-", "del"))
    kind = next((kind for start, kind in kinds if line.startswith(start)), "")
    return f'<span class="{kind}">{escape(line)}</span>' if kind else escape(line)
