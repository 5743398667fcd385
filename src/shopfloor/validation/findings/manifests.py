"""What a manifest says its project needs: the formats of Python, JavaScript, Rust and Go, read without running any.

Pure. A manifest that cannot be read says nothing. It does not know what a lock file holds, nor whether a name exists.
"""

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as Unreadable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, cast

from shopfloor.domain.fact import Fact
from shopfloor.repo.python import parsed

INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")


class Requirement(Fact):
    """Something a project needs: its name, the versions that will do, and where from if not from the usual index."""

    name: str
    versions: str = ""
    source: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it comes from the repository itself, or from beside it."""
        return bool(self.source) and not re.search(r"^git\b|://|@.+:|^[\w-]+/[\w.-]+(?:#|$)|^github:", self.source)


class Manifest(Fact):
    """All that one file asks for, other indexes than the usual one, and commands that run when it is installed."""

    ecosystem: str = ""
    requires: tuple[Requirement, ...] = ()
    indexes: tuple[str, ...] = ()
    scripts: tuple[tuple[str, str], ...] = ()


def manifest_of(path: str, text: str) -> Manifest:
    """What a manifest asks for; nothing where it cannot be read, or is none."""
    name = PurePosixPath(path).name
    for pattern, (ecosystem, read) in _FORMATS.items():
        if fnmatchcase(name, pattern):
            try:
                found = read(text)
            except (ValueError, Unreadable, RecursionError):  # tomllib's and json's own errors are ValueErrors
                return Manifest(ecosystem=ecosystem)
            return Manifest(ecosystem=ecosystem, requires=found.requires, indexes=found.indexes, scripts=found.scripts)
    return Manifest()


# --- Python -----------------------------------------------------------------------------------------------------

_SPELLED = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:@\s*(?P<source>[^\s;]+)|\(?(?P<versions>[^;)]*))"
)
_OPTION = re.compile(r"(?:-i|--index-url|--extra-index-url|-f|--find-links)[\s=]+(\S+)")
_EDITABLE = re.compile(r"(?:-e|--editable)[\s=]+")
_EGG = re.compile(r"#egg=([\w.-]+)")


def _requirement(text: str) -> Requirement | None:
    """One requirement as PEP 508 or pip spells it."""
    text = _EDITABLE.sub("", text.split(" #", maxsplit=1)[0].split(" --", maxsplit=1)[0].strip())
    if re.match(r"(?:git\+|hg\+|https?:|file:|\.{0,2}/)|\.$", text):
        egg = _EGG.search(text)
        name = egg[1] if egg else PurePosixPath(text.split("?")[0].split("@")[0]).name.removesuffix(".git")
        return Requirement(name=_plain(name or text), source=text)
    found = _SPELLED.match(text)
    if found is None:
        return None
    versions = re.sub(r"\s+", "", found["versions"] or "")
    return Requirement(name=_plain(found["name"]), versions=versions, source=found["source"] or "")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _of_lines(text: str) -> Manifest:
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines()]
    asked = [line for line in lines if (line and not line.startswith(("#", "-"))) or _EDITABLE.match(line)]
    found = [one for line in asked if (one := _requirement(line))]
    return Manifest(
        requires=tuple(found), indexes=tuple(address for line in lines for address in _OPTION.findall(line))
    )


def _pyproject(text: str) -> Manifest:
    read: dict[str, Any] = tomllib.loads(text)
    project, tools = _table(read, "project"), _table(read, "tool")
    lists = [_table(read, "build-system").get("requires"), project.get("dependencies")]
    lists += [*_table(project, "optional-dependencies").values(), *_table(read, "dependency-groups").values()]
    uv, poetry = _table(tools, "uv"), _table(tools, "poetry")
    lists += [uv.get("dev-dependencies"), *_table(_table(tools, "pdm"), "dev-dependencies").values()]
    found = [one for some in lists for text in _texts(some) if (one := _requirement(text))]
    for table in (poetry, *map(_as_table, _table(poetry, "group").values())):
        for key in ("dependencies", "dev-dependencies"):
            found += [_of_poetry(name, asked) for name, asked in _table(table, key).items() if name != "python"]
    own = _plain(str(project.get("name") or poetry.get("name") or ""))
    sources = {_plain(name): _source(asked) for name, asked in _table(uv, "sources").items()}
    found = [
        Requirement(name=one.name, versions=one.versions, source=one.source or sources.get(one.name, ""))
        for one in found
        if one.name != own
    ]
    return Manifest(requires=tuple(found), indexes=tuple(_indexes(tools)))


def _indexes(tools: Mapping[str, Any]) -> Iterator[str]:
    uv = _table(tools, "uv")
    for table in (uv, _table(uv, "pip")):
        yield from _texts([table.get("index-url")])
        yield from _texts(table.get("extra-index-url"))
    for some in (uv.get("index"), _table(tools, "poetry").get("source"), _table(tools, "pdm").get("source")):
        yield from (str(_as_table(one).get("url", "")) for one in _some(some))


def _of_poetry(name: str, asked: object) -> Requirement:
    asked = next(iter(_some(asked)), asked)
    if isinstance(asked, str):
        return Requirement(name=_plain(name), versions="" if asked == "*" else asked)
    return Requirement(name=_plain(name), versions=str(_as_table(asked).get("version", "")), source=_source(asked))


def _source(asked: object) -> str:
    """Where a table says that a package comes from; "" for the usual place."""
    table = _as_table(asked)
    if "git" in table:
        return f"git+{table['git']}"
    return next((str(table[key]) for key in ("url", "path", "file", "registry", "index") if key in table), "")


def _setup_cfg(text: str) -> Manifest:
    read = ConfigParser(interpolation=None)
    read.read_string(text)
    blocks = [read.get("options", key, fallback="") for key in ("install_requires", "setup_requires", "tests_require")]
    if read.has_section("options.extras_require"):
        blocks += [value for _, value in read.items("options.extras_require")]
    asked = [
        line.strip() for block in blocks for line in re.split(r"[\n]|;(?!\s*(?:python|sys|platform|os|extra))", block)
    ]
    return Manifest(requires=tuple(one for line in asked if line[:1] not in "#%" and (one := _requirement(line))))


def _setup_py(text: str) -> Manifest:
    """The literal lists that are given to `setup()`, and those with a name that are."""
    tree = parsed(text)
    nodes = [] if tree is None else list(ast.walk(tree))
    named = {
        target.id: node.value
        for node in nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    given = [
        keyword.value
        for node in nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "setup"
        for keyword in node.keywords
        if keyword.arg in ("install_requires", "extras_require", "setup_requires", "tests_require")
    ]
    asked = [text for one in given for text in _literals(one, named)]
    return Manifest(requires=tuple(one for text in asked if (one := _requirement(text))))


def _literals(node: ast.expr, named: Mapping[str, ast.expr]) -> Iterator[str]:
    """The texts in a list, or in the lists that a dictionary's values are."""
    match node:
        case ast.Constant(value=str(text)):
            yield from (line.strip() for line in text.splitlines() if line.strip())
        case ast.List(elts=some) | ast.Tuple(elts=some) | ast.Set(elts=some) | ast.Dict(values=some):
            for one in some:
                yield from _literals(one, named)
        case ast.BinOp(left=left, right=right):
            yield from _literals(left, named)
            yield from _literals(right, named)
        case ast.Name(id=name) if name in named:
            yield from _literals(named[name], {})
        case _:
            pass


