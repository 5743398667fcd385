"""The eight tools at work on a real checkout: word for word what the model sees."""

import base64
import time
from typing import TYPE_CHECKING

import pytest

from shopfloor.domain.messages import Image, Result
from shopfloor.guard.actions import Action, AskPerson, Internal, ReadFile, RunCommand, WriteFile
from shopfloor.sandbox.protocol import Finished
from shopfloor.tools.shell import ending
from shopfloor.tools.tree import drawn, folder_of

if TYPE_CHECKING:
    from conftest import Bench

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def said(text: str, **more: object) -> Result:
    return Result(call_id="c1", text=text, **more)


def refused(text: str) -> Result:
    return Result(call_id="c1", text=text, ok=False)


# --- shell --------------------------------------------------------------------------------------------------------


def test_shell_says_how_it_ended(bench: "Bench") -> None:
    """The first line is the exit code; a failing command is a good answer."""
    assert bench.call("shell", command="echo out; echo err >&2; exit 3") == said(
        "exit code 3, under 1 s\nout\nerr", exit_code=3
    )
    assert bench.call("shell", command="true") == said("exit code 0, under 1 s\n(no output)", exit_code=0)


def test_shell_keeps_long_output_whole(bench: "Bench") -> None:
    """The model sees head and tail; the whole is a blob, and the spool is empty again."""
    result = bench.call("shell", command="seq 1 5000")
    assert result.text.startswith("exit code 0, under 1 s\n1\n2\n")
    assert "4,600 lines, 22,201 bytes left out: the whole output is kept; narrow the command" in result.text
    assert result.text.endswith("\n4999\n5000")
    assert result.output is not None
    assert (bench.kept / result.output).read_text() == "".join(f"{number}\n" for number in range(1, 5001))
    assert list(bench.spool.iterdir()) == []


def test_shell_kills_what_takes_too_long(bench: "Bench") -> None:
    """A timeout takes the whole group down and says what to do."""
    begun = time.monotonic()
    result = bench.call("shell", command="echo begun; sleep 60 & sleep 60", timeout_s=1)
    assert time.monotonic() - begun < 20
    assert result.text == (
        "timed out: killed with all it started after 1 s. If it needs longer, raise timeout_s "
        "(up to 1800); start a server in the background: command >/tmp/log 2>&1 &\nbegun"
    )


def test_shell_names_the_signal(bench: "Bench") -> None:
    """A killed command is not mistaken for one that chose its exit code."""
    assert bench.call("shell", command="sh -c 'kill -9 $$'").text.startswith(
        "exit code 137 (SIGKILL, often out of memory), under 1 s"
    )


def test_shell_says_when_output_was_too_much() -> None:
    """A flood is named as what it was, with a way out."""
    flooded = Finished(exit_code=137, output="", size=1 << 30, seconds=9.0, overflowed=True)
    text = "killed after 1,073,741,824 bytes of output: too much. Redirect it to a file, or make it quieter."
    assert ending(flooded, 120) == text


def test_shell_has_no_input(bench: "Bench") -> None:
    """A command that asks gets the end of file, not the agent's patience."""
    assert bench.call("shell", command="read answer || echo no answer").text == "exit code 0, under 1 s\nno answer"


# --- read ---------------------------------------------------------------------------------------------------------


def test_read_numbers_lines_and_says_what_is_left(bench: "Bench") -> None:
    """A part of a file says of what it is a part, and how to go on."""
    bench.put("src/a.py", "one\ntwo\nthree\nfour")
    assert bench.call("read", path="src/a.py", offset=2, limit=2) == said(
        "src/a.py: lines 2-3 of 4, no newline at the end\n2\ttwo\n3\tthree\n[1 more line: offset=4]"
    )


def test_read_accepts_the_checkout_by_name(bench: "Bench") -> None:
    """/repo is the checkout, whatever the sandbox calls it."""
    bench.put("a.txt", "x\n")
    assert bench.call("read", path="/repo/./a.txt") == said("/repo/./a.txt: lines 1-1 of 1\n1\tx")


