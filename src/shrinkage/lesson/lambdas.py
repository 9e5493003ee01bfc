"""λ = 0, 0.01, 0.1 and 1.0 in Keras' convention, each judged by the package's own detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shrinkage.detect import Diagnosis, diagnose
from shrinkage.exhibits import Table
from shrinkage.intervals import Interval
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.measured import (
    Floats,
    across,
    boundary_of,
    each,
    finished,
    ratio_across,
    share_of,
    test_scores,
)
from shrinkage.lesson.pictures import Boundaries, Chart, Picture, banded, panels_of
from shrinkage.lesson.toys import VALIDATION, toy
from shrinkage.lesson.trials import keras_l2, l2_trial, program, seeds_of
from shrinkage.lesson.verdicts import side_by_side, verdict_at
from shrinkage.study import Study

STRENGTHS = (0.0, 0.01, 0.1, 1.0)
"""Of Keras' ``l2``."""
FOLDS, REPEATS = 5, 2
"""Of detection on a table as small as this, see :func:`shrinkage.data.default_folds`."""
_MOST = 50.0
"""A verdict that so many percent of all seeds get is the usual one."""


def whole_job(seed: int, setting: Setting) -> Job:
    """A network for each λ, trained on all points."""
    data = toy(seed=seed)
    trials = tuple(l2_trial(data, seed, one, epochs=setting.epochs) for one in STRENGTHS)
    return Job(f"moons {seed}", data, trials)


def _folds_job(seed: int, setting: Setting) -> Job:
    """Networks without a penalty on the folds of the same points, for detection on these alone."""
    data = toy(seed=seed, folds=FOLDS, repeats=REPEATS)
    trials = tuple(
        l2_trial(data, seed, 0.0, epochs=setting.epochs, fold=fold)
        for fold in range(len(data.parts))
    )
    return Job(f"folds of moons {seed}", data, trials, weights=False)


@dataclass(frozen=True)
class Lambdas:
    """The question which λ overfits and which underfits."""

    name: ClassVar[str] = "lambdas"
    title: ClassVar[str] = "λ = 0 overfits, λ = 1.0 underfits?"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """All points of each seed, then its folds."""
        return [
            job
            for seed in seeds_of(setting)
            for job in (whole_job(seed, setting), _folds_job(seed, setting))
        ]

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Ask detection for its verdict on each λ."""
        whole, notes = finished(studies[::2])
        folds, more = finished(studies[1::2])
        together = side_by_side(whole)
        points = [_measure(place, whole, together) for place in range(len(STRENGTHS))]
        return Exhibited(
            name=self.name,
            heading="Hyperparameter tuning",
            title=self.title,
            text=_text(setting),
            claims=(*_claims(points), _alone([diagnose(study) for study in folds])),
            pictures=_pictures(whole[0], points),
            code=_code(setting),
            tables=(("Each λ: means over the seeds with 95% intervals", _table(points)),),
            notes=(*notes, *more),
        )


def _text(setting: Setting) -> tuple[str, ...]:
    detection = (
        "The lesson compares four λ by eye. Here each is judged by the same detection that "
        "shrinkage run uses: from the gap between validation and training loss, from what an "
        "earlier stop or a larger λ would gain, and from how much of the loss the training "
        f"explains. Every seed is a fold: trained on its hundred points for {setting.epochs:,} "
        f"epochs, validated on {VALIDATION:,} fresh ones."
    )
    convention = (
        "The numbers 0.01, 0.1 and 1.0 are Keras' l2(…); in the textbook's convention they are "
        "λ = 0.02, 0.2 and 2."
    )
    return detection, convention


@dataclass(frozen=True, eq=False)
class _Point:
    """What is measured at one λ, one value for each seed."""

    strength: float
    diagnosis: Diagnosis
    train: Floats
    test: Floats
    accuracy: Floats
    length: Floats

    @property
    def explained(self) -> Interval:
        """Share of a constant's loss that the training explains, in percent."""
        return across(100.0 * (1.0 - self.train / self.diagnosis.null_loss))


def _measure(place: int, whole: Sequence[Study], together: Study) -> _Point:
    scores = np.array([test_scores(study.fits[place], study.data) for study in whole])
    strength = STRENGTHS[place]
    return _Point(
        strength,
        verdict_at(together, keras_l2(strength)),
        each(whole, place, lambda fit, _: fit.final_train_loss),
        scores[:, 0],
        scores[:, 1],
        each(whole, place, lambda fit, data: boundary_of(fit, data).length),
    )


