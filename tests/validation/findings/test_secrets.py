"""Credentials that come with a change, and what only looks like one. All of them are drawn here, for nobody."""

import string
from random import Random

import pytest

from shopfloor.domain.mission import Finding
from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.secrets import SECRET, secrets

ALL, HEX, UPPER = string.ascii_letters + string.digits, "0123456789abcdef", string.ascii_uppercase + "234567"


def drawn(length: int, signs: str = ALL) -> str:
    """By chance, and always the same."""
    return "".join(Random(length).choices(signs, k=length))


def uuid() -> str:
    signs = drawn(32, HEX)
    return "-".join((signs[:8], signs[8:12], signs[12:16], signs[16:20], signs[20:]))


def told(text: str, path: str = "settings.txt", before: str | None = None) -> tuple[Finding, ...]:
    return secrets([Change(path=path, before=before, after=text)])


CREDENTIALS = {
    "AWS": f"aws_access_key_id = {'AK'}IA{drawn(16, UPPER)}",
    "AWS secret": f'aws_secret_access_key = "{drawn(40)}"',
    "GitHub": f"git clone https://{'gh'}p_{drawn(36)}@github.com/some/one",
    "GitLab": f"{'gl'}pat-{drawn(20)}",
    "Slack": f"{'xo'}xb-{drawn(12, '123456789')}-{drawn(13, '123456789')}-{drawn(24)}",
    "Slack hook": f"https://hooks.slack.com/services/T{drawn(8, UPPER)}/B{drawn(9, UPPER)}/{drawn(24)}",
    "Stripe": f"stripe.api_key = '{'sk'}_live_{drawn(24)}'",
    "Anthropic": f"{'sk-'}ant-api03-{drawn(93)}AA",
    "npm": f"//packages.acme.io/:_authToken={uuid()}",
    "Telegram": f"https://api.telegram.org/bot{drawn(10, '123456789')}:AA{drawn(33)}/getMe",
    "Azure": f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={drawn(86)}==",
    "JWT": f"token: {'ey'}J{drawn(30)}.{'ey'}J{drawn(50)}.{drawn(43)}",
    "an address": f"DATABASE_URL=postgres://app:{drawn(12)}@db7.acme.io:5432/app",
    "a connection": f"Server=db7.acme.io;Database=app;User Id=app;Password={drawn(12)};",
    "a header": f"curl -H 'Authorization: Bearer {drawn(32, HEX)}' https://api.acme.io",
    "curl's user": f"curl -u admin:{drawn(10)} https://api.acme.io",
    "a password": "password = 'Wv7%kk2Lm!'",
    "an annotated one": 'password: str = "Wv7%kk2Lm!"',
    "in Go": 'dbPassword := "Wv7%kk2Lm!"',
    "in XML": '<add key="ClearTextPassword" value="Wv7%kk2Lm!" />',
    "in YAML": f"  api_key: {drawn(32, HEX)}",
    "in JSON": f'{{"client_secret": "{drawn(40)}"}}',
    "a provider's": f'const snykToken = "{uuid()}"',
    "in an environment file": f"SESSION_SECRET={drawn(32)}",
}


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_a_credential_refuses_a_change(kind: str) -> None:
    """Whatever its kind: it is found at its line, and no finding says it again."""
    line = CREDENTIALS[kind]
    found = told(f"# how it is set up\n{line}\n")

    assert [(one.check, one.severity, one.path, one.line) for one in found] == [(SECRET, "P1", "settings.txt", 2)]
    shown = found[0].text.rpartition(": ")[2]
    assert len(shown) < 30 and not any(shown[:6] in word for word in line.split())


NONE = {
    "an example": f"aws_access_key_id = {'AK'}IAIOSFODNN7EXAMPLE",
    "crossed out": f"token = '{'gh'}p_{'x' * 36}'",
    "the environment": "password = os.environ['DATABASE_PASSWORD_1']",
    "a variable": "password: ${DATABASE_PASSWORD_1}",
    "a template": 'api_key: "{{ secrets.api_key_1 }}"',
    "a place to fill in": "api_key = '<your-api-key-1234567890>'",
    "to be changed": "SECRET_KEY = 'changeme-1234567890abcdef'",
    "a call": "token = make_token(user_id_1234567890)",
    "nowhere": "postgres://app:Wv7kk2Lm9x@localhost/app",
    "the user's own name": "postgres://postgres:postgres@db7.acme.io/app",
    "a hash": f'"integrity": "sha512-{drawn(86)}=="',
    "an identifier": f"request_id = '{uuid()}'",
    "words": "token_name = 'the-session-token-of-2024'",
    "an address of tokens": "TOKEN_URL = 'https://acme.io/oauth2/v1/token12345'",
    "a key's first line": f"if text.startswith('-----BEGIN RSA {'PRIVATE'} KEY-----'):",
    "code without quotes": "password = first_password_1_of_many",
    "a publishable key": f"{'pk'}_live_{drawn(24)}",
}


@pytest.mark.parametrize("kind", NONE)
def test_what_is_no_credential_is_left_alone(kind: str) -> None:
    """Examples, templates, names, hashes: they would teach people not to look."""
    assert told(NONE[kind], path="app.py") == ()


def test_a_private_key_is_a_block_that_goes_on() -> None:
    """Its first line alone is what code looks for."""
    begins, ends = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
    found = told(f"{begins}\n{drawn(64)}\n{ends}\n", path="id_rsa")

    assert [(one.severity, one.line) for one in found] == [("P1", 1)]
    assert [one.line for one in told(f'KEY = "{begins}\\n{drawn(64)}"\n', path="app.py")] == [1]
    assert told(f"{begins}\n...\n{ends}\n", path="README.md") == ()


def test_where_it_stands_says_how_bad_it_is() -> None:
    """Tests and explanations hold dummies, and some keys are for everybody's eyes: a person is told."""
    token, password = f"{'gh'}p_{drawn(36)}", CREDENTIALS["a password"]

    assert [one.severity for one in told(token, path="tests/test_app.py")] == ["P2"]
    assert [one.severity for one in told(password, path="docs/setup.md")] == ["P2"]
    assert [one.severity for one in told(token, path="docs/setup.md")] == ["P1"]
    assert [one.severity for one in told(f"{'AI'}za{drawn(35)}")] == ["P2"]


def test_only_what_is_new_is_told() -> None:
    """A credential that was there is known already, also in another file; each is told once."""
    line = CREDENTIALS["a password"]
    moved = [Change(path="old.txt", before=line, after=None), Change(path="new.txt", before=None, after=line)]

    assert told(f"# moved\n    {line}\n", before=line) == ()
    assert secrets(moved) == ()
    assert len(told(f"{line}\n{line}\n")) == 1


def test_a_lock_file_is_full_of_what_looks_drawn() -> None:
    """Only shapes and addresses count there."""
    line = f'token = "{drawn(40, HEX)}"\n'

    assert told(line, path="poetry.lock") == ()
    assert len(told(f"{line}https://me:{drawn(20)}@packages.acme.io/simple\n", path="poetry.lock")) == 1
