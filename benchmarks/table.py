"""A row of the table: what was measured, what it has to reach, and whether it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from rich import box
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Median:
    """The median over the rounds, of one contestant."""

    who: str
    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.who}: {number(self.value)} {self.unit}".rstrip()


@dataclass(frozen=True)
class Row:
    """One measured number.

    Parameters
    ----------
    name : str
        What it is about.
    value : float or None
        The number; None when it could not be measured, and then `detail` says why.
    unit : str
        ``"×"``, ``"s"``, ``"%"`` or nothing for a share.
    bar : float or None
        What `value` has to reach; None where there is nothing to reach.
    sense : str
        Whether the bar is the least or the most that passes.
    medians : tuple of Median
        Behind the number.
    best : float or None
        The number from each contestant's best round, which other programs disturb least.
    spread : (float, float) or None
        Least and largest value of a single round.
    detail : str
        Settings and caveats.
    """

    name: str
    value: float | None
    unit: str = ""
    bar: float | None = None
    sense: Literal["at least", "at most"] = "at least"
    medians: tuple[Median, ...] = ()
    best: float | None = None
    spread: tuple[float, float] | None = None
    detail: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the bar is reached; None without a bar or a value."""
        if self.bar is None or self.value is None:
            return None
        return self.value >= self.bar if self.sense == "at least" else self.value <= self.bar

    @property
    def measured(self) -> str:
        """The value with its unit, its spread and what the best rounds say."""
        if self.value is None:
            return "not measured"
        text = f"{number(self.value)} {self.unit}".rstrip()
        if self.spread is not None:
            text += f" [{number(self.spread[0])}, {number(self.spread[1])}]"
        if self.best is not None:
            text += f"; best rounds {number(self.best)}"
        return text

    @property
    def bar_text(self) -> str:
        """The bar as an inequality."""
        if self.bar is None:
            return ""
        return f"{'≥' if self.sense == 'at least' else '≤'} {self.bar:g} {self.unit}".rstrip()

    @property
    def verdict(self) -> str:
        """``"pass"``, ``"FAIL"`` or nothing."""
        return {True: "pass", False: "FAIL", None: ""}[self.passed]

    @property
    def medians_text(self) -> str:
        """All medians in one line."""
        return "; ".join(map(str, self.medians))

    def as_json(self) -> dict[str, Any]:
        """For the results file."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "bar": self.bar,
            "sense": self.sense,
            "passed": self.passed,
            "medians": [[median.who, median.value, median.unit] for median in self.medians],
            "best": self.best,
            "spread": self.spread,
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Row:
        """The inverse of :meth:`as_json`."""
        fields = {name: value for name, value in stored.items() if name != "passed"}
        fields["medians"] = tuple(Median(*median) for median in stored["medians"])
        fields["spread"] = tuple(stored["spread"]) if stored["spread"] else None
        return cls(**fields)


@dataclass(frozen=True)
class Section:
    """The rows of one benchmark, and how busy the machine was otherwise."""

    benchmark: str
    rows: tuple[Row, ...]
    measured: str
    seconds: float
    rounds: int
    others: float | None = field(default=None)


def number(value: float) -> str:
    """Three digits that count, without exponents."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_rich(sections: Iterable[Section]) -> Table:
    """The table for a terminal."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("benchmark", "measured [rounds]", "bar", ""):
        table.add_column(heading, no_wrap=heading == "bar")
    table.add_column("medians, settings", ratio=1)
    colours = {"pass": "green", "FAIL": "bold red", "": ""}
    for section in sections:
        for row in section.rows:
            about = Text(row.medians_text)
            if row.detail:
                about.append(("\n" if row.medians else "") + row.detail, style="dim")
            table.add_row(
                Text(row.name),
                row.measured.replace("[", r"\["),
                row.bar_text,
                Text(row.verdict, style=colours[row.verdict]),
                about,
            )
        table.add_section()
    return table


def as_markdown(sections: Iterable[Section]) -> str:
    """The table for a page."""
    lines = [
        "| benchmark | measured [rounds] | bar | | medians | settings |",
        "|---|---|---|---|---|---|",
    ]
    for section in sections:
        for row in section.rows:
            cells = (
                row.name, row.measured, row.bar_text, row.verdict, row.medians_text, row.detail
            )  # fmt: skip
            lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines)
