"""Why do weights near zero make a simple function? Along the path of λ, and by scaling alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shrinkage.exhibits import Table
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.measured import (
    Floats,
    across,
    boundary_of,
    finished,
    ratio_across,
    test_scores,
)
from shrinkage.lesson.pictures import Chart, Picture, banded
from shrinkage.lesson.ranks import rank_correlation
from shrinkage.lesson.scaled import scaled_claims, scaled_pictures, scaled_table, scaled_values
from shrinkage.lesson.trials import keras_l2, l2_trial, moons_jobs, program, seeds_of
from shrinkage.network import layout
from shrinkage.study import Study
from shrinkage.verify.norms import path_norm, weight_norm
from shrinkage.verify.smoothness import jacobian_norms

STRENGTHS = (0.0, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
"""Of Keras' ``l2``."""
_USUAL = STRENGTHS.index(0.01)
_HIGH = 0.8
"""A rank correlation that is called high."""


@dataclass(frozen=True)
class SmallWeights:
    """The lesson's first prompt: why forcing weights toward zero leads to simpler models."""

    name: ClassVar[str] = "small-weights"
    title: ClassVar[str] = "Why does forcing weights toward zero lead to simpler models?"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """A path of λ for each seed, from the same first weights."""
        return moons_jobs(
            setting,
            lambda data, seed: [
                l2_trial(data, seed, strength, epochs=setting.epochs) for strength in STRENGTHS
            ],
        )

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Measure weights and function along each seed's path, and along a scaling of its start."""
        good, notes = finished(studies)
        paths = _Paths.of(good)
        scaled = scaled_values(good, _USUAL)
        return Exhibited(
            name=self.name,
            heading="Learning prompts",
            title=self.title,
            text=_text(setting),
            claims=(*_claims(paths), *scaled_claims(scaled)),
            pictures=(*_pictures(paths), *scaled_pictures(good[0], scaled)),
            code=_code(setting),
            tables=(
                ("Along the path: means over the seeds with 95% intervals", _table(paths)),
                ("Hidden weights multiplied by s, without any training", scaled_table(scaled)),
            ),
            notes=notes,
        )


def _text(setting: Setting) -> tuple[str, ...]:
    reason = (
        "How much an answer changes when its inputs change a little is the network's Jacobian. By "
        "the chain rule that is a product of the weight matrices, with the units that are off "
        "taken out: where the matrices are small, the product is, and the function is flat. A flat "
        "function cannot turn around a single point. That is the reason; here is the measurement."
    )
    path = (
        f"First along the path: the lesson's network, {setting.epochs:,} epochs, at seven λ. The "
        "norm of all hidden weights stands beside the median over the training points of the "
        "Jacobian's norm (of the log odds; per unit of the inputs), and beside the length of the "
        "boundary."
    )
    scaling = (
        "Then without any training: the hidden weights of the network without a penalty are "
        "multiplied by s, from 1 down to 0, and nothing else is touched."
    )
    return reason, path, scaling


@dataclass(frozen=True, eq=False)
class _Paths:
    """What is measured at each λ of each seed, (seeds, λ)."""

    norm: Floats
    jacobian: Floats
    length: Floats
    output: Floats
    paths: Floats
    accuracy: Floats

    @staticmethod
    def of(studies: Sequence[Study]) -> _Paths:
        rows = []
        for study in studies:
            part = study.data.part(0)
            inputs = part.inputs[part.train]
            for fit in study.fits:
                output = layout(fit.trial.network).kernels[-1].of(fit.parameters)
                rows.append(
                    (
                        weight_norm(fit),
                        np.median(jacobian_norms(fit, inputs)),
                        boundary_of(fit, study.data).length,
                        np.linalg.norm(output),
                        path_norm(fit),
                        test_scores(fit, study.data)[1],
                    )
                )
        return _Paths(*np.array(rows).reshape(len(studies), len(STRENGTHS), -1).transpose(2, 0, 1))


