"""The one shape: when a loop is left, and under which name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.exits import Exit
from shopfloor.domain.spending import Budget, Spent, Usage
from shopfloor.loop import Progress, exit_of

TOKENS = Spent(usage=Usage(fresh=60, cache_read=20, cache_write=10, output=10))
EVERYTHING = Progress(steps=9, spent=Spent(seconds=9, usd=9), done=True, stopped=True, question="?", stuck="circles")


@pytest.mark.parametrize(
    ("progress", "limits", "leave"),
    [
        (Progress(), Budget(), None),
        (Progress(steps=1_000, spent=Spent(usd=1e6, seconds=1e9)), Budget(), None),
        (Progress(done=True), Budget(), "done"),
        (Progress(stopped=True), Budget(), "stopped"),
        (Progress(question="Which?"), Budget(), "needs_person"),
        (Progress(question=""), Budget(), "needs_person"),
        (Progress(stuck="circles"), Budget(), "stuck"),
        (Progress(spent=TOKENS), Budget(tokens=101), None),
        (Progress(spent=TOKENS), Budget(tokens=100), "out_of_budget"),
        (Progress(spent=Spent(usd=0.99)), Budget(usd=1.0), None),
        (Progress(spent=Spent(usd=1.0)), Budget(usd=1.0), "out_of_budget"),
        (Progress(spent=Spent(seconds=59.9)), Budget(seconds=60), None),
        (Progress(spent=Spent(seconds=60)), Budget(seconds=60), "out_of_time"),
        (Progress(steps=4), Budget(steps=5), None),
        (Progress(steps=5), Budget(steps=5), "out_of_budget"),
        (Progress(), Budget(tokens=0), "out_of_budget"),
        (Progress(), Budget(usd=-0.5), "out_of_budget"),
        (Progress(spent=Spent(unpriced=1)), Budget(tokens=100), None),
        (Progress(spent=Spent(unpriced=1)), Budget(usd=100.0), "out_of_budget"),
    ],
)
def test_a_limit_is_left_at_the_moment_it_is_reached(progress: Progress, limits: Budget, leave: Exit | None) -> None:
    """Reached is enough: nobody spends to the limit and then once more. What has no limit never ends by it."""
    assert exit_of(progress, limits) == leave


def test_the_exits_have_an_order() -> None:
    """Done wins over all, then a person's word, then a circle, then time, then money."""
    limits, progress, left = Budget(seconds=1, usd=1, steps=1), EVERYTHING, list[Exit | None]()
    for better in ("done", "stopped", "question", "stuck"):
        left.append(exit_of(progress, limits))
        fields = {name: getattr(progress, name) for name in progress.__struct_fields__}
        progress = Progress(**fields | {better: {"done": False, "stopped": False}.get(better)})
    left.append(exit_of(progress, limits))
    left.append(exit_of(progress, Budget(usd=1)))

    assert left == ["done", "stopped", "needs_person", "stuck", "out_of_time", "out_of_budget"]


@given(
    steps=st.integers(0, 20),
    seconds=st.floats(0, 20),
    tokens=st.integers(0, 20),
    more=st.integers(0, 20),
    limit=st.integers(0, 20),
)
def test_a_loop_that_had_to_leave_has_to_leave_later_too(
    steps: int, seconds: float, tokens: int, more: int, limit: int
) -> None:
    """Nothing that is used up comes back."""
    limits = Budget(steps=limit, seconds=limit, tokens=limit)
    now = Progress(steps=steps, spent=Spent(seconds=seconds, usage=Usage(fresh=tokens)))
    later = Progress(steps=steps + more, spent=now.spent + Spent(seconds=more, usage=Usage(output=more)))

    assert exit_of(now, limits) is None or exit_of(later, limits) is not None
