"""The lesson's experiment: moons, two hidden layers of 128 units, without and with L2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import ClassVar

import numpy as np

from shrinkage.exhibits import Table
from shrinkage.intervals import Interval
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.measured import (
    Floats,
    across,
    boundary_of,
    finished,
    kernel_of,
    ratio_across,
    test_scores,
)
from shrinkage.lesson.pictures import Boundaries, Picture, Weights
from shrinkage.lesson.toys import TEST, toy
from shrinkage.lesson.trials import keras_l2, lesson_trial, seeds_of
from shrinkage.penalties import L2
from shrinkage.study import Fit, Study
from shrinkage.verify.boundary import boundary_along
from shrinkage.verify.complexity import ISLAND_ROWS
from shrinkage.verify.weights import compare_weights

STRENGTH = 0.01
"""Of Keras' ``l2``; λ is twice that here."""
LABELS = ("no penalty", "L2, Keras 0.01 (λ = 0.02)")
_NEAR = 0.1
_THEIRS = ((-2.78, 1.75), (-0.5, 0.3))
"""Ranges of the first kernel that the lesson shows."""


@dataclass(frozen=True)
class WithL2:
    """The question what L2 does to boundary, weights and test accuracy."""

    name: ClassVar[str] = "l2"
    title: ClassVar[str] = "The same network without and with L2"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """Both networks of each seed, from the same first weights."""
        found = []
        for seed in seeds_of(setting):
            data = toy(seed=seed)
            trials = (
                lesson_trial(data, seed, epochs=setting.epochs),
                lesson_trial(data, seed, L2(), keras_l2(STRENGTH), epochs=setting.epochs),
            )
            found.append(Job(f"moons {seed}", data, trials))
        return found

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Compare the two networks of each seed."""
        good, notes = finished(studies)
        measured = [tuple(_measure(fit, study) for fit in study.fits) for study in good]
        return Exhibited(
            name=self.name,
            heading="Experimental results",
            title=self.title,
            text=_text(setting),
            claims=_claims(measured),
            pictures=_pictures(good[0]),
            code=_code(setting),
            tables=(("Each seed: new data and new first weights", _table(good, measured)),),
            notes=notes,
        )


def _text(setting: Setting) -> tuple[str, str]:
    setup = (
        "A hundred points of make_moons with noise 0.25, a network of two hidden layers with 128 "
        f"units each, Adam at 0.01, {setting.epochs:,} epochs: long enough to memorize. Beside it "
        "the same network, from the same first weights, with kernel_regularizer=l2(0.01) on both "
        "hidden layers."
    )
    convention = (
        "Keras adds 0.01 Σw² to the loss. The textbook's penalty is (λ/2) Σw², so that is λ = 0.02 "
        "here. Biases and the output layer are left alone, as the lesson asks."
    )
    return setup, convention


@dataclass(frozen=True)
class _Measured:
    """What is measured of one network."""

    low: float
    high: float
    spread: float
    near: float
    length: float
    islands: int
    loss: float
    accuracy: float


def _measure(fit: Fit, study: Study) -> _Measured:
    weights, shape = kernel_of(fit), boundary_of(fit, study.data)
    return _Measured(
        float(weights.min()),
        float(weights.max()),
        float(weights.std()),
        float(100.0 * np.mean(np.abs(weights) < _NEAR)),
        shape.length,
        shape.islands,
        *test_scores(fit, study.data),
    )


def _claims(measured: Sequence[tuple[_Measured, ...]]) -> tuple[Claim, ...]:
    sides = _Sides(measured)
    return (*_about_weights(sides), *_about_boundary(sides), *_about_new_rows(sides))


@dataclass(frozen=True, eq=False)
class _Sides:
    """Both networks of every seed, one field at a time."""

    measured: Sequence[tuple[_Measured, ...]]

    def values(self, field: str, side: int) -> Floats:
        return np.array([getattr(pair[side], field) for pair in self.measured], dtype=np.float64)

    def means(self, field: str) -> tuple[Interval, Interval]:
        return across(self.values(field, 0)), across(self.values(field, 1))

    def change(self, field: str) -> Interval:
        return across(self.values(field, 1) - self.values(field, 0))


def _about_weights(sides: _Sides) -> tuple[Claim, ...]:
    spread = ratio_across(sides.values("spread", 0), sides.values("spread", 1))
    widths = [sides.values("high", side) - sides.values("low", side) for side in (0, 1)]
    width = ratio_across(widths[0], widths[1])
    ends = [
        f"[{sides.means('low')[side].estimate:.2f}, {sides.means('high')[side].estimate:.2f}]"
        for side in (0, 1)
    ]
    theirs = [f"[{low}, {high}]" for low, high in _THEIRS]
    before, after = sides.means("spread")
    return (
        judged(
            "With L2 the weights of the first layer concentrate near zero: their spread shrinks at "
            "least 3-fold.",
            f"Their standard deviation falls from {before} to {after}: it is {spread} times "
            "smaller.",
            spread,
            at_least=3,
            unit="times",
        ),
        judged(
            f"Their range shrinks, in the lesson from {theirs[0]} to {theirs[1]}.",
            f"The mean range goes from {ends[0]} to {ends[1]}: it is {width} times narrower, in "
            f"the lesson {_lesson_ratio():.1f} times.",
            width,
            above=1,
            unit="times",
        ),
        judged(
            "Their density gathers around zero.",
            f"Weights of the first layer nearer to zero than {_NEAR}: "
            f"{_shares(*sides.means('near'))}, {sides.change('near')} points more.",
            sides.change("near"),
            above=0,
            unit="points",
        ),
    )


def _lesson_ratio() -> float:
    return (_THEIRS[0][1] - _THEIRS[0][0]) / (_THEIRS[1][1] - _THEIRS[1][0])


def _shares(before: Interval, after: Interval) -> str:
    return f"{before.estimate:.1f} % without a penalty, {after.estimate:.1f} % with it"


def _about_boundary(sides: _Sides) -> tuple[Claim, ...]:
    left_over = ratio_across(sides.values("length", 1), sides.values("length", 0))
    ends = (left_over.estimate, left_over.high, left_over.low)
    shorter = Interval(*(100.0 * (1.0 - end) for end in ends))
    before, after = sides.means("length")
    without, left = (sides.values("islands", side) for side in (0, 1))
    return (
        judged(
            "L2 smooths the decision boundary: it is shorter by at least a third.",
            f"Its length goes from {before} to {after} for each unit of area around the points: "
            f"it is shorter by {shorter} %.",
            shorter,
            at_least=100 / 3,
            unit="%",
        ),
        judged(
            "With L2 no small region is left around single points.",
            f"Islands in the boundary, with at most {ISLAND_ROWS} training points: "
            f"{left.mean():.1f} a network with L2 (in {np.count_nonzero(left)} of {left.size} "
            f"networks), {without.mean():.1f} without (in {np.count_nonzero(without)}).",
            across(left),
            at_most=0,
            unit="islands",
        ),
    )


def _about_new_rows(sides: _Sides) -> tuple[Claim, ...]:
    before, after = sides.means("accuracy")
    losses = sides.means("loss")
    fall = -sides.change("loss")
    return (
        judged(
            "That costs no test accuracy.",
            f"On {TEST:,} fresh points {before.estimate:.1f} % are predicted rightly without and "
            f"{after.estimate:.1f} % with L2: {sides.change('accuracy')} points more.",
            sides.change("accuracy"),
            at_least=0,
            unit="points",
        ),
        judged(
            "L2 generalizes better: less loss on new points.",
            f"The test log loss goes from {losses[0]} to {losses[1]} nats; it falls by {fall}.",
            fall,
            above=0,
            unit="nats",
        ),
    )


def _pictures(study: Study) -> tuple[Picture, ...]:
    data, (before, after) = study.data, study.fits
    panels = [
        (label, boundary_along([fit], [label], data))
        for fit, label in zip(study.fits, LABELS, strict=True)
    ]
    _, *layers = compare_weights(before, after, LABELS)  # the first is all of them together
    return (
        Boundaries(
            "The decision boundary",
            "Look at the line between the two colours: without a penalty it bends around single "
            "points, with L2 it keeps to the shape of the moons. Deeper colour is more certainty, "
            "and without a penalty the network is certain nearly everywhere. The first seed.",
            tuple(panels),
        ),
        Weights(
            "The weights, as box plots and densities",
            "The boxes hold the middle half of the weights, their lines 98 %, the dots all of "
            "them. With L2 they shrink around zero, those of the second layer most; their density "
            "becomes a peak. None is exactly zero. The first seed.",
            tuple(layers),
        ),
    )


def _table(studies: Sequence[Study], measured: Sequence[tuple[_Measured, ...]]) -> Table:
    rows = []
    for study, pair in zip(studies, measured, strict=True):
        for label, one in zip(("none", "L2"), pair, strict=True):
            rows.append(
                (
                    f"{study.trials[0].seed}, {label}",
                    f"[{one.low:.2f}, {one.high:.2f}]",
                    f"{one.spread:.3f}",
                    f"{one.length:.3f}",
                    f"{one.islands}",
                    f"{one.loss:.3f}",
                    f"{one.accuracy:.1f}",
                )
            )
    return Table(
        (
            "seed and penalty",
            "range of layer 1",
            "spread of layer 1",
            "boundary length per area",
            "islands",
            "test log loss (nats)",
            "test accuracy (%)",
        ),
        tuple(rows),
    )


def _code(setting: Setting) -> str:
    seeds = seeds_of(setting)
    return dedent(
        f"""\
        import numpy as np

        from shrinkage import L2, Network, Training, Trial, train
        from shrinkage.lesson.toys import TEST, toy
        from shrinkage.network import layout

        network = Network(2, (128, 128), initialization="glorot")
        training = Training(
            "binary_cross_entropy", learning_rate=0.01, schedule="constant", epochs={setting.epochs}
        )
        ratios = []
        for seed in range({seeds.start}, {seeds.stop}):
            none = Trial(network, training, None, 0.0, fold=0, seed=seed)
            l2 = Trial(network, training, L2(), 0.02, fold=0, seed=seed)  # keras: l2(0.01)
            fits = {{fit.trial: fit for fit in train([none, l2], toy("moons", seed))}}
            first = layout(network).kernels[0]
            spread = [first.of(fits[trial].parameters).std() for trial in (none, l2)]
            ratios.append(spread[0] / spread[1])
        mean = np.exp(np.mean(np.log(ratios)))
        print(f"the first layer's weights spread {{mean:.2f}} times less with L2")
        """
    )
