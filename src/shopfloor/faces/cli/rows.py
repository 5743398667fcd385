"""Rows of facts: a table where the window has room for one, else one fact below the other, so that no word is broken.

It does not know what the facts are about.
"""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

ROOM = 70
"""Columns below which a table of four facts a row would break words."""


class Rows:
    """Rows below a title. `headings` name the columns; `right` are those that hold numbers."""

    def __init__(self, title: str, *, headings: Sequence[str] = (), right: bool = False, wide: bool = False) -> None:
        self._title = title
        self._headings = headings
        self._right = right
        self._wide = wide
        self._rows: list[tuple[tuple[Text, ...], str]] = []

    def add(self, *cells: Text, style: str = "") -> None:
        self._rows.append((cells, style))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._table() if options.max_width >= ROOM else Group(*self._listed())

    def _table(self) -> Table:
        named = any(self._headings)
        table = Table(
            title=f"\n{self._title}",
            title_justify="left",
            box=None,
            padding=(0, 1),
            show_header=named,
            expand=self._wide,
        )
        for place, heading in enumerate(self._headings):
            table.add_column(heading, justify="right" if self._right and place else "left", overflow="fold")
        for cells, style in self._rows:
            table.add_row(*cells, style=style)
        return table

    def _listed(self) -> Iterator[RenderableType]:
        yield Text(f"\n{self._title}", style="italic")
        for cells, style in self._rows:
            leading = 1 if self._right else 2
            yield Padding(Text("  ").join(cells[:leading]), (0, 0, 0, 1), style=style)
            if below := self._below(cells[leading:]):
                yield Padding(below, (0, 0, 0, 4), style=style)

    def _below(self, cells: Sequence[Text]) -> Text:
        """What follows the name of a row: numbers with what they count, or words, each on a line of its own."""
        if self._right:
            named = zip(self._headings[1:], cells, strict=True)
            return Text(", ").join(Text(f"{name} {cell}") for name, cell in named)
        return Text("\n").join(cell for cell in cells if cell.plain.strip())
