"""Did a test run really run tests? Read from what the common runners print at their end.

It does not know whether to believe it: the exit code says how the run ended, and the controls whether that means
anything.
"""

import re

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_UNITTEST = re.compile(r"^Ran (\d+) tests? in [^\n]*\s*(?:(?:OK|FAILED|NO TESTS RAN)(?: \(([^)\n]*)\))?)?", re.M)
_SAID = re.compile(r"=(\d+)")
_COUNTS = (
    re.compile(r"\b(\d+) passed\b"),  # pytest, jest, vitest, cargo
    re.compile(r"\b(\d+) failed\b"),
    re.compile(r"^(?:# |ℹ )(?:pass|fail) (\d+)", re.M),  # node's own runner
    re.compile(r"^\s*(\d+) (?:passing|failing)\b", re.M),  # mocha
    re.compile(r"^(?:\[\w+\] )?Tests run: (\d+)", re.M),  # JUnit under Maven
)
_FAILURES = (re.compile(r"\b(\d+) (?:failed|failing)\b"), re.compile(r"^(?:# |ℹ )fail (\d+)", re.M))
_PASSES = (
    _COUNTS[0],
    re.compile(r"^(?:# |ℹ )pass (\d+)", re.M),
    re.compile(r"^\s*(\d+) passing\b", re.M),
)
_NONE = re.compile(
    r"no tests ran|NO TESTS RAN|collected 0 items|no test files|Ran 0 tests|No tests found|0 passed; 0 failed"
    r"|no tests to run|No test files found|^(?:# |ℹ )tests 0$",
    re.M,
)
_GO = re.compile(r"^(?:ok|FAIL|---)\s+\S+(?![^\n]*\[no test)", re.M)
_KNOWN_RUNNER = re.compile(
    r"\b(?:pytest|unittest|nose2|tox|jest|vitest|mocha|ava|node --test|npm (?:run )?test|cargo test|go test)\b"
)
_PYTEST = re.compile(r"^(?:=+ )?(?=[^\n]* in [\d.]+s)[^\n]*?\b(\d+) passed\b", re.M)


def tests_ran(command: str, output: str) -> bool | None:
    """True or False when the runner tells, None for a command whose output we cannot read. Skipping is not running."""
    output = _COLOUR.sub("", output)
    counts = [int(match) for pattern in _COUNTS for match in pattern.findall(output)]
    counts += [int(ran) - _named(said, "skipped") for ran, said in _UNITTEST.findall(output)]
    if any(count > 0 for count in counts) or _GO.search(output):
        return True
    if counts or _NONE.search(output) or _KNOWN_RUNNER.search(command):
        return False
    return None


def tests_passed(output: str) -> int | None:
    """How many tests unittest or pytest say have passed; None when neither of them speaks."""
    output = _COLOUR.sub("", output)
    by_unittest = [max(0, int(ran) - sum(map(int, _SAID.findall(said)))) for ran, said in _UNITTEST.findall(output)]
    by_pytest = [int(count) for count in _PYTEST.findall(output)]
    found = by_unittest + by_pytest
    return sum(found) if found else None


def _named(said: str, name: str) -> int:
    found = re.search(rf"\b{name}=(\d+)", said)
    return int(found[1]) if found else 0


_FAILED = re.compile(
    r"^(?:FAIL|ERROR): (?P<unittest>\S+ \(\S+\))|^(?:FAILED|ERROR) (?P<pytest>\S+::.+?|\S+\.py)(?= - |\s*$)"
    r"|^\s*--- FAIL: (?P<go>\S+)|^test (?P<rust>\S+) \.\.\. FAILED"
    r"|^\s*● (?P<jest>\S.*\S)\s*$|^\s*(?:FAIL|×) +(?P<vitest>\S+ > .*?)(?: \d+ms)?\s*$"
    r"|^\s*not ok \d+ - (?P<tap>.*\S)\s*$|^✖ (?P<node>.*\S) \([\d.]+ms\)|^\[ERROR\] +(?P<junit>\w+[.#]\w+):\d+",
    re.M,
)
_GO_PACKAGE = re.compile(r"^ok\s+\S+", re.M)


def failing_tests(output: str) -> frozenset[str]:
    """The names of the tests that a run reported as failed, as far as its runner names them."""
    return frozenset(next(filter(None, match.groups())) for match in _FAILED.finditer(_COLOUR.sub("", output)))


def got_worse(before: str, now: str) -> str:
    """Why a run that fails now is worse than one that failed before; "" only where both outputs show that it is not.

    Silence is no proof: a run that was cut short names no failing test either.
    """
    failed, fails = failing_tests(before), failing_tests(now)
    if new := sorted(fails - failed):
        return f"but not {', '.join(new[:5])}"
    passed, passes = number_passed(before), number_passed(now)
    if passed is not None and (passes or 0) < passed:
        return f"but then {passed} tests passed, and now {passes or 'none'}"
    if failed and fails and _all_named(before) and _all_named(now):
        return ""
    return "and its output does not show that nothing got worse; mend what fails on the base first"


def _all_named(output: str) -> bool:
    """Whether a run names as many failures as it counts; a runner that counts none names them all."""
    output = _COLOUR.sub("", output)
    counts = [int(count) for pattern in _FAILURES for count in pattern.findall(output)]
    counts += [_named(said, "failures") + _named(said, "errors") for _, said in _UNITTEST.findall(output)]
    return not counts or max(counts) == len(failing_tests(output))


def number_passed(output: str) -> int | None:
    """How many tests passed, or for go how many packages, in the words of any runner we can read."""
    known = tests_passed(output)
    if known is not None:
        return known
    output = _COLOUR.sub("", output)
    counts = [int(count) for pattern in _PASSES for count in pattern.findall(output)]
    return sum(counts) if counts else len(_GO_PACKAGE.findall(output)) or None
