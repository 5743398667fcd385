"""Calls are understood or answered in words; nothing a model writes can break the loop."""

import json

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.errors import AskModelAgain, Broken, NeedsHuman
from shopfloor.domain.messages import Call, Result
from shopfloor.guard.actions import Action, Internal, ReadFile
from shopfloor.tools.talk import Ask, ask_tool, todo_tool
from shopfloor.tools.tool import Answer, AnyTool, Arguments, Tool, never
from shopfloor.tools.toolbox import Toolbox


class Greet(Arguments):
    name: str
    times: int = 1


def greet_tool(name: str = "greet") -> AnyTool:
    async def run(arguments: Greet) -> Answer:
        if arguments.name == "nobody":
            raise AskModelAgain("'nobody' cannot be greeted; name somebody")
        return Answer(text=f"hello {arguments.name}" * arguments.times, exit_code=0)

    return Tool(
        name=name,
        description="Greets.",
        arguments=Greet,
        run=run,
        action=lambda arguments: ReadFile(path=arguments.name),
        repeatable=never,
    )


BOX = Toolbox((todo_tool(), greet_tool()))
SCHEMA = (
    '{"additionalProperties":false,"properties":{"name":{"type":"string"},'
    '"times":{"default":1,"type":"integer"}},"required":["name"],"type":"object"}'
)


def perform(arguments: str, name: str = "greet") -> Result:
    return anyio.run(BOX.perform, Call(id="c7", name=name, arguments=arguments))


def test_a_good_call_is_performed() -> None:
    """What the tool says becomes the result of the call."""
    assert perform('{"name": "Ada"}') == Result(call_id="c7", text="hello Ada", exit_code=0)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ('{"times": 2}', "Object missing required field `name`"),
        ('{"name": "Ada", "times": "2"}', "Expected `int`, got `str` - at `$.times`"),
        ('{"name": "Ada", "loud": true}', "Object contains unknown field `loud`"),
        ('{"name": "Ada"', "the arguments are not valid JSON (Input data was truncated)"),
        ('"{\\"name\\": \\"Ada\\"}"', "the arguments are JSON inside a JSON string; send the object itself"),
        ("[]", "Expected `object`, got `array`"),
        ("", "Object missing required field `name`"),
    ],
)
def test_a_bad_call_is_told_what_is_wrong(arguments: str, why: str) -> None:
    """The answer says exactly what is wrong and shows the schema, in one line."""
    assert perform(arguments) == Result(call_id="c7", text=f"greet: {why}. Its arguments: {SCHEMA}", ok=False)


def test_a_list_written_as_text_is_recognised() -> None:
    """Models encode nested values twice; they are told to send the value itself."""
    text = perform('{"items": "[]"}', "todo").text
    assert text.startswith("todo: Expected `array`, got `str` - at `$.items`: send the value itself, not its text. ")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("great", "did you mean 'greet'?"), ("zzz", "there are: greet, todo."), ("", "there are: greet, todo.")],
)
def test_an_unknown_tool_brings_the_nearest_names(name: str, hint: str) -> None:
    """A slip in the name costs one turn, not an attempt."""
    assert perform("{}", name) == Result(call_id="c7", text=f"There is no tool {name!r}; {hint}", ok=False)


def test_what_the_model_can_mend_comes_back_as_text() -> None:
    """AskModelAgain never leaves the toolbox."""
    text = "'nobody' cannot be greeted; name somebody"
    assert perform('{"name": "nobody"}') == Result(call_id="c7", text=text, ok=False)


def test_actions_and_repeats_of_calls() -> None:
    """The guard hears what a call would do; one that cannot be understood does nothing, and may be repeated."""

    def seen(arguments: str) -> tuple[Action, bool]:
        call = Call(id="c", name="greet", arguments=arguments)
        return BOX.action(call), BOX.repeatable(call)

    assert seen('{"name": "a.py"}') == (ReadFile(path="a.py"), False)
    assert seen("{") == (Internal(), True)


@given(st.text(), st.text() | st.builds(json.dumps, st.recursive(st.none() | st.integers() | st.text(), st.lists)))
def test_any_call_gets_an_answer(name: str, arguments: str) -> None:
    """Whatever a model writes, the toolbox answers."""
    call = Call(id="c", name=name, arguments=arguments)
    assert anyio.run(BOX.perform, call).call_id == "c"
    assert isinstance(BOX.action(call), Internal | ReadFile)


def test_the_order_of_tools_does_not_matter() -> None:
    """What the model sees is always the same, so that its beginning can be cached."""
    assert [spec.name for spec in Toolbox((greet_tool("b"), greet_tool("a"), greet_tool("c"))).specs] == ["a", "b", "c"]


def test_a_doubled_tool_is_our_bug() -> None:
    """One of the two would silently be lost."""
    with pytest.raises(Broken, match="two tools of one name"):
        Toolbox((greet_tool(), greet_tool()))


def test_a_person_is_asked_with_the_options() -> None:
    """Where a person is present the question leaves the loop."""
    with pytest.raises(NeedsHuman) as asked:
        anyio.run(ask_tool(person_present=True).run, Ask(question="Which?", options=("red", "blue")))
    assert (asked.value.question, asked.value.options) == ("Which?\n1. red\n2. blue", ("red", "blue"))


def test_options_that_are_numbers_have_none() -> None:
    """Nobody could tell whether the answer 2 is the second of them, or two."""
    with pytest.raises(NeedsHuman) as asked:
        anyio.run(ask_tool(person_present=True).run, Ask(question="How many digits?", options=("2", "3")))
    assert (asked.value.question, asked.value.options) == ("How many digits?\n- 2\n- 3", ())
