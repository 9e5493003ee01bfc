"""The penalties that are compared, what is measured of each, and what the lesson claims of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shrinkage.data import Data
from shrinkage.intervals import Interval
from shrinkage.lesson.exhibited import Claim, Setting, judged
from shrinkage.lesson.measured import Floats, across, each, test_scores, validation_accuracy
from shrinkage.lesson.trials import lesson_trial
from shrinkage.penalties import L1, L2, ElasticNet, Penalty
from shrinkage.study import Study, Trial


@dataclass(frozen=True)
class Kind:
    """A penalty with the λ that are tried for it.

    Parameters
    ----------
    label : str
        For people.
    penalty : Penalty
        Its shares of λ.
    lambdas : tuple of float
        Rising, in the package's convention.
    rising : bool, default False
        Whether λ rises over the first half of the training.
    """

    label: str
    penalty: Penalty
    lambdas: tuple[float, ...]
    rising: bool = False

    def trial(self, data: Data, seed: int, lam: float, setting: Setting) -> Trial:
        """A training at one λ."""
        schedule = "linear" if self.rising else "constant"
        return lesson_trial(
            data, seed, self.penalty, lam, epochs=setting.epochs, lam_schedule=schedule
        )


NET = ElasticNet(1 / 3)
"""Keras' ``l1_l2(l1=x, l2=x)``: λ₁ = x and λ₂ = 2x, so λ = 3x here."""
KINDS = (
    Kind("L2", L2(), (0.002, 0.006, 0.02, 0.06)),
    Kind("L1", L1(), (0.0003, 0.001, 0.003, 0.01)),
    Kind("L1, λ rising", L1(), (0.001, 0.003, 0.01, 0.03), rising=True),
    Kind("elastic net", NET, (0.0009, 0.003, 0.009, 0.03)),
)
_FEWEST_ZEROS, _POINT = 80.0, 1.0


@dataclass(frozen=True, eq=False)
class Point:
    """What is measured at one λ, one value for each seed.

    Parameters
    ----------
    label : str
        Of the kind of penalty.
    lam : float
        In the package's convention.
    place : int
        Of its fit in each study.
    zeros, validation, accuracy : ndarray of float64, shape (seeds,)
        Exact zeros among the hidden weights, and validation and test rows predicted rightly; in
        percent.
    spread : ndarray of float64, shape (seeds,)
        Standard deviation of the hidden weights.
    loss : ndarray of float64, shape (seeds,)
        Test log loss in nats.
    """

    label: str
    lam: float
    place: int
    zeros: Floats
    spread: Floats
    validation: Floats
    loss: Floats
    accuracy: Floats


def measure(studies: Sequence[Study]) -> tuple[Point, list[list[Point]]]:
    """No penalty, and every λ of every kind, from studies whose trials are in that order."""
    none = _point("no penalty", 0.0, 0, studies)
    paths, place = [], 1
    for kind in KINDS:
        points = []
        for lam in kind.lambdas:
            points.append(_point(kind.label, lam, place, studies))
            place += 1
        paths.append(points)
    return none, paths


def _point(label: str, lam: float, place: int, studies: Sequence[Study]) -> Point:
    scores = np.array([test_scores(study.fits[place], study.data) for study in studies])
    return Point(
        label,
        lam,
        place,
        each(studies, place, lambda fit, _: 100.0 * fit.sparsity),
        each(studies, place, lambda fit, _: fit.spread),
        each(studies, place, validation_accuracy),
        scores[:, 0],
        scores[:, 1],
    )


def validated(points: Sequence[Point]) -> Point:
    """The point with the best mean validation accuracy."""
    return max(points, key=lambda point: float(point.validation.mean()))


def claims(none: Point, best: Mapping[str, Point]) -> tuple[Claim, ...]:
    """What the lesson says of the kinds, from the best point of each."""
    l2, net = best["L2"], best["elastic net"]
    l1 = validated([best["L1"], best["L1, λ rising"]])
    return (
        judged(
            "With L1 many weights become exactly zero: at least 80 %.",
            f"With {named(l1)} the share of exact zeros among the hidden weights is "
            f"{across(l1.zeros)} %.",
            across(l1.zeros),
            at_least=_FEWEST_ZEROS,
            unit="%",
        ),
        _cost(l1, best["L1"], validated([none, l2, net])),
        judged(
            "With L2 the weights become small but not exactly zero.",
            f"At λ = {l2.lam:g} the share of exact zeros is {across(l2.zeros)} %; the spread falls "
            f"from {across(none.spread)} to {across(l2.spread)}.",
            across(l2.zeros),
            at_most=0,
            unit="%",
        ),
        judged(
            "Elastic net combines both effects: it makes exact zeros too.",
            f"At λ = {net.lam:g} the share of exact zeros is {across(net.zeros)} %, and the spread "
            f"is {across(net.spread)}, against {across(none.spread)} without a penalty.",
            across(net.zeros),
            above=0,
            unit="%",
        ),
        judged(
            "L2 generally gives better results than L1 in deep learning, also where L1's λ rises.",
            f"{named(l2)} predicts {across(l2.accuracy)} % of the new points rightly, "
            f"{named(l1)} {across(l1.accuracy)} %: {_lead(l2, l1)} points more with L2. The test "
            f"log loss is {across(l2.loss)} nats with L2 and {across(l1.loss)} with L1.",
            _lead(l2, l1),
            above=0,
            unit="points",
        ),
    )


def _cost(l1: Point, at_once: Point, best: Point) -> Claim:
    behind = _lead(best, l1)
    measured = (
        f"With {named(l1)} it is {across(l1.accuracy)} %, {behind} points below that of "
        f"{named(best)}, which validates best of all without L1 alone."
    )
    if at_once is not l1:
        measured += (
            f" With λ = {at_once.lam:g} from the first step on it is {across(at_once.accuracy)} %, "
            f"{_lead(best, at_once)} points below."
        )
    return judged(
        "That costs at most one point of the best test accuracy.",
        measured,
        behind,
        at_most=_POINT,
        unit="points",
    )


def _lead(one: Point, other: Point) -> Interval:
    """By how many points one predicts more test rows rightly."""
    return across(one.accuracy - other.accuracy)


def named(point: Point) -> str:
    """The kind, with its λ."""
    return point.label if point.lam == 0 else f"{point.label} at λ = {point.lam:g}"
