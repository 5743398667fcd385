"""A plugin of pytest that runs the tests it is told to, in the order it is told to, and writes down how each ended.

It stands in a folder that PYTHONPATH names, and runs under whatever Python the repository uses. It does not know why.
"""

from __future__ import annotations

import json
import os
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import shopfloor_faults
from _pytest.runner import runtestprotocol

FOLDER = Path(os.environ["SHOPFLOOR_STEERING"])
ORDERS: dict[str, Any] = json.loads((FOLDER / "orders.json").read_text(encoding="utf-8"))
ONLY: list[str] | None = ORDERS.get("only")
"""Tests, and files of tests, by their names in pytest; None for all."""
_ends: list[int] = []
"""How many tests are still to come in the first of two rounds."""


def pytest_configure(config: pytest.Config) -> None:
    if ORDERS.get("stop", False):
        config.option.maxfail = 1


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files of other tests are not even read; packages and what configures tests are."""
    if ONLY is None or collection_path.is_dir() or collection_path.name in ("__init__.py", "conftest.py"):
        return None
    return None if _name_of(collection_path, config) in {one.partition("::")[0] for one in ONLY} else True


def _name_of(path: Path, config: pytest.Config) -> str:
    return Path(os.path.relpath(str(path), str(config.rootpath))).as_posix()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if ONLY is not None:
        chosen = set(ONLY)
        items[:] = [one for one in items if one.nodeid in chosen or one.nodeid.partition("::")[0] in chosen]
    if ORDERS.get("how") == "reversed":
        items.reverse()
    if ORDERS.get("how") == "twice":
        _ends.append(len(items))
        items.extend(list(items))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Where faults are to be tried, it is their turn now."""
    if not ORDERS.get("faults") or not session.items or hasattr(session.config, "workerinput"):
        return None

    def run(names: set[str]) -> bool:
        chosen = [one for one in session.items if one.nodeid in names]
        for item, after in zip_longest(chosen, chosen[1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.testsfailed:
                return False
        return True

    shopfloor_faults.try_faults(ORDERS["faults"], run, _tell)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Between two rounds all fixtures end, as they do at the end of a run: only what outlives them is left."""
    if not _ends:
        return None
    _ends[0] -= 1
    if _ends[0] != 0:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    runtestprotocol(item, nextitem=None)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if ORDERS.get("faults"):
        return
    if report.failed or report.when == "call":
        _tell(report.outcome, report.nodeid)
    _tell("took", f"{report.duration:.4f} {report.nodeid}")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _tell(report.outcome, report.nodeid)


def _tell(outcome: str, name: str) -> None:
    with (FOLDER / "told").open("a", encoding="utf-8") as file:
        file.write(f"{outcome} {name}\n")