def _claims(paths: _Paths) -> tuple[Claim, ...]:
    flat = rank_correlation(paths.norm, paths.jacobian)
    short = rank_correlation(paths.norm, paths.length)
    smaller = ratio_across(paths.norm[:, _USUAL], paths.norm[:, 0])
    grown = ratio_across(paths.output[:, _USUAL], paths.output[:, 0])
    return (
        judged(
            "Smaller weights go with a flatter function: along λ the weight norm and the Jacobian "
            "norm have a high rank correlation.",
            f"Spearman's correlation over the {len(STRENGTHS)} λ of a seed is {flat}; at Keras "
            f"0.01 the weight norm is {smaller} times that without a penalty, the Jacobian "
            f"{ratio_across(paths.jacobian[:, _USUAL], paths.jacobian[:, 0])} times.",
            flat,
            at_least=_HIGH,
        ),
        judged(
            "Smaller weights go with a shorter boundary, too.",
            f"Spearman's correlation of weight norm and boundary length is {short}.",
            short,
            at_least=_HIGH,
        ),
        judged(
            "The output layer, which nothing penalizes, does not grow to make up for it.",
            f"Its norm at Keras 0.01 is {grown} times that without a penalty. The path norm, in "
            "which the weights of all layers count, is "
            f"{ratio_across(paths.paths[:, _USUAL], paths.paths[:, 0])} times that without.",
            grown,
            at_most=1,
            unit="times",
        ),
    )


def _pictures(paths: _Paths) -> tuple[Picture, ...]:
    norms = [float(np.exp(np.log(column).mean())) for column in paths.norm.T]
    order = np.argsort(norms)
    x = [norms[place] for place in order]

    def chart(title: str, label: str, caption: str, values: Floats, *, log: bool) -> Chart:
        line = banded("", "penalized", x, [across(values[:, place]) for place in order])
        scale: Chart = Chart(
            title,
            "Euclidean norm of the hidden weights",
            label,
            caption,
            (line,),
            x_scale="log",
            y_scale="log" if log else "linear",
        )
        return scale

    return (
        chart(
            "Small weights, flat function",
            "median norm of the Jacobian (log odds per unit)",
            "Each point is one λ, the largest on the left, no penalty on the right. Follow the "
            "line from right to left: as the weights shrink, so does the slope of the answer. The "
            "band is the 95% interval over the seeds.",
            paths.jacobian,
            log=True,
        ),
        chart(
            "Small weights, short boundary",
            "boundary length per area",
            "The same networks: where the line falls to the left, smaller weights went with a "
            "shorter boundary. A network that answers the same everywhere has none, length 0.",
            paths.length,
            log=False,
        ),
    )


def _table(paths: _Paths) -> Table:
    rows = [
        (
            f"{strength:g}",
            f"{keras_l2(strength):g}",
            *(
                str(across(values[:, place]))
                for values in (
                    paths.norm,
                    paths.jacobian,
                    paths.length,
                    paths.output,
                    paths.paths,
                    paths.accuracy,
                )
            ),
        )
        for place, strength in enumerate(STRENGTHS)
    ]
    return Table(
        (
            "Keras l2",
            "λ here",
            "norm of hidden weights",
            "median Jacobian norm",
            "boundary length per area",
            "norm of output weights",
            "path norm of all weights",
            "test accuracy (%)",
        ),
        tuple(rows),
    )


def _code(setting: Setting) -> str:
    seeds = seeds_of(setting)
    return program(
        f"""\
        import numpy as np
        from scipy.stats import spearmanr

        from shrinkage import L2, Network, Training, Trial, train
        from shrinkage.lesson.toys import toy
        from shrinkage.verify.norms import weight_norm
        from shrinkage.verify.smoothness import jacobian_norms

        NETWORK
        TRAINING
        lambdas = [2 * keras for keras in {STRENGTHS}]
        correlations = []
        for seed in range({seeds.start}, {seeds.stop}):
            data = toy("moons", seed)
            points = data.part(0).inputs[data.part(0).train]
            trials = [
                Trial(network, training, L2() if lam else None, lam, 0, seed) for lam in lambdas
            ]
            fits = list(train(trials, data))
            norms = [weight_norm(fit) for fit in fits]
            slopes = [np.median(jacobian_norms(fit, points)) for fit in fits]
            correlations.append(spearmanr(norms, slopes).statistic)
        print(f"weight norm and Jacobian norm: rank correlation {{np.mean(correlations):.2f}}")
        """,
        setting.epochs,
    )