def test_read_shows_pictures(bench: "Bench") -> None:
    """An image reaches the model as an image, whatever its name."""
    bench.put("shot.bin", PNG)
    image = Image(media_type="image/png", data=base64.b64encode(PNG).decode())
    assert bench.call("read", path="shot.bin") == said("shot.bin: image/png, 70 bytes", images=(image,))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "f: empty"),
        (b"a\0b", "f: binary, 3 bytes; look at it with shell (file, xxd | head)"),
        (b"caf\xe9\n", "f: lines 1-1 of 1, not UTF-8, shown with \ufffd\n1\tcaf\ufffd"),
        (b"a\r\nb\r\n", "f: lines 1-2 of 2, CRLF line ends\n1\ta\n2\tb"),
        (b"x" * 2_001 + b"\n", f"f: lines 1-1 of 1\n1\t{'x' * 2_000}[... 1 more characters]"),
    ],
)
def test_read_says_what_is_odd(bench: "Bench", content: bytes, text: str) -> None:
    """Binary, foreign encodings, line ends and endless lines are named, not hidden."""
    bench.put("f", content)
    assert bench.call("read", path="f") == said(text)


def test_read_stops_in_time(bench: "Bench") -> None:
    """A long file never fills the context at one stroke."""
    bench.put("long.txt", "".join(f"{number} {'x' * 90}\n" for number in range(1, 1001)))
    result = bench.call("read", path="long.txt")
    assert len(result.text) < 25_000
    assert result.text.endswith("more lines: offset=245]")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"path": "no.txt"}, "there is no file 'no.txt'; list shows what is there"),
        ({"path": "src"}, "'src' is a folder; use list"),
        ({"path": "src/a.py", "offset": 9}, "'src/a.py' has 1 line, so none from 9"),
        ({"path": ""}, "'' is no path; give one relative to the checkout, such as 'src/app.py'"),
        ({"path": "huge"}, "'huge' is larger than 4,000,000 bytes; use search, or shell (sed -n '1,80p', tail)"),
    ],
)
def test_read_says_why_not(bench: "Bench", arguments: dict[str, object], text: str) -> None:
    """What cannot be shown comes back with a way out."""
    bench.put("src/a.py", "one\n")
    with (bench.checkout / "huge").open("wb") as file:
        file.truncate(5_000_000)
    assert bench.call("read", **arguments) == refused(text)


# --- write and edit -----------------------------------------------------------------------------------------------


def test_write_creates_and_replaces(bench: "Bench") -> None:
    """Folders appear as needed; the answer says whether something was there."""
    first, second = bench.calls(
        ("write", {"path": "new/deep/a.txt", "content": "one\ntwo"}),
        ("write", {"path": "new/deep/a.txt", "content": "one\n"}),
    )
    assert first == said("created new/deep/a.txt: 2 lines")
    assert second == said("replaced new/deep/a.txt: 1 line")
    assert (bench.checkout / "new/deep/a.txt").read_bytes() == b"one\n"


def test_write_keeps_crlf(bench: "Bench") -> None:
    """A file with CRLF line ends does not change all its lines because a model wrote plain ones."""
    bench.put("a.bat", b"one\r\ntwo\r\n")
    assert bench.call("write", path="a.bat", content="one\nthree\n") == said(
        "replaced a.bat: 2 lines, CRLF line ends kept"
    )
    assert (bench.checkout / "a.bat").read_bytes() == b"one\r\nthree\r\n"


def test_write_cannot_replace_a_folder(bench: "Bench") -> None:
    """A folder in the way is said in words."""
    bench.put("src/a.py", "")
    result = bench.call("write", path="src", content="x")
    assert not result.ok
    assert result.text.startswith("'src' cannot be replaced: ")


def test_edit_changes_one_place(bench: "Bench") -> None:
    """The file changes in one place and nowhere else; a second time nothing happens."""
    bench.put("a.py", b"x = 1\r\ny = 2")
    wanted = ("edit", {"path": "a.py", "old": "x = 1\ny", "new": "x = 10\nz"})
    first, second = bench.calls(wanted, wanted)
    assert first == said("edited a.py: 1 replacement, line 1")
    assert second == said("a.py: nothing changed; `old` is gone and `new` is there, line 1: seems applied already")
    assert (bench.checkout / "a.py").read_bytes() == b"x = 10\r\nz = 2"


def test_edit_says_where_all_were(bench: "Bench") -> None:
    """Replacing all lists the lines."""
    bench.put("a.py", "a\nb\na\n")
    assert bench.call("edit", path="a.py", old="a", new="c", all=True) == said(
        "edited a.py: 2 replacements, lines 1, 3"
    )


