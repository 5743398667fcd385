"""What a judge may start: the product as its users do, and nothing that would show how it is made."""

import pytest

from shopfloor.domain.contract import Assertion, Contract
from shopfloor.domain.errors import AskModelAgain
from shopfloor.validation.published import published

CONTRACT = Contract(
    title="Orders",
    assertions=(
        Assertion(
            id="VAL-ORDERS-001",
            title="lists",
            behaviour="When `python3 -m orders list` is run with `ORDERS_FILE=x.json ./bin/orders`, then it lists.",
            surface="terminal",
            negative="`cat out.csv` never shows a header twice; `echo 5 | orders sum` prints 5.",
        ),
    ),
    published="Users type:\n```\n$ orders --help\nnpm run orders\n```\nData is kept in `orders.json`.",
    start="exec sh serve.sh --port 8000",
)


@pytest.mark.parametrize(
    ("command", "started"),
    [
        ("orders", "orders"),
        ("orders list --since 'last week'", "orders list --since 'last week'"),
        ("exec python3 -m orders add x", "python3 -m orders add x"),
        ("ORDERS_FILE=/tmp/a.json ./bin/orders list", "env ORDERS_FILE=/tmp/a.json ./bin/orders list"),
        ("npm run orders -- list", "npm run orders -- list"),
        ("cat out.csv", "cat out.csv"),
        ("echo 5 | orders sum", "echo 5 | orders sum"),
        ("orders '; cat orders.py'", "orders '; cat orders.py'"),
        ("orders $(cat orders.py)", None),
        ("orders `id`", "orders '`id`'"),
    ],
)
def test_what_is_published_can_be_started(command: str, started: str | None) -> None:
    """A product's program takes any arguments, as plain words; other programs run in the published words only."""
    if started is None:
        with pytest.raises(AskModelAgain, match="more than one program"):
            published(CONTRACT).admit(command)
    else:
        assert published(CONTRACT).admit(command) == started


@pytest.mark.parametrize(
    "command",
    [
        "bash",
        "cat orders.py",
        "cat out.csv orders.py",
        "python3",
        "python3 -c 'print(open(\"orders.py\").read())'",
        "python3 -i -m orders",
        "python3 -m pdb -m orders",
        "PYTHONINSPECT=1 python3 -m orders",
        "orders; cat orders.py",
        "orders && bash",
        "npm run test",
        "sh",
        "'unclosed",
        "",
    ],
)
def test_what_shows_the_source_cannot(command: str) -> None:
    """A shell, a pager, an interpreter that reads from the keyboard: each is told back what is published."""
    with pytest.raises(AskModelAgain):
        published(CONTRACT).admit(command)


def test_the_published_programs_are_told() -> None:
    """A judge that guessed wrong can go on with what there is."""
    with pytest.raises(AskModelAgain, match=r"`orders`; .*`python3 -m orders`"):
        published(CONTRACT).admit("bash")
