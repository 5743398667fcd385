"""A budget in turns, from the command line's words to the agent that keeps it."""

from pathlib import Path

from shopfloor.models.script import Answer
from shopfloor.models.scripted import ScriptedModel
from shopfloor.settings import Settings
from shopfloor.testing.workshop import Workshop, call, make_repository


def workshop(folder: Path, turns: int, budget: str) -> Workshop:
    """An agent that takes so many turns before it says that it is done."""
    looks = [call("todo", items=[{"text": f"look {turn}"}]) for turn in range(turns - 1)]
    model = ScriptedModel({("solo",): (*looks, Answer(text="Done."))})
    repository = make_repository(folder / "repo", {"README.md": "# sample\n"})
    return Workshop(repository=repository, state=folder / "state", model=model, settings=Settings(budget=budget))


def test_an_agent_leaves_when_its_turns_are_used_up(tmp_path: Path) -> None:
    """Two turns mean two calls of the model, however much work is left."""
    report = workshop(tmp_path, turns=5, budget="2turns").solo("Count.")

    assert (report.spent.calls, report.verified) == (2, False)
    assert "2 turns" in report.reason


def test_turns_given_on_purpose_win_over_the_roles_own_number(tmp_path: Path) -> None:
    """A role's limit is a default: who asks for more turns gets them."""
    asked = workshop(tmp_path / "asked", turns=310, budget="310turns").solo("Count.")
    plain = workshop(tmp_path / "plain", turns=310, budget="").solo("Count.")

    assert (asked.spent.calls, plain.spent.calls) == (310, 300)
