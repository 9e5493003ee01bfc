"""The lesson's experiment: moons, two hidden layers of 128 units, without and with L2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shrinkage.exhibits import Table
from shrinkage.lesson.exhibited import Exhibited, Job, Setting
from shrinkage.lesson.l2_claims import Measured, claims, measure
from shrinkage.lesson.measured import finished
from shrinkage.lesson.pictures import Boundaries, Picture, Weights, panels_of
from shrinkage.lesson.trials import (
    WITHOUT_AND_WITH,
    both_trials,
    moons_jobs,
    program,
    seeds_of,
)
from shrinkage.study import Study
from shrinkage.verify.weights import compare_weights


@dataclass(frozen=True)
class WithL2:
    """The question what L2 does to boundary, weights and test accuracy."""

    name: ClassVar[str] = "l2"
    title: ClassVar[str] = "The same network without and with L2"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """Both networks of each seed, from the same first weights."""
        return moons_jobs(setting, lambda data, seed: both_trials(data, seed, setting.epochs))

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Compare the two networks of each seed."""
        good, notes = finished(studies)
        measured = [tuple(measure(fit, study) for fit in study.fits) for study in good]
        return Exhibited(
            name=self.name,
            heading="Experimental results",
            title=self.title,
            text=_text(setting),
            claims=claims(measured),
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


def _pictures(study: Study) -> tuple[Picture, ...]:
    # The first comparison is of all layers together.
    _, *layers = compare_weights(study.fits[0], study.fits[1], WITHOUT_AND_WITH)
    return (
        Boundaries(
            "The decision boundary",
            "Look at the line between the two colours: without a penalty it bends around single "
            "points, with L2 it keeps to the shape of the moons. Deeper colour is more certainty, "
            "and without a penalty the network is certain nearly everywhere. The first seed.",
            panels_of(study.fits, WITHOUT_AND_WITH, study.data),
        ),
        Weights(
            "The weights, as box plots and densities",
            "The boxes hold the middle half of the weights, their lines 98 %, the dots all of "
            "them. With L2 they shrink around zero, those of the second layer most; their density "
            "becomes a peak. None is exactly zero. The first seed.",
            tuple(layers),
        ),
    )


def _table(studies: Sequence[Study], measured: Sequence[tuple[Measured, ...]]) -> Table:
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
    return program(
        f"""\
        import numpy as np

        from shrinkage import L2, Network, Training, Trial, train
        from shrinkage.lesson.toys import toy
        from shrinkage.network import layout

        NETWORK
        TRAINING
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
        """,
        setting.epochs,
    )
