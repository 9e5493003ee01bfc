"""What is printed of study files; each function looks at a record and computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from shrinkage.terminal.plain import plain
from shrinkage.terminal.progress import STAGES
from shrinkage.terminal.sections import labelled

if TYPE_CHECKING:
    from shrinkage.archive.comparing import Comparison
    from shrinkage.archive.summary import Line, Ran, Summary

_RUNS = 5
"""Of the runs, so many last ones are shown."""


def shown(found: Summary) -> list[RenderableType]:
    """What is in a study file."""
    about = found.description
    rows = [f"{about['rows']:,} rows"] if isinstance(about.get("rows"), int) else []
    target = [f"target {about['target']}"] if about.get("target") else []
    inside = "" if found.self_contained else "they do not lie in the file"
    data = ", ".join([found.name, *rows, *target, *([inside] if inside else [])])
    facts: list[tuple[str, list[str | Text], str]] = [
        ("Study", [f"{found.path.name}, {_size(found.size)}"], ""),
        ("Data", [f"{data}.", f"Fingerprint {found.fingerprint}."], ""),
        ("Network", [", ".join(found.networks) or "none yet"], ""),
        ("Fits", [_fits(found)], ""),
        ("Runs", [*_runs(found.runs)], ""),
    ]
    if found.writer:
        facts.append(("Open", [f"{found.writer} is writing it."], "yellow"))
    parts: list[RenderableType] = [labelled(facts)]
    if found.lines:
        parts += [Text(""), _table(found.lines)]
    if found.findings is not None:
        parts += [Text(""), labelled([("Findings", findings_of(found.findings), "")])]
    return parts


def compared(found: Comparison) -> list[RenderableType]:
    """Two studies, one under the other, and what differs."""
    names = [found.first.path.name, found.second.path.name]
    if names[0] == names[1]:
        names = [str(found.first.path), str(found.second.path)]
    rows: list[tuple[str, list[str | Text], str]] = []
    for name, one in zip(names, (found.first, found.second)):
        said = findings_of(one.findings or {})
        rows.append(("Study", [Text(plain(name), style="bold"), _fits(one), *said], ""))
    same = "both are about the same rows" if found.same_rows else "they are about other rows"
    rows.append(("Data", [f"{same.capitalize()}."], ""))
    if found.settings:
        rows.append(("Settings", [f"{_begun(one)}." for one in found.settings], "yellow"))
    else:
        rows.append(("Settings", ["The last plans are the same."], ""))
    if found.versions:
        rows.append(("Versions", [f"{one}." for one in found.versions], "yellow"))
    other = found.shared - found.identical
    style = "yellow" if other else ""
    identical = f"{found.identical:,} have the same results to the bit"
    rows.append(("Fits", [f"{found.shared:,} in common: {identical}, {other:,} do not."], style))
    return [labelled(rows)]


def findings_of(said: Mapping[str, Any]) -> list[str | Text]:
    """Diagnosis, choice, test and exhibits of stored findings, as far as they are sentences."""
    found: list[str | Text] = []
    for part in ("diagnosis", "selection", "test"):
        inside = said.get(part)
        if isinstance(inside, Mapping) and isinstance(inside.get("sentence"), str):
            found.append(inside["sentence"])
    exhibits = said.get("exhibits")
    found += [
        f"{one['headline']}."
        for one in (exhibits.values() if isinstance(exhibits, Mapping) else ())
        if isinstance(one, Mapping) and isinstance(one.get("headline"), str)
    ]
    return found


def _fits(found: Summary) -> str:
    missing = found.planned - found.finished
    parts = [f"{found.finished:,} of {found.planned:,} planned so far"]
    if missing:
        parts.append(f"{missing:,} missing")
    if found.failed:
        parts.append(f"{found.failed:,} failed")
    if found.besides:
        parts.append(f"{found.besides:,} more beside them")
    if found.stage:
        parts.append(f"stopped in: {STAGES.get(found.stage, found.stage)}")
    return f"{', '.join(parts)}."


def _runs(runs: tuple[Ran, ...]) -> list[str]:
    from shrinkage.data.description import counted  # NumPy, which most commands do without

    lines = []
    for run in runs[-_RUNS:]:
        how = "complete" if run.complete else "stopped early" if run.ended else "not ended"
        how = "recovered from a damaged file" if run.recovered else how
        lines.append(f"{run.started[:16].replace('T', ' ')}, {counted(run.fits, 'fit')}, {how}")
        if run.command:
            lines[-1] += f": {run.command}"
    earlier = len(runs) - len(lines)
    return [f"{earlier:,} earlier ones", *lines] if earlier else lines or ["none"]


def _table(lines: tuple[Line, ...]) -> Table:
    from shrinkage.penalties.names import describe_lambda  # NumPy, which most commands do without

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in (("Penalty", "left"), ("λ", "right"), ("from", "right"), ("to", "right")):
        table.add_column(name, justify=side)  # type: ignore[arg-type]  # both are known to rich
    for name in ("fits", "best λ", "validation loss"):
        table.add_column(name, justify="right")
    for line in lines:
        table.add_row(
            plain(line.penalty),
            str(line.strengths),
            describe_lambda(line.least),
            describe_lambda(line.most),
            f"{line.fits:,}",
            "" if line.best is None else describe_lambda(line.best),
            "" if line.loss is None else f"{line.loss:.4g}",
        )
    return table


def _size(size: int) -> str:
    """``"1.2 MB"``."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]
