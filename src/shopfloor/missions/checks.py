"""Checks come before the work, from someone who will not do it, and are seen to fail on the base.

What is accepted here is sealed: text, checks, the services file, all by hash. It does not know who will build.
"""

import hashlib
import posixpath
import re
import time
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated

import msgspec

from shopfloor.agent.desk import employ
from shopfloor.agent.finish import finish_tool
from shopfloor.agent.run import Suspended
from shopfloor.context.prompt import Fragment, assemble, prompt_file
from shopfloor.domain.contract import Check, Contract, SealedChecks
from shopfloor.domain.errors import AskModelAgain, GiveUp
from shopfloor.domain.events import ContractSealed
from shopfloor.domain.mission import Plan
from shopfloor.domain.spending import Budget
from shopfloor.guard.readonly import is_read_only
from shopfloor.missions.shop import Shop
from shopfloor.missions.state import Mission
from shopfloor.repo.python import parsed
from shopfloor.repo.sources import is_test_configuration
from shopfloor.sandbox.protocol import Sandbox
from shopfloor.tools.tool import Arguments
from shopfloor.validation.contract_file import contract_of, contract_text, spec_text
from shopfloor.validation.court import ending
from shopfloor.validation.own_commands import failing_on_base
from shopfloor.validation.trials.testrun import missing_runner, tests_ran

FILE_CAP = 1_000_000
ROOT = "/repo"
NOT_FOUND = (126, 127)
"""Exit codes of a shell that could not run the command at all."""


class WrittenCheck(Arguments):
    """One check, as its writer hands it in."""

    assertions: Annotated[tuple[str, ...], msgspec.Meta(description="ids that it proves, of one feature")]
    command: Annotated[str, msgspec.Meta(description="run in the checkout root; exits 0 when they hold")]
    files: Annotated[tuple[str, ...], msgspec.Meta(description="new files that it needs")]


class WrittenChecks(Arguments):
    """The arguments of `submit_checks`."""

    checks: tuple[WrittenCheck, ...]


class Sealable(msgspec.Struct, frozen=True, kw_only=True):
    """Checks that were seen to behave: what can be sealed."""

    checks: SealedChecks
    red_on_base: tuple[str, ...]


def to_be_checked(contract: Contract) -> tuple[str, ...]:
    """Assertions that need an executable check; the others are judged by driving the product."""
    return tuple(assertion.id for assertion in contract.assertions if assertion.surface == "library")


async def write_checks(shop: Shop, mission: Mission, budget: Budget) -> ContractSealed:
    """Has the checks written, tries them on the base, and seals them with the contract."""
    assert mission.planned is not None
    plan = mission.planned.plan
    wanted = to_be_checked(plan.contract)
    sealable = Sealable(checks=SealedChecks(), red_on_base=())
    if wanted:
        sealable = await _have_written(shop, mission, plan, wanted, budget)
    return await _sealed(shop, mission, plan, sealable)


async def _have_written(shop: Shop, mission: Mission, plan: Plan, wanted: tuple[str, ...], budget: Budget) -> Sealable:
    base = mission.asked.base
    place = await shop.checkout(base, "checks")
    async with shop.sandbox(place) as sandbox:

        async def accept(written: WrittenChecks) -> Sealable:
            return await _try_on_base(shop, base, plan, wanted, written, sandbox)

        submit = finish_tool("submit_checks", "Hand in the checks; ends the work.", WrittenChecks, accept)
        outcome = await employ(
            shop.desk,
            shop.key("test-writer"),
            role="test-writer",
            system=assemble([_words()]),
            task=assemble([*await shop.repository_fragments(base), *_task(plan, wanted)]),
            tools=(*shop.bench(sandbox), submit),
            budget=budget,
        )
    if outcome.exit == "stopped":
        raise Suspended
    if outcome.exit != "done":
        raise GiveUp(f"The test-writer wrote no checks that can be sealed ({outcome.exit}): {outcome.reason}")
    return msgspec.json.decode(outcome.result, type=Sealable)


