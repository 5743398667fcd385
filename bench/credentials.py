"""How many credentials a finding refuses, and how many lines without one it would.

    python bench/credentials.py DATA [--rows]

DATA holds secret_lines.jsonl: lines in base64, each with `is_secret` and a `kind`; it is not kept here. Each line is
judged as the only one of a new file. A line that the set calls both is left out. `--rows` shows what went wrong, masked
no further than the set's own dummies are.
"""

import argparse
import json
from base64 import b64decode
from collections import Counter, defaultdict
from pathlib import Path

from parts.clients import headline, say, show

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.secrets import secrets

RECALL, ALARMS = 0.95, 0.02
PATH = "settings.txt"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", type=Path)
    options.add_argument("--rows", action="store_true")
    given = options.parse_args()
    headline("credentials in added lines")
    labels: dict[str, set[bool]] = defaultdict(set)
    kinds: dict[str, str] = {}
    for line in (given.data / "secret_lines.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = b64decode(row["text_b64"]).decode(errors="replace")
        labels[text].add(row["is_secret"])
        kinds[text] = row["kind"]
    wrong: Counter[tuple[str, bool]] = Counter()
    all_of: Counter[tuple[str, bool]] = Counter()
    for text, said in labels.items():
        if len(said) > 1:
            continue
        kind, expected, named = kinds[text], min(said), _refused(text)
        all_of[kind, expected] += 1
        wrong[kind, expected] += named != expected
        if given.rows and named != expected:
            print(f"{'missed' if expected else 'alarm ':8}{kind:28}{text[:150]!r}")
    show(
        "By kind",
        ("kind", "credentials", "missed", "others", "false alarms"),
        [
            (kind, *(str(one[kind, way]) for way in (True, False) for one in (all_of, wrong)))
            for kind in sorted(set(kinds.values()))
        ],
    )
    shares = {way: _of(wrong, way) / _of(all_of, way) for way in (True, False)}
    print(f"left out, because the set calls them both: {sum(len(said) > 1 for said in labels.values())}\n")
    say("credentials refused", f"{1 - shares[True]:.1%}", f"{RECALL:.0%}", held=1 - shares[True] >= RECALL)
    say("false alarms", f"{shares[False]:.1%}", f"at most {ALARMS:.0%}", held=shares[False] <= ALARMS)


def _of(counted: Counter[tuple[str, bool]], way: bool) -> int:
    return sum(number for (_, expected), number in counted.items() if expected == way)


def _refused(text: str) -> bool:
    return any(found.refuses for found in secrets([Change(path=PATH, before=None, after=text)]))


if __name__ == "__main__":
    main()
