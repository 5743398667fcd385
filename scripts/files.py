"""What no tracked file may hold: package hosts, paths of one machine, secrets; and prompts have a size.

Prints each place and exits 1 when there is any. Looks at what git tracks and at what it would. It does not know
what a file is for.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PROMPT_BYTES = 6_000
"""As much as agents are given of a role's prompt; see the caps of the fragments."""

FORBIDDEN = {
    "a package host": r"pypi[.]org|pythonhosted[.]org|npmjs[.](com|org)|yarnpkg[.]com|deb[.]debian[.]org",
    "a path of one machine": r"(?<![\w.*])/(root|Users)/\w",
    "a secret": (
        r"-----BEGIN [A-Z ]*PRIVATE KEY|\bsk-[A-Za-z0-9_-]{20}|\bgh[opsu]_\w{30}|\bAKIA[0-9A-Z]{16}"
        r"|\bxox[bp]-\w{10}|\bAIza[\w-]{35}"
    ),
}


def main() -> int:
    complaints = [*_forbidden(), *_long_prompts()]
    print("\n".join(complaints) or "nothing found")
    return 1 if complaints else 0


def _forbidden() -> Iterator[str]:
    here = "|".join(rf"(?<![\w.*]){re.escape(str(place))}/" for place in (TOP, Path.home()) if len(str(place)) > 1)
    rules = [*FORBIDDEN.items(), ("a path of this machine", here)]
    for path in _tracked():
        for number, line in enumerate(_text(path).splitlines(), 1):
            for what, pattern in rules:
                if re.search(pattern, line):
                    yield f"{path}:{number} names {what}"


def _long_prompts() -> Iterator[str]:
    for prompt in sorted((TOP / "src").rglob("prompts/*.md")):
        size = prompt.stat().st_size
        if size > PROMPT_BYTES:
            yield f"{prompt.relative_to(TOP)} has {size:,} bytes; a prompt has at most {PROMPT_BYTES:,}"


def _tracked() -> list[str]:
    words = ("git", "-C", str(TOP), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [path for path in listed.split("\0") if path]


def _text(path: str) -> str:
    """A file's text; "" for what is no text, no file, or not there any more."""
    try:
        return (TOP / path).read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
