"""What a change did to the way in which tests are run: options, hooks, recipes, and what is put in a runner's place.

Pure. Options are parsed where their file can be; the rest is told by the look of its lines. It does not know which
tests there are.
"""

import configparser
import re
import shlex
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from shopfloor.domain.mission import Finding, Severity
from shopfloor.validation.findings.changes import Change, added_lines, finding
from shopfloor.validation.findings.runner import SHADOWS, patches_a_runner, shadows_the_product
from shopfloor.validation.findings.skips import SKIPS

RUNNER = "test-runner-patched"
SERVICES = "services-changed"

DECIDES_OUTCOMES = re.compile(
    r"\bpytest_(?:pyfunc_call|runtest_protocol|runtest_call|runtest_logreport|ignore_collect|report_teststatus)\b"
    r"|\.outcome\s*=[^=]|force_result|force_exception|wasxfail|exitstatus\s*=[^=]|os\._exit"
    r"|__eq__\s*=|\bitems\[:\]\s*=|\bitems\.clear\(|\bdel items\b|_deselected|\bcollect_ignore|\.testsfailed\s*="
)
_SKIPS_ANYWHERE = re.compile(r"\bautouse\s*=\s*True|\bdef pytest_|\bpytestmark\b")
_HAS_A_SAY = re.compile(r"\bpytest_(?:runtest_\w+|collection_\w+|sessionfinish|unconfigure|exception_interact)\b")
_NARROWS = re.compile(
    r"(?:addopts|pytest|py\.test|jest|vitest|mocha|unittest|--test)\b.*?"
    r"(?:--deselect|--ignore|--collect-only|--co\b|\s-k[\s=]|-m\s*\\?[\"']?not\b|--testPathIgnore|--passWithNoTests|--grep)"
    r"|pytest[\"'],.*[\"']-[km][\"']\s*,|^\s*[\"']?--(?:deselect|ignore|ignore-glob)=|^\s*[\"']?--(?:collect-only|co|passWithNoTests)\b"
    r"|^\s*(?:testpaths|python_files|python_functions|python_classes)\s*=|\bitems\.(?:remove|pop)\("
    r"|\bnorecursedirs\b|\bcollect_ignore|\btestPathIgnorePatterns|\bxfail_strict\s*=\s*false",
    re.M,
)
_OPTIONS = re.compile(
    r"--(?:deselect|ignore|ignore-glob|collect-only|co|lf|last-failed|nf|sw|stepwise|stepwise-skip|setup-only|setup-plan"
    r"|fixtures|markers|help|version|noconftest|testmon|snapshot-update|update-goldens?|force-regen|regen-all"
    r"|inline-snapshot|record-mode)(?:=.*)?|-[kmhVco].*"
)
"""Options of pytest by which fewer tests run, none at all, or others' settings, or which write what is expected."""
_REPEATS = re.compile(r"--(?:reruns|retries|force-flaky|max-runs)(?:=.*)?")
_IN_ENVIRONMENT = re.compile(r"\b(?:PYTEST_ADDOPTS|PYTEST_PLUGINS|PYTEST_DISABLE_PLUGIN_AUTOLOAD|PYTHONOPTIMIZE)\b")
_PROSE = (".md", ".rst", ".txt", ".html")
_COMPILED = (".pyc", ".pyo")


def in_the_place_of_another(change: Change, products: Collection[str]) -> Finding | None:
    """What is imported, or run, where something else was meant; `products` are the files that there were."""
    if change.path.endswith(_COMPILED):
        return finding(RUNNER, "P1", change, "is compiled, and may run in place of a source: take it out")
    if SHADOWS.search(change.path) and change.before is None:
        return finding(RUNNER, "P0", change, "takes the place of a module that runs the tests")
    if change.before is None and shadows_the_product(change.path, products):
        return finding(RUNNER, "P1", change, "takes the place of the product where tests import it")
    if change.path.endswith(".pth") and _IMPORTS.search("\n".join(added_lines(change))):
        return finding(RUNNER, "P0", change, "runs whenever Python starts")
    return None


_IMPORTS = re.compile(r"^import\b", re.M)


def about_set_up(change: Change, *, tests_before: bool, told: Severity) -> list[Finding]:
    """What is found of a file that configures tests; `told` is how grave it is what an author may have meant."""
    if change.after is None:
        severity: Severity = told if _ONLY_STYLE.search(change.path) else "P1"
        return [finding(RUNNER, severity, change, "test configuration was deleted")]
    added = "\n".join(added_lines(change))
    if change.path.endswith("services.toml"):
        return [finding(SERVICES, "P2", change, "configures judging; judges go on using the base's version")]
    if SKIPS.search(added) and _SKIPS_ANYWHERE.search(change.after):
        return [finding(RUNNER, "P0", change, "skips tests from outside them")]
    if DECIDES_OUTCOMES.search(added) or patches_a_runner(change):
        return [finding(RUNNER, "P0", change, "changes the outcome of tests")]
    if fresh := _fresh_options(change, _OPTIONS):
        return [finding(RUNNER, "P1" if tests_before else "P2", change, f"leaves tests out of the run: {fresh}")]
    read_already = _ADDOPTS if _options(change.path, change.after) else _NOTHING
    if _NARROWS.search(read_already.sub("", added)):
        return [finding(RUNNER, "P1" if tests_before else "P2", change, "leaves tests out of the run")]
    if why := _milder(change):
        return [finding(RUNNER, told if tests_before else "P2", change, why)]
    if _HAS_A_SAY.search(added):
        return [finding(RUNNER, "P2", change, "has a say in the outcome of tests")]
    return [finding(RUNNER, "P3", change, "test configuration was changed")]


