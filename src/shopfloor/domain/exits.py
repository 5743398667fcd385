"""The names under which a loop is left, at every scale: an agent's turns, a feature's attempts, a mission."""

from typing import Literal, TypeAlias

Exit: TypeAlias = Literal["done", "stuck", "out_of_budget", "out_of_time", "stopped", "needs_person", "gave_up"]
