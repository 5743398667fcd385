"""Did a test run really run tests? Read from what the common runners print at their end.

It does not know whether they passed: the exit code says so, and the control says whether to believe it.
"""

import re

_COUNTS = (
    re.compile(r"^Ran (\d+) tests? in ", re.M),  # unittest
    re.compile(r"\b(\d+) passed\b"),  # pytest, jest, vitest, cargo
    re.compile(r"^# pass (\d+)", re.M),  # node's own runner
    re.compile(r"^\s*(\d+) passing\b", re.M),  # mocha
)
_NONE = re.compile(
    r"no tests ran|NO TESTS RAN|collected 0 items|no test files|Ran 0 tests|No tests found|0 passed; 0 failed"
    r"|^# tests 0$",
    re.M,
)
_GO = re.compile(r"^ok\s+\S+", re.M)
_KNOWN_RUNNER = re.compile(
    r"\b(?:pytest|unittest|nose2|tox|jest|vitest|mocha|ava|node --test|npm (?:run )?test|cargo test|go test)\b"
)


def tests_ran(command: str, output: str) -> bool | None:
    """True or False when the runner tells, None for a command whose output we cannot read."""
    counts = [int(match) for pattern in _COUNTS for match in pattern.findall(output)]
    if any(counts) or _GO.search(output):
        return True
    if counts or _NONE.search(output) or _KNOWN_RUNNER.search(command):
        return False
    return None
