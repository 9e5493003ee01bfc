"""What the scores say: means per table, mean ranks and the bars, with intervals over splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.accuracy_records import Record
from benchmarks.outer import SHARE, TABLES
from benchmarks.table import Row
from shrinkage.intervals import Interval, corrected_interval

OURS, PEER, PLAIN = "tune all", "XGBoost", "unregularized"
OVER_PEER, OVER_PLAIN = 1.0, 2.5
"""Points of balanced accuracy that the joint search has to win over each."""

Floats = NDArray[np.float64]
Scores = dict[tuple[str, str], Floats]
"""(table, method) → balanced accuracy in percent of each split, NaN where there is none."""


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Of those packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def collect(records: Sequence[Record]) -> Scores:
    """Scores by table and method, one column for each split."""
    splits = 1 + max((record.key.split for record in records), default=0)
    scores: Scores = {}
    for record in records:
        place = (record.key.table, record.key.method)
        row = scores.setdefault(place, np.full(splits, np.nan))
        row[record.key.split] = 100 * record.score
    return scores


def matrix(scores: Scores, methods: Sequence[str]) -> tuple[list[str], Floats]:
    """Tables and splits that all of `methods` have; shape (methods, tables, splits).

    A method without some cell would else be compared on other rows than its rivals.
    """
    tables, blocks = [], []
    for table in TABLES:
        rows = [scores.get((table, method)) for method in methods]
        if any(row is None or np.isnan(row).any() for row in rows):
            continue
        tables.append(table)
        blocks.append(np.array(rows))
    if not blocks:
        return [], np.empty((len(methods), 0, 0))
    return tables, np.stack(blocks, axis=1)


def mean_ranks(values: Floats) -> Floats:
    """Mean over tables of each method's rank (1 is best) by its mean over splits.

    Parameters
    ----------
    values : ndarray of float64, shape (methods, tables, splits)
        Larger is better.
    """
    means = np.round(values.mean(axis=2), 9)  # equal scores in another order of summation tie
    ranks: Floats = rankdata(-means, axis=0).mean(axis=1)
    return ranks


def advantage(ours: Floats, other: Floats) -> Interval:
    """Mean difference in points over tables, with an interval over the splits.

    Each split gives one number, the mean difference over all tables; the splits share training
    rows, which the corrected interval allows for.

    Parameters
    ----------
    ours, other : ndarray of float64, shape (tables, splits)
        Percent.
    """
    return corrected_interval((ours - other).mean(axis=0), 1 - SHARE, SHARE)


def bars(records: Sequence[Record], reasons: Mapping[str, str] | None = None) -> list[Row]:
    """The three bars."""
    scores = collect(records)
    methods = list(dict.fromkeys(method for _, method in scores))
    why = "; ".join(f"{what}: {reason}" for what, reason in (reasons or {}).items())
    rows = []
    tables, values = matrix(scores, methods)
    if OURS in methods and tables:
        ranks = dict(zip(methods, mean_ranks(values), strict=True))
        best_other = min(rank for method, rank in ranks.items() if method != OURS)
        told = ", ".join(f"{method} {rank:.2f}" for method, rank in sorted(ranks.items(), key=_by))
        rows.append(
            Row(
                f"mean rank of {OURS} among {len(methods)}",
                float(ranks[OURS]),
                bar=float(best_other),
                sense="at most",
                detail=f"over {len(tables)} tables; {told}",
            )
        )
    else:
        rows.append(Row(f"mean rank of {OURS}", None, detail=why or "no scores yet"))
    for other, bar in ((PEER, OVER_PEER), (PLAIN, OVER_PLAIN)):
        name = f"balanced accuracy of {OURS} over {other}"
        tables, values = matrix(scores, (OURS, other))
        if not tables:
            rows.append(Row(name, None, "points", bar, detail=why or "no scores yet"))
            continue
        gain = advantage(*values)
        rows.append(
            Row(
                name,
                gain.estimate,
                "points",
                bar,
                detail=f"95 % interval over {values.shape[2]} splits [{gain.low:.2f}, "
                f"{gain.high:.2f}]; {len(tables)} tables",
            )
        )
    return rows


def _by(pair: tuple[str, float]) -> float:
    return pair[1]


def page(
    records: Sequence[Record],
    about: Mapping[str, str],
    seconds: float,
    clock: str,
    reasons: Mapping[str, str],
) -> str:
    """The results for a reader."""
    scores = collect(records)
    methods = [name for name in about if any(method == name for _, method in scores)]
    tables = [table for table in TABLES if any(name == table for name, _ in scores)]
    splits = max((row.size for row in scores.values()), default=0)
    complete, values = matrix(scores, methods)
    lines = [
        "# Balanced accuracy on real tables",
        "",
        f"Mean over {splits} outer splits (80/20, stratified), in percent; ± is half the width of "
        "the 95 % interval over splits, corrected for the rows they share. Searches have "
        f"{seconds:g} s"
        + (" of wall time each." if clock == "wall" else " × cores of processor time each."),
        "`python -m benchmarks.accuracy --tables FOLDER"
        + ("" if clock == "wall" else f" --clock {clock}")
        + "` makes what is missing here.",
        "",
        "| table | " + " | ".join(methods) + " |",
        "|---" * (len(methods) + 1) + "|",
    ]
    for table in tables:
        cells = [_cell(scores.get((table, method))) for method in methods]
        lines.append(f"| {table} | " + " | ".join(cells) + " |")
    if complete:
        means = values.mean(axis=(1, 2))
        ranks = mean_ranks(values)
        over = f"{len(complete)} complete tables"
        lines.append(f"| **mean** of {over} | " + " | ".join(f"{x:.2f}" for x in means) + " |")
        lines.append(
            f"| **mean rank** over {over} | " + " | ".join(f"{x:.2f}" for x in ranks) + " |"
        )
    lines.append("| seconds, median | " + " | ".join(_seconds(records, m) for m in methods) + " |")
    lines += [
        "",
        "## Bars",
        "",
        "| bar | measured | at least / at most | | |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.name} | {row.measured} | {row.bar_text} | {row.verdict} | {row.detail} |"
        for row in bars(records, reasons)
    ]
    lines += ["", "## Methods", ""]
    lines += [f"- **{name}**: {text}." for name, text in about.items()]
    lines += [f"- {what} was not run: {reason}" for what, reason in reasons.items()]
    machines = sorted({record.machine for record in records})
    used = {name: number for record in records for name, number in record.versions.items()}
    packages = ", ".join(f"{name} {number}" for name, number in sorted(used.items()))
    lines += ["", f"Measured on {'; '.join(machines)}; {packages}.", ""]
    return "\n".join(lines)


def _cell(row: Floats | None) -> str:
    """Mean ± half the interval; how many splits there are when some are missing."""
    known = np.empty(0) if row is None else row[np.isfinite(row)]
    if row is None or known.size == 0:
        return "–"
    if known.size == 1:
        return f"{known[0]:.1f} (1 split)"
    interval = corrected_interval(known, 1 - SHARE, SHARE)
    text = f"{interval.estimate:.1f} ± {interval.high - interval.estimate:.1f}"
    return text if known.size == row.size else f"{text} ({known.size} splits)"


def _seconds(records: Sequence[Record], method: str) -> str:
    taken = [record.seconds for record in records if record.key.method == method]
    return f"{np.median(taken):.1f}" if taken else "–"