# --- JavaScript, Rust, Go ---------------------------------------------------------------------------------------


def _package_json(text: str) -> Manifest:
    read = _as_table(json.loads(text))
    kinds = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
    found = [_of_npm(name, str(asked)) for kind in kinds for name, asked in _table(read, kind).items()]
    scripts = _table(read, "scripts")
    return Manifest(
        requires=tuple(found),
        scripts=tuple((name, str(scripts[name])) for name in INSTALL_SCRIPTS if name in scripts),
    )


def _of_npm(name: str, asked: str) -> Requirement:
    if asked.startswith("npm:"):
        return Requirement(name=name, versions=asked)
    if asked.startswith(("file:", "link:", "portal:", "workspace:", ".", "/")):
        return Requirement(name=name, source=asked.replace("workspace:", "./"))
    if "://" in asked or "/" in asked or asked.startswith("git@"):
        return Requirement(name=name, source=asked)
    return Requirement(name=name, versions="" if asked in ("*", "latest", "x") else asked)


def _npmrc(text: str) -> Manifest:
    return Manifest(indexes=tuple(re.findall(r"^\s*(?:@[\w-]+:)?registry\s*=\s*(\S+)", text, re.MULTILINE)))


def _cargo(text: str) -> Manifest:
    read: dict[str, Any] = tomllib.loads(text)
    tables = [read, _table(read, "workspace"), *map(_as_table, _table(read, "target").values())]
    tables += [{"dependencies": one} for one in _table(read, "patch").values()]
    kinds = ("dependencies", "dev-dependencies", "build-dependencies")
    asked = [item for table in tables for kind in kinds for item in _table(table, kind).items()]
    return Manifest(requires=tuple(_of_cargo(name, one) for name, one in asked))


def _of_cargo(name: str, asked: object) -> Requirement:
    if isinstance(asked, str):
        return Requirement(name=name, versions="" if asked == "*" else asked)
    table = _as_table(asked)
    version = "workspace" if table.get("workspace") else str(table.get("version", ""))
    return Requirement(name=str(table.get("package", name)), versions=version, source=_source(table))


def _go_mod(text: str) -> Manifest:
    text = re.sub(r"//.*", "", text)
    found = [
        Requirement(name=name, versions=version)
        for name, version in re.findall(r"^\s*(?:require\s+)?([\w.-]+\.[\w.-]+/\S+)\s+(v\S+)\s*$", text, re.MULTILINE)
    ]
    replaced = re.findall(r"^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+(\S+)", text, re.MULTILINE)
    found += [Requirement(name=name, source=to if to[0] in "./" else f"git {to}") for name, to in replaced]
    return Manifest(requires=tuple(found))


# --- what strangers wrote, as types -----------------------------------------------------------------------------


def _table(within: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return _as_table(within.get(key))


def _as_table(value: object) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else {}


def _some(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [one for one in _some(value) if isinstance(one, str)] if not isinstance(value, str) else [value]


_FORMATS = {
    "pyproject.toml": ("Python", _pyproject),
    "requirements*.txt": ("Python", _of_lines),
    "*requirements.txt": ("Python", _of_lines),
    "requirements*.in": ("Python", _of_lines),
    "constraints*.txt": ("Python", _of_lines),
    "setup.cfg": ("Python", _setup_cfg),
    "setup.py": ("Python", _setup_py),
    "package.json": ("JavaScript", _package_json),
    ".npmrc": ("JavaScript", _npmrc),
    "Cargo.toml": ("Rust", _cargo),
    "go.mod": ("Go", _go_mod),
}
