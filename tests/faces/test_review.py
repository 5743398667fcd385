"""`shopfloor review`: scrutiny for any change, by anybody, without a mission and without a model."""

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from shopfloor.faces.cli import exits
from shopfloor.testing.commands import Person, write_script
from shopfloor.testing.workshop import call, git, make_repository, write_files

CALC = "def add(a, b):\n    return a + b\n"
TEST = (
    "import unittest\n\nfrom calc import add\n\n\nclass AddTest(unittest.TestCase):\n"
    "    def test_adds(self):\n        self.assertEqual(add(1, 2), 3)\n"
)
BROKEN = {"calc.py": CALC.replace("a + b", "a - b")}
BENT = {**BROKEN, "test_calc.py": TEST.replace("assertEqual(add(1, 2), 3)", "assertTrue(add(1, 2))")}
MEANT = {**BROKEN, "test_calc.py": TEST.replace(", 3)", ", -1)")}


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    files = {"calc.py": CALC, "test_calc.py": TEST}
    with Person(home=tmp_path / "home", repository=make_repository(tmp_path / "repo", files)) as somebody:
        yield somebody


def test_honest_work_is_refused_by_nothing(person: Person) -> None:
    """On a branch, with a test of its own; and nothing of the repository is touched."""
    git(person.repository, "switch", "-qc", "work")
    more = TEST + "\n    def test_adds_text(self):\n        self.assertEqual(add('a', 'b'), 'ab')\n"
    write_files(person.repository, {"test_calc.py": more})
    git(person.repository, "commit", "-qam", "Test text")
    done = person.runs("review")

    assert (done.exit_code, done.said.endswith("nothing refuses this change")) == (exits.VERIFIED, True), done.said
    assert git(person.repository, "for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/main",
        "refs/heads/work",
    ]


def test_a_test_that_was_bent_is_found_before_it_is_committed(person: Person) -> None:
    """Uncommitted work is reviewed as it lies there; the base's own test says what the bent one hides."""
    write_files(person.repository, BENT)
    done = person.runs("review")

    assert done.exit_code == exits.UNVERIFIED
    assert "failed tests" in done.said and "AssertionError" in done.said
    assert "tests-weakened test_calc.py" in done.said and "this change is refused" in done.said


def test_what_an_author_may_have_meant_is_told_with_both_values(person: Person) -> None:
    """Behaviour that changed with its test, as strictly: only whoever asked for it can say whether it should have."""
    write_files(person.repository, MEANT)
    done = person.runs("review")

    assert done.exit_code == exits.VERIFIED, done.said
    told = " ".join(done.said.split())
    assert "passed coverage of changed lines 1 of 1 changed statements run" in told
    assert "passed mutation of changed lines killed 2 of 2 tried" in told
    assert "passed order of tests they also pass when one runs test_calc.py twice in one process" in told
    assert "P2 expectations-changed test_calc.py" in told
    assert "expected self.assertEqual(add(1, 2), 3), and now self.assertEqual(add(1, 2), -1)" in told


def test_work_that_leaves_its_own_tests_failing_is_not_done(person: Person) -> None:
    """They failed before too; but they are about what this change is about. Others that failed before are not."""
    later = (
        TEST.replace("import add", "import later").replace("test_adds", "test_later").replace("add(1, 2)", "later(2)")
    )
    later += "\n    def test_old(self):\n        self.assertTrue(False)\n"
    stub = f"{CALC}\n\ndef later(a):\n    raise NotImplementedError\n"
    write_files(person.repository, {"calc.py": stub, "test_later.py": later})
    git(person.repository, "add", "-A")
    git(person.repository, "commit", "-qm", "Ask for later")
    write_files(person.repository, {"calc.py": stub.replace("raise NotImplementedError", "return a")})
    wrong = person.runs("review")
    write_files(person.repository, {"calc.py": stub.replace("raise NotImplementedError", "return a + 1")})
    right = person.runs("review")

    assert (wrong.exit_code, right.exit_code) == (exits.UNVERIFIED, exits.VERIFIED), right.said
    assert "tests of what this change touches fail: test_later" in " ".join(wrong.said.split())


