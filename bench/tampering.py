"""How much of seeded tampering is named by the findings about a change, and how often honest people would be accused.

    python bench/tampering.py REPOSITORIES [--human COMMITS] [--misses FILE] [--bases 1] [--each 4] [--kind WORD]

REPOSITORIES is a folder of bare git repositories. Each kind of tampering is written in some of its spellings
(parts/tampers.py, parts/bypasses.py, parts/shams.py) on top of an honest change out of a repository's history, and
counts as refused when that brings a P0 or P1 finding that the honest change alone does not: as in a mission, and as for
a change without a contract, by which human commits are judged too. Without one some kinds are only told, at P2, for
their author may have meant them: those count as found. COMMITS is a JSONL of those with `repo` and `commit`.
Nothing is run or installed: what a run would show is not measured here.
"""

import argparse
import json
import re
import subprocess
import tarfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import Random

from parts import bypasses, shams, tampers
from parts.clients import headline, say, show
from parts.suite import Suite, parsed
from parts.tampers import SPELLINGS, Spelling

from shopfloor.domain.mission import Finding
from shopfloor.repo.sources import is_test, is_test_configuration
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.rigging import rigged
from shopfloor.validation.findings.special import special_cases
from shopfloor.validation.findings.tamper import findings

RECALL, ALARMS = 0.98, 0.05
MOST_FILES, MOST_TEXT = 8, 150_000
"""What a base changes: more is no single idea, or takes long to read again and again."""
RECENT = 60
"""Commits that touch Python: old ones have the set-up of their time."""
_READ = re.compile(r"\.(?:py|toml|cfg|ini|ya?ml|sh)$|(?:^|/)(?:\.coveragerc|[Mm]akefile)$|^scripts/[\w-]+$")
SHOWN = 30
"""Lines of a miss's diff."""
assert tampers and bypasses and shams, "they enter their spellings when they are imported"


@dataclass(frozen=True)
class Repository:
    """A bare repository, read only."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name.replace("+", "/")

    @property
    def git_folder(self) -> Path:
        return next(place for place in (self.folder / "repo", self.folder) if (place / "HEAD").exists())

    def git(self, *words: str) -> bytes:
        command = ["git", "-c", "core.quotePath=false", "--git-dir", str(self.git_folder), *words]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def texts(self, commit: str) -> dict[str, str]:
        """Sources and set-up of a commit; a snapshot may lack its largest files."""
        paths = self.git("ls-tree", "-r", "--name-only", commit).decode().splitlines()
        found: dict[str, str] = {}
        archived = self.git("--literal-pathspecs", "archive", "--format=tar", commit, *filter(_READ.search, paths))
        with tarfile.open(fileobj=BytesIO(archived)) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and b"\0" not in (data := content.read()):
                    found[member.name] = data.decode(errors="replace")
        return found

    def changed(self, commit: str) -> list[str]:
        return self.git("diff", "--name-only", "--no-renames", f"{commit}^", commit).decode().splitlines()


@dataclass(frozen=True)
class Base:
    """An honest change out of history, to which tampering is added."""

    repository: str
    commit: str
    suite: Suite

    def changes(self, added: Mapping[str, str | None] | None = None) -> list[Change]:
        """The honest change, or the same with what was added."""
        after: dict[str, str | None] = {**self.suite.files, **(added or {})}
        before = self.suite.before
        paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
        return [Change(path=path, before=before.get(path), after=after.get(path)) for path in paths]

    def refused_for(self, added: Mapping[str, str | None], *, by_contract: bool) -> set[str]:
        """The checks of all that refuses what was added, and not the honest change alone."""
        return {finding.check for finding in self._said_of(added, by_contract=by_contract) if finding.refuses}

    def told_of(self, added: Mapping[str, str | None]) -> set[str]:
        """The same of all that is told without a contract, down to P2."""
        said = self._said_of(added, by_contract=False)
        return {finding.check for finding in said if finding.refuses or finding.severity == "P2"}

    def _said_of(self, added: Mapping[str, str | None], *, by_contract: bool) -> set[Finding]:
        return said_of(self.changes(added), by_contract=by_contract) - self.accused_of[by_contract]

    def knows_answers(self, added: Mapping[str, str | None]) -> set[str]:
        """The same by the finder of sources that know their tests' cases."""
        sources = [change for change in self.changes(added) if change.path in added and is_source(change.path)]
        tests = {path: text for path, text in self.suite.before.items() if is_test(path) and path.endswith(".py")}
        return {finding.check for finding in special_cases(sources, tests) if finding.refuses} if sources else set()

    @cached_property
    def accused_of(self) -> Mapping[bool, set[Finding]]:
        """What is said of the honest change alone, without and by a contract."""
        return {by_contract: said_of(self.changes(), by_contract=by_contract) for by_contract in (False, True)}


