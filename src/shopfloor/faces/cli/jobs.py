"""Starting and carrying jobs from the command line: progress while it runs, a report at the end, an exit code.

It does not know how a job is done.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Literal, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel
import typer

from shopfloor.domain.errors import GiveUp, TryLater
from shopfloor.domain.events import Answered, CancelAsked, QuestionAsked
from shopfloor.faces.cli.exits import INTERRUPTED, code_of
from shopfloor.faces.cli.output import go_on_unread
from shopfloor.faces.cli.plain import typed
from shopfloor.faces.cli.progress import Progress, progress_for
from shopfloor.factory import Factory, Wishes, open_factory
from shopfloor.floor.carry import mission_of
from shopfloor.floor.report import Report
from shopfloor.journal.store import inbox_of
from shopfloor.missions.run import Left
from shopfloor.missions.shop import mission_stream
from shopfloor.settings import parse_budget, read_settings

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was said on the command line."""

    new_budget: str = ""
    flags: Mapping[str, str] = field(default_factory=dict[str, str])
    model: str = ""
    output: str = "text"
    carry: bool = False
    approve: bool = False
    plan_only: bool = False
    answer: str = ""
    record: Path | None = None

    @property
    def person_present(self) -> bool:
        """Somebody can answer: a terminal on both ends, and words for people."""
        return self.output == "text" and sys.stdin.isatty() and sys.stdout.isatty()

    @property
    def wishes(self) -> Wishes:
        return Wishes(
            model=self.model or None,
            carry_dirty=self.carry,
            person_present=self.person_present,
            approve=self.approve,
            plan_only=self.plan_only,
            new_budget=parse_budget(self.new_budget) if self.new_budget else None,
        )


def flags(*, model: str, budget: str, auto: str = "", sandbox: str = "") -> dict[str, str]:
    """The settings that were given as flags."""
    given = {"model": model, "auto": auto, "budget": budget, "sandbox": sandbox}
    return {key: value for key, value in given.items() if value}


def brief_of(words: str, file: Path | None) -> str:
    """The brief, from the command line, a file, or for `-` from standard input."""
    if bool(words) == (file is not None):
        raise GiveUp(
            'Give a brief, as words (`shopfloor mission "…"`) or as a file (-f brief.md; - reads it from a pipe).'
        )
    if file is None:
        return words
    try:
        text = sys.stdin.buffer.read().decode() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as trouble:
        raise GiveUp(f"The brief {str(file)!r} cannot be read: {trouble.strerror}.") from trouble
    except UnicodeDecodeError as trouble:
        raise GiveUp(f"The brief {str(file)!r} cannot be read: it is no text in UTF-8 ({trouble}).") from trouble
    if "\0" in text:
        raise GiveUp(f"The brief {str(file)!r} cannot be read: it is no text, for it holds a NUL.")
    return text


def start(brief: str, repository: Path, form: Literal["mission", "solo"], options: Options) -> None:
    """Takes a brief in and carries it on; leaves the process with the job's exit code."""
    brief = typed(brief)
    if not brief.strip():
        raise GiveUp("The brief is empty; say in a sentence what you want.")

    async def begin(factory: Factory) -> str:
        mission, requested = await factory.request(brief, repository, form, options.wishes)
        for earlier in await factory.unfinished(mission, requested):
            words = (
                f"{earlier} was asked for in the same words and is not finished; it is left as it is. Go on with it:"
            )
            print(f"shopfloor: {words} shopfloor mission resume {earlier}", file=sys.stderr)
        return mission

    _carry_with(options, begin)


def resume(mission: str, options: Options) -> None:
    """Carries an existing mission on. A model that cannot be reached is said before anything happens to it."""

    async def begin(factory: Factory) -> str:
        await factory.refuse_unreachable(mission, options.wishes)
        if options.answer:
            await _answer(factory, mission, typed(options.answer))
        return mission

    _carry_with(options, begin, f"{mission} goes on where it was; the next line comes with the next reply")


async def _answer(factory: Factory, mission: str, words: str) -> None:
    """Puts a person's answer where the runner looks for it. GiveUp when nothing is asked."""
    question = (await mission_of(factory.journal, mission)).open_question
    if question is None or not words.strip():
        why = "there are no words in the answer" if question else "it waits with no question"
        raise GiveUp(f"{mission} is left as it was: {why}; `shopfloor mission show {mission}` says how it stands.")
    await factory.journal.append(inbox_of(mission_stream(mission)), (Answered(question=question.id, text=words),))


