"""Tools at hand: what the model is told of them, what a call would do, and its performance.

A call that cannot be understood is answered in words, so that the model can mend it; it does nothing.
It does not know whether a call is allowed.
"""

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

from shopfloor.domain.errors import AskModelAgain, Broken
from shopfloor.domain.messages import Call, Result, ToolSpec
from shopfloor.guard.actions import Action, Internal
from shopfloor.tools.schema import schema_of
from shopfloor.tools.tool import AnyTool, Arguments


class Toolbox:
    """Tools by name. Never changes."""

    def __init__(self, tools: Iterable[AnyTool]) -> None:
        ordered = sorted(tools, key=lambda tool: tool.name)
        self._tools = {tool.name: tool for tool in ordered}
        if len(self._tools) != len(ordered):
            raise Broken(f"two tools of one name among {[tool.name for tool in ordered]!r}; rename one")
        self.specs = tuple(
            ToolSpec(name=tool.name, description=tool.description, schema=schema_of(tool.arguments)) for tool in ordered
        )

    def action(self, call: Call) -> Action:
        """What the call would do. One that cannot be understood does nothing."""
        try:
            tool, arguments = self._understood(call)
        except AskModelAgain:
            return Internal()
        return tool.action(arguments)

    def repeatable(self, call: Call) -> bool:
        """Whether the call may be performed again when nobody knows whether it was."""
        try:
            tool, arguments = self._understood(call)
        except AskModelAgain:
            return True
        return tool.repeatable(arguments)

    async def perform(self, call: Call) -> Result:
        """Does it. What the model got wrong comes back as a result that is not ok."""
        try:
            tool, arguments = self._understood(call)
            answer = await tool.run(arguments)
        except AskModelAgain as mistake:
            return Result(call_id=call.id, text=str(mistake), ok=False)
        return Result(
            call_id=call.id,
            text=answer.text,
            ok=answer.ok,
            exit_code=answer.exit_code,
            output=answer.output,
            images=answer.images,
        )

    def _understood(self, call: Call) -> tuple[AnyTool, Arguments]:
        tool = self._tools.get(call.name)
        if tool is None:
            raise AskModelAgain(_no_such_tool(call.name, tuple(self._tools)))
        text = call.arguments.strip() or "{}"
        try:
            return tool, msgspec.json.decode(text.encode("utf-8", "replace"), type=tool.arguments)
        except (msgspec.DecodeError, RecursionError) as wrong:
            why = _what_is_wrong(text, wrong)
            raise AskModelAgain(f"{call.name}: {why}. Its arguments: {schema_of(tool.arguments)}") from wrong


def _no_such_tool(name: str, names: tuple[str, ...]) -> str:
    near = get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are: {', '.join(names)}."
    return f"There is no tool {name!r}; {hint}"


def _what_is_wrong(text: str, wrong: msgspec.DecodeError | RecursionError) -> str:
    if not isinstance(wrong, msgspec.ValidationError):
        return f"the arguments are not valid JSON ({wrong})"
    if text.startswith('"'):
        return "the arguments are JSON inside a JSON string; send the object itself"
    if "got `str`" in str(wrong) and ("`object`" in str(wrong) or "`array`" in str(wrong)):
        return f"{wrong}: send the value itself, not its text"
    return str(wrong)
