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
    published="Users type:\n```sh\n$ orders --help\nnpm run orders -- list\njava -jar orders.jar list\n```\n"
    "It is written in `python`; `TODO_FILE` and `PYTHONPATH` name files. Try `curl http://localhost/`, "
    "`python3 -m http.server`, `make serve`, `timeout 5 orders list`.",
    start="exec sh serve.sh --port 8000",
)

FILES = ("orders/__main__.py", "orders/store.py", "bin/orders", "serve.sh", "orders.jar", "Makefile")
PUBLISHED = published(CONTRACT, FILES, lambda program: program in ("curl", "make", "timeout", "cat", "echo", "bash"))


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
        ("orders add issue#5 http://x/#f", "orders add 'issue#5' 'http://x/#f'"),
        ("orders add 'a  b\tc'", "orders add 'a  b\tc'"),
        ("java -jar orders.jar add beer", "java -jar orders.jar add beer"),
        ("TODO_FILE=/tmp/x orders", "env TODO_FILE=/tmp/x orders"),
        ("curl  http://localhost/", "curl http://localhost/"),
    ],
)
def test_what_is_published_can_be_started(command: str, started: str | None) -> None:
    """A product's program takes any arguments, as plain words; other programs run in the published words only."""
    if started is None:
        with pytest.raises(AskModelAgain, match="more than one program"):
            PUBLISHED.admit(command)
    else:
        assert PUBLISHED.admit(command) == started


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
        "npm run orders",
        "python",
        "PYTHONPATH=/tmp orders",
        "curl file:///repo/orders/store.py",
        "timeout 5 cat orders/store.py",
        "make serve '--eval=$(info x)'",
        "python3 -m http.server --directory /repo",
        "python3 orders/store.py -i",
        "sh",
        "'unclosed",
        "",
    ],
)
def test_what_shows_the_source_cannot(command: str) -> None:
    """A shell, a pager, an interpreter that reads from the keyboard: each is told back what is published."""
    with pytest.raises(AskModelAgain):
        PUBLISHED.admit(command)


def test_the_published_programs_are_told() -> None:
    """A judge that guessed wrong can go on with what there is."""
    with pytest.raises(AskModelAgain, match=r"`orders --help`; .*`python3 -m orders`"):
        PUBLISHED.admit("bash")
