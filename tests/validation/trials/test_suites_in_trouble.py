"""Test suites in trouble: whatever a change makes them do, its review ends in time and says what happened."""

import os
import time
from pathlib import Path

import anyio
import pytest

from shopfloor.domain.contract import SealedChecks
from shopfloor.domain.mission import Verdict
from shopfloor.sandbox.probe import probe
from shopfloor.testing.courtroom import open_courtroom

CALC = "import os, sys\n\n\ndef add(a, b):\n    return a + b\n"
TEST = """\
import unittest

from calc import add


class AddTest(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(add(1, 2), 3)
"""
BASE = {"calc.py": CALC, "test_calc.py": TEST}
DAEMON = """

if not os.fork():
    os.setsid()
    if not os.fork():
        os.execvp("sleep", ["sleep", "4321"])
    os._exit(0)
"""
FLOOD = "\n\nfor _ in range(100):\n    sys.stdout.write('x' * 1000_000)\n"
DELETES = "\n\nimport shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)\n"
KILLS = "\n\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)\n"
FILLS = "\n\nwith open('/tmp/filled', 'wb') as file:\n    for _ in range(300):\n        file.write(bytes(1000_000))\n"
HANGS = "\n\nimport signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)\n"


@pytest.fixture(autouse=True)
def enforced() -> None:
    if probe().why_no_bubblewrap:
        pytest.skip(probe().why_no_bubblewrap)


@pytest.mark.parametrize(
    ("trouble", "passed", "words"),
    [
        (DAEMON, True, "exit code 0"),
        (FLOOD, True, "exit code 0"),
        (DELETES, True, "exit code 0"),
        (KILLS, False, "exit code 1"),
        (FILLS, True, "exit code 0"),
        pytest.param(HANGS, False, "killed: it ran out of time", marks=pytest.mark.long),
    ],
    ids=["forks a daemon", "prints 100 MB", "deletes its repository", "kills its parent", "fills /tmp", "hangs"],
)
def test_a_suite_in_trouble_is_judged_in_time(trouble: str, passed: bool, words: str, tmp_path: Path) -> None:
    """What ends well passes, what does not is refused with how it ended; the next run meets a place of its own."""
    began = time.monotonic()
    verdict = judged(tmp_path, {"calc.py": CALC + trouble})

    outcomes = {check.name: (check.passed, check.detail) for check in verdict.checks}
    assert words in outcomes["tests"][1], outcomes
    assert outcomes["tests"][0] is passed, outcomes
    assert time.monotonic() - began < 60
    assert not any(b"4321" in words for words in started_by_us())


def test_a_repository_without_tests_is_verified_by_nothing(tmp_path: Path) -> None:
    """Silence is no pass."""
    verdict = judged(tmp_path, {"calc.py": CALC + "\n"}, {"calc.py": CALC})

    assert (verdict.passed, verdict.checks) == (False, ())


def judged(folder: Path, change: dict[str, str], base: dict[str, str] = BASE) -> Verdict:
    async def whole() -> Verdict:
        async with open_courtroom(folder, base, command_timeout_s=8) as room:
            return await room.judge(room.commit(dict(change)), SealedChecks())

    return anyio.run(whole)


def started_by_us() -> list[bytes]:
    """The words of all programs that this user runs; what has just ended has none."""
    found: list[bytes] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes() if path.stat().st_uid == os.getuid() else b"")
        except OSError:
            continue
    return [words for words in found if words.startswith(b"sleep\0")]
