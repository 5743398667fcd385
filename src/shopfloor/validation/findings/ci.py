"""Whether CI and the recipes of a repository still run its tests, and let them fail. Pure, by the look of their lines.

A line that runs tests is armed when its failure counts. It does not know what a service makes of a workflow.
"""

import json
import re
from collections.abc import Collection, Iterable

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.sources import is_ci, is_test_configuration
from shopfloor.validation.findings.changes import Change, added_lines, finding

CI = "ci-disarmed"
RUNNER = "test-runner-patched"

_TESTS_RUN = re.compile(
    r"\b(?:pytest|py\.test|tox|nox|unittest|nose2?|coverage run|make (?:tests?|check|coverage|ci)|jest|vitest|mocha"
    r"|(?:npm|yarn|pnpm|just|task|poe|inv|pdm|uv|rake|hatch|poetry|pixi) (?:run )?\"?tests?\b"
    r"|cargo (?:nex)?test|go test|mvn test|gradle test|(?:hatch|pixi|poetry|uv|pdm) (?:run )?test\w*"
    r"|setup\.py test|(?:scripts?|bin|tools|ci)/(?:run[-_]?)?tests?\b|(?:run[-_]?)tests?(?:\.\w+)?\b)"
)
_SET_UP = re.compile(
    r"\b(?:pip3?|pipx|uv|poetry|conda|apt(?:-get)?|brew|npm|yarn) (?:\w+ )?(?:install|add|sync)\b|^\s*(?:- )?name:"
)
_DISARMED = re.compile(r"\|\|\s*(?:true|:|echo\b|exit 0)|;\s*(?:true|exit 0|echo\b)|^\s*-\w|\becho\b.*\btests?\b", re.M)
_NEVER = re.compile(r"^\s*-?\s*(?:if:\s*(?:\$\{\{\s*)?false\b|continue-on-error:\s*true|allow_failure:\s*true)", re.M)
_ONLY_SOMETIMES = re.compile(r"^\s*-?\s*if:\s*.*(?:schedule|workflow_dispatch|refs/tags)", re.M)
_BY_ITSELF = re.compile(r"^\s*-?\s*(?:push|pull_request)\b|^on:.*\b(?:push|pull_request)\b", re.M)
_LEAVES_OUT = re.compile(r"--deselect|--ignore|\s-k[\s=]|-m\s*[\"']?not\b|--collect-only")


def disarmed(changes: Collection[Change]) -> tuple[Finding, ...]:
    """A finding for each file that runs tests in fewer places than before, or lets them fail."""
    services = [change for change in changes if is_ci(change.path)]
    armed_elsewhere = sum(_armed(one.after or "") - _armed(one.before or "") for one in services if one.before is None)
    found = [one for change in services for one in _about_ci(change, armed_elsewhere)]
    return (*found, *(one for change in changes for one in _about_recipes(change)))


def _about_ci(change: Change, armed_elsewhere: int) -> Iterable[Finding]:
    before, after = change.before or "", change.after or ""
    if not any(map(_runs_tests, before.splitlines())):
        return
    added = "\n".join(added_lines(change))
    fewer = _armed(before) - _armed(after)
    if fewer > 0:
        severity: Severity = "P2" if armed_elsewhere >= fewer else "P1"
        yield finding(CI, severity, change, "CI runs tests in fewer places than before, or lets them fail")
    elif _NEVER.search(added) or _ONLY_SOMETIMES.search(added):
        yield finding(CI, "P1", change, "CI skips a step now, or goes on where it fails")
    elif _BY_ITSELF.search(before) and not _BY_ITSELF.search(after):
        yield finding(CI, "P1", change, "CI no longer runs by itself when something changes")
    elif any(_LEAVES_OUT.search(line) for line in added_lines(change) if _runs_tests(line)):
        yield finding(CI, "P1", change, "CI leaves tests out of the run")


def _armed(text: str) -> int:
    """Lines that run tests, and whose failure counts."""
    return sum(1 for line in text.splitlines() if _runs_tests(line) and not _DISARMED.search(line))


def _runs_tests(line: str) -> bool:
    return bool(_TESTS_RUN.search(line)) and not line.lstrip().startswith("#") and not _SET_UP.search(line)


# --- recipes ----------------------------------------------------------------------------------------------------


def _about_recipes(change: Change) -> Iterable[Finding]:
    """Commands in configuration that swallow what a test run says, or that run none any more."""
    if change.before is None or change.after is None or not _is_recipe(change.path):
        return
    swallowed = [line for line in added_lines(change) if _TESTS_RUN.search(line) and _SWALLOWED.search(line)]
    if swallowed:
        yield finding(RUNNER, "P0", change, f"lets tests fail unseen: {swallowed[0].strip()[:100]}")
    elif _commands(change.path, change.before) and not _commands(change.path, change.after):
        yield finding(RUNNER, "P1", change, "no longer runs any tests")
    elif any(_LEAVES_OUT.search(line) for line in added_lines(change) if _runs_tests(line)):
        yield finding(RUNNER, "P1", change, "leaves tests out of the run")


def _is_recipe(path: str) -> bool:
    return not path.endswith(".py") and (is_test_configuration(path) or _SCRIPTS.search(path) is not None)


_SCRIPTS = re.compile(
    r"(?:^|/)(?:scripts?|bin|tools|ci)/[\w-]*(?:test|check|ci)[\w-]*(?:\.sh)?$|(?:^|/)run[-_]?tests?(?:\.sh)?$"
)
_SWALLOWED = re.compile(
    r"\|\|\s*(?:true|:|echo\b|exit 0)|;\s*(?:true|exit 0)\s*[\"']?$|^\s*-\s*(?:python|pytest|tox|\$)|=\s*-\s*\w"
)


def _commands(path: str, text: str) -> list[str]:
    """Lines of a recipe that run tests."""
    if path.endswith("package.json"):
        return [line for line in _scripts(text) if _runs_tests(line) or "test" in line]
    if path.endswith((".toml", ".cfg")):
        return []
    at_the_top = _SCRIPTS.search(path) is not None
    return [line for line in text.splitlines() if _runs_tests(line) and (at_the_top or _COMMAND.search(line))]


_COMMAND = re.compile(r"^(?:\t|\s+|commands\s*=).*\w")


def _scripts(text: str) -> list[str]:
    """What `npm test` and its like stand for."""
    try:
        scripts = json.loads(text).get("scripts", {})
    except (ValueError, AttributeError):
        return []
    found = [str(command) for name, command in scripts.items() if "test" in name]
    return [command for command in found if not re.match(r"(?:echo|true|:|exit)\b", command)]
