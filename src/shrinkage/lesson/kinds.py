"""L1 against L2 against elastic net: exact zeros, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from shrinkage.exhibits import Table
from shrinkage.lesson.exhibited import Exhibited, Job, Setting
from shrinkage.lesson.kinds_claims import KINDS, Point, claims, measure, named, validated
from shrinkage.lesson.measured import across, finished, kernel_of
from shrinkage.lesson.pictures import Chart, Matrices, Picture, banded
from shrinkage.lesson.toys import VALIDATION
from shrinkage.lesson.trials import lesson_trial, moons_jobs, program, seeds_of
from shrinkage.study import Fit, Study


@dataclass(frozen=True)
class Kinds:
    """The question which penalty leaves exact zeros, and which predicts best."""

    name: ClassVar[str] = "kinds"
    title: ClassVar[str] = "L1 makes zeros, L2 makes small numbers"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """No penalty, and every kind at each of its λ, for each seed."""
        return moons_jobs(
            setting,
            lambda data, seed: [
                lesson_trial(data, seed, epochs=setting.epochs),
                *(kind.trial(data, seed, lam, setting) for kind in KINDS for lam in kind.lambdas),
            ],
        )

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Choose each kind's λ by validation rows, and compare on test rows."""
        good, notes = finished(studies)
        none, paths = measure(good)
        best = {kind.label: validated(points) for kind, points in zip(KINDS, paths, strict=True)}
        return Exhibited(
            name=self.name,
            heading="Choosing between L1 and L2",
            title=self.title,
            text=_text(setting),
            claims=claims(none, best),
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


def _pictures(
    study: Study, none: Point, paths: Sequence[Sequence[Point]], best: Mapping[str, Point]
) -> tuple[Picture, ...]:
    shown = (none, *best.values())
    fits: list[tuple[str, Fit]] = [(named(point), study.fits[point.place]) for point in shown]
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


def _table(none: Point, paths: Sequence[Sequence[Point]]) -> Table:
    rows = [
        (
            named(point),
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
    return program(
        f"""\
        import numpy as np

        from shrinkage import L1, L2, ElasticNet, Network, Training, Trial, train
        from shrinkage.lesson.toys import toy

        NETWORK
        TRAINING
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
        """,
        setting.epochs,
    )
