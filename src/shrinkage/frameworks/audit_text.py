"""An audit as plain text, for print and for a log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shrinkage.frameworks.audit import Audit, Flag, Row

WIDTH = 100
"""Columns of what is printed; a long name may need more."""
COLUMNS = ("parameter", "kind", "shape", "what acts on it now", "in one convention", "flag")


def as_text(audit: Audit) -> str:
    """The table, then every flag with its remedy.

    Parameters
    ----------
    audit : Audit
        Of any framework.

    Returns
    -------
    str
        Lines of plain text.
    """
    lines = [audit.title, *([f"Optimizer: {audit.optimizer}"] if audit.optimizer else []), ""]
    lines += _table([COLUMNS, *(line for row in audit.rows for line in cells(audit, row))])
    if not audit.flags:
        return "\n".join([*lines, "", "Nothing is flagged."])
    for shown in numbered(audit):
        lines += ["", *_flag(shown)]
    return "\n".join(lines)


def cells(audit: Audit, row: Row) -> list[tuple[str, ...]]:
    """A parameter as lines of the table: one for each thing that acts on it, or a single one."""
    parameter = row.parameter
    marks = ", ".join(map(str, audit.flags_of(parameter)))
    name = " = ".join((parameter.name, *parameter.shared))
    shape = " × ".join(map(str, parameter.shape)) or "1"
    nothing = "nothing" if parameter.trainable else "frozen"
    acting = [(action.setting, action.words) for action in row.actions] or [(nothing, "")]
    first = (name, parameter.kind, shape, *acting[0], marks)
    return [first, *(("", "", "", *one, "") for one in acting[1:])]


@dataclass(frozen=True)
class Numbered:
    """A flag as every view shows it.

    Parameters
    ----------
    flag : Flag
        Itself.
    head : str
        Number, severity and check.
    remedy : str
        A sentence; empty where there is nothing to do.
    code : str
        Empty where an earlier flag has the same.
    """

    flag: Flag
    head: str
    remedy: str
    code: str


def numbered(audit: Audit) -> Iterator[Numbered]:
    """Flags with their numbers; code that is the same as before is said once."""
    first: dict[str, int] = {}
    for number, flag in enumerate(audit.flags, start=1):
        known = first.setdefault(flag.code, number)
        again = bool(flag.code) and known != number
        remedy = f"Remedy: {flag.remedy}" if flag.remedy else ""
        if remedy:
            remedy += f", with the code of {known}." if again else "."
        head = f"{number} {flag.severity}: {flag.check}."
        yield Numbered(flag, head, remedy, "" if again else flag.code)


def _table(lines: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def _flag(shown: Numbered) -> list[str]:
    lines = textwrap.wrap(f"{shown.head} {shown.flag.sentence}", WIDTH, subsequent_indent="  ")
    if shown.remedy:
        lines += textwrap.wrap(shown.remedy, WIDTH, initial_indent="  ", subsequent_indent="  ")
    return lines + [f"    {line}" for line in shown.code.splitlines()]
