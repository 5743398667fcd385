"""The language of steps: what is spelled reads back, free words are put in, and what is no step is explained."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.validation.drivers import actions, expectations
from shopfloor.validation.drivers.actions import Target, parse_published, parse_target
from shopfloor.validation.drivers.steps import PHRASES, Unspeakable, filled, free_words, read_step, read_steps, spell

texts = st.text(max_size=20)
targets = st.builds(
    Target, by=st.just("role"), role=st.sampled_from(("button", "listitem")), name=texts, number=st.integers(0, 99)
) | st.builds(Target, by=st.just("published"), role=st.sampled_from(("item", "new-todo")), name=texts)
words = st.text("abc/#?=&%", min_size=1, max_size=10)
places = st.sampled_from(("slugify", "shop.money.Money", "price.in_euro"))
arguments = st.lists(
    texts.map(lambda text: msgspec.json.encode(text).decode())
    | st.sampled_from(("3", "price", '[-1.5e3, {"a": price}]')),
    max_size=3,
).map(", ".join)
steps = st.one_of(
    st.builds(actions.OpenPage, url=words),
    st.builds(actions.Click, target=targets, double=st.booleans()),
    st.builds(actions.Fill, target=targets, text=texts),
    st.builds(actions.Press, key=st.sampled_from(("Enter", "Control+A")), target=st.none() | targets),
    st.builds(actions.Select, target=targets, option=texts),
    st.builds(actions.WaitFor, text=texts, seconds=st.sampled_from((5.0, 1.5)), gone=st.booleans()),
    st.builds(actions.StartProgram, command=texts),
    st.builds(
        actions.Request,
        method=st.sampled_from(("GET", "POST")),
        url=words.map(lambda path: f"/{path}"),
        headers=st.just(()) | st.just((("X-A", "b c"),)),
        body=st.just("") | st.dictionaries(texts, texts).map(lambda it: msgspec.json.encode(it).decode()),
        follow=st.booleans(),
    ),
    st.builds(
        expectations.Sees,
        target=targets,
        state=st.sampled_from(("shown", "absent", "checked", "unchecked", "focused", "enabled", "disabled")),
    ),
    st.builds(expectations.Counts, target=targets, number=st.integers(0, 9999)),
    st.builds(expectations.Reads, target=targets, texts=st.lists(texts, max_size=3).map(tuple)),
    st.builds(expectations.Holds, target=targets, value=texts),
    st.builds(expectations.At, address=texts, whole=st.booleans()),
    st.builds(
        expectations.Json,
        path=st.sampled_from(("$", "$.a[0].b", "$.items[*].id")),
        relation=st.sampled_from(get_args(expectations.Relation)),
        json=texts.map(lambda text: msgspec.json.encode(text).decode()),
        lines=st.booleans(),
    ),
    st.builds(expectations.Screen, text=texts, relation=st.sampled_from(("has", "lacks", "is"))),
    st.builds(expectations.Output, text=texts, relation=st.sampled_from(("has", "lacks", "is"))),
    st.builds(actions.Import, module=places, member=st.sampled_from(("", "Money"))),
    st.builds(
        actions.Call,
        place=places,
        arguments=arguments,
        kept=st.sampled_from(("", "price")),
        seconds=st.sampled_from((10.0, 0.5)),
    ),
    st.builds(actions.Ask, place=places, arguments=st.none() | arguments),
    st.builds(
        expectations.Result,
        relation=st.sampled_from(get_args(expectations.Relation)),
        json=texts.map(lambda text: msgspec.json.encode(text).decode()),
    ),
    st.builds(expectations.Raises, error=places, text=texts),
    st.builds(
        actions.ClickAt,
        x=st.integers(0, 9999),
        y=st.integers(0, 9999),
        title=texts,
        button=st.just("left"),
        double=st.booleans(),
    ),
    st.builds(actions.ClickAt, x=st.integers(0, 99), y=st.integers(0, 99), title=texts, button=st.just("right")),
    st.builds(expectations.Changes, changed=st.booleans()),
    st.builds(expectations.KeepScreen, name=st.sampled_from(("before", "two-words"))),
    st.builds(expectations.LooksLike, name=st.sampled_from(("before", "two-words")), alike=st.booleans()),
    st.builds(expectations.Copied, text=texts, relation=st.sampled_from(("has", "lacks", "is"))),
    st.builds(expectations.Saved, file=texts, text=texts, relation=st.sampled_from(("has", "lacks", "is"))),
    st.builds(expectations.Exit, code=st.none() | st.integers(0, 255)),
)


@given(steps)
def test_a_step_reads_back_as_it_was_spelled(step: actions.Action | expectations.Expectation) -> None:
    """What a judge did is written down in the words in which it is judged again."""
    assert read_step(spell(step)) == step


@pytest.mark.parametrize(
    "step",
    [
        actions.StartProgram(command="render 'Dear {{name}}, {{{name}}}'"),
        expectations.Output(text="{{name:word}} stays", relation="is"),
        expectations.Json(path="$", relation="is", json='{"a":{"b":"{{name}}"}}'),
    ],
)
def test_what_looks_like_a_free_word_is_spelled_so_that_it_is_none(
    step: actions.Action | expectations.Expectation,
) -> None:
    """A program of templates can be judged too: its braces are its own."""
    line = spell(step)
    meant = read_step(filled(line, {}))

    assert not free_words([line])
    assert spell(meant) == line
    assert not isinstance(step, actions.StartProgram) or meant == step


def test_every_action_and_every_expectation_can_be_said() -> None:
    """No driver can do or see anything that a contract could not write down."""
    said = {phrase.kind for phrase in PHRASES}

    assert said == {*get_args(actions.Action), *get_args(expectations.Expectation)}


def test_a_published_name_may_stand_for_one_thing_or_another() -> None:
    """Classes, ids and elements are said where names are published, and nowhere else."""
    ways = parse_published('class "toggle" in listitem or id "toggle"')

    assert [str(way) for way in ways] == ['class "toggle" in listitem', 'id "toggle"']
    assert parse_target('@toggle in @item "Milk"').role == "toggle"
    with pytest.raises(Unspeakable, match="names no target"):
        read_step('click class "toggle"')


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("fill the field", "it could be fill {target} with {text}"),
        ("Click on it", "it could be click {target}"),
        ('see button "Add" soon', "means nothing there"),
        ("dance", "a step begins with GET, POST, …, open, switch"),
        ("json $.a is milk", "malformed"),
    ],
)
def test_what_is_no_step_is_answered_with_one_that_is(line: str, advice: str) -> None:
    """Whoever writes a step wrong reads at once how it is written right."""
    with pytest.raises(Unspeakable, match=advice.replace("{", r"\{").replace("$", r"\$")):
        read_step(line)


def test_free_words_are_found_and_put_in_everywhere() -> None:
    """A word is drawn once and stands wherever it is named; comments and empty lines are no steps."""
    lines = ('POST /todos {"title": "{{title}}", "rank": {{rank:number}}}', 'see text "{{title}}"', "", "# done")

    assert free_words(lines) == {"title": "word", "rank": "number"}
    put_in = [filled(line, {"title": "fjord101", "rank": "7"}) for line in lines]
    assert put_in[:2] == ['POST /todos {"title": "fjord101", "rank": 7}', 'see text "fjord101"']
    assert len(read_steps(put_in)) == 2