async def _try_on_base(
    shop: Shop, base: str, plan: Plan, wanted: tuple[str, ...], written: WrittenChecks, sandbox: Sandbox
) -> Sealable:
    """The checks as they may be sealed, after running each on a fresh checkout of the base."""
    existing = set(await shop.store.files(base))
    written = _plainly(written)
    contract = plan.contract
    found = _complaints(plan, wanted, written, existing)
    files, unreadable = await _read_files(written, sandbox)
    found += [complaint for path, content in files.items() if (complaint := _cannot_fail(path, content))]
    if found or unreadable:
        raise AskModelAgain(_mend([*found, *unreadable]))
    place = await shop.court.checkout(base, "base")
    red: list[str] = []
    async with shop.sandbox(place) as fresh:
        await fresh.lay(files)
        for check in written.checks:
            verdict = await _run_on_base(shop, fresh, contract, check)
            if verdict:
                found.append(verdict)
            red += [name for name in check.assertions if contract.assertion(name).kind == "new"]
    if found:
        raise AskModelAgain(_mend(found))
    sealed = SealedChecks(
        checks=tuple(Check(assertions=c.assertions, command=c.command, files=c.files) for c in written.checks),
        files=tuple(sorted((path, shop.desk.blobs.put(content)) for path, content in files.items())),
    )
    return Sealable(checks=sealed, red_on_base=tuple(red))


def _plainly(written: WrittenChecks) -> WrittenChecks:
    """The same checks with paths below the checkout, however they were written; AskModelAgain for any other."""
    return WrittenChecks(
        checks=tuple(
            msgspec.structs.replace(check, files=tuple(_plain(path) for path in check.files))
            for check in written.checks
        )
    )


def _plain(path: str) -> str:
    plain = posixpath.normpath(path.removeprefix(f"{ROOT}/"))
    if plain.startswith(("/", "..")) or plain in (".", ".git") or plain.startswith(".git/") or "\0" in plain:
        raise AskModelAgain(f"{path!r} is no path of a file in the checkout; write it like 'tests/test_export.py'.")
    return plain


def _complaints(plan: Plan, wanted: tuple[str, ...], written: WrittenChecks, existing: set[str]) -> list[str]:
    contract = plan.contract
    known = {assertion.id: assertion for assertion in contract.assertions}
    proved = {name for check in written.checks for name in check.assertions}
    found = [f"{name}: no check proves it." for name in wanted if name not in proved]
    found += [f"{name}: not in the contract." for name in sorted(proved - set(known))]
    for check in written.checks:
        kinds = {known[name].kind for name in check.assertions if name in known}
        if len(kinds) > 1:
            found.append(f"{check.command!r}: proves guards and new assertions at once; make two checks.")
        features = [feature.id for feature in plan.features if set(feature.claims) & set(check.assertions)]
        if len(features) > 1:
            proved_late = f"{check.command!r}: proves assertions of {', '.join(features)}, which are built one by one"
            found.append(f"{proved_late}; make a check for each of them.")
        if is_read_only(check.command) and "new" in kinds:
            found.append(
                f"{check.command!r}: only looks at files and runs nothing of the product, so an empty one could pass; "
                "write a test that calls the product, and run it."
            )
        elif not check.files and "new" in kinds:
            found.append(
                f"{check.command!r}: names no file of yours, and what it looks at belongs to the worker; "
                "write a test that calls the product, and name it in `files`."
            )
        elif check.files and not _runs_one_of(check.command, check.files) and "new" in kinds:
            found.append(
                f"{check.command!r}: runs none of its files, so nothing that is built could change what it says."
            )
        found += [f"{path}: exists already; checks go into new files." for path in check.files if path in existing]
        found += [
            f"{path}: configures the tests; checks may not." for path in check.files if is_test_configuration(path)
        ]
    return found


def _runs_one_of(command: str, files: Sequence[str]) -> bool:
    """Whether a command names a file of the check, its module, its folder, or a runner that finds tests by itself."""
    words = re.split(r"[^\w./-]+", command)
    names = {name for path in files for name in _names_of(path)}
    return bool(names.intersection(words)) or _FINDS_TESTS.search(command) is not None


