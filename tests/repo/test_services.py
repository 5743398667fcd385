"""What a repository says of itself, and how clearly a mistake in it is named."""

import anyio
import pytest

from shopfloor.domain.errors import GiveUp
from shopfloor.repo.discovery import Commands, Found
from shopfloor.repo.services import App, Judging, Services, Setup, commands_at, parse_services, services_at

WHOLE = """
[setup]
command = "pip install -r requirements.txt"
lock = ["requirements.txt", "sub/package-lock.json"]
network = true

[commands]
test = "python3 -m pytest"
types = "pyright"
lint = "ruff check ."
build = ""

[app]
start = "python app.py"
health = "/health"
port = 9000
stop = "kill %1"

[judge]
timeout_s = 30
"""


def test_a_whole_file_is_read() -> None:
    """Every key there is."""
    assert parse_services(WHOLE.encode(), "services.toml") == Services(
        setup=Setup(
            command="pip install -r requirements.txt", lock=("requirements.txt", "sub/package-lock.json"), network=True
        ),
        commands=Commands(test="python3 -m pytest", types="pyright", lint="ruff check .", build=""),
        app=App(start="python app.py", health="/health", port=9000, stop="kill %1"),
        judge=Judging(timeout_s=30.0),
    )


def test_an_empty_file_is_fine() -> None:
    """Nothing has to be said."""
    assert parse_services(b"", "services.toml") == Services()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[commands]\ntest = 3", "commands.test"),
        ("[commands]\ntests = 'x'", "tests"),
        ("[comands]\ntest = 'x'", "comands"),
        ("[app]\nport = 'x'", "app.port"),
        ("[app]\nport = 70000", "app.port"),
        ("[app]\nstart = ' '", "app.start"),
        ("[setup]\nlock = 'x'", "setup.lock"),
        ("[setup]\nlock = ['ok', '../x']", "setup.lock"),
        ("[setup]\nlock = ['/etc/passwd']", "setup.lock"),
        ("[setup]\nlock = ['a/../b']", "setup.lock"),
        ("[judge]\ntimeout_s = 0", "judge.timeout_s"),
        ("app = 3", "app"),
        ("[app", "no valid TOML"),
    ],
)
def test_a_mistake_is_named(text: str, named: str) -> None:
    """The file, the key and what to do, in one line."""
    with pytest.raises(GiveUp) as caught:
        parse_services(text.encode(), ".shopfloor/services.toml")

    assert "'.shopfloor/services.toml'" in str(caught.value)
    assert named in str(caught.value)


def test_bytes_that_are_no_text_are_named() -> None:
    """A file that is no UTF-8 is no TOML either."""
    with pytest.raises(GiveUp, match=r"no valid TOML"):
        parse_services(b"\xff\xfe", "services.toml")


def test_the_file_is_read_from_the_commit_not_from_the_disk(person, make_shop) -> None:
    """What a worker, or the person, has changed since does not count."""
    person.write(".shopfloor/services.toml", "[commands]\ntest = 'true'\n")
    person.write("test_app.py", "import unittest\n")
    person.commit("with services")
    shop = make_shop(person.top)
    person.write(".shopfloor/services.toml", "[commands]\ntest = 'false'\n")

    services = anyio.run(services_at, shop.store, shop.base)
    commands = anyio.run(commands_at, shop.store, shop.base)

    assert services.commands == Commands(test="true")
    assert commands.test == Found(command="true", why=".shopfloor/services.toml says so")


def test_what_the_file_leaves_open_is_found(person, make_shop) -> None:
    """A key that is missing is looked for; an empty one means there is none."""
    person.write("services.toml", "[commands]\ntest = ''\n")
    person.write("test_app.py", "import unittest\n")
    person.write("ruff.toml", "")
    person.commit("with services")
    shop = make_shop(person.top)

    commands = anyio.run(commands_at, shop.store, shop.base)

    assert commands.test is None
    assert commands.lint == Found(command="ruff check .", why="there is a ruff.toml")


def test_two_services_files_are_one_too_many(person, make_shop) -> None:
    """Nobody has to know which one wins."""
    person.write("services.toml", "")
    person.write(".shopfloor/services.toml", "")
    person.commit("both")
    shop = make_shop(person.top)

    with pytest.raises(GiveUp, match="keep one"):
        anyio.run(services_at, shop.store, shop.base)


def test_a_repository_without_one_has_empty_services(shop) -> None:
    """Most repositories have none."""
    assert anyio.run(services_at, shop.store, shop.base) == Services()
