"""What credentials look like, by what their providers have published of them: prefixes, alphabets, lengths.

Data and two questions to it, pure. It does not know where a text comes from, nor what becomes of it.
"""

import re
from collections.abc import Iterator

from shopfloor.domain.fact import Fact


class Credential(Fact):
    """Something in a line that has the shape of a credential: what it is, and its own characters.

    `publishable` ones are made to stand in what every visitor may read, and are limited elsewhere; `guessed` ones are
    told by where they stand and not by their shape.
    """

    what: str
    value: str
    publishable: bool = False
    guessed: bool = False


_HEX, _WORD = "[0-9a-f]", r"[\w-]"
_UUID = f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_SHAPES: tuple[tuple[str, str], ...] = (
    ("an AWS access key", r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    ("an AWS Bedrock key", r"ABSK[A-Za-z0-9+/]{109,269}={0,2}|bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t"),
    ("a GitHub token", r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{82}"),
    (
        "a GitLab token",
        rf"(?:gl(?:pat|dt|ft|soat|rt|cbt)-|GR1348941){_WORD}{{20,50}}|glimt-{_WORD}{{25}}|glptt-{_WORD}{{40}}"
        rf"|glagent-{_WORD}{{50,1024}}|gloas-{_WORD}{{64}}|gl(?:pat|rt)-{_WORD}{{27,300}}\.{_HEX}{{2}}[0-9a-z]{{7}}"
        rf"|glffct-{_WORD}{{20}}|_gitlab_session=[0-9a-z]{{32}}",
    ),
    ("a Slack token", r"xox[abposr]-(?:\d-)?(?:\d{6,}-){1,3}[A-Za-z0-9]{8,}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+"),
    ("a Slack token", r"xoxe(?:\.xox[bp])?-\d-[A-Z0-9]{100,}|xoxe-(?:\d+-){3}[0-9a-f]{32}"),
    ("a Slack webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,56}"),
    ("a Stripe key", r"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,99}"),
    ("an Anthropic key", rf"sk-ant-(?:api03|admin01)-{_WORD}{{93}}AA"),
    ("an OpenAI key", rf"sk-(?:(?:proj|svcacct|admin|None)-)?{_WORD}{{20,74}}T3BlbkFJ{_WORD}{{20,74}}"),
    ("an OpenRouter key", rf"sk-or-v1-{_HEX}{{64}}"),
    ("a Google client secret", rf"GOCSPX-{_WORD}{{28}}"),
    ("a Google access token", rf"ya29\.{_WORD}{{30,}}"),
    ("a Hugging Face token", r"(?:hf_|api_org_)[A-Za-z]{34}"),
    ("an npm token", rf"npm_[A-Za-z0-9]{{36}}|//\w[\w./-]*/:_authToken={_UUID}"),
    ("a PyPI token", rf"pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw){_WORD}{{50,}}"),
    ("a RubyGems key", rf"rubygems_{_HEX}{{48}}"),
    ("a crates.io token", r"cio[A-Za-z0-9]{32}"),
    ("a Clojars token", r"CLOJARS_[a-z0-9]{60}"),
    ("a Docker token", rf"dckr_(?:pat|oat)_{_WORD}{{27,32}}"),
    ("a SendGrid key", rf"SG\.{_WORD}{{22}}\.{_WORD}{{43}}|SG\.[\w=.-]{{66}}"),
    ("a Brevo key", rf"xkeysib-{_HEX}{{64}}-[A-Za-z0-9]{{16}}"),
    ("a Twilio key", r"SK[0-9a-f]{32}"),
    ("a Mailchimp key", rf"{_HEX}{{32}}-us\d{{1,2}}"),
    ("a Mailgun key", rf"(?:key|pubkey)-{_HEX}{{32}}"),
    ("a Telegram token", rf"(?:api\.telegram\.org/bot)?\d{{8,10}}:AA{_WORD}{{33}}"),
    ("a Discord token", rf"[MNO]{_WORD}{{23,25}}\.{_WORD}{{6}}\.{_WORD}{{27,38}}"),
    ("a Discord webhook", rf"discord(?:app)?\.com/api/webhooks/\d{{17,20}}/{_WORD}{{60,}}"),
    ("a Teams webhook", rf"webhook\.office\.com/webhookb2/{_UUID}@{_UUID}/IncomingWebhook/[a-z0-9]{{32}}/{_UUID}"),
    ("a Shopify token", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("a Square token", rf"sq0(?:atp|csp|idp)-{_WORD}{{22,43}}|EAAA{_WORD}{{60}}"),
    ("a Facebook token", rf"\d{{15,16}}\|{_WORD}{{27}}|EAA[MC][A-Za-z0-9]{{100,}}"),
    ("a Databricks token", rf"dapi{_HEX}{{32}}(?:-\d)?"),
    ("a DigitalOcean token", rf"do[opr]_v1_{_HEX}{{64}}"),
    ("a Doppler token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]{2,35}\.)?[A-Za-z0-9]{40,44}"),
    ("a Dynatrace token", r"dt0c01\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}"),
    ("a Duffel token", rf"duffel_(?:test|live)_{_WORD}{{43}}"),
    ("a Linear key", r"lin_(?:api|oauth)_[A-Za-z0-9]{40,}"),
    ("a Postman key", rf"PMAK-{_HEX}{{24}}-{_HEX}{{34}}"),
    ("a PlanetScale credential", r"pscale_(?:tkn|oauth|pw)_[\w.=-]{32,64}"),
    ("a Prefect key", r"pn[ub]_[A-Za-z0-9]{36}"),
    ("a Pulumi token", rf"pul-{_HEX}{{40}}"),
    ("a ReadMe key", r"rdme_[a-z0-9]{70}"),
    ("a Scalingo token", rf"tk-us-{_WORD}{{48}}"),
    ("a Sentry token", r"sntryu_[a-f0-9]{64}|sntrys_eyJ[A-Za-z0-9+/=_-]{80,}"),
    ("a Shippo token", rf"shippo_(?:live|test)_{_HEX}{{40}}"),
    ("a SonarQube token", r"sq[upa]_[A-Za-z0-9]{40}"),
    ("a Grafana token", r"glc_[A-Za-z0-9+/]{32,400}={0,3}|glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    ("a Grafana key", r"eyJrIjoi[A-Za-z0-9+/]{70,400}={0,3}"),
    ("a Terraform token", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}"),
    ("a Vault token", rf"hv[sb]\.{_WORD}{{90,300}}|s\.(?=[A-Za-z]*\d)(?=\w*[A-Z])(?=\w*[a-z])[A-Za-z0-9]{{24}}"),
    ("a 1Password secret key", r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    ("a 1Password token", r"ops_eyJ[A-Za-z0-9+/]{250,}={0,3}"),
    ("an age key", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    ("an Alibaba key", r"LTAI[A-Za-z0-9]{17,21}"),
    ("an Airtable token", rf"pat[A-Za-z0-9]{{14}}\.{_HEX}{{64}}"),
    ("an Artifactory token", r"AKCp[A-Za-z0-9]{69}|cmVmdGtu[A-Za-z0-9]{56}|AKC[A-Za-z0-9]{10,}"),
    ("an Azure client secret", r"[\w~.]{3}\dQ~[\w~.-]{31,34}"),
    ("an Azure storage key", r"AccountKey=[A-Za-z0-9+/]{86}=="),
    ("an Atlassian token", r"ATATT3[\w=-]{186}|ATCTT3[\w=-]{186}"),
    ("a Cloudflare key", rf"v1\.0-{_HEX}{{24}}-{_HEX}{{146}}"),
    ("a ClickHouse key", r"4b1d[A-Za-z0-9]{38}"),
    ("an EasyPost token", r"EZ[AT]K[A-Za-z0-9]{54}"),
    ("a Figma token", rf"figd_{_WORD}{{40}}"),
    ("a Flutterwave key", r"FLWSECK_TEST-[a-hA-H0-9]{12,32}|FLWSECK-[a-hA-H0-9]{32}-X"),
    ("a Fly token", rf"fo1_{_WORD}{{43}}|fm(?:1[ar]|2)_[A-Za-z0-9+/]{{100,}}={{0,3}}"),
    ("a Frame.io token", rf"fio-u-{_WORD}{{64}}"),
    ("a Harness token", r"[ps]at\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}"),
    ("a Heroku key", rf"HRKU-AA{_WORD}{{58}}"),
    ("an Infracost token", r"ico-[A-Za-z0-9]{32}"),
    ("a Lob key", rf"(?:live|test)_(?:pub_)?{_HEX}{{35}}"),
    ("a MaxMind key", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),
    ("a New Relic key", rf"NRAK-[A-Z0-9]{{27}}|NRII-{_WORD}{{32}}"),
    ("a Notion token", r"ntn_\d{11}[A-Za-z0-9]{35}|secret_[A-Za-z0-9]{43}"),
    ("an Octopus key", r"API-[A-Z0-9]{26}"),
    ("an OpenShift token", rf"sha256~{_WORD}{{43}}"),
    ("a Perplexity key", r"pplx-[A-Za-z0-9]{48}"),
    ("a Plaid token", rf"access-(?:sandbox|development|production)-{_UUID}"),
    ("a Groq key", r"gsk_[A-Za-z0-9]{52}"),
    ("an xAI key", r"xai-[A-Za-z0-9]{80}"),
    ("a Replicate token", r"r8_[A-Za-z0-9]{37}"),
    ("a Supabase key", rf"sbp_{_HEX}{{40}}|sb_secret_{_WORD}{{31,}}"),
    ("a Tailscale key", r"tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{10,}-[A-Za-z0-9]{20,}"),
    ("a Sourcegraph token", r"sgp_(?:(?:local|[a-fA-F0-9]{16})_)?[a-fA-F0-9]{40}"),
    ("a SettleMint token", r"sm_(?:aat|pat|sat)_[A-Za-z0-9]{16}"),
    ("a Typeform token", r"tfp_[\w.=-]{59}"),
    ("a Yandex key", r"t1\.[A-Z0-9a-z_-]+={0,2}\.[A-Za-z0-9_-]{86}={0,2}|AQVN[\w-]{35,38}|YC[\w-]{38}"),
    ("an Adobe secret", r"p8e-[a-zA-Z0-9]{32}"),
    ("a Buildkite token", rf"bkua_{_HEX}{{40}}"),
    ("a JSON Web Token", r"eyJ[\w-]{14,}\.eyJ[\w-]{14,}\.[\w-]{10,}"),
)
_PUBLISHABLE = (
    ("a Google API key", rf"AIza{_WORD}{{35}}"),
    ("a PostHog project key", r"phc_[A-Za-z0-9]{43}"),
    ("a Twilio account", r"AC[0-9a-f]{32}"),
)

_ALL = re.compile(
    "|".join(
        # A dot or a slash before it makes a file's name of what might be a token, a sign of base64 a piece of more.
        rf"(?P<_{number}>(?<![A-Za-z0-9_])(?<![a-z][./])(?<![A-Za-z0-9+/]{{24}}[+/])(?:{shape})(?![A-Za-z0-9_-]))"
        for number, (_, shape) in enumerate((*_SHAPES, *_PUBLISHABLE))
    )
)


_LONG_ENOUGH = re.compile(r"[A-Za-z0-9_+/.~|:-]{18}|SG\.")
_NOT_ONLY_LETTERS = re.compile(r"\d|hf_|api_org_")


def published(line: str) -> Iterator[Credential]:
    """What has the shape that a provider gives its credentials, and nobody writes by accident."""
    if not (_LONG_ENOUGH.search(line) and _NOT_ONLY_LETTERS.search(line)):
        return
    for found in _ALL.finditer(line):
        number = int((found.lastgroup or "_0")[1:])
        what, _ = (*_SHAPES, *_PUBLISHABLE)[number]
        yield Credential(what=what, value=found[0], publishable=number >= len(_SHAPES))
