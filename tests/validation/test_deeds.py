"""What an assertion names to the letter: a judge who did not do it cannot say that it passed."""

import pytest

from shopfloor.domain.contract import Assertion, Contract, Surface
from shopfloor.validation.deeds import for_users, undone
from shopfloor.validation.published import Published, published


def assertion(surface: Surface, behaviour: str) -> Assertion:
    return Assertion(id="A-1", title="A", behaviour=behaviour, surface=surface)


def of_contract(one: Assertion) -> Published:
    contract = Contract(title="T", assertions=(one,), published="`python3 temp.py VALUE FROM TO`, `todo`")
    return published(
        for_users(contract), ("temp.py", "bin/todo"), lambda program: program in ("cat", "echo", "python3")
    )


@pytest.mark.parametrize(
    ("behaviour", "steps", "missing"),
    [
        ("`python3 temp.py 100 C F` prints 212.0", ['start "python3 temp.py 100 C F"'], []),
        ("`python3 temp.py 100 C F` prints 212.0", ['start "python3 temp.py 1 C F"'], ["python3 temp.py 100 C F"]),
        ("`python3 temp.py 100 C F` prints 212.0", ["restart of the product"], ["python3 temp.py 100 C F"]),
        ("`todo add 'two words'` adds", ['start "exec todo add \\"two words\\""'], []),
        ("`python temp.py a` fails", ['start "env LANG=C python3 temp.py a"'], []),
        ("`todo` with no words lists", ['start "todo list"'], []),
        ("`todo` with no words lists", ['start "python3 temp.py"'], ["todo"]),
        ("`todo add TITLE` adds; `todo rm <id>` and `todo [-v]` work", [], []),
        ("typing `add milk` adds, `0 words` is shown, `todo.json` keeps it", [], []),
        ("`echo 5 | todo sum` prints 5", [], []),
    ],
)
def test_a_command_is_run_as_it_is_named(behaviour: str, steps: list[str], missing: list[str]) -> None:
    """With the same arguments, however they are quoted; a place for words of the judge's own names no command."""
    one = assertion("terminal", behaviour)
    assert undone(one, of_contract(one), steps) == missing


@pytest.mark.parametrize(
    ("behaviour", "steps", "missing"),
    [
        ("when POST /api/books is sent, then GET /api/books lists it.", ["POST /api/books"], ["GET /api/books"]),
        ("when POST /api/books is sent, then GET /api/books lists it.", ["POST /api/books", "GET /api/books?a=1"], []),
        ("DELETE /books/{id} answers 204", ["DELETE /books/7"], []),
        ("`DELETE /books/999` answers 404", ["DELETE /books/12345"], []),
        ("`DELETE /books/7/tags` answers 404", ["DELETE /books/7"], ["DELETE /books/7/tags"]),
        ("GET / shows it.", ["GET /"], []),
    ],
)
def test_a_request_is_sent_as_it_is_named(behaviour: str, steps: list[str], missing: list[str]) -> None:
    """By method and path; what is another one in each run may be any."""
    one = assertion("http", behaviour)
    assert undone(one, of_contract(one), steps) == missing


def test_a_page_names_nothing_to_the_letter() -> None:
    """What a page does is done with a mouse."""
    one = assertion("web", "`todo list` shows it, as does GET /api/books")
    assert undone(one, of_contract(one), []) == []
