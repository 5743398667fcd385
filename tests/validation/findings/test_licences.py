"""What becomes of the terms that the code may be used under."""

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.licences import CHANGED, FOREIGN, licence_of, licences, says_terms

MIT = (
    "MIT License\n\nCopyright (c) 2024 Somebody\n\nPermission is hereby granted, free of charge, to any person "
    "obtaining a copy\nof this software and associated documentation files\n"
)
APACHE = "                              Apache License\n                        Version 2.0, January 2004\n"
GPL = "                    GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007\n"
NAMES = {
    "MIT": MIT,
    "Apache-2.0": APACHE,
    "GPL-3": GPL,
    "AGPL-3": GPL.replace("GENERAL", "AFFERO GENERAL"),
    "LGPL-2.1": GPL.replace("GENERAL", "LESSER GENERAL").replace("Version 3", "Version 2.1"),
    "MPL-2.0": "Mozilla Public License Version 2.0\n",
    "BSD": "Copyright 2024\n\nRedistribution and use in source and binary forms, with or without\n",
    "MIT OR Apache-2.0": "# SPDX-License-Identifier: MIT OR Apache-2.0\n",
    "": "Do what you want.\n",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_licence_is_known_by_its_opening_words(name: str) -> None:
    """Or by its identifier; also in a comment, and over several lines."""
    assert licence_of(NAMES[name]) == name
    assert licence_of("".join(f"# {line}\n" for line in NAMES[name].splitlines())) == name


@pytest.mark.parametrize(
    ("after", "severity", "said"),
    [
        (None, "P1", "the licence is gone: it was Apache-2.0"),
        ("", "P1", "the licence is gone: it was Apache-2.0"),
        (GPL, "P1", "the licence was Apache-2.0, and is GPL-3 now"),
        (APACHE + "\nExcept on Sundays.\n", "P2", "the words of the licence changed: it was Apache-2.0"),
    ],
)
def test_a_licence_that_changes_is_told(after: str | None, severity: str, said: str) -> None:
    """Gone, or of another kind, it refuses the change; other words in it are told."""
    found = licences([Change(path="LICENSE", before=APACHE, after=after)], {"LICENSE": APACHE})

    assert [(one.check, one.severity, one.path, one.text) for one in found] == [(CHANGED, severity, "LICENSE", said)]


def test_a_new_year_and_a_new_place_change_no_licence() -> None:
    """Years and spaces are nobody's terms, and a licence that was moved is still there."""
    later = Change(path="LICENSE", before=MIT, after=MIT.replace("2024", "2024-2026").replace("\n\n", "\n"))
    moved = [Change(path="LICENSE", before=MIT, after=None), Change(path="LICENSE.txt", before=None, after=MIT)]

    assert licences([later], {"LICENSE": MIT}) == ()
    assert licences(moved, {"LICENSE": MIT}) == ()


def test_a_file_under_other_terms_is_told_with_both() -> None:
    """By its own header, beside what the repository's licence or its manifest says."""
    added = Change(path="src/sorting.c", before=None, after="/* SPDX-License-Identifier: GPL-3.0-only */\n")
    theirs = Change(path="src/vendor/LICENSE", before=None, after=GPL)
    text = "comes under GPL-3.0-only, and the repository is under MIT"

    assert [(one.check, one.severity, one.text) for one in licences([added], {"LICENSE": MIT})] == [
        (FOREIGN, "P2", text)
    ]
    assert [one.text for one in licences([added], {"pyproject.toml": '[project]\nlicense = "MIT"\n'})] == [text]
    assert [one.path for one in licences([theirs], {"LICENSE": MIT})] == ["src/vendor/LICENSE"]


def test_a_file_under_the_same_terms_is_not() -> None:
    """Also where one of several may be chosen; and where nobody knows the repository's own, nothing differs from it."""
    added = Change(path="src/a.c", before=None, after="// SPDX-License-Identifier: MIT OR Apache-2.0\n")
    other = Change(path="src/b.c", before=None, after="// SPDX-License-Identifier: GPL-2.0\n")

    assert licences([added], {"LICENSE": APACHE}) == ()
    assert licences([other], {}) == ()
    assert [says_terms(path) for path in ("LICENSE-MIT", "COPYING", "Cargo.toml", "docs/licenses.md", "app.py")] == [
        *(True, True, True, False, False)
    ]
