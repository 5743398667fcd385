"""The programs that only read, each with the options it may be given; one option outside, and nothing is proven.

To add a program, read its whole manual for what writes, runs or connects, and leave that out.
It does not know how a command line is taken apart.
"""

import re
from collections.abc import Callable, Mapping

from shopfloor.domain.fact import Fact


class Reader(Fact):
    """What a read-only program may be given.

    `short` are letters of options ("0" stands for any digit, as in `-12`), `valued` letters that take the rest of
    their word, `long` whole names; "*" in `short` allows any option, for programs that have none that write or run.
    `globs` allows file patterns: only where no file's name could be read as a harmful option or operand.
    """

    short: str = ""
    valued: str = ""
    long: frozenset[str] = frozenset()
    most: int | None = None
    """How many words that are no options it may have; None for any number."""
    globs: bool = False
    also: Callable[[tuple[str, ...]], bool] | None = None
    """A last look at all its words."""


def _names(*lines: str) -> frozenset[str]:
    return frozenset(name for line in lines for name in line.split())


# --- programs whose words need a closer look ----------------------------------------------------------------------

_ADDRESS = r"(?:\d+|\$|/[^/\\]*/)"
_PRINT = re.compile(rf"{_ADDRESS}(?:,{_ADDRESS})?p(?:;{_ADDRESS}(?:,{_ADDRESS})?p)*", re.ASCII)
_FORMAT = re.compile(r"(?:[^%]|%%|%[-0-9. ]*[sdxcbq])*")
_TESTS = _names("-a -b -c -d -e -f -g -h -k -L -n -o -p -r -s -S -u -w -x -z -eq -ne -lt -le -gt -ge -nt -ot -ef")
_FIND = _names(
    "-name -iname -path -ipath -wholename -regex -iregex -regextype -type -xtype -maxdepth -mindepth -depth -mount",
    "-xdev -not -and -or -a -o -print -print0 -printf -ls -size -empty -newer -mtime -mmin -ctime -cmin -atime -amin",
    "-perm -user -group -links -inum -readable -writable -executable -true -false -prune -quit -follow -L -H -P",
)
_ASKS_FOR_BRANCHES = _names("--list --contains --no-contains --merged --no-merged --points-at")


def _prints_lines(words: tuple[str, ...]) -> bool:
    """`sed -n` with a script that only prints: anything else of sed's language can write files or run commands."""
    scripts = [word for word in words if not word.startswith("-")]
    quiet = any(word.startswith("-") and "n" in word for word in words)
    return quiet and bool(scripts) and _PRINT.fullmatch(scripts[0]) is not None


def _only_finds(words: tuple[str, ...]) -> bool:
    return all(word in _FIND or word[1:].isdecimal() for word in words if word.startswith("-"))


def _plain_format(words: tuple[str, ...]) -> bool:
    """`printf -v` and the format `%n` set variables, PATH too; some shells run what stands in a number's `[ ]`."""
    if not words or words[0].startswith("-") or any("[" in word for word in words[1:]):
        return False
    return _FORMAT.fullmatch(words[0]) is not None


def _plain_test(words: tuple[str, ...]) -> bool:
    """`test -v` runs what stands in a subscript; in some shells -eq does, too."""
    known = all(word in _TESTS or word[1:].isdecimal() for word in words if word.startswith("-"))
    return known and not any("[" in word for word in words)


def _only_shows_date(words: tuple[str, ...]) -> bool:
    """A bare operand would set the clock."""
    return all(word.startswith(("+", "-")) for word in words)


def _lists_branches(words: tuple[str, ...]) -> bool:
    """A bare name makes a branch, unless a question stands before it. The field `signature` asks gpg."""
    bare = any(not word.startswith("-") for word in words)
    return not any("signature" in word for word in words) and (not bare or words[0] in _ASKS_FOR_BRANCHES)


def _lists_stashes(words: tuple[str, ...]) -> bool:
    return words == ("list",)


# --- the lists ----------------------------------------------------------------------------------------------------

_ANYTHING = Reader(short="*", globs=True)
_ANY_OPTION = _names("ls cat head tail wc grep egrep fgrep nl cut stat pwd echo true false basename dirname which du")

