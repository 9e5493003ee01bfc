"""Exact zeros on moons: many under L1 near the λ that is chosen, none under L2."""

from __future__ import annotations

from typing import Any

from benchmarks.measure import Effort
from benchmarks.table import Row
from shrinkage.data import bundled, prepare
from shrinkage.penalties import L1, L2, Penalty
from shrinkage.scores import PathPoint
from shrinkage.tune import Search, candidates, default_training, plan


def rows(effort: Effort) -> list[Row]:
    """The share for each penalty, over all folds at its best λ."""
    table, target = bundled("moons")
    quick: dict[str, Any] = {"folds": 2, "repeats": 1} if effort.quick else {}
    data = prepare(table, target, name="moons", **quick)
    training = default_training(data, epochs=20 if effort.quick else None)
    search = Search(data, plan(data, penalties=(L1(), L2()), training=training, refits=1))
    for _ in search:
        pass
    points = [point for point in candidates(search.study) if point.penalty is not None]
    return [
        _row(L1(), points, 80.0, "at least"),
        _row(L2(), points, 0.0, "at most"),
    ]


def _row(penalty: Penalty, points: list[PathPoint], bar: float, sense: str) -> Row:
    own = sorted((point for point in points if point.penalty == penalty), key=lambda p: p.lam)
    best = min(range(len(own)), key=lambda place: own[place].mean_validation)
    near = own[max(best - 1, 0) : best + 2]
    around = ", ".join(f"{100 * point.sparsity:.3g} % at {point.lam:g}" for point in near)
    return Row(
        f"hidden weights exactly zero on moons, {type(penalty).__name__}",
        100 * own[best].sparsity,
        "%",
        bar,
        "at least" if sense == "at least" else "at most",
        detail=f"at the λ with the least validation loss, {own[best].lam:g}; around it: {around}",
    )
