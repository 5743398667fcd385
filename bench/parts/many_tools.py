"""An agent with so many tools more than the usual ones: `python bench/parts/many_tools.py URL FOLDER TOOLS TURNS`.

The command line offers no way to add tools, so this client puts the rooms together itself. It does not know time.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import anyio
from msgspec import Meta

from shopfloor.agent.desk import Desk, employ
from shopfloor.domain.messages import ConversationKey
from shopfloor.domain.spending import Budget
from shopfloor.guard.actions import Internal
from shopfloor.guard.permit import Policy
from shopfloor.journal.blobs import Blobs
from shopfloor.journal.sqlite import open_sqlite
from shopfloor.models.connect import connect, disconnect
from shopfloor.sandbox.probe import start
from shopfloor.sandbox.protocol import Blueprint
from shopfloor.tools.tool import Answer, AnyTool, Arguments, Tool, always
from shopfloor.tools.workbench import workbench


class Extra(Arguments):
    subject: Annotated[str, Meta(description="what it is about")]
    depth: int = 1


async def main(url: str, folder: Path, tools: int, turns: int) -> None:
    model = connect("openai:mock-model", {**os.environ, "OPENAI_BASE_URL": f"{url}/v1"})
    journal = open_sqlite(folder / "journal.db")
    blobs = Blobs(folder / "blobs")
    lease = await journal.acquire("mission/bench", "bench", 600)
    policy = Policy(autonomy="medium", sandboxed=True, person_present=False)
    desk = Desk(journal=journal, blobs=blobs, lease=lease, model_for=lambda _: model, policy=policy)
    (folder / "checkout").mkdir()
    (folder / "spool").mkdir()
    async with start(Blueprint(checkout=str(folder / "checkout")), "bubblewrap") as sandbox:
        bench = workbench(sandbox, folder / "spool", blobs.put_file, person_present=False)
        await employ(
            desk,
            ConversationKey(mission="bench", role="user-tester"),
            role="user-tester",  # the one role that takes whatever tools it is given
            system="You are measured.",
            task="Run the shell commands you need, one per turn.",
            tools=(*bench, *(extra_tool(number) for number in range(tools))),
            budget=Budget(steps=turns + 1),
        )
    await disconnect(model)
    await journal.close()


def extra_tool(number: int) -> AnyTool:
    async def run(arguments: Extra) -> Answer:
        return Answer(text=arguments.subject)

    return Tool(
        name=f"extra_{number}",
        description=f"Does the {number}th of many things, as a tool server of the user's would offer it.",
        arguments=Extra,
        run=run,
        action=lambda _: Internal(),
        repeatable=always,
    )


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
