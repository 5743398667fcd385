"""Prompts from fragments: stable ones first, each within its cap, no gap left open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.agent.roles import ROLES
from shopfloor.context.prompt import Fragment, Stability, assemble, capped, fill
from shopfloor.context.repository import MAP_FILES, RULES_CAP, map_fragment, rules_fragment
from shopfloor.domain.errors import Broken


def fragment(text: str, cap: int = 1_000, stability: Stability = "task") -> Fragment:
    return Fragment(source="a source", text=text, cap=cap, stability=stability)


def test_what_more_agents_share_comes_first() -> None:
    """So that agents of one role, and of one repository, share the longest prefix; order within a kind is kept."""
    parts = [
        fragment("task 1"),
        fragment("repository", stability="repository"),
        fragment("task 2"),
        fragment("role", stability="role"),
    ]
    assert assemble(parts) == "role\n\nrepository\n\ntask 1\n\ntask 2\n"


def test_an_empty_fragment_leaves_no_trace() -> None:
    """No blank section, no double gap."""
    assert assemble([fragment("one"), fragment(" \n"), fragment("two\n\n")]) == "one\n\ntwo\n"


def test_a_fragment_within_its_cap_is_untouched() -> None:
    """To the last byte."""
    assert capped(fragment("ä" * 50, cap=100)) == "ä" * 50


def test_a_longer_one_is_cut_at_a_line_s_end_and_says_so() -> None:
    """Whoever reads it knows that there is more, how much, and of what."""
    text = "\n".join(f"line {number:03}" for number in range(100))
    cut = capped(fragment(text, cap=200))

    *lines, last = cut.splitlines()
    assert lines == [f"line {number:03}" for number in range(len(lines))]
    missing = len(text) - len("\n".join(lines))
    assert last == f"[… a source: {missing:,} more bytes left out]"


@given(st.text(), st.integers(100, 400))
def test_no_fragment_is_larger_than_its_cap(text: str, cap: int) -> None:
    """The note on what is missing counts too."""
    assert len(capped(fragment(text * 20, cap=cap)).encode(errors="replace")) <= cap


def test_gaps_are_filled_with_what_is_given_word_for_word() -> None:
    """A value may itself look like a gap: it is text, and stays it."""
    assert fill("At {{address}}.", {"address": "{{address}}"}) == "At {{address}}."


@pytest.mark.parametrize("values", [{}, {"adress": "x"}, {"address": "x", "more": "y"}])
def test_a_gap_without_a_value_or_a_value_without_a_gap_is_a_bug(values: dict[str, str]) -> None:
    """A prompt never goes out with a hole in it."""
    with pytest.raises(Broken, match="address"):
        fill("At {{address}}.", values)


def test_a_small_repository_is_shown_whole_and_a_large_one_by_folders() -> None:
    """The map is a map: at most a few hundred lines, whatever the repository."""
    small = map_fragment(["README.md", "src/a.py"])
    assert capped(small) == "# Files (2)\n\nREADME.md\nsrc/a.py"
    files = [f"src/part_{number % 3}/deep/er/still/file_{number}.py" for number in range(MAP_FILES + 1)]
    large = map_fragment([*files, "setup.py"])
    assert large.text.splitlines()[2:] == [
        "./ (1 files)",
        "src/part_0/deep/ (41 files)",
        "src/part_1/deep/ (40 files)",
        "src/part_2/deep/ (40 files)",
    ]


def test_the_repository_s_rules_are_quoted_as_its_own() -> None:
    """With their file's name, and within a cap: they are a stranger's words."""
    rules = rules_fragment("AGENTS.md", "Be kind.\n" * 2_000)
    assert rules.text.startswith("# The repository's own rules (AGENTS.md)\n\nBe kind.\n")
    assert rules.cap == RULES_CAP
    assert len(capped(rules).encode()) <= RULES_CAP


def test_every_role_has_tools_and_an_end() -> None:
    """Only the solo agent may leave by words; nobody has a tool twice."""
    assert [name for name, role in ROLES.items() if not role.finish] == ["solo"]
    assert all(len(set(role.tools)) == len(role.tools) for role in ROLES.values())
    assert not {"edit", "write", "shell"} & {*ROLES["reviewer"].tools, *ROLES["user-tester"].tools}
