"""What a person sees while a job runs: one line per fact that matters, in text or as a stream of JSON.

Lines, not a screen: they survive in a scroll-back, a log file and a pipe. It does not know what happens next.
"""

import os
import shutil
import sys
import time
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from shopfloor.domain.events import (
    AgentCorrected,
    AgentEnded,
    AgentStarted,
    AttemptEnded,
    AttemptStarted,
    ContractSealed,
    Event,
    FeatureLanded,
    FixPlanned,
    Landed,
    MissionEnded,
    MissionPaused,
    MissionPlanned,
    MissionReady,
    MissionRequested,
    MissionResumed,
    ModelFailed,
    ModelReplied,
    PlanApproved,
    ToolReturned,
    VerdictReached,
)
from shopfloor.domain.mission import Verdict
from shopfloor.faces.cli.plain import counted, plain, plain_lines, shortened, title_of, typed
from shopfloor.floor.report import Report
from shopfloor.journal.codec import encode

KEPT = 400
REDRAW_S = 0.1
_STYLES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}


class Progress(Protocol):
    """Hears facts, shows them, and shows the report at the end."""

    def __enter__(self) -> object: ...
    def __exit__(self, *_: object) -> None: ...
    def heard(self, stream: str, event: Event, /) -> None: ...
    def delta(self, text: str, /) -> None: ...
    def told(self, words: str, /) -> None: ...
    def interrupted(self, mission: str) -> None: ...
    def approval(self, report: Report) -> bool: ...
    def question(self, text: str) -> str: ...
    def end(self, report: Report) -> None: ...


def progress_for(output: str) -> Progress:
    """The progress that an output format calls for."""
    return Lines() if output == "text" else Quiet(stream=output == "stream-json")


class Quiet:
    """Nothing until the report; with `stream`, every fact as one line of JSON."""

    def __init__(self, *, stream: bool) -> None:
        self._stream = stream

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def heard(self, stream: str, event: Event, /) -> None:
        if self._stream:
            kind, body = encode(event)
            line = {"stream": stream, "kind": kind, "at": time.time(), "body": msgspec.Raw(body)}
            print(msgspec.json.encode(line).decode(), flush=True)

    def delta(self, text: str, /) -> None: ...

    def told(self, words: str, /) -> None:
        print(f"shopfloor: {words}", file=sys.stderr)

    def interrupted(self, mission: str) -> None:
        print(f"shopfloor: stopped; go on with: shopfloor mission resume {mission}", file=sys.stderr)

    def approval(self, report: Report) -> bool:
        return False

    def question(self, text: str) -> str:
        return ""

    def end(self, report: Report) -> None:
        from shopfloor.faces.cli.show import print_json

        print_json({"kind": "Report", "body": report} if self._stream else report, compact=self._stream)


