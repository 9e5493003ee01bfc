"""The lesson's nine-point checklist, each point ticked or crossed by what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shrinkage.detect import Diagnosis, diagnose
from shrinkage.exhibits import Table
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, Verdict
from shrinkage.lesson.measured import across, finished
from shrinkage.lesson.pictures import Chart, Picture, banded
from shrinkage.lesson.trials import lesson_trial, moons_jobs, program, seeds_of
from shrinkage.lesson.verdicts import side_by_side
from shrinkage.penalties import L2, describe
from shrinkage.scores import PathPoint, path
from shrinkage.study import Fit, Study
from shrinkage.tune import Selection, select
from shrinkage.verify.boundary import boundary_along
from shrinkage.verify.checklist import CheckPoint, nine_points
from shrinkage.verify.weights import compare_weights

LAMBDAS = (0.002, 0.006, 0.02, 0.06, 0.2, 2.0)
"""In the package's convention; Keras' l2 from 0.001 to 1.0."""
_VERDICTS: dict[bool | None, Verdict] = {
    True: "holds",
    False: "does not hold here",
    None: "not decided here",
}


@dataclass(frozen=True)
class Checklist:
    """The lesson's checklist, gone through on its own data."""

    name: ClassVar[str] = "checklist"
    title: ClassVar[str] = "The checklist, ticked by evidence"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """No penalty and L2 at every λ, for each seed."""
        return moons_jobs(
            setting,
            lambda data, seed: [
                lesson_trial(data, seed, epochs=setting.epochs),
                *(lesson_trial(data, seed, L2(), lam, epochs=setting.epochs) for lam in LAMBDAS),
            ],
        )

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Go through the nine points with all seeds side by side."""
        good, notes = finished(studies)
        study = side_by_side(good)
        diagnosis, selection = diagnose(study), select(study, "minimum")
        points = _ticked(good[0], study, diagnosis, selection)
        count = sum(bool(point.passed) for point in points)
        return Exhibited(
            name=self.name,
            heading="Implementation checklist",
            title=self.title,
            text=(_text(setting, count, len(points), diagnosis, selection),),
            claims=tuple(
                _claim(point, diagnosis if place == 0 else None)
                for place, point in enumerate(points)
            ),
            pictures=_pictures(path(study)),
            code=_code(setting),
            tables=(("Every λ: means over the seeds with 95% intervals", _table(path(study))),),
            notes=notes,
        )


def _text(
    setting: Setting, count: int, total: int, diagnosis: Diagnosis, selection: Selection
) -> str:
    chosen = describe(selection.point.penalty, selection.point.lam)
    return (
        f"The lesson ends with nine things to do. Here they are done with L2 at {len(LAMBDAS)} λ, "
        f"each seed a fold, trained for {setting.epochs:,} epochs, validated on fresh points, and "
        f"{count} of {total} are ticked. Detection says: {diagnosis.heading}; {chosen} validates "
        "best."
    )


def _ticked(
    first: Study, study: Study, diagnosis: Diagnosis, selection: Selection
) -> tuple[CheckPoint, ...]:
    point = (selection.point.penalty, selection.point.lam)
    fits = {(fit.trial.penalty, fit.trial.lam): fit for fit in first.fits}
    before, after = fits[None, 0.0], fits[point]
    shown: list[Fit] = [before] if before is after else [before, after]
    boundary = boundary_along(
        shown, [describe(fit.trial.penalty, fit.trial.lam) for fit in shown], first.data
    )
    return nine_points(study, diagnosis, point, compare_weights(before, after), boundary)


def _claim(point: CheckPoint, diagnosis: Diagnosis | None) -> Claim:
    return Claim(
        f"{point.text}.",
        point.evidence,
        "not decided here"
        if diagnosis is not None and not diagnosis.gap.excludes(0.0)
        else _VERDICTS[point.passed],
        None if diagnosis is None else diagnosis.gap,
        unit="" if diagnosis is None else "nats of gap",
    )


def _pictures(points: Sequence[PathPoint]) -> tuple[Picture, ...]:
    places = list(range(len(points)))
    return (
        Chart(
            "Both losses along λ",
            "λ of L2",
            "log loss (nats)",
            "Look for the lowest place of the solid line: to its left the network overfits and the "
            "lines part, to its right it underfits and both rise. Bands are 95% intervals over the "
            "seeds.",
            (
                banded(
                    "training points", "train", places, [across(p.train_losses) for p in points]
                ),
                banded(
                    "fresh validation points",
                    "validation",
                    places,
                    [across(p.validation_losses) for p in points],
                ),
            ),
            y_scale="log",
            ticks=tuple((float(i), f"{p.lam:g}") for i, p in enumerate(points)),
        ),
    )


def _table(points: Sequence[PathPoint]) -> Table:
    rows = tuple(
        (
            one.label,
            str(across(one.train_losses)),
            str(across(one.validation_losses)),
            f"{one.spread:.4f}",
        )
        for one in points
    )
    columns = (
        "penalty",
        "training log loss (nats)",
        "validation log loss (nats)",
        "spread of hidden weights",
    )
    return Table(columns, rows)


def _code(setting: Setting) -> str:
    seeds = seeds_of(setting)
    return program(
        f"""\
        from shrinkage import L2, Network, Study, Training, Trial, diagnose, select, train
        from shrinkage.lesson.toys import pooled, toy
        from shrinkage.verify.boundary import boundary_along
        from shrinkage.verify.checklist import nine_points
        from shrinkage.verify.weights import compare_weights

        NETWORK
        TRAINING
        data = pooled([toy("moons", seed) for seed in range({seeds.start}, {seeds.stop})])
        points = [(None, 0.0), *((L2(), lam) for lam in {LAMBDAS})]
        trials = [
            Trial(network, training, penalty, lam, fold, seed={seeds.start} + fold)
            for fold in range(len(data.parts))
            for penalty, lam in points
        ]
        study = Study.of(data, trials, train(trials, data), versions={{}})
        best = select(study, "minimum").point
        chosen = (best.penalty, best.lam)
        first = {{(fit.trial.penalty, fit.trial.lam): fit for fit in study.fits[: len(points)]}}
        pair = [first[None, 0.0], first[chosen]]
        boundary = boundary_along(pair, ["no penalty", best.label], data)
        for point in nine_points(study, diagnose(study), chosen, compare_weights(*pair), boundary):
            print("✓" if point.passed else "✗", point.text, "—", point.evidence)
        """,
        setting.epochs,
    )
