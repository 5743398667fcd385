"""What a change does to the terms that the code may be used under.

Pure findings: a licence file that is gone, is another licence now or says something else, and an added file that
speaks of terms which are not the repository's own. It knows licences by their opening words and their identifiers, and
is no lawyer: whether two may stand side by side is for a person to say.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from shopfloor.domain.mission import Finding, Severity
from shopfloor.repo.sources import is_generated, is_lock, is_test
from shopfloor.validation.findings.changes import Change

CHANGED, FOREIGN = "licence-changed", "licence-foreign"
HEAD = 3_000
"""Characters at a file's beginning in which its terms stand, if it says them."""

_FILE = re.compile(r"(?:un)?licen[cs]e|copying|notice", re.IGNORECASE)
_WORDS = (
    ("AGPL", r"gnu affero general public licen[cs]e"),
    ("LGPL", r"gnu (?:lesser|library) general public licen[cs]e"),
    ("GPL", r"gnu general public licen[cs]e"),
    ("Apache", r"apache licen[cs]e,? +version|licensed under the apache licen[cs]e"),
    ("MPL", r"mozilla public licen[cs]e"),
    ("EPL", r"eclipse public licen[cs]e"),
    ("BSD", r"redistribution and use in source and binary forms"),
    ("MIT", r"permission is hereby granted, free of charge, to any person obtaining a copy of this software"),
    ("ISC", r"permission to use, copy, modify, and/?o?r? distribute this software for any"),
    ("Unlicense", r"this is free and unencumbered software"),
    ("BUSL", r"business source licen[cs]e"),
    (
        "proprietary",
        r"all rights reserved\.? (?:unauthori[sz]ed|proprietary|confidential)|proprietary and confidential",
    ),
)
_IDENTIFIER = re.compile(r"SPDX-License-Identifier:\s*\(?([\w.+-]+(?:[ \t]+(?:OR|AND|WITH)[ \t]+[\w.+-]+)*)")
_FAMILY = re.compile(r"^(AGPL|LGPL|GPL|Apache|MPL|EPL|BSD|0BSD|MIT|ISC|Unlicense|BUSL)", re.IGNORECASE)
_DECLARED = re.compile(r"""^\s*["']?licen[cs]e["']?\s*[:=]\s*(?:\{\s*text\s*=\s*)?["']([\w .+-]+)["']""", re.MULTILINE)


def licences(changes: Collection[Change], own: Mapping[str, str]) -> tuple[Finding, ...]:
    """A finding for each licence that changed, and for each added file under another.

    `own` holds those of the base's files that `says_terms`.
    """
    terms = {term for path, text in own.items() for term in _own_terms(path, text)}
    found = [one for change in changes if _is_licence(change.path) for one in _about_licence(change, changes)]
    added = [change for change in changes if change.before is None and change.after and _may_say(change.path)]
    return (*found, *(one for change in added for one in _about_added(change, terms)))


def says_terms(path: str) -> bool:
    """Whether a file at a repository's top may say what its terms are."""
    return ("/" not in path and _is_licence(path)) or path in (
        "pyproject.toml",
        "setup.cfg",
        "package.json",
        "Cargo.toml",
    )


def _is_licence(path: str) -> bool:
    where = PurePosixPath(path)
    folder = {part.lower() for part in where.parts[:-1]}
    explains = bool(folder & {"doc", "docs"})
    stem = where.name.lower().split(".")[0]
    plain = where.suffix.lower() in ("", ".txt", ".md", ".rst") or bool(re.fullmatch(r"\.\w+-?\d*\.?\d*", where.suffix))
    return (
        not (is_test(path) or explains)
        and plain
        and (bool(_FILE.match(stem)) or "licenses" in folder)
        and where.suffix != ".py"
    )


def _about_licence(change: Change, changes: Collection[Change]) -> Iterator[Finding]:
    was, now = (licence_of(text or "") for text in (change.before, change.after))
    if change.before is None:
        return
    if change.after is None or not change.after.strip():
        moved = any(other.after == change.before for other in changes if other.path != change.path)
        if not moved:
            yield _finding(CHANGED, "P1", change, f"the licence is gone{_named(was)}")
    elif was != now and (was or now):
        yield _finding(
            CHANGED, "P1", change, f"the licence was {was or 'none that is known'}, and is {now or 'none'} now"
        )
    elif _squeezed(change.before) != _squeezed(change.after):
        yield _finding(CHANGED, "P2", change, f"the words of the licence changed{_named(was)}")


def _named(licence: str) -> str:
    return f": it was {licence}" if licence else ""


_YEARS = re.compile(r"(?:©|\(c\))?\s*\b(?:19|20)\d\d\b(?:\s*[-–,]\s*(?:(?:19|20)\d\d|present))*", re.IGNORECASE)


def _squeezed(text: str) -> str:
    """Without spaces and years, which a new one changes for everybody."""
    return re.sub(r"\s+", "", _YEARS.sub("", text))


def licence_of(text: str) -> str:
    """The licence that a text opens with, with its version where it says one; "" if none is known."""
    head = text[:HEAD]
    if found := _IDENTIFIER.search(head):
        return found[1]
    flat = re.sub(r"[\s#*/;%]+", " ", head).lower()
    places = [(found.start(), name, found.end()) for name, words in _WORDS if (found := re.search(words, flat))]
    if not places:
        return ""
    _, name, end = min(places)
    version = (
        re.match(r"[^.]{0,20}?version (\d(?:\.\d)?)", flat[end - 8 :]) if name not in ("MIT", "BSD", "ISC") else None
    )
    return f"{name}-{version[1]}" if version else name


def _family(licence: str) -> set[str]:
    """The kinds of licence that an expression offers."""
    names = re.split(r"\s+(?:OR|AND|WITH)\s+", licence)
    return {found[1].upper().removeprefix("0") for name in names if (found := _FAMILY.match(name))} or {licence.upper()}


def _own_terms(path: str, text: str) -> set[str]:
    if _is_licence(path):
        licence = licence_of(text)
        return _family(licence) if licence else set()
    return {family for declared in _DECLARED.findall(text) for family in _family(declared)}


def _may_say(path: str) -> bool:
    return not (is_test(path) or is_lock(path) or is_generated(path)) and not path.endswith((".md", ".rst", ".json"))


def _about_added(change: Change, own: Collection[str]) -> Iterator[Finding]:
    licence = licence_of(change.after or "")
    if licence and own and not _family(licence) & {*own}:
        text = f"comes under {licence}, and the repository is under {' or '.join(sorted(own))}"
        yield _finding(FOREIGN, "P2", change, text)


def _finding(check: str, severity: Severity, change: Change, text: str) -> Finding:
    return Finding(check=check, severity=severity, text=text, path=change.path)