def test_what_was_taken_away_may_take_its_tests_along(person: Person) -> None:
    """They are named; tests of what is still there may not go with them."""
    more = (
        TEST + "\n\nclass DoubleTest(unittest.TestCase):\n    def test_doubles(self):\n        assert double(1) == 2\n"
    )
    double = "\n\ndef double(a):\n    return 2 * a\n"
    write_files(
        person.repository, {"calc.py": CALC + double, "test_calc.py": more.replace("add\n", "add, double\n", 1)}
    )
    git(person.repository, "commit", "-qam", "Double")
    write_files(person.repository, {"calc.py": CALC, "test_calc.py": TEST})
    told = person.runs("review")
    write_files(person.repository, {"calc.py": CALC + double})
    refused = person.runs("review")

    assert (told.exit_code, refused.exit_code) == (exits.VERIFIED, exits.UNVERIFIED), told.said
    assert "P2 tests-deleted" in " ".join(told.said.split())
    assert "P0 tests-deleted" in " ".join(refused.said.split())


def test_machines_read_it_too(person: Person) -> None:
    """JSON holds the whole verdict, SARIF what a code host shows beside the lines."""
    write_files(person.repository, BENT)
    whole = json.loads(person.runs("review", "-o", "json").said)
    shown = json.loads(person.runs("review", "-o", "sarif").said)["runs"][0]

    assert whole["passed"] is False and whole["verdict"]["kind"] == "scrutiny"
    assert shown["tool"]["driver"]["name"] == "shopfloor"
    assert {(one["ruleId"], one["level"]) for one in shown["results"]} == {
        ("tests", "error"),
        ("tests-weakened", "error"),
    }
    assert shown["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "test_calc.py"


def test_what_a_change_brings_along_is_told_by_its_texts(person: Person) -> None:
    """A password refuses it and is not said again; a package and a name that nobody needs are told; rules say why."""
    password = "Wv7%kk2" + "Lm!"
    more = f'{CALC}\n\ndef connect():\n    password = "{password}"\n    return password\n'
    write_files(person.repository, {"calc.py": more, "requirements.txt": "rich==14.0\n"})
    text = person.runs("review")
    whole = json.loads(person.runs("review", "-o", "json").said)
    shown = json.loads(person.runs("review", "-o", "sarif").said)["runs"][0]

    assert text.exit_code == exits.UNVERIFIED
    assert "P1 secret-added calc.py:6" in " ".join(text.said.split())
    assert [(one["check"], one["severity"]) for one in whole["verdict"]["findings"]] == [
        ("secret-added", "P1"),
        ("dependencies-changed", "P2"),
        ("unused-name", "P2"),
    ]
    assert not any(password in said for said in (text.said, json.dumps(whole), json.dumps(shown)))
    rules = {one["id"]: one["shortDescription"]["text"] for one in shown["tool"]["driver"]["rules"]}
    assert rules["unused-name"] == "Nothing in the repository mentions a new name." and len(rules) == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--base", "nowhere"), exits.GAVE_UP, "There is no revision 'nowhere'"),
        ((), exits.GAVE_UP, "The current commit is the first one, so there is no change to review yet"),
        (("--base", "HEAD"), exits.GAVE_UP, "Nothing differs from"),
        (("-o", "xml"), exits.USAGE, "there are text, json, sarif and github"),
        (("--pull-request", "mine"), exits.GAVE_UP, "write OWNER/REPO#NUMBER"),
        (("--pull-request", "us/calc#7"), exits.GAVE_UP, "GITHUB_TOKEN must hold a token"),
        (("--read",), exits.GAVE_UP, "No model is named"),
        (("-C", "/nowhere"), exits.GAVE_UP, "is no folder"),
    ],
)
def test_what_cannot_be_reviewed_is_said(words: tuple[str, ...], code: int, said: str, person: Person) -> None:
    """With what would be right."""
    done = person.runs("review", *words)

    assert (done.exit_code, said in done.said) == (code, True), done.said


# --- read by models ----------------------------------------------------------------------------------------------

DOUBLE = CALC + "\n\ndef double(a):\n    return a + a\n"
FOUND = [
    {"severity": "P1", "text": "double(None) raises", "path": "calc.py", "line": 6},
    {"severity": "P1", "text": "add is gone", "path": "calc.py", "line": 1},
    {"severity": "P3", "text": "no test of double"},
]
WORDS = [{"number": 1, "refuted": False, "why": ""}, {"number": 2, "refuted": True, "why": "calc.py:1 has it"}]


