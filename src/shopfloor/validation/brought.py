"""What a change brings along beside what was asked for: credentials, other terms, strangers' packages, dead code.

Asks the store for the little that the change's own texts do not say, and leaves the judging to pure findings. It runs
nothing of the work, and does not know who did it.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from shopfloor.domain.mission import Finding
from shopfloor.repo.store import Store
from shopfloor.validation.findings.changes import Change, words_in
from shopfloor.validation.findings.dependencies import ELSEWHERE, RUNS, dependencies
from shopfloor.validation.findings.licences import CHANGED, licences, says_terms
from shopfloor.validation.findings.secrets import secrets
from shopfloor.validation.findings.syntax import unreadable
from shopfloor.validation.findings.unused import names_of, sources_of, unused

MEANT = frozenset((CHANGED, ELSEWHERE, RUNS))
"""What an author may mean who works for no contract: it is told, and refuses nobody."""


async def brought(
    store: Store, base: str, commit: str, changes: Sequence[Change], sealed: Mapping[str, bytes], *, by_contract: bool
) -> tuple[Finding, ...]:
    """Findings about what is new between two commits. `sealed` are files that judge it and need not be in either."""
    texts = [change for change in changes if "\0" not in (change.before or "") + (change.after or "")]
    sources = sources_of(texts)
    said = await _said(store, commit, names_of(sources), [change.path for change in texts], sealed.values())
    found = (
        *secrets(texts),
        *licences(texts, await _terms(store, base)),
        *dependencies(texts, await store.files(commit)),
        *unused(texts, sources, said),
        *unreadable(texts),
    )
    return found if by_contract else tuple(_told(finding) for finding in found)


def _told(finding: Finding) -> Finding:
    if finding.check in MEANT and finding.refuses:
        return msgspec.structs.replace(finding, severity="P2")
    return finding


async def _said(
    store: Store, commit: str, names: frozenset[str], changed: Sequence[str], sealed: Iterable[bytes]
) -> frozenset[str]:
    """Which names stand as words in files that did not change, or in those that judge the work."""
    if not names:
        return names
    by_judges = {word for content in sealed for word in words_in(content.decode(errors="replace"))}
    return await store.mentioned(commit, names, outside=changed) | (names & by_judges)


async def _terms(store: Store, base: str) -> dict[str, str]:
    """The files at the base's top that say what may be done with its code."""
    paths = [path for path in await store.files(base) if says_terms(path)]
    shown = {path: await store.show(base, path) or b"" for path in paths}
    return {path: content.decode(errors="replace") for path, content in shown.items()}
