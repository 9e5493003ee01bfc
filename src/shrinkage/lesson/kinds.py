"""L1 against L2 against elastic net: exact zeros, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import ClassVar

import numpy as np

from shrinkage.data import Data
from shrinkage.exhibits import Table
from shrinkage.intervals import Interval
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.measured import (
    Floats,
    across,
    each,
    finished,
    kernel_of,
    test_scores,
    validation_accuracy,
)
from shrinkage.lesson.pictures import Chart, Matrices, Picture, banded
from shrinkage.lesson.toys import VALIDATION, toy
from shrinkage.lesson.trials import lesson_trial, seeds_of
from shrinkage.penalties import L1, L2, ElasticNet, Penalty
from shrinkage.study import Fit, Study, Trial


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


@dataclass(frozen=True)
class Kinds:
    """The question which penalty leaves exact zeros, and which predicts best."""

    name: ClassVar[str] = "kinds"
    title: ClassVar[str] = "L1 makes zeros, L2 makes small numbers"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """No penalty, and every kind at each of its λ, for each seed."""
        found = []
        for seed in seeds_of(setting):
            data = toy(seed=seed)
            trials = [lesson_trial(data, seed, epochs=setting.epochs)]
            trials += [
                kind.trial(data, seed, lam, setting) for kind in KINDS for lam in kind.lambdas
            ]
            found.append(Job(f"moons {seed}", data, tuple(trials)))
        return found

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Choose each kind's λ by validation rows, and compare on test rows."""
        good, notes = finished(studies)
        none, paths = _measure(good)
        best = {kind.label: _validated(points) for kind, points in zip(KINDS, paths, strict=True)}
        return Exhibited(
            name=self.name,
            heading="Choosing between L1 and L2",
            title=self.title,
            text=_text(setting),
            claims=_claims(none, best),
            pictures=_pictures(good[0], none, paths, best),
            code=_code(setting, best["L1"].lam),
            tables=(("Every λ: means over the seeds with 95% intervals", _table(none, paths)),),
            notes=notes,
        )


def _text(setting: Setting) -> tuple[str, ...]:
    how = (
        "L1 is trained by a proximal step, which sets weights exactly to zero; the plain gradient "
        "that Keras and PyTorch use only makes them small. As a fourth contender λ of L1 rises "
        "from 0 over the first half of the training, so that the network can first learn what to "
        f"keep. {setting.epochs:,} epochs on the same hundred points."
    )
    choice = (
        f"For each penalty the λ with the best mean accuracy on {VALIDATION:,} fresh validation "
        "points is compared, so that no test point has a say in the choice. Keras' "
        "l1_l2(l1=x, l2=x) is elastic net with λ₁ = x and λ₂ = 2x."
    )
    return how, choice


@dataclass(frozen=True, eq=False)
class _Point:
    """What is measured at one λ, one value for each seed; `place` is that of its fit."""

    label: str
    lam: float
    place: int
    zeros: Floats
    spread: Floats
    validation: Floats
    loss: Floats
    accuracy: Floats


def _measure(studies: Sequence[Study]) -> tuple[_Point, list[list[_Point]]]:
    none = _point("no penalty", 0.0, 0, studies)
    paths, place = [], 1
    for kind in KINDS:
        points = []
        for lam in kind.lambdas:
            points.append(_point(kind.label, lam, place, studies))
            place += 1
        paths.append(points)
    return none, paths


def _point(label: str, lam: float, place: int, studies: Sequence[Study]) -> _Point:
    scores = np.array([test_scores(study.fits[place], study.data) for study in studies])
    return _Point(
        label,
        lam,
        place,
        each(studies, place, lambda fit, _: 100.0 * fit.sparsity),
        each(studies, place, lambda fit, _: fit.spread),
        each(studies, place, validation_accuracy),
        scores[:, 0],
        scores[:, 1],
    )


def _validated(points: Sequence[_Point]) -> _Point:
    return max(points, key=lambda point: float(point.validation.mean()))


def _claims(none: _Point, best: dict[str, _Point]) -> tuple[Claim, ...]:
    l2, net = best["L2"], best["elastic net"]
    l1 = _validated([best["L1"], best["L1, λ rising"]])
    return (
        judged(
            "With L1 many weights become exactly zero: at least 80 %.",
            f"With {_named(l1)} the share of exact zeros among the hidden weights is "
            f"{across(l1.zeros)} %.",
            across(l1.zeros),
            at_least=_FEWEST_ZEROS,
            unit="%",
        ),
        _cost(l1, best["L1"], _validated([none, l2, net])),
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
            "L2 generally gives better results than L1 in deep learning.",
            f"{_named(l2)} predicts {across(l2.accuracy)} % of the new points rightly, "
            f"{_named(l1)} {across(l1.accuracy)} %: {_lead(l2, l1)} points more with L2. The test "
            f"log loss is {across(l2.loss)} nats with L2 and {across(l1.loss)} with L1.",
            _lead(l2, l1),
            above=0,
            unit="points",
        ),
    )