_ONLY_STYLE = re.compile(
    r"(?:^|/)\.?(?:flake8|pylintrc|ruff\.toml|eslint[\w.]*|golangci[\w.]*|clippy\.toml|biome\.jsonc?)$"
)
_ADDOPTS, _NOTHING = re.compile(r"^\s*addopts\b.*$", re.M), re.compile(r"(?!)")


def about_environment(change: Change, *, told: Severity) -> list[Finding]:
    """Settings of a runner that a file brings into its environment, whatever the file is for."""
    if change.path.endswith(_PROSE):
        return []
    lines = [line.strip() for line in added_lines(change) if _IN_ENVIRONMENT.search(line)]
    narrow = [line for line in lines if any(map(_OPTIONS.fullmatch, _words(line.partition("=")[2].strip("\"' ,)"))))]
    if narrow:
        return [finding(RUNNER, "P1", change, f"leaves tests out of the run by the environment: {narrow[0][:100]}")]
    return [finding(RUNNER, told, change, f"sets what runs tests: {lines[0][:100]}")] if lines else []


def _fresh_options(change: Change, wanted: re.Pattern[str]) -> str:
    """Options that the settings of pytest have now and had not before, each with its value."""
    before, after = (Counter(_chosen(change.path, text or "", wanted)) for text in (change.before, change.after))
    return " ".join(list((after - before).elements())[:3])


def _chosen(path: str, text: str, wanted: re.Pattern[str]) -> Iterator[str]:
    words = _options(path, text)
    for place, word in enumerate(words):
        if wanted.fullmatch(word):
            alone = "=" in word or (not word.startswith("--") and len(word) > 2)
            yield word if alone else " ".join(words[place : place + 2])


def _options(path: str, text: str) -> list[str]:
    """What is added to every command line of pytest."""
    try:
        if path.endswith(".toml"):
            tables = tomllib.loads(text).get("tool", {}).get("pytest", {})
            given = tables.get("ini_options", tables).get("addopts", [])
            return _words(given) if isinstance(given, str) else [str(word) for word in given]
        if path.endswith((".ini", ".cfg")):
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            parser.read_string(text)
            sections = ("pytest", "tool:pytest")
            return [word for one in sections for word in _words(parser.get(one, "addopts", fallback=""))]
    except (tomllib.TOMLDecodeError, configparser.Error):
        pass
    return []


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _milder(change: Change) -> str:
    """A setting by which more passes than before."""
    if again := _fresh_options(change, _REPEATS):
        return f"tries tests until they pass: {again}"
    before, after = change.before or "", change.after or ""
    if plugin := _fresh_options(change, re.compile(r"-p(?!\s*no:).*")):
        return f"brings a plugin into every run of pytest: {plugin}" if "no:" not in plugin else ""
    if _PLUGIN.search(after) and not _PLUGIN.search(before):
        return "brings a plugin into every run of pytest"
    lost = [name for name, strict in _STRICT.items() if strict.search(before) and not strict.search(after)]
    return f"is no longer strict: {lost[0]}" if lost else ""


_PLUGIN = re.compile(r"^\s*\[(?:project\.entry-points\.[\"']?pytest11|options\.entry_points)|^\s*pytest11\s*=", re.M)
_STRICT = {
    "xfail_strict": re.compile(r"^\s*xfail_strict\s*=\s*[\"']?(?:true|1|yes|on)", re.M | re.I),
    "filterwarnings": re.compile(r"^\s*[\"']?error[\"',\]]*\s*$|filterwarnings\s*=\s*\[?\s*[\"']?error\b", re.M),
}


# --- recipes ----------------------------------------------------------------------------------------------------


def other_ways_to_run(changes: Collection[Change], command: str, recipes: Mapping[str, str]) -> tuple[Finding, ...]:
    """What a change did to the way in which its tests are run, where nobody can make them fail to see that they are.

    `recipes` are the base's files of recipes: the command may stand for one, and that for a script.
    """
    words = set(re.split(r"[\s\"';&|()=]+", " ".join((command, *recipes.values()))))
    what = f"has a say in {command!r}, and nothing shows that tests still run"
    return tuple(
        finding(RUNNER, "P1", change, what)
        for change in changes
        if change.before is not None and (change.path in recipes or change.path in words)
    )


def is_recipe(path: str) -> bool:
    """Whether a file says what a command like `make test` stands for."""
    return _RECIPES.search(path) is not None


_RECIPES = re.compile(r"(?:^|/)(?:(?:GNUm|m|M)akefile|justfile|Taskfile\.ya?ml|package\.json|Rakefile|noxfile\.py)$")
