"""Names that are one slip of a finger away from a package that everybody uses, and are not it.

Frozen lists: they say what was common when they were written, and nothing of what an index holds today.
"""

_COMMON = {
    "Python": (
        "aiohttp attrs azure-core beautifulsoup4 boto3 botocore cachetools celery certifi cffi chardet click colorama",
        "cryptography cython django docker fastapi filelock flask fsspec google-auth greenlet grpcio httpx idna",
        "ipython jinja2 joblib jsonschema jupyter keras langchain lxml markupsafe matplotlib msgpack mypy networkx",
        "numpy openai openpyxl packaging pandas paramiko pillow pluggy poetry protobuf psutil psycopg2 pyarrow",
        "pycparser pydantic pygments pyjwt pymongo pymysql pyparsing pytest python-dateutil python-dotenv pytz pyyaml",
        "redis regex requests rich s3transfer scikit-learn scipy selenium setuptools six sqlalchemy starlette",
        "tensorflow tokenizers torch tornado tqdm transformers typer typing-extensions urllib3 uvicorn virtualenv",
        "websockets werkzeug wheel wrapt zipp",
    ),
    "JavaScript": (
        "axios babel-core bluebird body-parser chalk cheerio chokidar classnames commander cookie-parser core-js",
        "cors cross-env debug dotenv ejs electron eslint express fs-extra glob gulp handlebars inquirer jest jquery",
        "js-yaml jsonwebtoken lodash lru-cache minimatch minimist mkdirp mocha moment mongoose morgan next node-fetch",
        "nodemon passport prettier prop-types puppeteer react react-dom react-router redux request rimraf rollup rxjs",
        "sass semver socket.io svelte tailwindcss tslib typescript underscore uuid vite vitest webpack winston",
        "ws yargs zod",
    ),
    "Rust": (
        "anyhow async-trait axum base64 bitflags bytes cfg-if chrono clap criterion crossbeam diesel env_logger",
        "flate2 futures getrandom hashbrown hyper indexmap itertools lazy_static libc log memchr nom num-traits",
        "once_cell openssl parking_lot proc-macro2 prost quote rand rayon regex reqwest rustls semver serde",
        "serde_derive serde_json serde_yaml sha2 smallvec sqlx syn tempfile thiserror time tokio toml tonic tower",
        "tracing url uuid winapi",
    ),
}
_NEIGHBOURS = {
    "Python": ("attr boto httpx2 jinja mypyc psycopg psycopg3 regexp ujson wrap zip",),
    "JavaScript": ("core jest nest nuxt preact site ulid",),
    "Rust": ("mime sha1 sha3 ulid",),
}
"""Names as close that are packages of their own, used by people who mean them."""
LEAST = 4
"""Letters that a common name must have: shorter ones have neighbours by chance."""


def looks_like(name: str, ecosystem: str) -> str:
    """The common package that a name is mistaken for; "" if it is one itself, or looks like none."""
    common = [one for line in _COMMON.get(ecosystem, ()) for one in line.split()]
    meant = [one for line in _NEIGHBOURS.get(ecosystem, ()) for one in line.split()]
    if name in common or name in meant:
        return ""
    return next((one for one in common if len(one) >= LEAST and _is_one_slip(name, one)), "")


def _is_one_slip(name: str, other: str) -> bool:
    """Whether one letter is too many, missing or another, or two have changed places."""
    if abs(len(name) - len(other)) > 1 or name == other:
        return False
    start = next((at for at, pair in enumerate(zip(name, other, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return True
    rest, rest_other = name[start:], other[start:]
    swapped = rest[:2][::-1] == rest_other[:2] and rest[2:] == rest_other[2:]
    return swapped or rest[1:] == rest_other or rest == rest_other[1:] or rest[1:] == rest_other[1:]
