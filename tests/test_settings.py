"""Settings: four layers, each value with its source, and every mistake named with its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.errors import GiveUp
from shopfloor.domain.spending import Budget
from shopfloor.models.prices import Price
from shopfloor.settings import Provider, Settings, parse_budget, read_settings, state_folder, user_file


def home_with(folder: Path, toml: str) -> dict[str, str]:
    """An environment whose settings file says this."""
    file = folder / "shopfloor" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(toml, encoding="utf-8")
    return {"XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}


def refusal(flags: dict[str, str], environment: dict[str, str]) -> str:
    with pytest.raises(GiveUp) as raised:
        read_settings(flags, environment)
    return str(raised.value)


# --- layers ------------------------------------------------------------------------------------------------------


def test_nothing_set_is_the_defaults(tmp_path: Path) -> None:
    """No file, no variable, no flag: everything has a value, and says that it is a default."""
    found = read_settings({}, {"HOME": str(tmp_path)})

    assert found.settings == Settings()
    assert set(found.sources.values()) == {"default"}


def test_each_layer_wins_over_the_one_before_and_is_named(tmp_path: Path) -> None:
    """Defaults < file < environment < flags."""
    environment = home_with(tmp_path, 'model = "file:m"\nbudget = "1usd"\nauto = "low"\n')
    environment |= {"SHOPFLOOR_MODEL": "env:m", "SHOPFLOOR_AUTO": "high"}

    found = read_settings({"model": "flag:m"}, environment)

    assert (found.settings.model, found.settings.auto, found.settings.budget) == ("flag:m", "high", "1usd")
    named = {key: found.sources[key] for key in ("model", "auto", "budget", "sandbox")}
    file = str(user_file(environment))
    assert named == {"model": "flag", "auto": "environment", "budget": file, "sandbox": "default"}


def test_tables_come_from_the_file(tmp_path: Path) -> None:
    """Models by role, endpoints and prices of one's own."""
    environment = home_with(
        tmp_path,
        """
        [models]
        worker = "ollama:qwen"
        [providers.ours]
        base_url = "https://models.example.org/v1"
        key_env = "OUR_KEY"
        [prices."ours:big"]
        input = 2.5
        output = 10
        """,
    )
    found = read_settings({}, environment).settings

    assert found.models == {"worker": "ollama:qwen"}
    assert found.providers == {"ours": Provider(base_url="https://models.example.org/v1", key_env="OUR_KEY")}
    assert found.prices == {"ours:big": Price(input=2.5, output=10.0)}


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    """`SHOPFLOOR_MODEL= shopfloor …` takes nothing away from the file."""
    environment = home_with(tmp_path, 'model = "file:m"') | {"SHOPFLOOR_MODEL": ""}

    assert read_settings({}, environment).settings.model == "file:m"


def test_the_repository_under_work_sets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its configuration is a stranger's code: what lies in the current folder is not read."""
    home_with(tmp_path / "repo", 'auto = "high"')
    monkeypatch.chdir(tmp_path / "repo")

    assert read_settings({}, {"HOME": str(tmp_path)}).settings.auto == "medium"


def test_the_state_folder_is_the_setting_s_or_the_user_s(tmp_path: Path) -> None:
    """Never inside a repository unless somebody says so."""
    assert state_folder(Settings(), {"XDG_STATE_HOME": "/state"}) == Path("/state/shopfloor")
    assert state_folder(Settings(), {"HOME": "/home/anna"}) == Path("/home/anna/.local/state/shopfloor")
    assert state_folder(Settings(state=str(tmp_path / "x" / ".." / "y")), {}) == tmp_path / "y"