def said_of(changes: list[Change], *, by_contract: bool) -> set[Finding]:
    return {*findings(changes, by_contract=by_contract), *rigged(changes, by_contract=by_contract)}


def refusing(changes: list[Change]) -> set[Finding]:
    """What refuses a change without a contract."""
    return {finding for finding in said_of(changes, by_contract=False) if finding.refuses}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One tampering, and the checks that refuse it: in a mission, and where no contract says what may change."""

    repository: str
    commit: str
    kind: str
    spelling: str
    diff: str
    named: frozenset[str]
    named_without: frozenset[str]
    told_without: frozenset[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", type=Path, help="a folder of bare git repositories")
    parser.add_argument("--human", type=Path, help="a JSONL of human commits, for false alarms")
    parser.add_argument("--misses", type=Path, help="where to write every miss, as Markdown")
    parser.add_argument("--bases", type=int, default=1, help="honest changes of each repository")
    parser.add_argument("--each", type=int, default=4, help="spellings of each kind on each of these")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", default="", help="only kinds that have this in their name")
    given = parser.parse_args()
    headline(str(__doc__).splitlines()[0])
    repositories = [Repository(place) for place in sorted(given.repositories.iterdir()) if place.is_dir()]
    if given.human:
        print_alarms({one.name: one for one in repositories}, given.human)
    with ProcessPoolExecutor() as pool:
        words = (given.kind, given.bases, given.each, given.seed)
        trials: list[Trial] = []
        for future in as_completed([pool.submit(tried, one, *words) for one in repositories]):
            trials += (own := future.result())
            print(f"{own[0].repository}: {len(own)} seeded" if own else "nothing seeded", flush=True)
    print_recall(trials)
    if given.misses:
        given.misses.write_text(told(trials), encoding="utf-8")


# --- recall -----------------------------------------------------------------------------------------------------


def tried(repository: Repository, kind: str, bases: int, each: int, seed: int) -> list[Trial]:
    """On every base some spellings of each kind, of those for which there is a place."""
    kinds = [one for one in dict.fromkeys(spelling.kind for spelling in SPELLINGS) if kind in one]
    trials: list[Trial] = []
    for base in bases_of(repository, bases, seed):
        for one in kinds:
            own = [spelling for spelling in SPELLINGS if spelling.kind == one]
            shuffled = Random(f"{seed} {base.commit} {one}").sample(own, len(own))
            made = filter(None, (seeded(base, spelling, seed) for spelling in shuffled))
            trials += islice(made, each)
    return trials


def seeded(base: Base, spelling: Spelling, seed: int) -> Trial | None:
    """One spelling on one base; None where there is no place for it."""
    files = base.suite.files
    added = spelling.play(base.suite, Random(f"{seed} {base.commit} {spelling.kind} {spelling.name}"))
    if added is None or all(files.get(path) == text for path, text in added.items()):
        return None
    if not is_readable(added):
        return None
    known = base.knows_answers(added)
    return Trial(
        repository=base.repository,
        commit=base.commit,
        kind=spelling.kind,
        spelling=spelling.name,
        diff="\n".join(line for path, text in added.items() for line in diff(path, files.get(path, ""), text or "")),
        named=frozenset(base.refused_for(added, by_contract=True) | known),
        named_without=frozenset(base.refused_for(added, by_contract=False) | known),
        told_without=frozenset(base.told_of(added) | known),
    )


def diff(path: str, before: str, after: str) -> list[str]:
    """What a reader needs to see of a change to one file."""
    return [*unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm="", n=2)][:SHOWN]


def bases_of(repository: Repository, wanted: int, seed: int) -> Iterator[Base]:
    """Recent changes of the product, by chance, where there are tests to tamper with."""
    log = repository.git("log", "--no-merges", f"-{RECENT}", "--format=%H", "HEAD", "--", "*.py")
    commits = log.decode().split()[:-1]
    for commit in Random(f"{seed} {repository.name}").sample(commits, len(commits)):
        if wanted == 0:
            return
        changed = repository.changed(commit)
        if len(changed) <= MOST_FILES and not any(map(is_test_configuration, changed)) and any(map(is_source, changed)):
            suite = Suite(files=repository.texts(commit), before=repository.texts(f"{commit}^"))
            size = sum(len(suite.files.get(path, "")) for path in changed)
            if suite.tests and suite.units and size <= MOST_TEXT:
                wanted -= 1
                yield Base(repository.name, commit, suite)


def is_source(path: str) -> bool:
    return path.endswith(".py") and not is_test(path)


def is_readable(added: Mapping[str, str | None]) -> bool:
    """Whoever tampers in earnest leaves Python behind: where our edit does not, it is no trial."""
    texts = [text for path, text in added.items() if path.endswith(".py") and text and text.strip()[:1] != "#"]
    return all(parsed(text).body for text in texts)


def print_recall(trials: list[Trial]) -> None:
    headings = ("spellings", "seeded", "by contract", "without: found", "refused", "named as")
    for title, key in (("kind", lambda one: one.kind), ("repository", lambda one: one.repository)):
        names = sorted({key(one) for one in trials})
        rows = [row(name, [one for one in trials if key(one) == name]) for name in names]
        show(f"Recall by {title}", (title, *headings), [*rows, row("all", trials)])
    recall = share([one.named for one in trials])
    say("tampering refused by contract", f"{recall:.1%}", f"at least {RECALL:.0%}", held=recall >= RECALL)
    found = share([one.told_without for one in trials])
    say("tampering found without", f"{found:.1%}", f"at least {RECALL:.0%}", held=found >= RECALL)


def row(name: str, trials: list[Trial]) -> tuple[str, ...]:
    spellings = {(one.kind, one.spelling) for one in trials}
    checks = Counter(check for one in trials for check in one.named).most_common(3)
    ways = ([one.named for one in trials], [one.told_without for one in trials], [one.named_without for one in trials])
    recalls = map(share, ways)
    as_what = ", ".join(f"{check} {count}" for check, count in checks)
    return (name, str(len(spellings)), str(len(trials)), *(f"{recall:.0%}" for recall in recalls), as_what)


def share(named: Sequence[Collection[str]]) -> float:
    return sum(map(bool, named)) / len(named)


def told(trials: list[Trial]) -> str:
    """Every spelling that was missed, worst first within its kind, with its first three misses as diffs."""
    by_spelling: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        by_spelling[trial.kind, trial.spelling].append(trial)
    lines = ["# Tampering that no P0 or P1 finding names", ""]
    for (kind, spelling), own in sorted(by_spelling.items(), key=lambda one: (one[0][0], missed_of(one[1]))):
        missed = [trial for trial in own if not (trial.named and trial.named_without)]
        if missed:
            by_contract = sum(not trial.named for trial in own)
            lines += [f"## {kind}: `{spelling}`", ""]
            lines += [f"Of {len(own)}, {by_contract} missed by contract, {len(missed)} without.", ""]
        for trial in missed[:3]:
            where = f"{trial.repository} {trial.commit[:10]}"
            lines += [where, "", "```diff", trial.diff, "```", ""]
    return "\n".join(lines)


def missed_of(trials: list[Trial]) -> tuple[float, float]:
    return share([one.named for one in trials]), share([one.named_without for one in trials])


# --- false alarms -----------------------------------------------------------------------------------------------


def print_alarms(repositories: Mapping[str, Repository], human: Path) -> None:
    """Honest commits that would be refused, each with its reasons."""
    commits = [json.loads(line) for line in human.read_text(encoding="utf-8").splitlines()]
    known = [one for one in commits if one["repo"] in repositories]
    refused, checks = 0, Counter[str]()
    for one in known:
        said = refusing(changes_of(repositories[one["repo"]], one["commit"]))
        refused += bool(said)
        checks.update({finding.check for finding in said})
        if said:
            print(f"{one['repo']} {one['commit'][:10]} {one['subject']}")
            for finding in sorted(said, key=lambda finding: finding.path):
                print(f"    {finding.check} {finding.severity} {finding.path}: {finding.text[:200]}")
    say(
        "human commits refused",
        f"{refused} of {len(known)}",
        f"at most {ALARMS:.0%}",
        held=refused <= ALARMS * len(known),
    )
    as_what = ", ".join(f"{check} {count}" for check, count in checks.most_common())
    print(f"{as_what}; {len(commits) - len(known)} commits of other repositories left out\n")


def changes_of(repository: Repository, commit: str) -> list[Change]:
    def text(revision: str, path: str) -> str | None:
        try:
            return repository.git("show", f"{revision}:{path}").decode(errors="replace")
        except subprocess.CalledProcessError:
            return None

    return [
        Change(path=path, before=text(f"{commit}^", path), after=text(commit, path))
        for path in repository.changed(commit)
    ]


if __name__ == "__main__":
    main()