PROGRAMS: Mapping[str, Reader] = {
    **dict.fromkeys(_ANY_OPTION, _ANYTHING),
    "base64": Reader(short="di", valued="w", long=_names("decode wrap ignore-garbage")),
    "cd": Reader(most=1),
    "cmp": Reader(short="bls", valued="n", long=_names("bytes silent quiet verbose print-bytes limit")),
    "date": Reader(
        short="uRI", long=_names("date utc universal iso-8601 rfc-3339 rfc-email reference"), also=_only_shows_date
    ),
    "diff": Reader(
        short="urqNwbBiyaspt0",
        valued="UCWxI",
        long=_names("unified brief recursive new-file ignore-all-space side-by-side exclude color"),
    ),
    "file": Reader(short="bikLh0", long=_names("brief mime mime-type mime-encoding dereference")),
    "find": Reader(short="*", also=_only_finds),
    "printf": Reader(short="*", also=_plain_format),
    "rg": Reader(
        short="nilLcwvFPUSsxNHIopqau.0",
        valued="ABCgtTemdjMr",
        long=_names(
            "line-number ignore-case files-with-matches files-without-match count count-matches word-regexp files",
            "invert-match fixed-strings pcre2 multiline smart-case case-sensitive no-line-number with-filename stats",
            "no-filename only-matching quiet text unrestricted hidden no-ignore no-heading heading color column json",
            "after-context before-context context glob iglob type type-not regexp max-count max-depth max-columns null",
            "sort sortr vimgrep trim type-list",
        ),
    ),
    "sed": Reader(short="nErsuz", long=_names("regexp-extended"), also=_prints_lines),
    "sort": Reader(
        short="nrufbghVMscdiz",
        valued="kt",
        long=_names("numeric-sort reverse unique ignore-case key field-separator human-numeric-sort version-sort"),
    ),
    "test": Reader(short="*", also=_plain_test),
    "tr": Reader(short="*"),
    "tree": Reader(short="adfshpugDrtvUiNqFC0", valued="LIP", long=_names("dirsfirst gitignore noreport du prune")),
    "uniq": Reader(
        short="cduiz0", valued="fsw", long=_names("count repeated unique ignore-case skip-fields skip-chars"), most=1
    ),
}

_HISTORY = Reader(
    short="pquwbsRczim0",
    valued="nUSGMCL",
    long=_names(
        "oneline graph all branches tags remotes decorate no-decorate stat shortstat numstat name-only name-status",
        "summary patch no-patch max-count skip since until after before author committer grep all-match invert-grep",
        "merges no-merges first-parent reverse follow format pretty date abbrev-commit abbrev no-abbrev-commit raw",
        "cached staged word-diff color-words color no-color unified ignore-all-space ignore-space-change diff-filter",
        "ignore-blank-lines find-renames find-copies no-renames minimal patience histogram dirstat relative check",
        "merge-base topo-order date-order left-right cherry-pick no-ext-diff no-textconv exit-code quiet no-index",
        "patch-with-stat full-index",
    ),
)

GIT: Mapping[str, Reader] = {
    "log": _HISTORY,
    "diff": _HISTORY,
    "show": _HISTORY,
    "status": Reader(
        short="sbvz", valued="u", long=_names("short branch porcelain long verbose untracked-files ignored show-stash")
    ),
    "branch": Reader(
        short="arv",
        long=_names(
            "list all remotes verbose show-current contains no-contains merged no-merged sort format points-at"
        ),
        also=_lists_branches,
    ),
    "rev-parse": Reader(
        short="q",
        long=_names(
            "verify quiet short abbrev-ref symbolic-full-name show-toplevel show-prefix show-cdup git-dir all branches",
            "is-bare-repository is-inside-work-tree is-inside-git-dir absolute-git-dir git-common-dir tags",
        ),
    ),
    "ls-files": Reader(
        short="cdmoiskutvz",
        valued="x",
        long=_names("cached deleted modified others ignored stage unmerged exclude exclude-standard error-unmatch eol"),
    ),
    "blame": Reader(
        short="wslcetfnp", valued="LMC", long=_names("porcelain line-porcelain show-email show-name date since")
    ),
    "grep": Reader(
        short="nilLcwvFEPGaIhHopqW0",
        valued="ABCem",
        long=_names(
            "line-number ignore-case files-with-matches name-only files-without-match count word-regexp invert-match",
            "fixed-strings extended-regexp perl-regexp basic-regexp text cached untracked no-index exclude-standard",
            "heading break and or not all-match only-matching quiet column after-context before-context context null",
            "max-count max-depth show-function function-context color no-color",
        ),
    ),
    "ls-tree": Reader(short="rdtlz", long=_names("name-only name-status long full-tree full-name object-only")),
    "cat-file": Reader(short="tpse"),
    "describe": Reader(long=_names("tags all always dirty long abbrev match exclude contains")),
    "shortlog": Reader(short="nse", long=_names("numbered summary email")),
    "merge-base": Reader(short="a", long=_names("all is-ancestor octopus fork-point")),
    "remote": Reader(short="v", most=0),
    "stash": Reader(also=_lists_stashes),
    "tag": Reader(most=0),
}