def test_edit_refuses_what_it_would_damage(bench: "Bench") -> None:
    """Binary and foreign encodings are left alone."""
    bench.put("latin", b"caf\xe9\n")
    bench.put("bin", b"a\0b")
    bench.put("a.py", "one\n")
    latin, binary, missing = bench.calls(
        ("edit", {"path": "latin", "old": "caf", "new": "tea"}),
        ("edit", {"path": "bin", "old": "a", "new": "c"}),
        ("edit", {"path": "a.py", "old": "two", "new": "c"}),
    )
    assert latin.text.startswith("'latin' is not UTF-8 (")
    assert binary == refused("'bin' is binary; edit works on text")
    assert missing == refused("a.py: `old` is not in the file. Nothing like it is there; read it again.")
    assert (bench.checkout / "latin").read_bytes() == b"caf\xe9\n"


# --- search and list ----------------------------------------------------------------------------------------------


def shelf(bench: "Bench", git: bool) -> None:
    bench.put("src/a.py", "import os\n\ndef area(x):\n    return x * x\n")
    bench.put("src/deep/b.py", "def area2(x): return x\n")
    bench.put("docs/areas.md", "# Area\ndef (x)\n")
    bench.put("one[1].txt", "def\n")
    if git:
        bench.git("init", "-q")
        bench.put(".gitignore", "*.log\nbuild/\n")
        bench.put("build/c.py", "def area3(x): return x\n")
        bench.put("a.log", "def area4\n")


@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"pattern": r"def area\d?\("}, "src/a.py:3:def area(x):\nsrc/deep/b.py:1:def area2(x): return x"),
        ({"pattern": "def (x)", "literal": True}, "docs/areas.md:2:def (x)"),
        ({"pattern": "def", "glob": "*.md"}, "docs/areas.md:2:def (x)"),
        ({"pattern": "return", "path": "src/deep"}, "src/deep/b.py:1:def area2(x): return x"),
        ({"pattern": "return", "path": "src", "glob": "a*"}, "src/a.py:4:    return x * x"),
        ({"pattern": "def", "path": "/repo/one[1].txt"}, "one[1].txt:1:def"),
        ({"pattern": "def area.x", "context": 1}, "src/a.py-2-\nsrc/a.py:3:def area(x):\nsrc/a.py-4-    return x * x"),
        ({"pattern": "nowhere", "path": "src", "glob": "*.py"}, "no match for 'nowhere' in src (*.py)"),
        ({"pattern": "-e"}, "no match for '-e'"),
        ({"pattern": "$(touch pwned)", "literal": True}, "no match for '$(touch pwned)'"),
    ],
)
def test_search_finds_lines(bench: "Bench", git: bool, arguments: dict[str, object], text: str) -> None:
    """With git and without, the same lines are found; ignored files are not; no shell reads the pattern."""
    shelf(bench, git)
    result = bench.call("search", **arguments)
    assert sorted(result.text.split("\n")) == sorted(text.split("\n"))
    assert not (bench.checkout / "pwned").exists()


def test_search_explains_a_broken_pattern(bench: "Bench") -> None:
    """A pattern that is no regular expression is answered, not swallowed as no match."""
    shelf(bench, git=True)
    result = bench.call("search", pattern="area(")
    assert not result.ok
    assert result.text.endswith("If the pattern is plain text, set literal to true.")


def test_search_is_capped(bench: "Bench") -> None:
    """Too many matches are counted, not shown; long lines are cut."""
    bench.put("many.txt", ("match " + "x" * 400 + "\n") * 3 + "match\n" * 500)
    lines = bench.call("search", pattern="match").text.split("\n")
    assert lines[0] == "many.txt:1:match " + "x" * 283 + "[...]"
    assert lines[-1] == "[303 more lines: narrow pattern, path or glob]"
    assert len(lines) == 201


def test_search_runs_no_program_of_the_checkout(bench: "Bench") -> None:
    """A checkout whose own git configuration names a program to run does not get it run by a look."""
    shelf(bench, git=True)
    bench.put(".git/config", f"[core]\n\tfsmonitor = touch {bench.checkout}/pwned\n\tpager = touch pwned\n")
    bench.calls(("search", {"pattern": "def"}), ("list", {}))
    assert not (bench.checkout / "pwned").exists()


