"""Words instead of deeds: asking a person, and the agent's own to-do list. It does not know how a question travels."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shopfloor.domain.errors import NeedsHuman
from shopfloor.guard.actions import AskPerson, Internal
from shopfloor.tools.tool import Answer, AnyTool, Arguments, Tool, always

_NOBODY = (
    "Nobody is there to answer. Choose what is most reasonable, go on, and state the assumption in your final answer."
)
_MARKS = {"open": "[ ]", "doing": "[>]", "done": "[x]"}


class Ask(Arguments):
    question: str
    options: Annotated[tuple[str, ...], Meta(description="answers to choose from")] = ()


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    state: Literal["open", "doing", "done"] = "open"


class Todo(Arguments):
    items: Annotated[tuple[Item, ...], Meta(description="the whole list")]


def ask_tool(person_present: bool) -> AnyTool:
    """Asks a person, where there is one; else says so, because waiting for nobody would never end."""

    async def run(arguments: Ask) -> Answer:
        if person_present:
            raise _question(arguments)
        return Answer(text=_NOBODY)

    return Tool(
        name="ask",
        description="Ask a person what only they can decide; everything else decide yourself.",
        arguments=Ask,
        run=run,
        action=lambda arguments: AskPerson(question=arguments.question),
        repeatable=always,
    )


def _question(asked: Ask) -> NeedsHuman:
    """The question over its options, numbered unless one is a number itself: then nobody knew which was meant."""
    if any(option.strip().isdecimal() for option in asked.options):
        return NeedsHuman("\n".join((asked.question, *(f"- {option}" for option in asked.options))))
    numbered = (f"{number}. {option}" for number, option in enumerate(asked.options, 1))
    return NeedsHuman("\n".join((asked.question, *numbered)), asked.options)


def todo_tool() -> AnyTool:
    """Keeps a list by saying it again."""

    async def run(arguments: Todo) -> Answer:
        done = sum(item.state == "done" for item in arguments.items)
        rows = (f"{_MARKS[item.state]} {item.text}" for item in arguments.items)
        return Answer(text="\n".join((f"{done} of {len(arguments.items)} done", *rows)))

    return Tool(
        name="todo",
        description="Keep a to-do list for longer work; send all of it each time.",
        arguments=Todo,
        run=run,
        action=lambda _: Internal(),
        repeatable=always,
    )
