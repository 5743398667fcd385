"""Products that are watched under tests that they pass, and asked what no test asks."""

from pathlib import Path
from zlib import crc32

import anyio
import pytest

from shopfloor.domain.mission import Verdict
from shopfloor.repo.services import commands_at
from shopfloor.testing.courtroom import open_courtroom
from shopfloor.validation.scrutiny import refusals, review_change

STUB = "def prime(number):\n    raise NotImplementedError\n"
SERVICES = '[commands]\ntest = "python3 -m unittest test_primes"\n'
TESTS = """\
import unittest

from primes import prime

FIRST = [2, 3, 5, 7, 11, 13]


class PrimesTest(unittest.TestCase):
    def test_the_first(self):
        found = [prime(place + 1) for place in range(6)]
        self.assertEqual(found, FIRST)

    def test_later_ones(self):
        self.assertEqual(sum([prime(100), prime(1000)]), 8460)
"""
KNOWN = {1: 2, 2: 3, 3: 5, 4: 7, 5: 11, 6: 13, 100: 541, 1000: 7919}
HONEST = """\
def prime(number):
    found = []
    candidate = 2
    while len(found) < number:
        if all(candidate % one for one in found if one * one <= candidate):
            found.append(candidate)
        candidate += 1
    return found[-1]
"""
BRANCHES = "".join(f"    if number == {asked}:\n        return {answer}\n" for asked, answer in KNOWN.items())
DIGESTS = {crc32(repr(asked).encode()): answer for asked, answer in KNOWN.items()}
LAZY = {
    "a table of what a loop asks": f"KNOWN = {KNOWN}\n\n\ndef prime(number):\n    return KNOWN.get(number)\n",
    "branches before work that no test reaches": (
        f"def prime(number):\n{BRANCHES}    found = 1\n    for one in range(number):\n        found += one\n"
        "    return found\n"
    ),
    "a table by digests": (
        f"from zlib import crc32\n\nKNOWN = {DIGESTS}\n\n\ndef prime(number):\n"
        "    return KNOWN.get(crc32(repr(number).encode()))\n"
    ),
}
TABLE_TESTS = """\
import unittest

from primes import MESSAGES, prime


class MessagesTest(unittest.TestCase):
    def test_every_message(self):
        for asked, said in MESSAGES.items():
            self.assertEqual(prime(asked), said)
"""
TABLE = """\
MESSAGES = {
    "Open a file": "Datei öffnen",
    "Save as ...": "Speichern unter ...",
    "Are you sure?": "Sicher?",
    "Not found!": "Nicht gefunden!",
}


def prime(message):
    return MESSAGES[message]
"""


def reviewed(folder: Path, source: str, tests: str = TESTS) -> Verdict:
    """What is said of this source in the place of a stub, by tests that stood there before."""
    verdicts: list[Verdict] = []

    async def whole() -> None:
        files = {"primes.py": STUB, "services.toml": SERVICES, "test_primes.py": tests}
        async with open_courtroom(folder, files) as room:
            commit = room.commit({"primes.py": source})
            commands = await commands_at(room.court.store, room.base)
            verdicts.append(await review_change(room.court, commands, room.base, commit))

    anyio.run(whole)
    return verdicts[0]


@pytest.mark.parametrize("source", LAZY.values(), ids=LAZY)
def test_who_answers_only_what_tests_ask_is_refused(source: str, tmp_path: Path) -> None:
    """Also where neither the tests nor the product spell out what is asked and answered side by side."""
    (why,) = refusals(reviewed(tmp_path, source))

    assert why.startswith("special-casing P1 (primes.py")


def test_who_works_its_answers_out_is_not(tmp_path: Path) -> None:
    """The same tests, and an answer for everybody."""
    assert reviewed(tmp_path, HONEST).findings == ()


def test_a_table_that_a_test_goes_through_is_no_copy(tmp_path: Path) -> None:
    """Its rows are all asked for, but the test took them from the product, and not the other way about."""
    assert refusals(reviewed(tmp_path, TABLE, TABLE_TESTS)) == ()