def test_list_draws_a_tree(bench: "Bench") -> None:
    """Folders beyond the depth are counted; ignored and deleted files are not there."""
    shelf(bench, git=True)
    bench.put("gone.txt", "")
    bench.git("add", "-A")
    (bench.checkout / "gone.txt").unlink()
    assert bench.call("list") == said(
        ".: 5 files\ndocs/\n  areas.md\nsrc/\n  deep/ (1 file)\n  a.py\n.gitignore\none[1].txt"
    )
    assert bench.call("list", path="src", depth=1) == said("src: 2 files\ndeep/ (1 file)\na.py")


def test_list_works_without_git(bench: "Bench") -> None:
    """Where there is no git, find looks."""
    shelf(bench, git=False)
    assert bench.call("list", depth=1) == said(".: 4 files\ndocs/ (1 file)\nsrc/ (2 files)\none[1].txt")


def test_a_tree_of_any_depth_is_drawn() -> None:
    """Folders deeper than a program may recurse are counted, not walked."""
    assert list(drawn(folder_of(["d/" * 1_900 + "f", "a"], 2))) == ["d/", "  d/ (1 file)", "a"]


@pytest.mark.parametrize("git", [True, False])
def test_list_says_when_there_is_nothing(bench: "Bench", git: bool) -> None:
    """A file and a missing folder each get their words."""
    shelf(bench, git)
    assert bench.call("list", path="src/a.py") == said("src/a.py is a file")
    assert bench.call("list", path="no") == refused("there are no files in 'no', or only ignored ones (shell: ls -A)")


# --- words --------------------------------------------------------------------------------------------------------


def test_asking_nobody_is_answered(bench: "Bench") -> None:
    """Without a person the agent decides and says what it assumed."""
    assert bench.call("ask", question="Which?") == said(
        "Nobody is there to answer. Choose what is most reasonable, go on, "
        "and state the assumption in your final answer."
    )


def test_todo_echoes_the_list(bench: "Bench") -> None:
    """The list comes back in a form that costs little."""
    items = [{"text": "plan", "state": "done"}, {"text": "build", "state": "doing"}, {"text": "test"}]
    assert bench.call("todo", items=items) == said("1 of 3 done\n[x] plan\n[>] build\n[ ] test")


# --- the whole bench ----------------------------------------------------------------------------------------------


def test_what_the_model_is_told_stays_small(bench: "Bench") -> None:
    """All eight tools together cost less than 1,200 tokens, in every prompt of every turn."""
    specs = bench.specs()
    assert [spec.name for spec in specs] == ["ask", "edit", "list", "read", "search", "shell", "todo", "write"]
    assert sum(len(spec.name + spec.description + spec.schema) for spec in specs) / 4 < 1_200


@pytest.mark.parametrize(
    ("name", "arguments", "action", "repeatable"),
    [
        ("shell", {"command": "make"}, RunCommand(command="make"), False),
        ("shell", {"command": "git diff | head"}, RunCommand(command="git diff | head"), True),
        ("read", {"path": "/repo/a"}, ReadFile(path="a"), True),
        ("write", {"path": "a/../b", "content": ""}, WriteFile(path="b"), True),
        ("write", {"path": "/repo/../etc/x", "content": ""}, WriteFile(path="/etc/x"), True),
        ("edit", {"path": "b", "old": "a", "new": "c"}, WriteFile(path="b"), True),
        ("edit", {"path": "b", "old": "a", "new": "aa"}, WriteFile(path="b"), False),
        ("search", {"pattern": "x", "path": "src"}, ReadFile(path="src"), True),
        ("list", {}, ReadFile(path="."), True),
        ("ask", {"question": "?"}, AskPerson(question="?"), True),
        ("todo", {"items": []}, Internal(), True),
    ],
)
def test_the_guard_hears_what_a_call_would_do(
    bench: "Bench", name: str, arguments: dict[str, object], action: Action, repeatable: bool
) -> None:
    """Every tool states its effect before it has one, and whether a crash may repeat it."""
    assert bench.seen(name, **arguments) == (action, repeatable)


def test_dots_that_lead_out_are_seen_as_outside(bench: "Bench") -> None:
    """A path beside the checkout is absolute to the guard, so that no rule for the checkout fits it."""
    action, _ = bench.seen("write", path="src/../../b", content="")
    assert isinstance(action, WriteFile)
    assert action.path.startswith("/")
