"""Is a command read-only? Proven by what is known of each program, never guessed from its name alone.

Options are matched one by one wherever they stand, also behind `--` and where a program would take them for the value
of another: that refuses a few harmless commands, and no harmful one can hide an option.
It does not know which files exist, nor whether a program of the list is really the one on the machine.
"""

from shopfloor.guard.programs import GIT, PROGRAMS, Reader
from shopfloor.guard.words import Command, Word, simple_commands

LONGEST = 2_000


def is_read_only(command: str) -> bool:
    """Whether every part of this command is proven to write nothing and to start nothing else."""
    if len(command) > LONGEST:
        return False
    commands = simple_commands(command)
    return commands is not None and all(_proven(words) for words in commands) and not _git_elsewhere(commands)


def _proven(words: Command) -> bool:
    name, *rest = words
    if name.globbed:
        return False
    if name.text == "git":
        return _git_proven(rest)
    reader = PROGRAMS.get(name.text)
    return reader is not None and _fits(reader, rest)


def _git_proven(words: list[Word]) -> bool:
    """Git's own options name programs to run, so only `--no-pager` may stand before the subcommand."""
    if words and words[0].text == "--no-pager":
        words = words[1:]
    if not words or any("%G" in word.text for word in words):  # %G asks gpg about a signature
        return False
    reader = GIT.get(words[0].text)
    return reader is not None and _fits(reader, words[1:])


def _git_elsewhere(commands: tuple[Command, ...]) -> bool:
    """After `cd`, git may meet a repository that the agent wrote itself, whose config names a program to run."""
    names = [words[0].text for words in commands]
    return "cd" in names and "git" in names


def _fits(reader: Reader, words: list[Word]) -> bool:
    if not reader.globs and any(word.globbed for word in words):
        return False
    texts = tuple(word.text for word in words)
    operands = [text for text in texts if not text.startswith("-") or text == "-"]
    return (
        (reader.most is None or len(operands) <= reader.most)
        and all(_option_fits(reader, text) for text in texts if text.startswith("-") and text not in ("-", "--"))
        and (reader.also is None or reader.also(texts))
    )


def _option_fits(reader: Reader, text: str) -> bool:
    if reader.short == "*":
        return True
    if text.startswith("--"):
        return text[2:].partition("=")[0] in reader.long
    for letter in text[1:]:
        if letter in reader.valued:
            return True
        if letter not in reader.short and not (letter in "0123456789" and "0" in reader.short):
            return False
    return True