def cancel(mission: str) -> None:
    """Asks for the end, and grants it here and now when nobody carries the mission."""
    is_asked = False

    async def begin(factory: Factory) -> str:
        nonlocal is_asked
        stands = await mission_of(factory.journal, mission)
        if stands.request is None:
            raise GiveUp(f"There is no mission {mission!r}; `shopfloor mission list` shows those there are.")
        if stands.ended is None:
            await factory.journal.append(inbox_of(mission_stream(mission)), (CancelAsked(),))
            is_asked = True
        return mission

    try:
        _carry_with(Options(), begin)
    except* TryLater:
        if not is_asked:
            raise
        print(f"{mission} is asked to end; whoever carries it on does so at the next safe place.")


def _carry_with(options: Options, begin: Callable[[Factory], Awaitable[str]], words: str = "") -> None:
    sourced = read_settings(options.flags, os.environ)
    go_on_unread()
    progress = progress_for(options.output)

    async def main() -> tuple[Report, bool]:
        async with open_factory(
            sourced.settings,
            os.environ,
            sources=sourced.sources,
            heard=progress.heard,
            on_delta=progress.delta,
            told=progress.told,
            record_to=options.record,
        ) as factory:
            mission = await begin(factory)
            ended = (await mission_of(factory.journal, mission)).ended
            with progress:
                if ended is not None:
                    progress.told(f"{mission} has already ended: {ended.exit} {ended.reason}".rstrip())
                begun = partial(progress.told, words) if words and ended is None else _silently
                is_interrupted = await _until_interrupted(factory, mission, options, progress, begun)
            for remark in factory.models.warnings:
                print(f"shopfloor: {remark}", file=sys.stderr)
            return await factory.report(mission), is_interrupted

    report, is_interrupted = anyio.run(main)
    progress.end(report)
    raise typer.Exit(INTERRUPTED if is_interrupted else code_of(report))


def _silently() -> None:
    """For what begins without a word."""


async def _until_interrupted(
    factory: Factory, mission: str, options: Options, progress: Progress, begun: Callable[[], None]
) -> bool:
    """Carries on; whether Ctrl-C or a polite kill cut it off, at the next await: the journal stays whole."""
    left: Left | None = None
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async for _ in signals:
                    progress.interrupted(mission)
                    tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        left = await _carry(factory, mission, options, progress, begun)
        tasks.cancel_scope.cancel()
    return left is None


async def _typed(ask: Callable[[], T]) -> T:
    """What a person answers, waited for on a thread that ends with the process: Ctrl-C is heard meanwhile."""
    answered = anyio.Event()
    answers: list[T] = []
    troubles: list[Exception] = []

    def wait() -> None:
        try:
            answers.append(ask())
        except (OSError, ValueError) as trouble:  # a closed terminal, or bytes that are no text
            troubles.append(trouble)
        finally:
            with suppress(RuntimeError):  # nobody waits any more
                anyio.from_thread.run_sync(answered.set, token=token)

    token = anyio.lowlevel.current_token()
    Thread(target=wait, daemon=True).start()
    await answered.wait()
    if troubles:
        raise troubles[0]
    return answers[0]


def _answered(progress: Progress, question: QuestionAsked) -> str:
    """What a person answers, asked again while it is the number of no option."""
    text = question.text
    while (answer := progress.question(text)).isdecimal() and question.options:
        if 1 <= int(answer) <= len(question.options):
            break
        text = f"There is no answer {answer}: choose one of 1 to {len(question.options)}, or say it in words."
    return answer


async def _carry(
    factory: Factory, mission: str, options: Options, progress: Progress, begun: Callable[[], None]
) -> Left:
    """Carries on, asking the person in between where only a person can answer."""
    wishes = options.wishes
    while True:
        left = await factory.carry(mission, wishes, begun)
        begun = _silently
        if left.exit != "needs_person" or not options.person_present or options.plan_only:
            return left
        question = left.mission.open_question
        if question is None and not left.mission.approved and left.mission.sealed is not None:
            if not await _typed(partial(progress.approval, await factory.report(mission))):
                return left
            wishes = replace(wishes, approve=True)
        elif question is not None:
            if not (answer := await _typed(partial(_answered, progress, question))):
                return left
            answered = Answered(question=question.id, text=answer)
            await factory.journal.append(inbox_of(mission_stream(mission)), (answered,))
        else:
            return left
