"""What a change did to the share of the product that its tests must reach. Pure.

Code is left out of the count by a threshold, by a list, or by a remark in the source. It does not know what is covered.
"""

import configparser
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.sources import is_ci, is_test, is_test_configuration
from shopfloor.validation.findings.changes import Change, added_lines, finding

COVERAGE = "coverage-lowered"

_FAIL_UNDER = re.compile(r"(?:fail[_-]under\s*[=:]?\s*|--cov-fail-under[=\s])(\d+(?:\.\d+)?)")
_HARMLESS = re.compile(
    r"pragma|TYPE_CHECKING|overload|__main__|NotImplemented|abstract|Protocol|^\W*\.\W*\.\W*\.\W*$|assert_never|__repr__|__str__"
    r"|unreachable|AssertionError|(?:^|/)(?:tests?|conftest|setup|docs|examples|_version|version|\.tox|\.?venv|site-packages)\b"
)
"""What is no part of what tests are there for."""
_PLACES = re.compile(
    r"(?:^|/)(?:\.coveragerc|coverage\.toml|codecov\.ya?ml|\.codecov\.ya?ml)$|(?:^|/)scripts?/[\w-]+(?:\.sh)?$"
)
_REMARK = re.compile(
    r"\s*#\s*(?:pragma:\s*no\s*(?:cover|branch)|nocov|cov:\s*ignore)\b.*$|/[*/]\s*(?:istanbul|c8|v8) ignore.*$", re.I
)


def coverage_lowered(change: Change, told: Severity) -> Iterable[Finding]:
    """`told` is how grave it is to leave code out of the count; who asks for less of it always refuses."""
    after = change.after or ""
    if is_ci(change.path) or is_test_configuration(change.path) or _PLACES.search(change.path):
        before = change.before or ""
        lower = _lower(
            [float(one) for one in _FAIL_UNDER.findall(before)], list(map(float, _FAIL_UNDER.findall(after)))
        )
        if lower and change.after is not None:
            yield finding(COVERAGE, "P1", change, f"asks for {lower[1]:g}% of coverage instead of {lower[0]:g}%")
        elif fresh := _fresh_exclusions(change.path, before, after):
            yield finding(COVERAGE, told, change, f"leaves code out of what coverage counts: {fresh[0][:100]}")
    elif not is_test(change.path):
        stood, fresh = _remarked(change)
        if line := stood or fresh:
            severity: Severity = told if stood else "P2"
            yield finding(COVERAGE, severity, change, f"leaves code out of what coverage counts: {line[:100]}")


def _lower(before: Sequence[float], after: Sequence[float]) -> tuple[float, float] | None:
    """A threshold and the lower one in its place; the highest of each where not as many are left."""
    pairs = (
        zip(before, after, strict=True)
        if len(before) == len(after)
        else [(max(before, default=0), max(after, default=0))]
    )
    return next(((was, now) for was, now in pairs if now < was), None)


class _Section(msgspec.Struct):
    """One table of coverage's settings, as far as it leaves code out."""

    omit: list[str] = []
    exclude_lines: list[str] = []
    exclude_also: list[str] = []
    exclude_other: list[str] = []
    partial_branches: list[str] = []
    partial_also: list[str] = []


def _fresh_exclusions(path: str, before: str, after: str) -> list[str]:
    fresh = Counter(_exclusions(path, after)) - Counter(_exclusions(path, before))
    return [one for one in fresh if not _HARMLESS.search(one)]


def _exclusions(path: str, text: str) -> Iterator[str]:
    """Each file and each pattern of lines that coverage does not count."""
    for section in _sections(path, text):
        for name in _Section.__struct_fields__:
            for line in section.get(name, ()):
                parts = line.split(",") if name == "omit" else [line]
                yield from (part.strip() for part in parts if part.strip())


def _sections(path: str, text: str) -> Iterator[Mapping[str, Sequence[str]]]:
    """What is said of coverage, line by line under each name."""
    try:
        if path.endswith(".toml"):
            tables = tomllib.loads(text)
            own = {} if path.endswith("pyproject.toml") else tables
            sections = msgspec.convert(tables.get("tool", {}).get("coverage", own), dict[str, _Section])
            yield from map(msgspec.structs.asdict, sections.values())
        elif path.endswith((".cfg", ".ini", ".coveragerc")):
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            parser.read_string(text)
            names = [name for name in parser.sections() if path.endswith(".coveragerc") or name.startswith("coverage")]
            yield from ({key: value.splitlines() for key, value in parser[name].items()} for name in names)
    except (tomllib.TOMLDecodeError, configparser.Error, msgspec.ValidationError):
        return


def _remarked(change: Change) -> tuple[str, str]:
    """A line that stood there before and is not counted now, and a new one that never was."""
    before = {line.rstrip() for line in (change.before or "").splitlines()}
    stood, fresh = "", ""
    for line in added_lines(change):
        bare = _REMARK.sub("", line).rstrip()
        if bare != line.rstrip() and bare.strip() and not _HARMLESS.search(bare):
            stood = stood or (line.strip() if bare in before else "")
            fresh = fresh or line.strip()
    return stood, fresh