def _claims(points: Sequence[_Point]) -> tuple[Claim, ...]:
    none, small, middle, large = points
    others = np.min([none.test, middle.test, large.test], axis=0)
    better = across(others - small.test)
    simpler = ratio_across(middle.length, small.length)
    return (
        _judgement(none, "overfits", "Without regularization (λ = 0) the network overfits."),
        _judgement(large, "underfits", "With λ = 1.0 the network underfits."),
        judged(
            "λ = 0.01 is a good balance: of the four it predicts new points best.",
            f"Its test log loss is {across(small.test)} nats, {better} below the least of the "
            f"others. Detection says of it: {small.diagnosis.heading}, with a gap of "
            f"{small.diagnosis.gap} nats.",
            better,
            above=0,
            unit="nats",
        ),
        judged(
            "λ = 0.1 is smoother still: its boundary is shorter than that of λ = 0.01.",
            f"It has {simpler} times the length.",
            simpler,
            below=1,
            unit="times",
        ),
    )


def _judgement(point: _Point, verdict: str, text: str) -> Claim:
    """A claim that detection decides."""
    found = point.diagnosis
    facts = (
        f"validation minus training log loss is {found.gap} nats, and the training explains "
        f"{point.explained} % of the loss of a constant prediction"
    )
    unit = "nats of gap" if verdict == "overfits" else "% explained"
    holds = found.heading == verdict
    open_ = found.heading == "unclear"
    return Claim(
        text,
        f"Detection says: {found.heading}. Over {found.folds} seeds {facts}.",
        "holds" if holds else "not decided here" if open_ else "does not hold here",
        found.gap if verdict == "overfits" else point.explained,
        f"detection says {verdict}",
        unit,
    )


def _alone(verdicts: Sequence[Diagnosis]) -> Claim:
    """Whether a hundred points tell it without fresh ones."""
    count = sum(one.verdict == "overfits" for one in verdicts)
    unclear = sum(one.heading == "unclear" for one in verdicts)
    share = share_of(count, len(verdicts))
    return judged(
        "A hundred points are enough to see that, without any fresh ones.",
        f"By {FOLDS}-fold cross-validation, {REPEATS} times over, of each seed's hundred points "
        f"alone detection says that λ = 0 overfits in {count} of {len(verdicts)} seeds, "
        f"{share} %, and in {unclear} that it is unclear.",
        share,
        above=_MOST,
        unit="% of seeds",
    )


def _pictures(study: Study, points: Sequence[_Point]) -> tuple[Picture, ...]:
    labels = ["λ = 0", *(f"Keras l2({strength:g})" for strength in STRENGTHS[1:])]
    places = list(range(len(STRENGTHS)))
    ticks = tuple((float(place), f"{strength:g}") for place, strength in enumerate(STRENGTHS))
    return (
        Boundaries(
            "The boundary of each λ",
            "From left to right the line gets simpler and the colours paler: the network is less "
            "certain. Where one colour fills the picture, it answers the same everywhere.",
            panels_of(study.fits, labels, study.data),
        ),
        Chart(
            "Training and test loss against λ",
            "λ in Keras' convention",
            "log loss (nats)",
            "On the left the two lines are far apart: overfitting. On the right they meet, but "
            "high: underfitting, where 0.69 is the loss of a coin. Bands are 95% intervals over "
            "the seeds.",
            (
                banded("training points", "train", places, [across(p.train) for p in points]),
                banded("new points", "test", places, [across(p.test) for p in points]),
            ),
            y_scale="log",
            ticks=ticks,
        ),
    )


def _table(points: Sequence[_Point]) -> Table:
    rows = [
        (
            f"{one.strength:g}",
            f"{keras_l2(one.strength):g}",
            one.diagnosis.heading,
            str(one.diagnosis.gap),
            *(str(across(values)) for values in (one.train, one.test, one.accuracy, one.length)),
        )
        for one in points
    ]
    return Table(
        (
            "Keras l2",
            "λ here",
            "detection says",
            "validation − training (nats)",
            "training log loss (nats)",
            "test log loss (nats)",
            "test accuracy (%)",
            "boundary length per area",
        ),
        tuple(rows),
    )


def _code(setting: Setting) -> str:
    seeds = seeds_of(setting)
    return program(
        f"""\
        from dataclasses import replace

        from shrinkage import L2, Network, Study, Training, Trial, diagnose, train
        from shrinkage.lesson.toys import pooled, toy

        NETWORK
        TRAINING
        data = pooled([toy("moons", seed) for seed in range({seeds.start}, {seeds.stop})])
        fits = []
        for keras in {STRENGTHS}:
            penalty = L2() if keras else None
            trials = [
                Trial(network, training, penalty, 2 * keras, fold, seed={seeds.start} + fold)
                for fold in range(len(data.parts))
            ]
            fits += train(trials, data)
        for keras in {STRENGTHS}:
            # Detection judges what has no penalty: the network at this λ takes its place.
            taking = [
                replace(fit, trial=replace(fit.trial, penalty=None, lam=0.0))
                if fit.trial.lam == 2 * keras
                else fit
                for fit in fits
                if fit.trial.lam >= 2 * keras
            ]
            study = Study.of(data, [fit.trial for fit in taking], taking, versions={{}})
            found = diagnose(study)
            print(f"keras l2({{keras}}): {{found.heading}}, gap {{found.gap}} nats")
        """,
        setting.epochs,
    )