class Lines:
    """Lines for people. Written plainly, for one is written every turn; what lays out plans and reports loads late."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._in_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = self._in_terminal and not os.environ.get("NO_COLOR")
        self._streamed = ""
        self._plan_shown = False
        self._shown_at = 0.0

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._wipe()

    def delta(self, text: str, /) -> None:
        """The end of what the model is saying, on a line that the next one takes the place of."""
        self._streamed = (self._streamed + text)[-KEPT:]
        now = time.monotonic()
        if self._in_terminal and now - self._shown_at >= REDRAW_S:
            self._shown_at = now
            width = max(40, shutil.get_terminal_size().columns)
            words = plain(" ".join(self._streamed.split()))[-(width - 16) :]
            print(f"{self._cleared()}{self._styled('dim', f'{self._stamp()}     … {words}')}", end="", flush=True)

    def told(self, words: str, /) -> None:
        self._line("yellow", f"  {words}")

    def heard(self, stream: str, event: Event, /) -> None:
        described = _described(event)
        if described is not None:
            mark, text = described
            self._line(mark, text)
        elif isinstance(event, ModelReplied):
            self._turn(event)

    def interrupted(self, mission: str) -> None:
        self._line("yellow", f"stopped; nothing is lost. Go on with: shopfloor mission resume {mission}")

    def approval(self, report: Report) -> bool:
        from shopfloor.faces.cli.show import print_plan

        print_plan(report)
        self._plan_shown = True
        return _asked("\nGo ahead? [y/N] ").lower() in ("y", "yes")

    def question(self, text: str) -> str:
        return _asked(f"\n{plain_lines(text)}\n> ")

    def end(self, report: Report) -> None:
        from shopfloor.faces.cli.show import print_plan, print_report

        if report.needs_approval and not self._plan_shown:
            print_plan(report)
        print_report(report)

    def _turn(self, event: ModelReplied) -> None:
        calls = ", ".join(_call_words(call.name, call.arguments) for call in event.message.calls)
        words = " ".join(event.message.text.split())
        width = shutil.get_terminal_size().columns
        self._line("dim", shortened(f"  {event.turn:>3}  {calls or words}", max(20, width - 12)))

    def _line(self, style: str, text: str) -> None:
        self._wipe()
        print(self._styled("dim", self._stamp()) + self._styled(style, plain(text)), flush=True)

    def _wipe(self) -> None:
        """Clears the line on which a model was speaking."""
        if self._shown_at:
            print(self._cleared(), end="", flush=True)
        self._streamed, self._shown_at = "", 0.0

    def _cleared(self) -> str:
        """What empties the line on which a model was speaking, without an escape where none are wanted."""
        blank = " " * (max(40, shutil.get_terminal_size().columns) - 1)
        return "\r\x1b[K" if self._colours else f"\r{blank}\r"

    def _stamp(self) -> str:
        seconds = int(time.monotonic() - self._started)
        return f"{seconds // 60:3}:{seconds % 60:02}  "

    def _styled(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colours and style else text


def _asked(prompt: str) -> str:
    """What the person types; "" when their input has ended."""
    try:
        return typed(input(prompt)).strip()
    except EOFError:
        print()
        return ""


def _described(event: Event) -> tuple[str, str] | None:
    match event:
        case MissionRequested(brief=brief, sandbox=sandbox, autonomy=autonomy, remarks=remarks):
            where = "no sandbox: commands run as you" if sandbox == "none" else f"sandbox {sandbox}"
            return "bold", "; ".join((f"brief: {title_of(brief.text)}  ({where}, autonomy {autonomy})", *remarks))
        case AgentStarted(role=role, model=model):
            return "cyan", f"{role} ({model})"
        case AgentEnded(exit=leave, reason=reason, spent=spent) if leave != "done":
            return "yellow", f"  left: {leave} {reason} after {spent.usage.total:,} tokens"
        case AgentCorrected(why="circle", reason=reason):
            return "yellow", f"  corrected: {reason}"
        case ModelFailed(reason=reason):
            return "red", f"  the model did not answer: {reason}"
        case MissionPlanned(plan=plan):
            counts = (counted(len(plan.features), "feature"), counted(len(plan.contract.assertions), "assertion"))
            return "bold", f"planned: {', '.join(counts)}"
        case ContractSealed():
            return "bold", _sealed_words(event)
        case PlanApproved(by=by):
            return "bold", f"approved by {by}"
        case AttemptStarted(feature=feature, attempt=attempt):
            return "bold", f"build {feature}" + (f" (attempt {attempt})" if attempt > 1 else "")
        case AttemptEnded(feature=feature, exit=leave, commit=commit):
            return "", f"  {feature}: {leave}" + (f" at {commit[:10]}" if commit else "")
        case VerdictReached(verdict=verdict):
            return ("green" if verdict.passed else "red"), _verdict_words(verdict)
        case FixPlanned(features=features):
            return "yellow", f"fix first: {', '.join(fix.id for fix in features)}"
        case FeatureLanded(feature=feature, commit=commit):
            return "green", f"landed {feature} at {commit[:10]}"
        case MissionPaused(reason=reason, after_s=after_s):
            return "yellow", f"paused: {reason}" + (f"; not before {_in_so_many(after_s)}" if after_s else "")
        case MissionResumed():
            return "bold", "goes on"
        case MissionReady(branch=branch):
            return "green", f"ready on branch {branch}"
        case Landed(target=target):
            return "green", f"merged into {target}"
        case MissionEnded(exit=leave, reason=reason):
            return ("green" if leave == "done" else "red"), f"ended: {leave} {reason}".rstrip()
        case ToolReturned(result=result) if not result.ok:
            return "yellow", f"       {' '.join(result.text.split())[:100]}"
        case _:
            return None


def _sealed_words(event: ContractSealed) -> str:
    checked = {name for check in event.checks.checks for name in check.assertions}
    red = checked & set(event.red_on_base)
    seen = [f"{len(red)} seen to fail on the base"] if red else []
    seen += [f"{counted(len(checked - red), 'guard')} seen to hold"] if checked - red else []
    return ", ".join((f"contract sealed {event.seal[:12]}", *seen))


def _verdict_words(verdict: Verdict) -> str:
    judged = sum(word.verdict == "passed" for word in verdict.judged)
    kind = verdict.kind.replace("_", " ")
    if verdict.passed:
        made = sum(check.was_made for check in verdict.checks)
        left_out = [f"{len(verdict.checks) - made} not checked"] if made < len(verdict.checks) else []
        done = [counted(count, noun) for count, noun in ((made, "check"), (judged, "assertion")) if count]
        return f"{kind} of {verdict.subject}: passed ({', '.join((*done, *left_out))})"
    if not verdict.caught_by:
        return f"{kind} of {verdict.subject}: not verified, for there are no checks to run"
    return f"{kind} of {verdict.subject}: refused by {verdict.refused_by}"


def _in_so_many(seconds: float) -> str:
    """A moment to come, with its day unless that is today."""
    now = datetime.now().astimezone()
    then = now + timedelta(seconds=seconds)
    return f"{then:%H:%M:%S}" if then.date() == now.date() else f"{then:%Y-%m-%d %H:%M:%S}"


_TELLING = ("do", "method", "command", "path", "pattern", "target", "question", "summary", "text")


def _call_words(name: str, arguments: str) -> str:
    """A call in a few words: its name and its most telling argument."""
    try:
        values: dict[str, Any] = msgspec.json.decode(arguments, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return name
    told = [str(values[key]) for key in _TELLING if values.get(key)]
    return " ".join(f"{name} {' '.join(told[:2])}".split())
