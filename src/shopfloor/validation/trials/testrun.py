"""What a test run says of itself: how many tests passed, failed and were skipped, and which.

It reads the words of the common runners. Whether to believe them is for own_tests and counterproof.
"""

import re
from collections import Counter
from collections.abc import Iterable

from shopfloor.domain.fact import Fact

READABLE = {"PYTEST_ADDOPTS": "-rfEsxXp --continue-on-collection-errors --maxfail=0"}
"""What judges set so that pytest runs and names every test, also where a repository has it stop early or be quiet."""


class Outcomes(Fact):
    """What a run said. A number is None where the runner gives none; names are as far as it names them."""

    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    names_passed: tuple[str, ...] = ()
    names_failed: tuple[str, ...] = ()

    @property
    def ran(self) -> int | None:
        """Tests that came to an end of their own."""
        return None if self.passed is None and self.failed is None else (self.passed or 0) + (self.failed or 0)

    @property
    def names_all_passed(self) -> bool:
        """Whether it named as many passes as it counted: a transcript may have lost its middle."""
        return bool(self.names_passed or self.names_failed) and (self.passed or 0) <= len(self.names_passed)

    @property
    def names_all_failed(self) -> bool:
        """Whether every failure has a name."""
        return self.failed is None or self.failed <= len(self.names_failed)


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_BLANK = re.compile(r"\n\s*\n")


def outcomes(output: str) -> Outcomes:
    """Reads a run's output; of several runs in one output, all are counted together."""
    text = _BLANK.sub("\n", _COLOUR.sub("", output))
    counts = next(filter(None, (count(text) for count in _COUNTERS)), None)
    passed = tuple(_named(_PASSED, text))
    failed = tuple(dict.fromkeys(_named(_FAILED, text)))
    if counts is None:
        return Outcomes(passed=len(passed) if passed else None, names_passed=passed, names_failed=failed)
    return Outcomes(
        passed=counts["passed"],
        failed=counts["failed"],
        skipped=counts["skipped"],
        names_passed=passed,
        names_failed=failed,
    )


# --- counts -----------------------------------------------------------------------------------------------------

_PYTEST_END = re.compile(r"^(?:=+ )?(?P<said>(?:\d+ \w+(?: passed| failed)?(?:, )?)+|no tests ran) in [\d.:]+s?", re.M)
_UNITTEST = re.compile(r"^Ran (\d+) tests? in [^\n]*(?:\n(?:OK|FAILED|NO TESTS RAN)(?: \(([^)\n]*)\))?)?", re.M)
_CARGO = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", re.M)
_MAVEN = re.compile(
    r"^(?:\[\w+\] )?Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)(?!.*(?:Time elapsed|-- in))", re.M
)
_JEST = re.compile(r"^[ \t]*Tests:?[ \t]+(?=\d)(?P<said>[^\n]+)$", re.M)
_TAP = re.compile(r"^(?:# |ℹ )(pass|fail|skipped|todo) (\d+)$", re.M)
_MOCHA = re.compile(r"^[ \t]*(\d+) (passing|failing|pending)\b", re.M)
_GO_PACKAGE = re.compile(r"^(ok|FAIL)[ \t]+\S+(?![^\n]*\[(?:no test|build failed))[^\n]*$", re.M)
_SAID = re.compile(r"(\d+) (\w+)")
_KINDS = {
    **dict.fromkeys(("passed", "passing", "pass", "xpassed", "ok"), "passed"),
    **dict.fromkeys(("failed", "failing", "fail", "error", "errors", "FAIL"), "failed"),
    **dict.fromkeys(("skipped", "xfailed", "pending", "todo", "ignored"), "skipped"),
}


def _by_pytest(text: str) -> Counter[str] | None:
    ends = list(_PYTEST_END.finditer(text))
    return _sum((kind, int(number)) for number, kind in _SAID.findall(ends[-1]["said"])) if ends else None


def _by_unittest(text: str) -> Counter[str] | None:
    found = _UNITTEST.findall(text)
    if not found:
        return None
    counts: Counter[str] = Counter()
    for ran, said in found:
        numbers = {name: int(number) for name, number in re.findall(r"([a-z ]+)=(\d+)", said)}
        bad = sum(number for name, number in numbers.items() if name.strip() in ("failures", "errors"))
        skipped = sum(number for name, number in numbers.items() if name.strip() in ("skipped", "expected failures"))
        whole = int(ran)  # parts of one test may fail each for itself
        counts += Counter(
            passed=max(0, whole - sum(numbers.values())), failed=min(bad, whole - min(skipped, whole)), skipped=skipped
        )
    return counts


def _by_others(text: str) -> Counter[str] | None:
    """Runners that say a number and a word, each in its own way."""
    if found := _CARGO.findall(text):
        return _sum((kind, int(one[at])) for one in found for at, kind in enumerate(("passed", "failed", "ignored")))
    if found := _MAVEN.findall(text):
        ran, failures, errors, skipped = map(int, found[-1])
        return _sum(
            (("passed", ran - failures - errors - skipped), ("failed", failures + errors), ("skipped", skipped))
        )
    if found := _JEST.findall(text):
        return _sum((kind, int(number)) for number, kind in _SAID.findall(found[-1]))
    if found := _TAP.findall(text):
        return _sum((kind, int(number)) for kind, number in found)
    if found := _MOCHA.findall(text):
        return _sum((kind, int(number)) for number, kind in found)
    if found := _GO_PACKAGE.findall(text):
        return _sum((kind, 1) for kind in found)
    return None


