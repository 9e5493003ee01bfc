"""What the trainings say: both sides beside each other, and whether they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from benchmarks.keras_lesson_records import TINY, Floats, Records
from benchmarks.table import Row
from shrinkage.intervals import Interval, independent_interval

MEASURES = {
    "low": "least weight of kernel 1",
    "high": "largest weight of kernel 1",
    "spread": "standard deviation of kernel 1",
    "hidden_spread": "standard deviation of both hidden kernels",
    "train": "training accuracy",
    "validation": "validation accuracy",
    "test": "test accuracy",
}
"""What has to agree, by field of a record."""
PEER, LOGITS, OURS = "Keras", "Keras, loss from logits", "shrinkage"
CONTESTANTS = (PEER, LOGITS, OURS, "shrinkage, λ rising")
COMPARED = (
    ("none", PEER, "without a regularizer"),
    ("none", LOGITS, "without a regularizer, Keras' loss from logits"),
    ("l2", PEER, "under l2(0.01)"),
)
"""Regularizer, whose numbers, and in words what ours should agree with."""
ZEROS = 80.0
"""Percent of exact zeros that L1 has to leave here."""


@dataclass(frozen=True)
class Agreement:
    """One number of both sides over the same seeds.

    Parameters
    ----------
    difference : Interval
        Ours − Keras', mean over the seeds with its 95 % interval; the seeds are paired.
    spread : float
        Standard deviation of Keras' number from seed to seed.
    """

    difference: Interval
    spread: float

    @property
    def ratio(self) -> float:
        """Size of the mean difference in standard deviations from seed to seed."""
        size = abs(self.difference.estimate)
        return size / self.spread if self.spread else (0.0 if size == 0.0 else inf)


def agreement(ours: Floats, theirs: Floats) -> Agreement:
    """Compare one number, seed by seed.

    Parameters
    ----------
    ours, theirs : ndarray of float64, shape (seeds,)
        In the same order; at least two.
    """
    return Agreement(independent_interval(ours - theirs), float(theirs.std(ddof=1)))


def agreements(
    records: Records, regularizer: str, epochs: int, peer: str = PEER
) -> dict[str, Agreement]:
    """Of every measure for which both sides have the same seeds; empty where one has none."""
    found = {}
    for field in MEASURES:
        theirs, ours = (records.column(who, regularizer, field, epochs) for who in (peer, OURS))
        if theirs.size == ours.size >= 2:
            found[field] = agreement(ours, theirs)
    return found


def bars(records: Records, epochs: int, reason: str = "") -> list[Row]:
    """Agreement without a regularizer and under L2, and exact zeros under L1."""
    rows = []
    for regularizer, peer, words in COMPARED:
        name = f"the lesson in Keras and here, {words}: largest difference of means"
        found = agreements(records, regularizer, epochs, peer)
        if not found:
            rows.append(Row(name, None, "SD of seeds", 1.0, "at most", detail=reason))
            continue
        told = ", ".join(f"{MEASURES[field]} {one.ratio:.2f}" for field, one in found.items())
        most = max(one.ratio for one in found.values())
        rows.append(Row(name, most, "SD of seeds", 1.0, "at most", detail=told))
    for who, bar, sense in ((PEER, 0.0, "at most"), (OURS, ZEROS, "at least")):
        zeros = 100 * records.column(who, "l1", "zeros", epochs)
        rows.append(
            Row(
                f"exact zeros under l1(0.01), {who}",
                float(zeros.mean()) if zeros.size else None,
                "%",
                bar,
                "at most" if sense == "at most" else "at least",
                spread=(float(zeros.min()), float(zeros.max())) if zeros.size else None,
                detail=f"both hidden kernels, {zeros.size} seeds" if zeros.size else reason,
            )
        )
    return rows


def page(records: Records, labels: Mapping[str, tuple[str, float]], epochs: int, about: str) -> str:
    """The results for a reader.

    Parameters
    ----------
    records : Records
        All trainings.
    labels : mapping of str to (str, float)
        For each regularizer how Keras writes it, and λ in this package.
    epochs : int
        Of the trainings that are shown.
    about : str
        What was trained.
    """
    lines = [
        "# The lesson in Keras, and here",
        "",
        about,
        "",
        (
            "`python -m benchmarks.keras_lesson` makes what is missing here; `--again` makes all. "
            "Numbers are means over the seeds ± their standard deviation from seed to seed."
        ),
        "",
        (
            "| regularizer in Keras | λ here | who | kernel 1 from | to | its SD | exact zeros | "
            f"below {TINY:g} | training | validation | test accuracy | objective | seconds |"
        ),
        "|---" * 13 + "|",
    ]
    for name, (label, lam) in labels.items():
        for who in CONTESTANTS:
            row = _row(records, who, name, epochs)
            if row:
                lines.append(f"| `{label}` | {lam:g} | {who} | " + " | ".join(row) + " |")
    lines += [
        "",
        (
            "Exact zeros, and weights below 0.001 in absolute value, are shares of both hidden "
            "kernels. The objective is the mean training loss in nats with the penalty. λ rising: "
            "linearly from 0 over the first half of the steps; at full strength from "
            "the first step on, a proximal L1 removes units before they have learnt anything."
        ),
        "",
        "## Do they agree?",
        "",
        (
            "Ours − Keras', mean over the seeds with its 95 % interval (seeds are paired: same "
            "rows, same first weights), beside the standard deviation of Keras' number from seed "
            "to seed. They agree where the mean difference is not larger than that."
        ),
        "",
        (
            "The lesson's loss takes the sigmoid's probabilities, and Keras clips them to [1e-7, "
            "1 − 1e-7] (`keras/src/backend/jax/nn.py`). A row on which the network is surer than "
            "that has no gradient any more, also where it is wrong: without a regularizer Keras "
            "then stops short of fitting all training rows. The loss from logits clips nothing, "
            "and neither does this package. (On TensorFlow Keras goes back to the logits behind "
            "a sigmoid by itself.)"
        ),
        "",
        "| | number | ours − Keras' | SD from seed to seed | ratio | |",
        "|---" * 6 + "|",
    ]
    for name, peer, words in COMPARED:
        for field, one in agreements(records, name, epochs, peer).items():
            verdict = "agree" if one.ratio <= 1 else "differ"
            lines.append(
                f"| {words} | {MEASURES[field]} | {one.difference} | {one.spread:.3f} | "
                f"{one.ratio:.2f} | {verdict} |"
            )
    lines += ["", "| bar | measured [least, largest seed] | asked | |", "|---|---|---|---|"]
    lines += [
        f"| {row.name} | {row.measured} | {row.bar_text} | {row.verdict} |"
        for row in bars(records, epochs)
    ]
    return "\n".join([*lines, "", _measured_on(records), ""])


def _row(records: Records, who: str, regularizer: str, epochs: int) -> list[str]:
    def column(field: str) -> Floats:
        return records.column(who, regularizer, field, epochs)

    if not column("low").size:
        return []
    return [
        *(_pm(column(field), places) for field, places in (("low", 2), ("high", 2))),
        _pm(column("spread"), 3),
        *(_pm(100 * column(field), 1) + " %" for field in ("zeros", "tiny")),
        *(_pm(column(field), 3) for field in ("train", "validation", "test", "objective")),
        f"{np.median(column('seconds')):.2g}",
    ]


def _pm(values: Floats, places: int) -> str:
    spread = f" ± {values.std(ddof=1):.{places}f}" if values.size > 1 else ""
    return f"{values.mean():.{places}f}".replace("-", "−") + spread


def _measured_on(records: Records) -> str:
    machines = "; ".join(sorted({record.machine for record in records}))
    days = sorted({record.measured[:10] for record in records})
    seeds = len({record.key.seed for record in records})
    used = {name: number for record in records for name, number in record.versions.items()}
    packages = ", ".join(f"{name} {number}" for name, number in sorted(used.items()))
    backend = used.get("backend", "")
    packages = packages.replace(f"backend {backend}, ", "")
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return (
        f"{seeds} seeds, measured on {machines}, {when}; Keras' backend is {backend}; {packages}."
    )
