"""A command is called read-only only when that is proven."""

import json
import shlex
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.guard.readonly import LONGEST, is_read_only
from shopfloor.guard.words import simple_commands

SHARED = Path(__file__).parents[2].parent / "shared/data/validation/commands"

READ_ONLY = """
ls
ls -la src | head -20
cat README.md; wc -l *.py src/*.py
head -n 5 a.txt && tail -3 b.txt
cat missing 2>/dev/null || echo none
ls >/dev/null 2>&1; pwd
grep -rn "def main" src
grep -E 'a|b;c&d$' notes.txt
rg -n --glob '*.py' 'rm -rf' src
find . -name '*.py' -not -path './.git/*' -type f
find . \\( -name a -o -name b \\) -print
git status --short
git log --oneline -5 -- src/a.py
git --no-pager diff HEAD~1 --stat
git show HEAD:src/a.py
git branch
git branch --show-current
git branch --list 'feature/*'
git rev-parse --abbrev-ref HEAD
git grep -n TODO -- src
git blame -L 10,20 a.py
git stash list
sed -n '10,20p' a.py
sed -n '/^class/,/^def/p;$p' a.py
sort -k2 -n a.txt | uniq -c | sort -rn
uniq a.txt
cut -d: -f1 a.txt | tr a-z A-Z
printf '%s\\n' one two
test -f a.txt && cat a.txt || echo "not found"
date -u +%Y
cd src && ls
"git" status
echo "git reset --hard"
which python3
diff -u a b
""".strip().splitlines()

NOT_PROVEN = """
rm -rf build
ls > out.txt
ls >> out.txt
ls >/dev/nullx
ls >/dev/null/x
ls &>/dev/null rm x
foo2>&1
ls &
ls | tee out
ls |& cat
ls;;ls
ls &&
| ls
(ls)
{ ls; }
! ls
$(ls)
`ls`
echo $HOME
echo "$(id)"
echo "`id`"
echo $'\\x72m'
cat ~/.netrc
cat <<EOF
cat <<< x
cat <(ls)
X=1 ls
PATH=. ls
LD_PRELOAD=./x.so
l* -la
./ls
/bin/ls
"ls -la"
''
find . -delete
find . -exec rm {} +
find . -name x -fprint out
find . -name *.py
rg --pre cat x
rg --pre=cat x
rg -z x
rg --hostname-bin=x x
sort -o out a
sort -ro out a
sort --output=out a
sort --outp=out a
sort -t x -o out a
sort -t -- -o out a
sort \\--compress-program=sh a
sort *.txt
uniq a b
uniq a*
sed -i s/a/b/ a
sed s/a/b/ a
sed -n 's/a/b/w out' a
sed -n '1e id' a
sed -n '1p;w out' a
sed -n -e 'w out' 1p
sed -ni 1p a
awk 1 a
xargs ls
env ls
command ls
time ls
date -s 2020-01-01
date 010100002020
printf -v PATH /tmp
printf '%n' PATH
test -v 'a[$(id)]'
git
git -c core.pager=id log
git -C sub status
cd sub && git status
git --exec-path=. status
git diff --output=out
git diff --outpu=out
git diff --ext-diff
git log -p --textconv
git log --show-signature
git log --format=%G?
git grep -O
git grep -Oless x
git grep --open-files-in-pager=id x
git grep --open=id x
git branch new
git branch -d old
git branch -a new
git branch --sort=signature
git tag v1
git stash
git remote add x y
git checkout .
git ls-remote --upload-pa=id x
tree -o out
file -C -m x
base64 -o out
base64 -oout
diff -l a b
bash -c ls
history -a f
""".strip().splitlines()


@pytest.mark.parametrize("command", READ_ONLY)
def test_what_only_reads_is_proven(command: str) -> None:
    """What agents look around with is recognised, or every look would cost a question."""
    assert is_read_only(command)


@pytest.mark.parametrize("command", NOT_PROVEN)
def test_what_could_do_more_is_not(command: str) -> None:
    """One option, operator or character that could write, run or hide something, and nothing is proven."""
    assert not is_read_only(command)


@pytest.mark.parametrize("hidden", ["\r", "\n", "\t", "\0", "\x1b", "\u00a0", "\u2028", "\u200b", "\u202e", "\ud800"])
def test_a_character_that_nobody_sees_proves_nothing(hidden: str) -> None:
    """Shells and readers disagree about invisible characters, so none is accepted, quoted or not."""
    assert not is_read_only(f"ls{hidden}a")
    assert not is_read_only(f"echo 'x{hidden}'")


def test_length_has_a_limit() -> None:
    """What is too long to read is not proven, whatever it says."""
    assert is_read_only("echo " + "a" * (LONGEST - 5))
    assert not is_read_only("echo " + "a" * (LONGEST - 4))


@given(st.text() | st.text(alphabet="ls cat'\"\\;|&<>$`(){}[]*?~#!=-/ \n\0"))
def test_any_text_gets_an_answer(text: str) -> None:
    """No text makes it raise; where the answer is yes, a POSIX splitter finds no other words than ours."""
    if is_read_only(text):
        commands = simple_commands(text)
        assert commands
        ours = [word.text for command in commands for word in command]
        splitter = shlex.shlex(text, posix=True, punctuation_chars=";|&<>")
        splitter.commenters = ""
        splitter.whitespace_split = True
        assert [word for word in ours if word] == [word for word in splitter if word and word in ours]


class Row(msgspec.Struct):
    """A labelled command of the shared collection; the command is a line, or the words of a program."""

    expected: str = ""
    test: str = ""
    command: str = ""
    argv: tuple[str, ...] = ()
    params: dict[str, str] = {}
    policy: dict[str, tuple[str, ...]] = {}

    @property
    def line(self) -> str:
        if self.argv[:2] == ("bash", "-lc") and len(self.argv) == 3:
            return self.argv[2]
        return shlex.join(self.argv) or self.command or self.params.get("command", "") or self.params.get("source", "")


def _rows(name: str) -> list[Row]:
    path = SHARED / name
    if not path.exists():
        pytest.skip("the shared collection of labelled commands is not on this machine")
    return [msgspec.json.decode(line, type=Row) for line in path.read_text().splitlines()]


def test_no_labelled_danger_is_called_read_only() -> None:
    """Of all commands that others labelled dangerous, to be asked about or as a bypass, none slips through."""
    rows = _rows("commands.jsonl") + _rows("advisory_bypasses.jsonl")
    wrong = {"dangerous", "needs_approval", "must_not_auto_approve", "must_deny"}
    rows = [row for row in rows if row.expected in wrong]
    rows += [row for row in _rows("policy_cases_gemini.jsonl") if row.expected != "policy_allow"]
    rows += [row for row in _rows("openhands_security_params.jsonl") if row.test.endswith("is_high")]

    assert len(rows) > 280
    assert [row.line for row in rows if is_read_only(row.line)] == []


def test_what_others_call_safe_is_mostly_proven() -> None:
    """At least nine in ten of the commands labelled safe need no question."""
    safe = [row.line for row in _rows("commands.jsonl") if row.expected == "safe"]
    missed = [line for line in safe if not is_read_only(line)]
    assert len(missed) * 10 <= len(safe), json.dumps(missed)
