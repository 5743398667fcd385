"""What every value of the domain is made of: a frozen record that cannot be changed once written.

msgspec's Struct rather than a dataclass: unions are closed by a tag in the data itself, decoding
validates, and a hundred thousand events read back in well under a second (bench/journal.py).
It does not know where facts are stored.
"""

from typing import dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value that is never changed. Subclasses in a union carry a tag, so that the union is closed."""
