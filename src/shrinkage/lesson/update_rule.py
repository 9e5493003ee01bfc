"""The update rule w(1 − αλ): the penalty's own step under SGD, and another one under Adam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shrinkage.exhibits import Table
from shrinkage.lesson.decays import (
    DIFFERENT,
    LAM,
    OPTIMIZERS,
    OTHERS,
    Compared,
    compared_at,
    decay_trials,
    epochs_of,
    followed_trials,
    steps_of,
)
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.measured import Floats, across, finished, ratio_across
from shrinkage.lesson.pictures import Chart, Line, Picture, banded
from shrinkage.lesson.toys import toy
from shrinkage.lesson.trials import program, seeds_of
from shrinkage.study import Study

_SPACING = float(np.finfo(np.float32).eps)
"""Of single precision at 1; all weights but a few are smaller."""
_MATCH = OTHERS[-1]
"""λ/(1 − μ) with the momentum 0.9."""
_FAR = 10.0
"""Percent of the penalty's own effect: so much is not the same."""


@dataclass(frozen=True)
class UpdateRule:
    """The question whether decaying weights is the same as penalizing them."""

    name: ClassVar[str] = "update-rule"
    title: ClassVar[str] = "Weight decay is the penalty's step under SGD, and is not under Adam"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """Each optimizer without a penalty, with it, and with decay; then other decays of Adam."""
        return [
            Job(
                f"moons {seed}",
                data,
                (*followed_trials(data, seed, setting), *decay_trials(data, seed, setting)),
            )
            for seed in seeds_of(setting)
            for data in (toy(seed=seed),)
        ]

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Compare the weights after each number of steps."""
        good, notes = finished(studies)
        runs = [Compared.of(study, setting) for study in good]
        steps = [steps_of(good[0].trials[0], good[0].data, passes) for passes in epochs_of(setting)]
        return Exhibited(
            name=self.name,
            heading="Weight update rule with L2 regularization",
            title=self.title,
            text=_text(),
            claims=_claims(runs, steps),
            pictures=_pictures(runs, steps),
            code=_code(setting),
            tables=(
                (
                    f"After {steps[runs[0].at]:,} steps: means over the seeds with 95% intervals",
                    _table(runs),
                ),
                (f"Other decays, against the penalty at λ = {LAM:g}", _decay_table(runs)),
            ),
            notes=notes,
        )


def _text() -> tuple[str, ...]:
    rule = (
        "The lesson puts the penalty's gradient λw into the update and rewrites it: "
        "w − α(∂L/∂w + λw) = w(1 − αλ) − α ∂L/∂w. The two sides are two programs: one adds λw to "
        "the gradient, the other multiplies the weights before the step. Here both are run from "
        "the same first weights over the same batches, and their weights compared."
    )
    measure = (
        "The difference is the largest of any hidden weight. To be called large or small it needs "
        "a measure: the largest difference that the penalty itself makes, between training with it "
        f"and without. λ = {LAM:g} here, Keras' l2({LAM / 2:g})."
    )
    return rule, measure


def _claims(runs: Sequence[Compared], steps: Sequence[int]) -> tuple[Claim, ...]:
    at = runs[0].at
    roundings = across([run.apart[0, at] / steps[at] / _SPACING for run in runs])
    plain, momentum, adam = (across([run.share[way, at] for run in runs]) for way in range(3))
    late = across([run.share[0, -1] for run in runs])
    decayed = np.array([run.decayed for run in runs])
    least = across(decayed[:, 1].min(axis=1))
    scaled = decayed[:, 0, OTHERS.index(_MATCH)]
    nearer = ratio_across(scaled, decayed[:, 0, OTHERS.index(LAM)])
    return (
        judged(
            "Under SGD, multiplying the weights by 1 − αλ is the penalty's gradient step: what "
            "differs is less than one rounding of single precision a step.",
            f"After {steps[at]:,} steps the largest difference of a weight is {_of(runs, 0)}, "
            f"{roundings} spacings of single precision (2⁻²³) for each step. That is "
            f"{plain.estimate:.2g} % of what the penalty changes; after {steps[-1]:,} steps, "
            f"{late.estimate:.2g} %.",
            roundings,
            at_most=1,
            unit="spacings a step",
        ),
        judged(
            "With momentum it is not any more: decay does not pass through the velocity.",
            f"The largest difference is {_of(runs, 1)}, {momentum} % of what the penalty changes.",
            momentum,
            at_least=_FAR,
            unit="%",
        ),
        judged(
            "With momentum μ decay acts as λ(1 − μ): decay of λ/(1 − μ) is less than half as far "
            "from the penalty as decay of λ.",
            f"Decay of {_MATCH:g} is {across(scaled)} % of the penalty's effect away from the "
            f"penalty at {LAM:g}: {nearer} times the difference of equal λ.",
            nearer,
            below=0.5,
            unit="times",
        ),
        judged(
            "Under Adam it is not, either: Adam divides the penalty's gradient, too, by the size "
            "of the gradients so far.",
            f"The largest difference is {_of(runs, 2)}, {adam} % of what the penalty changes.",
            adam,
            at_least=_FAR,
            unit="%",
        ),
        judged(
            "No decay from a tenth of λ to ten times λ does under Adam what the penalty does.",
            f"Of {len(OTHERS)} that were tried, {OTHERS[0]:g} to {OTHERS[-1]:g}, the nearest "
            f"leaves a difference of {least} % of what the penalty changes.",
            least,
            at_least=_FAR,
            unit="%",
        ),
    )


def _of(runs: Sequence[Compared], way: int) -> str:
    """The largest difference: a mean over the seeds."""
    return f"{np.mean([run.apart[way, run.at] for run in runs]):.2g}"


def _pictures(runs: Sequence[Compared], steps: Sequence[int]) -> tuple[Picture, ...]:
    x = [float(step) for step in steps]
    roles = ("none", "penalized", "test")
    lines = tuple(
        banded(
            optimizer.label,
            role,
            x,
            [ratio_across(*_columns(runs, way, place)) for place in range(len(steps))],
        )
        for way, (optimizer, role) in enumerate(zip(OPTIMIZERS, roles, strict=True))
    )
    return (
        Chart(
            "How far penalty and decay are apart",
            "steps",
            "largest difference (% of the penalty's effect)",
            "100 % is as far as training with the penalty is from training without it. Momentum "
            "and Adam are that far apart after a few steps. SGD stays at the rounding of single "
            "precision for a hundred steps; then roundings decide for a point here and there "
            "whether a relu unit is on, and even two programs of the same rule part slowly.",
            lines,
            x_scale="log",
            y_scale="log",
        ),
        _trajectories(runs[0], steps, 0, "The same weights on both ways: the lines coincide."),
        _trajectories(runs[0], steps, 2, "The lines part: each way leads to other weights."),
    )


def _columns(runs: Sequence[Compared], way: int, place: int) -> tuple[Floats, Floats]:
    return (
        np.array([100.0 * run.apart[way, place] for run in runs]),
        np.array([run.effect[way, place] for run in runs]),
    )


def _trajectories(run: Compared, steps: Sequence[int], way: int, seen: str) -> Chart:
    """The three first-layer weights that the penalty moved most, on both ways."""
    own = run.weights[way]
    change = np.abs(own[1, -1, : run.first] - own[0, -1, : run.first])
    moved = np.argsort(change)[::-1][:3]
    x = np.array(steps, dtype=np.float64)
    lines = tuple(
        Line(f"{label}, weight {place}", role, x, own[kind, :, weight].astype(np.float64))
        for kind, label, role in ((1, "penalty", "penalized"), (2, "decay", "validation"))
        for place, weight in enumerate(moved, start=1)
    )
    return Chart(
        f"Three weights under {OPTIMIZERS[way].label}",
        "steps",
        "weight",
        f"Three weights of the first layer, those that the penalty moved most. {seen} The first "
        "seed.",
        lines,
        x_scale="log",
    )


def _table(runs: Sequence[Compared]) -> Table:
    rows = [
        (
            optimizer.label,
            f"{optimizer.rate:g}",
            f"{np.mean([run.effect[way, run.at] for run in runs]):.2e}",
            f"{np.mean([run.apart[way, run.at] for run in runs]):.2e}",
            str(across([run.share[way, run.at] for run in runs])),
        )
        for way, optimizer in enumerate(OPTIMIZERS)
    ]
    return Table(
        (
            "optimizer",
            "learning rate α",
            "largest effect of the penalty on a weight",
            "largest difference of penalty and decay",
            "that in percent of the effect",
        ),
        tuple(rows),
    )


def _decay_table(runs: Sequence[Compared]) -> Table:
    """How far each is from the penalty, in percent of the penalty's effect."""
    rows = [
        (
            f"{lam:g}",
            *(str(across([run.decayed[way, place] for run in runs])) for way in (0, 1)),
        )
        for place, lam in enumerate(OTHERS)
    ]
    heads = [f"{OPTIMIZERS[way].label}: largest difference (% of the effect)" for way in DIFFERENT]
    return Table(("λ of the decay", *heads), tuple(rows), OTHERS.index(LAM))