def _names_of(path: str) -> set[str]:
    place = PurePosixPath(path)
    module = str(place.with_suffix("")).replace("/", ".")
    folders = {str(parent) for parent in place.parents} | {f"./{parent}" for parent in place.parents}
    return {path, f"./{path}", place.name, place.stem, module, *folders}


_FINDS_TESTS = re.compile(r"\b(?:pytest|unittest|discover|test|tests|check|jest|vitest|mocha|tox|nox)\b")


def _cannot_fail(path: str, content: bytes) -> str:
    """What is wrong with a Python file of a check, before it is run: red for good, or green for good."""
    text = content.decode(errors="replace")
    if not path.endswith(".py"):
        return ""
    if parsed(text) is None:
        return f"{path}: cannot be parsed, so nobody could ever pass it."
    return ""


async def _read_files(written: WrittenChecks, sandbox: Sandbox) -> tuple[dict[str, bytes], list[str]]:
    files: dict[str, bytes] = {}
    missing: list[str] = []
    for path in dict.fromkeys(path for check in written.checks for path in check.files):
        try:
            files[path] = await sandbox.read(path, FILE_CAP)
        except OSError as trouble:
            missing.append(f"{path}: cannot be read from your checkout ({trouble.strerror or trouble}).")
    return files, missing


async def _run_on_base(shop: Shop, fresh: Sandbox, contract: Contract, check: WrittenCheck) -> str:
    """What is wrong with this check, as its run on the base shows; "" when nothing."""
    finished, output = await shop.court.run(fresh, check.command)
    tail = "\n".join(output.splitlines()[-15:])
    if finished.exit_code in NOT_FOUND or finished.timed_out or missing_runner(check.command, output):
        return f"{check.command!r} cannot be run on the base ({ending(finished)}):\n{tail}"
    if any(contract.assertion(name).kind == "guard" for name in check.assertions):
        ran = tests_ran(check.command, output)
        return (
            ""
            if finished.exit_code == 0 and ran is not False
            else f"{check.command!r} proves a guard, which holds today, but it failed on the base:\n{tail}"
        )
    if finished.exit_code == 0:
        return f"{check.command!r} passed on the base, where the behaviour is missing: it proves nothing.\n{tail}"
    return ""


async def _sealed(shop: Shop, mission: Mission, plan: Plan, sealable: Sealable) -> ContractSealed:
    base = mission.asked.base
    blobs = shop.desk.blobs
    services = await shop.services_file(base)
    contract = blobs.put(contract_text(plan).encode())
    configured = blobs.put(services) if services else ""
    began = time.monotonic()
    failing = await failing_on_base(shop.court, await shop.commands(base), base)
    seal = hashlib.sha256(msgspec.json.encode([contract, sealable.checks, configured])).hexdigest()
    return ContractSealed(
        seal=seal,
        contract=contract,
        checks=sealable.checks,
        services=configured,
        red_on_base=sealable.red_on_base,
        failing_on_base=failing,
        seconds=time.monotonic() - began,
    )


def _mend(found: list[str]) -> str:
    return "The checks cannot be sealed yet:\n" + "\n".join(f"- {line}" for line in found)


def _words() -> Fragment:
    return Fragment(source="test-writer", text=prompt_file(__file__, "test-writer"), cap=6_000, stability="role")


def _task(plan: Plan, wanted: tuple[str, ...]) -> list[Fragment]:
    features = "\n\n".join(
        f"## {feature.id}: {feature.title}\n\n{feature.description}\n\nClaims {', '.join(feature.claims)}."
        for feature in plan.features
        if set(feature.claims) & set(wanted)
    )
    return [
        Fragment(source="spec", text=f"# What will be built\n\n{spec_text(plan)}", cap=12_000, stability="task"),
        Fragment(source="features", text=f"# Features\n\n{features}", cap=20_000, stability="task"),
        Fragment(
            source="assertions",
            text=f"# Assertions to write checks for\n\n{contract_of(plan.contract, wanted)}",
            cap=30_000,
            stability="task",
        ),
        Fragment(source="published", text=f"# Published\n\n{plan.contract.published}", cap=8_000, stability="task"),
    ]
