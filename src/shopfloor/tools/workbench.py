"""The tools that every agent at work on code starts from. It does not know roles: they choose among these."""

from pathlib import Path

from shopfloor.sandbox.protocol import Sandbox
from shopfloor.tools.files import edit_tool, read_tool, write_tool
from shopfloor.tools.search import list_tool, search_tool
from shopfloor.tools.shell import Keep, shell_tool
from shopfloor.tools.talk import ask_tool, todo_tool
from shopfloor.tools.tool import AnyTool


def workbench(sandbox: Sandbox, spool: Path, keep: Keep, person_present: bool) -> tuple[AnyTool, ...]:
    """All of them, over one sandbox. `spool` is a folder of the host for outputs on their way to `keep`."""
    return (
        ask_tool(person_present),
        edit_tool(sandbox),
        list_tool(sandbox, spool),
        read_tool(sandbox),
        search_tool(sandbox, spool),
        shell_tool(sandbox, spool, keep),
        todo_tool(),
        write_tool(sandbox),
    )
