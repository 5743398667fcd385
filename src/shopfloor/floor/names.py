"""What a job is called: a few words of what it is about. Pure; it does not know which names are taken."""

import re

_SAYS_NOTHING = re.compile(r"an?|and|as|be|for|from|in|is|it|of|on|or|please|that|the|to|with")


def slug(text: str) -> str:
    """The first words that say something, fit for a branch; "" where there are none."""
    words = [word for word in re.findall(r"[a-z0-9]+", text.lower()) if not _SAYS_NOTHING.fullmatch(word)]
    return "-".join(words[:4])[:40].strip("-")
