"""Credentials that a change brings into the repository, where they stay readable for ever.

Pure findings over added lines: what has a provider's published shape, private keys, passwords inside addresses, headers
and assignments whose value looks drawn by chance. No finding shows the value whole. It cannot know whether a credential
still opens anything, and leaves alone what says of itself that it is an example.
"""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from shopfloor.domain.mission import Finding
from shopfloor.repo.sources import is_generated, is_lock, is_test, language_of
from shopfloor.validation.findings.changes import Change, Line, lines_added
from shopfloor.validation.findings.credentials import Credential, published
from shopfloor.validation.findings.plausible import (
    entropy,
    is_example,
    is_placeholder,
    looks_chosen,
    looks_drawn,
    mixes,
)

SECRET = "secret-added"
LONGEST_LINE = 2_000
"""Longer ones are data or generated, and nobody types a password there; their first characters are looked at."""


def secrets(changes: Collection[Change]) -> tuple[Finding, ...]:
    """A finding for each credential that is new with a change, at its line."""
    known = "\n".join(change.before for change in changes if change.before is not None)
    return tuple(found for change in changes for found in _in_file(change, known))


def _in_file(change: Change, known: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for line, following in pairwise((*lines_added(change), Line(number=0, text=""))):
        for credential in _in_line(change.path, line.text[:LONGEST_LINE], following.text):
            if credential.value not in known and credential.value not in seen:
                seen.add(credential.value)
                yield _finding(change, line, credential)


def _finding(change: Change, line: Line, credential: Credential) -> Finding:
    told = credential.publishable or is_test(change.path) or (credential.guessed and _EXPLAINS.search(change.path))
    text = f"brings {credential.what} into the repository, for all who may read it: {_masked(credential.value)}"
    return Finding(check=SECRET, severity="P2" if told else "P1", text=text, path=change.path, line=line.number)


_EXPLAINS = re.compile(r"\.(?:md|rst|adoc|ipynb)$|[.-](?:example|sample|template|dist)\b|(?:^|/)examples?/")


def _masked(value: str) -> str:
    """Enough of it to be found again by whoever has it, and by nobody else."""
    shown = value[:4] if len(value) >= 20 else ""
    return f"{shown}… ({len(value)} characters)"


def _in_line(path: str, line: str, following: str) -> Iterator[Credential]:
    """All of published shapes; of what only stands where a credential would, the first."""
    found = [one for one in published(line) if not is_example(one.value)]
    if not found:
        found += [*_keys_begun(line, following), *_in_addresses(line), *_in_headers(line)][:1]
    if not found and not (is_lock(path) or is_generated(path)):
        found += [*_assigned(path, line)][:1]
    yield from found


# --- private keys -----------------------------------------------------------------------------------------------

_KEY_BEGINS = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?P<rest>.*)|^PuTTY-User-Key-File-\d")
_KEY_GOES_ON = re.compile(r"(?:\\r|\\n|[\"'`+,()\s])*(?:[A-Za-z0-9+/=]{16}|[A-Z][\w-]+: )")


def _keys_begun(line: str, following: str) -> Iterator[Credential]:
    """A block that begins here and goes on; code that only names the words of its first line is none."""
    if ("KEY" in line or "PuTTY" in line) and (found := _KEY_BEGINS.search(line)):
        rest = found["rest"] or ""
        open_ended = not rest.strip() and not following.strip().startswith(("...", "<", "*", "#", "-----END"))
        if open_ended or _KEY_GOES_ON.match(rest) or (len(rest) < 8 and _KEY_GOES_ON.match(following)):
            yield Credential(what="a private key", value=found[0].removesuffix(rest))


# --- addresses and headers --------------------------------------------------------------------------------------

_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://(?P<user>[^\s/:@'\"`<>(){}$%]*):(?P<value>[^\s/:@'\"`<>{}]+)@(?P<host>\w[\w.-]*)"
)
_CONNECTION = re.compile(
    r"(?:server|data source|host|user id|uid|initial catalog|database|endpoint)\s*=[^;]+;.*"
    r"(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*(?P<value>[^;\"'\s]+)",
    re.IGNORECASE,
)
_NOWHERE = re.compile(
    r"(?:localhost|127\.[\d.]+|0\.0\.0\.0|host|hostname|server|proxy|db|postgres|mysql|redis|mongo|rabbitmq|(?:.*\.)?(?:example|test|invalid)(?:\.\w+)?)$"
)
_LEAST_IN_ADDRESS = 6


def _in_addresses(line: str) -> Iterator[Credential]:
    if not ("@" in line or ";" in line):
        return
    for found in _ADDRESS.finditer(line):
        nowhere = _NOWHERE.match(found["host"]) or found["value"] == found["user"]
        if len(found["value"]) >= _LEAST_IN_ADDRESS and not nowhere and not is_placeholder(found["value"]):
            yield Credential(what="the password of an address", value=found["value"], guessed=True)
    for found in _CONNECTION.finditer(line):
        if len(found["value"]) >= _LEAST_IN_ADDRESS and not is_placeholder(found["value"]):
            yield Credential(what="the password of a connection", value=found["value"], guessed=True)


_HEADER = re.compile(
    r"(?:-H|--header|[\"'])\s*[\"']?(?:authorization|(?:x-)?(?:[\w-]+-)?(?:token|(?:api|auth|access)-?key)|private-token)"
    r"[\"']?\s*[:,]\s*[\"']?(?:(?P<scheme>[a-z]+(?:-[a-z]+)?)\s+)?(?P<value>[^\s\"'`,]{8,})",
    re.IGNORECASE,
)
_USER = re.compile(r"\bcurl\b.*\s(?:-u|--user)[\s=]*[\"']?[^\s\"':$<{]*:(?P<value>[^\s\"']{4,})")


