"""Probes: a source does what it did, says where it was, and every line stays where it was."""

import runpy
from pathlib import Path

import pytest

from shopfloor.validation.findings.changes import Change
from shopfloor.validation.findings.statements import changed_statements
from shopfloor.validation.trials.probes import with_probes
from shopfloor.validation.trials.steering import INSIDE

SOURCES = {
    "a docstring and what must follow it": '"""Doc."""\nfrom __future__ import annotations\nx: Later = 1\nresult = x\n',
    "nothing at the top": "result = 2\n",
    "a comment and a function at the top": "#!/usr/bin/python3\ndef f(a=3, *, b=4):\n    return a + b\nresult = f()\n",
    "suites of one line": "result = 0\nif result == 0: result = 5; result += 1\nelif result: pass\nelse: result = 7\n",
    "a decorated class with slots": (
        "import dataclasses\n\n\n@dataclasses.dataclass(slots=True)\nclass Point:\n    x: int = 1\n"
        "    y: int = 2\n\n    @property\n    def sum(self):\n        return self.x + self.y\n\n\n"
        "result = Point().sum\n"
    ),
    "an enumeration": "import enum\n\n\nclass Kind(enum.Enum):\n    A = 1\n    B = 2\n\n\nresult = len(Kind)\n",
    "generators and loops": (
        "def f(*more):\n    for one in 1, *more:\n        while one < 3:\n            one += (yield one) or 1\n"
        "            break\n    else:\n        yield 9\nresult = [*f(2), *(x for x in (3,) if x)]\n"
    ),
    "async code": (
        "import asyncio\nimport contextlib\n\n\n@contextlib.asynccontextmanager\nasync def held():\n    yield 1\n\n\n"
        "async def each():\n    yield 2\n\n\nasync def main():\n    async with held() as a, held() as b:\n"
        "        async for c in each():\n            return a + b + c\n\n\nresult = asyncio.run(main())\n"
    ),
    "patterns": (
        "def f(*seen):\n    match seen:\n        case [1, *rest] if rest: return rest\n        case _:\n"
        "            return 'none'\nresult = f(1, 2), f()\n"
    ),
    "heads of several lines": (
        "def f(a):\n    if (\n        a and\n        (b := a + 1)\n    ) \\\n            and b:\n        return [\n"
        "            b,\n        ]\nresult = f(1)\n"
    ),
    "what ends in the middle": (
        "def f(a):\n    try:\n        raise ValueError(a)\n    except ValueError as problem:\n"
        "        return str(problem)\n    finally:\n        del a\nresult = f('ä')\n"
    ),
    "a byte-order mark": "\ufeffresult = 8\n",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_a_source_with_probes_does_what_it_did(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same result, no statement on another line than before, and a word from all statements that were run."""
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "test_it (call)")
    plain, probed = tmp_path / "plain.py", tmp_path / "probed.py"
    plain.write_text(source, encoding="utf-8")
    (tmp_path / "probe.py").write_bytes((INSIDE / "probe.py").read_bytes())
    statements = changed_statements(Change(path="app.py", before=None, after=source))
    changed = with_probes(source, dict(enumerate(statements)), str(tmp_path))
    assert changed is not None
    probed.write_text(changed, encoding="utf-8")
    wanted = runpy.run_path(str(plain))["result"]

    assert runpy.run_path(str(probed))["result"] == wanted
    passed = (tmp_path / "passed").read_text(encoding="utf-8").splitlines()
    assert passed and set(passed) <= {f"{number} test_it (call)" for number in range(len(statements))}
    assert len(passed) == len(set(passed))
    first = source.removeprefix("\ufeff").split("\n")
    shift = len(changed.split("\n")) - len(first)
    assert shift == (1 if first[0].startswith("#!") or first[0].startswith("def ") else 0) or shift == 0


def test_a_probe_tells_each_test_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a statement runs; and a test that has no name is heard as well."""
    source = "def f():\n    return 1\n"
    (tmp_path / "probe.py").write_bytes((INSIDE / "probe.py").read_bytes())
    (statement,) = changed_statements(Change(path="app.py", before=None, after=source))
    (tmp_path / "app.py").write_text(str(with_probes(source, {7: statement}, str(tmp_path))), encoding="utf-8")
    function = runpy.run_path(str(tmp_path / "app.py"))["f"]
    for test in ("a", "b", "a"):
        monkeypatch.setenv("PYTEST_CURRENT_TEST", test)
        assert (function(), function()) == (1, 1)
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    function()

    assert (tmp_path / "passed").read_text(encoding="utf-8") == "7 a\n7 b\n7 \n"
