"""An exhibit in a terminal: what is to be trained, then its table and its sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shrinkage.terminal import sections
from shrinkage.terminal.plain import plain

if TYPE_CHECKING:
    from shrinkage.exhibits import Exhibit, Record
    from shrinkage.exhibits import Table as Numbers
    from shrinkage.study import Study


def prepared(
    exhibit: Exhibit, study: Study, expected: int, threads: int, given: frozenset[str], seed: int
) -> RenderableType:
    """How the networks of an exhibit are trained, and how many they are."""
    data, first = study.data, study.trials[0]
    repeats = f" × {data.repeats} repeats" if data.repeats > 1 else ""
    chosen = [
        f"--{name.replace('_', '-')}"
        for name in ("batch_size", "epochs", "folds", "repeats")
        if name not in given
    ]
    more = f"shrinkage {exhibit.name} --help"
    text = f"Every choice can be set: see {more}."
    if chosen:
        listed = sections.listed(chosen)
        text = f"Chosen for this table, and yours to set: {listed}; more in {more}."
    plan = f"{exhibit.title}; {data.folds} folds{repeats}; {expected:,} fits."
    return sections.labelled(
        [
            ("Training", [sections.training(first.training, seed, threads)], ""),
            ("Plan", [plan, Text(text, style="dim")], ""),
        ]
    )


def found(record: Record) -> list[RenderableType]:
    """The point, the table, the sentences, and what is missing."""
    parts: list[RenderableType] = [
        Text(plain(record.headline), style="bold"),
        Text(""),
        _table(record.table),
        Text(""),
        *(Padding(sections.sentence(one), (0, 0, 1, 2)) for one in record.sentences),
    ]
    if record.notes:
        parts += [sections.labelled([("Note", record.notes, "yellow")]), Text("")]
    return parts


def _table(numbers: Numbers) -> Table:
    """Columns as narrow as their cells, each interval on a line of its own below its estimate."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    for place, column in enumerate(numbers.columns):
        cells = [_stacked(row[place]) for row in numbers.rows]
        lines = [line for cell in cells for line in cell.split("\n")]
        widest = max(map(len, (*lines, *plain(column).split())))
        table.add_column(Text(plain(column)), justify="right", width=widest)
    for place, row in enumerate(numbers.rows):
        style = "bold" if place == numbers.chosen else ""
        table.add_row(*(Text(_stacked(cell), no_wrap=True) for cell in row), style=style)
    return table


def _stacked(cell: str) -> str:
    return "\n".join(plain(part) for part in cell.replace(" [", "\n[").split("\n"))
