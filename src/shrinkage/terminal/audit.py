"""An audit in a terminal: the table, then every flag with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shrinkage.frameworks.audit_text import COLUMNS, cells, numbered
from shrinkage.terminal.plain import plain

if TYPE_CHECKING:
    from shrinkage.frameworks.audit import Audit

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def audited(audit: Audit) -> Iterator[tuple[RenderableType, bool]]:
    """What is printed, part by part, each with whether its lines stay as long as they are.

    Parameters
    ----------
    audit : Audit
        Of any framework.

    Yields
    ------
    part : rich renderable
        A table, a sentence or code.
    whole : bool
        True for code, which would be none with its lines broken.
    """
    yield Text(plain(audit.title), style="bold"), False
    if audit.optimizer:
        yield Text(plain(f"Optimizer: {audit.optimizer}")), False
    yield Text(""), False
    yield _Rows(audit), False
    yield Text(""), False
    for shown in numbered(audit):
        colour = _COLOURS[shown.flag.severity]
        head = (plain(shown.head), f"bold {colour}")
        yield Text.assemble(head, f" {plain(shown.flag.sentence)}"), False
        if shown.remedy:
            yield Padding(Text(plain(shown.remedy)), (0, 0, 0, 2)), False
        for line in shown.code.splitlines():
            yield Text(f"    {plain(line)}", style="cyan"), True
        yield Text(""), False
    if not audit.flags:
        yield Text("Nothing is flagged.", style="green"), False


class _Rows:
    """The table in all its columns where they fit, else with letters for what acts."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        wide = _wide(self._audit)
        fits = console.measure(wide, options=options.update(max_width=10_000)).maximum
        yield wide if fits <= options.max_width else _narrow(self._audit)


def _wide(audit: Audit) -> RenderableType:
    table = _table(*COLUMNS)
    for row in audit.rows:
        for line in cells(audit, row):
            table.add_row(*_styled(line))
    return table


def _narrow(audit: Audit) -> RenderableType:
    """Letters for what acts, told below: many parameters have the same."""
    letters: dict[tuple[str, ...], str] = {}
    table = _table("parameter", "kind", "shape", "acts", "flag")
    for row in audit.rows:
        lines = cells(audit, row)
        name, kind, shape, setting, _, marks = lines[0]
        acts = setting
        if row.actions:
            acting = [line[3:5] for line in lines]
            acts = ", ".join(letters.setdefault(one, _letter(len(letters))) for one in acting)
        table.add_row(*_styled((name, kind, shape, acts, marks)))
    told = Table.grid(padding=(0, 2, 0, 0))
    for (setting, words), letter in letters.items():
        told.add_row(Text(letter, style="bold"), Text(plain(setting)), Text(words))
    return Group(table, Text(""), told) if letters else table


def _letter(place: int) -> str:
    """a to z, then aa to az and so on."""
    before, last = divmod(place, 26)
    return (_letter(before - 1) if before else "") + chr(ord("a") + last)


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for title in titles:
        table.add_column(Text(title), overflow="fold")
    return table


def _styled(line: tuple[str, ...]) -> Iterator[Text]:
    for place, cell in enumerate(line):
        last = place == len(line) - 1
        style = "bold yellow" if last else "dim" if cell in ("nothing", "frozen") else ""
        yield Text(plain(cell), style=style)