def _sum(found: Iterable[tuple[str, int]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for kind, number in found:
        if kind in _KINDS:
            counts[_KINDS[kind]] += number
    return counts


_COUNTERS = (_by_pytest, _by_unittest, _by_others)

# --- names ------------------------------------------------------------------------------------------------------

_PYTEST_NAME = r"\S+?::[^\[\n]*?(?:\[.*?\])?(?= - |[ \t]*$)"
_PASSED = re.compile(
    "|".join(
        (
            rf"^(?:PASSED|XPASS) (?P<pytest>{_PYTEST_NAME})",
            r"^(?P<unittest>\S+ \(\S+\))(?:[^\n]*) \.\.\. ok$",
            r"^[ \t]*ok \d+ - (?P<tap>[^\n#]*[^\s#])[^\n]*$",
            r"^✔ (?P<node>.*\S) \([\d.]+ms\)",
            r"^[ \t]*--- PASS: (?P<go>\S+)",
            r"^test (?P<rust>\S+) \.\.\. ok$",
        )
    ),
    re.M,
)
_FAILED = re.compile(
    "|".join(
        (
            rf"^(?:FAILED|ERROR) (?P<pytest>{_PYTEST_NAME}|\S+\.py(?= - |\s*$))",
            r"^(?:FAIL|ERROR): (?P<unittest>\S+ \(\S+\)[^\n]*)",
            r"^[ \t]*not ok \d+ - (?P<tap>[^\n]*\S)[ \t]*$",
            r"^✖ (?P<node>.*\S) \([\d.]+ms\)",
            r"^[ \t]*● (?P<jest>\S.*\S)[ \t]*$",
            r"^[ \t]*(?:FAIL|×) +(?P<vitest>\S+ > .*?)(?: \d+ms)?[ \t]*$",
            r"^[ \t]*--- FAIL: (?P<go>\S+)",
            r"^test (?P<rust>\S+) \.\.\. FAILED",
            r"^\[ERROR\] +(?P<junit>\w+[.#]\w+):\d+",
        )
    ),
    re.M,
)


def _named(pattern: re.Pattern[str], text: str) -> list[str]:
    return [next(filter(None, found.groups())) for found in pattern.finditer(text)]


# --- what follows from it ---------------------------------------------------------------------------------------

_NONE = re.compile(
    r"no tests ran|NO TESTS RAN|collected 0 items|no test files|Ran 0 tests|No tests found"
    r"|no tests to run|No test files found|^(?:# |ℹ )tests 0$",
    re.M,
)
_KNOWN_RUNNER = re.compile(
    r"\b(?:pytest|unittest|nose2|tox|jest|vitest|mocha|ava|node --test|npm (?:run )?test|cargo test|go test)\b"
)


def tests_ran(command: str, output: str) -> bool | None:
    """True or False when the runner tells, None for a command whose output we cannot read. Skipping is not running."""
    said = outcomes(output)
    if said.ran or said.names_passed or said.names_failed:
        return True
    if said.ran is not None or _NONE.search(output) or _KNOWN_RUNNER.search(command):
        return False
    return None


def belied(command: str, output: str) -> str:
    """Why success is none, by a runner's own words: the command may have swallowed its exit code."""
    if tests_ran(command, output) is False:
        return "but no test ran"
    failed = outcomes(output).failed
    return f"but it says itself that {failed} failed" if failed else ""


def missing_runner(command: str, output: str) -> str:
    """The module of `python -m MODULE` that is not there; "" where it is. Nobody's work could be judged by it."""
    modules = re.findall(r"-m\s+([\w.]+)", command)
    missing = (one for one in modules if re.search(rf"No module named '?{re.escape(one)}'?\s*$", output, re.M))
    return next(missing, "")


def failing_tests(output: str) -> frozenset[str]:
    """The names of the tests that a run reported as failed, as far as its runner names them."""
    return frozenset(outcomes(output).names_failed)


def got_worse(before: str, now: str) -> str:
    """Why a run that fails now is worse than one that failed before; "" only where both outputs show that it is not.

    Silence is no proof: a run that was cut short names no failing test either.
    """
    then, today = outcomes(before), outcomes(now)
    if new := sorted(set(today.names_failed) - set(then.names_failed)):
        return f"but not {', '.join(new[:5])}"
    if then.passed and (today.passed or 0) < then.passed:
        return f"but then {then.passed} tests passed, and now {today.passed or 'none'}"
    if not then.ran and not today.ran and not then.names_failed and (_NONE.search(before) or then.skipped):
        return "" if _NONE.search(now) or today.skipped else "but then it said that there are no tests, and not now"
    if then.names_failed and today.names_failed and then.names_all_failed and today.names_all_failed:
        return ""
    return "and its output does not show that nothing got worse; mend what fails on the base first"


def left_out(before: Outcomes, now: Outcomes) -> str:
    """Which tests ran before and did not now, or how many fewer; "" where none is missing, or nobody can tell."""
    if before.names_all_passed and now.names_all_passed and now.names_all_failed:
        missing = Counter(map(_bare, _ran(before))) - Counter(map(_bare, _ran(now)))
        return f"tests that ran on the base did not: {', '.join(list(missing)[:5])}" if missing else ""
    if before.ran is not None and (now.ran or 0) < before.ran:
        return f"{before.ran} tests ran on the base, and here {now.ran or 'none'}"
    return ""


def _ran(said: Outcomes) -> tuple[str, ...]:
    """All tests that are named, without files that could not even be read."""
    return (*said.names_passed, *(name for name in said.names_failed if not name.endswith(".py")))


def _bare(name: str) -> str:
    """A test's name without what it was run with: that may hold a time, or an address in memory."""
    return name.partition("[")[0]