# --- mistakes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("model = ", "is no valid TOML"),
        ('modell = "x"\ncolour = 1', "has unknown keys ['colour', 'modell']; there are: model, models, auto"),
        ("model = 7", "`$.model`"),
        ('auto = "maximum"', "Invalid enum value 'maximum' - at `$.auto`"),
        ('sandbox = "docker"', "`$.sandbox`"),
        ('[models]\nboss = "x:y"', "Invalid enum value 'boss'"),
        ('[providers.ours]\nbase_url = "http://x"\nkey = "sk-1"', "unknown field `key`"),
        ("[providers.ours]\nwire = 'openai-chat'", "missing required field `base_url` - at `$.providers.ours`"),
        ('[providers.a]\nbase_url = "http://a"\n[providers.b]\nbase_url = "b"', "at `$.providers.b.base_url`"),
        ('[prices."a:b"]\ninput = "cheap"\noutput = 1', "Expected `float`, got `str`"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(tmp_path: Path, toml: str, words: str) -> None:
    """Which file, which key, what is wrong with it: nobody has to guess, and nothing is silently dropped."""
    environment = home_with(tmp_path, toml)
    said = refusal({}, environment)

    assert words in said
    assert str(user_file(environment)) in said


def test_a_wrong_variable_and_a_wrong_flag_are_told_from_the_file(tmp_path: Path) -> None:
    """The blame goes to the layer whose value it is, not to the file that had it right."""
    environment = home_with(tmp_path, 'auto = "low"')

    assert refusal({}, environment | {"SHOPFLOOR_AUTO": "max"}).endswith("It came from environment.")
    assert refusal({"auto": "max"}, environment).endswith("It came from flag.")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder where the file should be."""
    folder = tmp_path / "shopfloor" / "config.toml"
    folder.mkdir(parents=True)

    assert f"{str(folder)!r} cannot be read: Is a directory" in refusal({}, {"XDG_CONFIG_HOME": str(tmp_path)})


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are a mistake of the file, not a crash."""
    environment = home_with(tmp_path, "")
    user_file(environment).write_bytes(b'model = "\xff"')

    assert str(user_file(environment)) in refusal({}, environment)


# --- budgets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("", Budget()),
        ("   ", Budget()),
        ("none", Budget()),
        (" None ", Budget()),
        ("2usd", Budget(usd=2.0)),
        ("0.50$", Budget(usd=0.5)),
        ("500ktok", Budget(tokens=500_000)),
        ("1.5mtok", Budget(tokens=1_500_000)),
        ("800tok", Budget(tokens=800)),
        ("1token", Budget(tokens=1)),
        ("30min", Budget(seconds=1_800)),
        ("2h", Budget(seconds=7_200)),
        ("90s", Budget(seconds=90)),
        ("1turn", Budget(steps=1)),
        ("40turns", Budget(steps=40)),
        ("2usd|500ktok|30min", Budget(usd=2.0, tokens=500_000, seconds=1_800)),
        ("2USD, 500kTok 30Min", Budget(usd=2.0, tokens=500_000, seconds=1_800)),
        ("1usd|2usd", Budget(usd=2.0)),
    ],
)
def test_amounts_of_money_tokens_time_and_turns(text: str, budget: Budget) -> None:
    """In any mix, in any case, joined by bars, commas or spaces; the last word on a kind counts."""
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("2", "2"),
        ("2usd|none", "none"),
        ("usd", "usd"),
        ("2eur", "2eur"),
        ("-2usd", "-2usd"),
        ("0usd", "0usd"),
        ("0tok", "0tok"),
        ("1e3tok", "1e3tok"),
        ("2usd|lots", "lots"),
        ("2usd+3min", "2usd+3min"),
        ("0.4tok", "0.4tok"),
        ("0.5turns", "0.5turns"),
    ],
)
def test_a_budget_that_cannot_be_read_names_its_part(text: str, part: str) -> None:
    """A limit that was misread would be no limit at all."""
    with pytest.raises(GiveUp, match="cannot be read") as raised:
        parse_budget(text)
    assert repr(part) in str(raised.value)


@given(st.integers(1, 10**9), st.integers(1, 10**6), st.integers(1, 10**4))
def test_what_is_written_is_what_holds(tokens: int, minutes: int, cents: int) -> None:
    """No rounding on the way in."""
    budget = parse_budget(f"{tokens}tok|{minutes}min|{cents / 100:.2f}usd")
    assert budget == Budget(tokens=tokens, seconds=minutes * 60, usd=cents / 100)


@pytest.mark.parametrize(
    ("flags", "environment", "source"),
    [({"budget": "lots"}, {}, "flag"), ({}, {"SHOPFLOOR_BUDGET": "lots"}, "environment")],
)
def test_a_budget_that_cannot_be_read_says_where_it_came_from(
    flags: dict[str, str], environment: dict[str, str], source: str, tmp_path: Path
) -> None:
    """Who has set it once and forgotten it would look in vain."""
    with pytest.raises(GiveUp, match=f"'lots' cannot be read.* It came from {source}"):
        read_settings(flags, {**environment, "XDG_CONFIG_HOME": str(tmp_path)})