@pytest.fixture
def readers(person: Person, tmp_path: Path) -> str:
    write_files(person.repository, {"calc.py": DOUBLE, "README.md": "`double` doubles.\n"})
    script = {
        ("reviewer",): (call("read", path="calc.py"), call("submit_review", findings=FOUND)),
        ("refuter",): (call("submit_refutations", findings=WORDS),),
    }
    return write_script(tmp_path / "readers.json", script)


def test_models_read_it_too_where_a_person_asks_for_that(person: Person, readers: str) -> None:
    """Two of them; what the second refutes refuses nobody, and the verdict says who they were."""
    done = person.runs("review", "--model", readers)
    whole = json.loads(person.runs("review", "--model", readers, "-o", "json").said)

    assert done.exit_code == exits.UNVERIFIED
    assert "P1 review calc.py:6 double(None) raises" in done.said
    assert "P1 review calc.py:1 add is gone (refuted: calc.py:1 has it)" in done.said
    found = [finding for finding in whole["verdict"]["findings"] if finding["check"] == "review"]
    assert [finding.get("refuted", "") for finding in found] == ["", "calc.py:1 has it", ""]
    assert whole["verdict"]["judge"]["models"] == ["scripted:readers"]
    assert person.runs("review").exit_code == exits.VERIFIED


class Host(BaseHTTPRequestHandler):
    """A code host that takes reviews, but none that asks for changes from the author of what is reviewed."""

    taken: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["content-length"])))
        ours = self.path == "/repos/us/calc/pulls/7/reviews" and self.headers["authorization"] == "Bearer secret"
        status = 404 if not ours else 422 if review["event"] == "REQUEST_CHANGES" else 200
        body = b'{"html_url": "http://host/us/calc/pull/7#review"}' if status == 200 else b"no"
        if status == 200:
            self.taken.append(review)
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def host() -> Iterator[str]:
    Host.taken.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_review_stands_on_the_pull_request_beside_its_lines(person: Person, readers: str, host: str) -> None:
    """What is about lines of the change stands beside them, the rest in the text; no host has to be told twice."""
    spoken = {"GITHUB_API_URL": host, "GITHUB_TOKEN": "secret"}
    somebody = replace(person, environment=spoken)
    done = somebody.runs("review", "--model", readers, "--pull-request", "us/calc#7")
    printed = json.loads(person.runs("review", "--model", readers, "-o", "github").said)

    assert (done.exit_code, "reviewed http://host/us/calc/pull/7#review" in done.said) == (exits.UNVERIFIED, True)
    assert Host.taken == [{**printed, "event": "COMMENT"}] and printed["event"] == "REQUEST_CHANGES"
    assert [(one["path"], one["line"], one["body"]) for one in printed["comments"] if "`review`" in one["body"]] == [
        ("calc.py", 6, "**P1** `review`: double(None) raises"),
        ("calc.py", 1, "**P1** `review`: add is gone (refuted: calc.py:1 has it)"),
    ]
    assert printed["body"].startswith("**This change is refused.**") and "no test of double" in printed["body"]


@pytest.mark.parametrize(
    ("spoken", "said"),
    [
        ({"GITHUB_TOKEN": "wrong"}, "did not take the review of 'us/calc#7': 404"),
        ({"GITHUB_TOKEN": "secret", "GITHUB_API_URL": "http://127.0.0.1:1"}, "could not be reached"),
    ],
)
def test_a_host_that_takes_no_review_is_named_and_the_verdict_is_printed(
    spoken: dict[str, str], said: str, person: Person, host: str
) -> None:
    """The work of judging is not lost, and the token is never shown."""
    write_files(person.repository, {"calc.py": DOUBLE})
    somebody = replace(person, environment={"GITHUB_API_URL": host, **spoken})
    done = somebody.runs("review", "--pull-request", "us/calc#7")

    assert done.exit_code == exits.GAVE_UP
    assert said in done.said and "nothing refuses this change" in done.said
    assert "secret" not in done.said
