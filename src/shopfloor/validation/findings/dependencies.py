"""What a change does to what the project depends on: a stranger's code that nobody here has read.

Pure findings over manifests and lock files. What is new or moved is told; what comes from elsewhere than the usual
index, looks like another package, or runs while it is installed refuses. It asks no index: that a name exists, who
publishes it and what it does are not known here.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.sources import is_generated, is_lock, is_test
from shopfloor.validation.findings.changes import Change, lines_added
from shopfloor.validation.findings.lookalikes import looks_like
from shopfloor.validation.findings.manifests import Manifest, Requirement, manifest_of

DEPENDS, ELSEWHERE, LOOKALIKE, RUNS, OUT_OF_STEP = (
    *("dependencies-changed", "dependency-from-elsewhere", "dependency-lookalike", "install-script"),
    "lock-out-of-step",
)
SHOWN = 8
"""Names of each kind that a finding lists."""


def dependencies(changes: Collection[Change], files: Collection[str]) -> tuple[Finding, ...]:
    """A finding for each manifest whose requirements changed, and for each line that is dangerous.

    `files` are the paths of the whole repository: a lock file may stand beside a manifest without having changed.
    """
    changes = [change for change in changes if not (is_test(change.path) or is_generated(change.path))]
    known = {name for change in changes for name in _names(change.path, change.before or "")}
    found = [one for change in changes for one in _about_manifest(change, known)]
    found += [one for change in changes if is_lock(change.path) for one in _about_lock(change)]
    return (*found, *_out_of_step(changes, files), *_unread(changes))


def _names(path: str, text: str) -> set[tuple[str, str]]:
    manifest = manifest_of(path, text)
    return {(manifest.ecosystem, one.name) for one in manifest.requires}


# --- manifests --------------------------------------------------------------------------------------------------


def _about_manifest(change: Change, known: Collection[tuple[str, str]]) -> Iterator[Finding]:
    before, after = (manifest_of(change.path, text or "") for text in (change.before, change.after))
    was, now = _by_name(before), _by_name(after)
    if said := [*_came_and_went(was, now), *_loosened(was, now)]:
        yield _finding(DEPENDS, "P2" if any(one[:5] != "moves" for one in said) else "P3", change, "; ".join(said))
    for name in now:
        fresh = [one for one in now[name] if one not in was.get(name, ())]
        if name not in was and (after.ecosystem, name) not in known and (meant := looks_like(name, after.ecosystem)):
            text = f"asks for {name!r}, one letter away from {meant!r}: which of them is meant?"
            yield _finding(LOOKALIKE, "P1", change, text, name)
        for one in fresh:
            if one.source and not one.is_local and _place(one) not in map(_place, was.get(name, ())):
                text = f"takes {name!r} from {_short(one.source)}, where no index keeps what it holds"
                yield _finding(ELSEWHERE, "P1", change, text, one.source.removeprefix("git+"))
    yield from _about_install(change, before, after)


def _about_install(change: Change, before: Manifest, after: Manifest) -> Iterator[Finding]:
    for address in after.indexes:
        if address not in before.indexes:
            text = f"takes packages from another index: {_short(address)}"
            yield _finding(ELSEWHERE, "P1", change, text, address)
    for script in after.scripts:
        if script not in before.scripts:
            name, command = script
            text = f"runs a command on every machine that installs it ({name}): {_short(command)}"
            yield _finding(RUNS, "P1", change, text, f'"{name}"')


def _by_name(manifest: Manifest) -> dict[str, tuple[Requirement, ...]]:
    found: dict[str, tuple[Requirement, ...]] = {}
    for one in manifest.requires:
        found[one.name] = (*found.get(one.name, ()), one)
    return found


_Named = Mapping[str, tuple[Requirement, ...]]


def _came_and_went(was: _Named, now: _Named) -> Iterator[str]:
    added = [_spelled(now[name]) for name in now if name not in was]
    removed = [name for name in was if name not in now]
    moved = [
        f"{name} from {_versions(was[name])} to {_versions(now[name])}"
        for name in now
        if name in was and _versions(was[name]) != _versions(now[name])
    ]
    for word, some in (("adds", added), ("removes", removed), ("moves", moved)):
        if some:
            yield f"{word} {_listed(some)}"


def _loosened(was: _Named, now: _Named) -> Iterator[str]:
    """What may be anything now, where all others are held more tightly."""
    for level, word in ((_BOUND, "any version"), (_PINNED, "a range of versions")):
        others = [name for name in now if name in was and now[name] == was[name]]
        tight = [name for name in others if _tightness(now[name]) >= level]
        loose = [name for name in now if now[name] != was.get(name) and _tightness(now[name]) == level - 1]
        if loose and len(tight) == len(others) >= _LEAST_TIGHT:
            yield f"lets {_listed(loose)} be {word}, where the others are held to theirs"


_BOUND, _PINNED = 1, 2
_LEAST_TIGHT = 2
_EXACTLY = re.compile(r"={2,3}[^,*]+|=?v?\d+\.\d+\.\d+[\w.+-]*")


def _tightness(asked: tuple[Requirement, ...]) -> int:
    """0 where any version will do, 1 where some will, 2 where only one will; what comes from a place is held by it."""
    return min(
        _PINNED if one.source or _EXACTLY.fullmatch(one.versions) else _BOUND if one.versions else 0 for one in asked
    )


def _spelled(asked: tuple[Requirement, ...]) -> str:
    versions = _versions(asked)
    return asked[0].name if versions == "any" else f"{asked[0].name} ({versions})"


def _versions(asked: tuple[Requirement, ...]) -> str:
    return " or ".join(dict.fromkeys(_short(one.source or one.versions) or "any" for one in asked))


def _listed(some: list[str]) -> str:
    more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
    return ", ".join(some[:SHOWN]) + more


_COMMIT = re.compile(r"[@#][\w./-]*$|\.git$")


def _place(asked: Requirement) -> str:
    """Where something comes from, whichever version of it."""
    return _COMMIT.sub("", _COMMIT.sub("", asked.source))


def _short(text: str) -> str:
    """A source or command in a line, without the password that an address may hold."""
    return re.sub(r"://[^/@\s]+@", "://…@", text)[:120]


# --- lock files -------------------------------------------------------------------------------------------------

_FROM = re.compile(r"(?:resolved|url|source|registry|tarball|index|git)\W+.*?(?:https?|git\+\w+|ssh)://([\w.-]+)")


def _about_lock(change: Change) -> Iterator[Finding]:
    """Hosts that packages come from now and did not."""
    if change.before is None:
        return
    known = {*_FROM.findall(change.before)}
    for line in lines_added(change):
        for host in _FROM.findall(line.text):
            if known and host not in known:
                known.add(host)
                text = f"takes packages from another place than before: {host}"
                yield Finding(check=ELSEWHERE, severity="P1", text=text, path=change.path, line=line.number)


_LOCKED_BY = {
    "pyproject.toml": ("uv.lock", "poetry.lock", "pdm.lock"),
    "package.json": ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"),
    "Cargo.toml": ("Cargo.lock",),
    "go.mod": ("go.sum",),
    "Pipfile": ("Pipfile.lock",),
}


def _out_of_step(changes: Collection[Change], files: Collection[str]) -> Iterator[Finding]:
    """A lock file that says something new of what nobody asked anew, and what was asked anew that no lock file says."""
    changed = {PurePosixPath(change.path) for change in changes}
    asking = {where.name for where in changed}
    for change in changes:
        where = PurePosixPath(change.path)
        manifest = next((name for name, locks in _LOCKED_BY.items() if where.name in locks), "")
        if manifest and change.before is not None and change.after is not None and manifest not in asking:
            text = f"other packages are installed than before, and no {manifest} asks for them"
            yield _finding(OUT_OF_STEP, "P3", change, text)
        locks = {str(where.with_name(name)) for name in _LOCKED_BY.get(where.name, ())} & {*files}
        if locks and not locks & {*map(str, changed)} and _asks_anew(change):
            text = f"asks for other packages than {PurePosixPath(min(locks)).name} holds, which did not change"
            yield _finding(OUT_OF_STEP, "P2", change, text)


def _asks_anew(change: Change) -> bool:
    before, after = (manifest_of(change.path, text or "").requires for text in (change.before, change.after))
    return {*before} != {*after}


_UNREAD = re.compile(r"(?:^|/)(?:pom\.xml|build\.gradle(?:\.kts)?|[\w.-]+\.csproj|Gemfile|composer\.json|Pipfile)$")


def _unread(changes: Collection[Change]) -> Iterator[Finding]:
    for change in changes:
        if _UNREAD.search(change.path):
            yield _finding(DEPENDS, "P3", change, "may change what the project depends on: not checked")


def _finding(check: str, severity: Severity, change: Change, text: str, at: str = "") -> Finding:
    lines = (change.after or "").splitlines() if at else []
    line = next((number for number, one in enumerate(lines, 1) if at.lower() in one.lower()), 0)
    return Finding(check=check, severity=severity, text=text, path=change.path, line=line)