def _code(setting: Setting) -> str:
    seeds, epochs = seeds_of(setting), epochs_of(setting)[compared_at(setting)]
    settings = {
        optimizer.label: {
            "optimizer": optimizer.name,
            "momentum": optimizer.momentum,
            "learning_rate": optimizer.rate,
        }
        for optimizer in OPTIMIZERS
    }
    entries = "\n".join(f"    {label!r}: {values!r}," for label, values in settings.items())
    return program(
        f"""\
        import numpy as np

        from shrinkage import L2, Network, Training, Trial, train
        from shrinkage.lesson.toys import toy

        NETWORK
        optimizers = {{
        ENTRIES
        }}
        for label, settings in optimizers.items():
            training = Training(
                "binary_cross_entropy", schedule="constant", epochs={epochs}, **settings
            )
            shares = []
            for seed in range({seeds.start}, {seeds.stop}):
                trials = [
                    Trial(network, training, None, 0.0, 0, seed),
                    Trial(network, training, L2(), {LAM}, 0, seed),
                    Trial(network, training, L2(decoupled=True), {LAM}, 0, seed),
                ]
                fits = {{fit.trial: fit for fit in train(trials, toy("moons", seed))}}
                none, penalty, decay = (fits[trial].penalized_weights for trial in trials)
                apart, effect = abs(penalty - decay).max(), abs(penalty - none).max()
                shares.append(100 * apart / effect)
            print(f"{{label}}: {{np.mean(shares):.3g}} % of the penalty's effect apart")
        """,
        epochs,
    ).replace("ENTRIES", entries)