def _in_headers(line: str) -> Iterator[Credential]:
    if "curl" not in line:
        return
    if (found := _HEADER.search(line)) and mixes(found["value"]) and not is_placeholder(found["value"]):
        yield Credential(what="the credential of a request", value=found["value"], guessed=True)
    if (found := _USER.search(line)) and not is_placeholder(found["value"]):
        yield Credential(what="the password of a request", value=found["value"], guessed=True)


# --- assignments ------------------------------------------------------------------------------------------------

_PROVIDERS = "|".join(
    name
    for line in (
        "adafruit adobe airtable algolia alibaba artifactory asana atlassian azure beamer bitbucket bittrex",
        "cloudant codecov cohere coinbase confluent contentful databricks datadog discord drone_?ci dropbox",
        "etsy facebook fastly finicity finnhub flickr freshbooks gitter gocardless grafana heroku hubspot iam",
        "ibm intercom jfrog jira kraken kucoin launchdarkly linear linkedin lob looker mailchimp mailgun",
        "mapbox mattermost messagebird meraki netlify new_?relic nytimes okta openai plaid private_?ai",
        "rapid_?api sendbird sendgrid sentry shippo sidekiq snyk softlayer sonar sourcegraph squarespace",
        "stripe sumo(?:logic)? travis trello twilio twitch twitter yandex zendesk",
    )
    for name in line.split()
)
_SECRET_WORDS = "|".join(
    (
        r"passw(?:or)?d|passphrase|passwd|pwd|(?<![a-z])pw(?![a-z])|secret|token|credentials?|(?:user|basic)[_.-]?auth",
        r"(?:api|access|auth|private|signing|encryption)[_.-]?key",
    )
)
_NAME = rf"(?<![\w.-])(?P<name>[\w.-]*(?:(?:{_PROVIDERS})[\w.-]*|{_SECRET_WORDS})[\w.-]*)"
_IS = r"[\"'`]?\]?\s*(?:\s*:\s*[sS]tr(?:ing)?\s*=|\s+value\s*=|=>|:{0,3}={1,3}|\?=|:|,|\|\||\s(?=[\"']))\s*"
_VALUE = (
    r"(?:\\?[\"'`](?P<quoted>[^\"'`\s]{6,})\\?[\"'`]"
    r"|(?P<bare>[^\s\"'`,;(){}\[\]<>]{8,})(?=[\s,;]|$))"
)
_ASSIGNED = re.compile(_NAME + _IS + _VALUE, re.IGNORECASE)
_NAMED = re.compile(rf"(?i:{_PROVIDERS}|{_SECRET_WORDS}).*(?:[:=,|]|\s[\"']).*[A-Za-z0-9]{{2}}")
_SHAPED = (
    (re.compile(r"aws.*(?:secret|access).*key", re.IGNORECASE), re.compile(r"[A-Za-z0-9/+]{40}")),
    (re.compile(r"cos|^secret_access_key", re.IGNORECASE), re.compile(r"[0-9a-f]{48}|[A-Za-z0-9/+]{40}")),
    (re.compile(r"ibm|\biam|cloud.*iam", re.IGNORECASE), re.compile(r"[\w-]{44}")),
    (re.compile(r"clou(?:dant)?[_-]?(?:pw|password|key|token)", re.IGNORECASE), re.compile(r"[0-9a-f]{64}|[a-z]{24}")),
    (re.compile(r"^_authToken$", re.IGNORECASE), re.compile(r"npm_\w+")),
    (re.compile(r"sumo", re.IGNORECASE), re.compile(r"[A-Za-z0-9]{64}")),
    (re.compile(r"okta", re.IGNORECASE), re.compile(r"00[\w=-]{40}")),
)
"""Names whose owner gives all its credentials one shape: any other value is none."""
_NO_CREDENTIAL = re.compile(
    r"(?:id|ids|url|uri|path|file|name|type|field|format|length|size|count|limit|hash|pattern|regex|header|prefix|column"
    r"|env|var|label|class|version|algorithm|at|date|expiry|expires|ttl|endpoint|hint|policy|ref|digest|checksum|sha\d*)$",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"pass|pwd|pw\b|pw_|_pw", re.IGNORECASE)
_STRONG_NAME = re.compile(rf"{_SECRET_WORDS}|key|login|pat$|auth", re.IGNORECASE)


def _assigned(path: str, line: str) -> Iterator[Credential]:
    """Values under a name that says they are secret; in program code only those in quotes are values."""
    if not _NAMED.search(line):
        return
    is_code = language_of(path) not in ("", "shell")
    for found in _ASSIGNED.finditer(line):
        name, value = found["name"], found["quoted"] or found["bare"]
        if (is_code and found["bare"]) or _NO_CREDENTIAL.search(name) or is_placeholder(value):
            continue
        if _is_credential(name, value, quoted=bool(found["quoted"])):
            yield Credential(what=f"the value of {name[-40:]!r}", value=value, guessed=True)


def _is_credential(name: str, value: str, *, quoted: bool) -> bool:
    if not (_STRONG_NAME.search(name) or _LONG_HEX.fullmatch(value)):
        return False
    for names, shape in _SHAPED:
        if names.search(name):
            return shape.fullmatch(value) is not None and entropy(value) > 2.5
    if _PASSWORD.search(name):
        return looks_chosen(value) if quoted else looks_drawn(value)
    return looks_drawn(value) or _IS_UUID.fullmatch(value) is not None


_LONG_HEX = re.compile(r"[0-9a-f]{32,}", re.IGNORECASE)
_IS_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
