"""A runner to be killed: appends for ever from four tasks, and says of each fact, once it is durable, where it is.

Its first line is the name under which it holds its lease.
"""

import sys
from pathlib import Path

import anyio

from shopfloor.domain.events import ModelCalled
from shopfloor.journal.holder import this_process
from shopfloor.journal.sqlite import open_sqlite


async def main() -> None:
    journal = open_sqlite(Path(sys.argv[1]))
    lease = await journal.acquire("mission/1", this_process(), ttl_s=3600)
    print(lease.holder, flush=True)

    async def agent(name: int) -> None:
        turn = 0
        while True:
            facts = await journal.append(
                f"agent/{name}", [ModelCalled(turn=turn + step, estimate=name) for step in range(2)], lease=lease
            )
            turn += 2
            print(f"agent/{name}", facts[-1].seq, flush=True)

    async with anyio.create_task_group() as tasks:
        for name in range(4):
            tasks.start_soon(agent, name)


anyio.run(main)
