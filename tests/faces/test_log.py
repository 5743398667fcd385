"""`shopfloor log`: what it shows while a run goes on, in the real program."""

import time
from pathlib import Path

import msgspec

from shopfloor.faces.cli import exits
from shopfloor.testing.commands import Command, Person, write_script
from shopfloor.testing.workshop import call, make_repository

RUN = "look-around-1"
SCRIPT = {("solo",): (call("shell", command="until [ -e go ]; do sleep 0.05; done"), "Done.")}


def kinds(watching: Command) -> list[str]:
    lines = watching.output.read_bytes().split(b"\n")[:-1]
    return [msgspec.json.decode(line)["kind"] for line in lines]


def until_shown(watching: Command, kind: str) -> None:
    deadline = time.monotonic() + 60
    while kind not in kinds(watching):
        assert time.monotonic() < deadline, kinds(watching)
        time.sleep(0.05)


def test_following_shows_the_agents_too(tmp_path: Path) -> None:
    """Who watches from a second terminal sees each fact of the mission and of its agents, once, as it comes."""
    repository = make_repository(tmp_path / "repo", {"calc.py": "x = 1\n"})
    with Person(home=tmp_path / "home", repository=repository) as person:
        model = write_script(tmp_path / "script.json", SCRIPT)
        running = person.starts("run", "Look around", "--model", model)
        while not person.facts(f"agent/{RUN}/solo/1"):
            time.sleep(0.05)
        watching = person.starts("log", RUN, "--follow", "--agents", "--json")
        until_shown(watching, "ToolCalled")
        assert "ToolReturned" not in kinds(watching)

        (person.state / "missions" / RUN / "checkouts" / "solo" / "go").touch()
        running.wait()

        assert watching.wait().exit_code == 0, "with the mission, its log has ended"
        told = kinds(watching)
        facts = [*person.facts(f"mission/{RUN}"), *person.facts(f"agent/{RUN}/solo/1")]
        assert told == [fact.kind for fact in sorted(facts, key=lambda fact: fact.at)]


def test_following_what_has_ended_ends_too(tmp_path: Path) -> None:
    """All its facts are shown, whichever of them were asked for, and there is nothing to wait for."""
    repository = make_repository(tmp_path / "repo", {"calc.py": "x = 1\n"})
    with Person(home=tmp_path / "home", repository=repository) as person:
        person.runs("run", "Look around", "--model", write_script(tmp_path / "script.json", {("solo",): ("Done.",)}))

        whole = person.runs("log", RUN, "--follow")
        agent = person.runs("log", f"agent/{RUN}/solo/1", "--follow", "--kind", "ModelReplied")

    assert (whole.exit_code, "MissionEnded" in whole.said) == (0, True), whole.said
    assert (agent.exit_code, "ModelReplied" in agent.said) == (0, True), agent.said


def test_a_kind_that_there_is_not(tmp_path: Path) -> None:
    """A mistyped kind is no empty log: the kinds there are get named."""
    person = Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", {"calc.py": "x = 1\n"}))

    done = person.runs("log", RUN, "--kind", "Nope")

    assert done.exit_code == exits.USAGE
    assert "there is no kind 'Nope'; there are AgentStarted, ModelCalled," in done.said