def _cost(l1: _Point, at_once: _Point, best: _Point) -> Claim:
    behind = _lead(best, l1)
    measured = (
        f"With {_named(l1)} it is {across(l1.accuracy)} %, {behind} points below that of "
        f"{_named(best)}, which validates best of all without L1 alone."
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


def _lead(one: _Point, other: _Point) -> Interval:
    """By how many points one predicts more test rows rightly."""
    return across(one.accuracy - other.accuracy)


def _named(point: _Point) -> str:
    return point.label if point.lam == 0 else f"{point.label} at λ = {point.lam:g}"


def _pictures(
    study: Study, none: _Point, paths: Sequence[Sequence[_Point]], best: dict[str, _Point]
) -> tuple[Picture, ...]:
    shown = (none, *best.values())
    fits: list[tuple[str, Fit]] = [(_named(point), study.fits[point.place]) for point in shown]
    return (
        Matrices(
            "The weights between the two hidden layers",
            "Each picture is a matrix of 128 × 128 weights: darker is larger, blank is exactly "
            "zero. Without a penalty and with L2 no place is blank; L1 leaves a few lines, the "
            "units that are still in use. The first seed.",
            tuple((label, kernel_of(fit, 2)) for label, fit in fits),
        ),
        Matrices(
            "The weights of the first layer",
            "The two rows are the inputs, the columns the 128 units: with L1 most units lose both "
            "of their weights, and with them their part in the answer.",
            tuple((label, kernel_of(fit, 1)) for label, fit in fits),
        ),
        Chart(
            "Exact zeros against λ",
            "λ",
            "hidden weights that are exactly zero (%)",
            "L1 and elastic net set nearly all weights to zero already at the least λ; L2 none at "
            "any.",
            tuple(
                banded(kind.label, role, kind.lambdas, [across(point.zeros) for point in points])
                for kind, role, points in zip(KINDS, _ROLES, paths, strict=True)
            ),
            x_scale="log",
        ),
        Chart(
            "Test accuracy against λ",
            "λ",
            "new points predicted rightly (%)",
            "Higher is better. Each penalty has a range of λ in which it predicts about as well as "
            "the others. Bands are 95% intervals over the seeds.",
            tuple(
                banded(kind.label, role, kind.lambdas, [across(point.accuracy) for point in points])
                for kind, role, points in zip(KINDS, _ROLES, paths, strict=True)
            ),
            x_scale="log",
        ),
    )


_ROLES = ("penalized", "none", "none", "test")


def _table(none: _Point, paths: Sequence[Sequence[_Point]]) -> Table:
    rows = [
        (
            _named(point),
            *(
                str(across(values))
                for values in (point.zeros, point.spread, point.validation, point.accuracy)
            ),
            str(across(point.loss)),
        )
        for point in (none, *(point for points in paths for point in points))
    ]
    return Table(
        (
            "penalty",
            "exact zeros (%)",
            "spread of hidden weights",
            "validation accuracy (%)",
            "test accuracy (%)",
            "test log loss (nats)",
        ),
        tuple(rows),
    )


def _code(setting: Setting, lam: float) -> str:
    seeds = seeds_of(setting)
    return dedent(
        f"""\
        import numpy as np

        from shrinkage import L1, L2, ElasticNet, Network, Training, Trial, train
        from shrinkage.lesson.toys import toy

        network = Network(2, (128, 128), initialization="glorot")
        training = Training(
            "binary_cross_entropy", learning_rate=0.01, schedule="constant", epochs={setting.epochs}
        )
        penalties = {{L1(): {lam:g}, L2(): 0.02, ElasticNet(1 / 3): 0.003}}
        zeros = {{penalty: [] for penalty in penalties}}
        for seed in range({seeds.start}, {seeds.stop}):
            trials = [
                Trial(network, training, penalty, lam, 0, seed)
                for penalty, lam in penalties.items()
            ]
            for fit in train(trials, toy("moons", seed)):
                zeros[fit.trial.penalty].append(fit.sparsity)
        for penalty, shares in zeros.items():
            print(f"{{penalty.label}}: {{np.mean(shares):.1%}} of the weights exactly zero")
        """
    )
