"""The lesson's exercises with computed answers: λ, L1 and L2, dropout, other data, more rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shrinkage.data import Data
from shrinkage.exhibits import Table
from shrinkage.lesson.complexities import (
    CASES,
    SHARE,
    Gains,
    case_claims,
    case_jobs,
    case_pictures,
    case_table,
)
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.groups import finished_seeds
from shrinkage.lesson.measured import Floats, across, each, finished, test_scores
from shrinkage.lesson.pictures import Chart, Picture, banded
from shrinkage.lesson.toys import TEST
from shrinkage.lesson.trials import keras_l2, l2_trial, lesson_trial, moons_jobs, program, seeds_of
from shrinkage.penalties import L1, L2
from shrinkage.study import Study, Trial

STRENGTHS = (0.001, 0.01, 0.1)
"""Of Keras' ``l2`` and ``l1``."""
DROPOUT = 0.2
_MIDDLE = STRENGTHS.index(0.01)


@dataclass(frozen=True)
class Exercises:
    """The lesson's exercise list."""

    name: ClassVar[str] = "exercises"
    title: ClassVar[str] = "The suggested experiments, carried out"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """The exercises on moons for each seed, then data of other complexities."""
        listed = moons_jobs(setting, lambda data, seed: _trials(data, seed, setting))
        return [*listed, *case_jobs(setting)]

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Compare the ways on moons, then without and with L2 on each complexity."""
        listed, cases = studies[: setting.seeds], studies[setting.seeds :]
        good, notes = finished(listed)
        ways = _measure(good)
        seeds, more = finished_seeds(cases, len(CASES))
        gains = Gains.of(seeds)
        return Exhibited(
            name=self.name,
            heading="Practical exercise suggested",
            title=self.title,
            text=_text(setting),
            claims=(*_claims(ways), *case_claims(gains)),
            pictures=(_picture(ways), *case_pictures(seeds[0], gains)),
            code=_code(setting),
            tables=(
                ("λ, L1 and L2, dropout: means over the seeds with 95% intervals", _table(ways)),
                ("Data of different complexity: means with 95% intervals", case_table(gains)),
            ),
            notes=(*notes, *more),
        )


def _trials(data: Data, seed: int, setting: Setting) -> tuple[Trial, ...]:
    """In the order of :func:`_labels`."""
    epochs, middle = setting.epochs, keras_l2(STRENGTHS[_MIDDLE])
    return (
        *(l2_trial(data, seed, own, epochs=epochs) for own in (0.0, *STRENGTHS)),
        *(lesson_trial(data, seed, L1(), own, epochs=epochs) for own in STRENGTHS),
        lesson_trial(data, seed, epochs=epochs, dropout=DROPOUT),
        lesson_trial(data, seed, L2(), middle, epochs=epochs, dropout=DROPOUT),
    )


def _labels() -> list[str]:
    kinds = [f"{kind} {strength:g}" for kind in ("L2", "L1") for strength in STRENGTHS]
    both = f"L2 {STRENGTHS[_MIDDLE]:g} and dropout {DROPOUT:g}"
    return ["none", *kinds, f"dropout {DROPOUT:g}", both]


def _text(setting: Setting) -> tuple[str, ...]:
    listed = (
        "The lesson ends with experiments to try: λ = 0.001, 0.01 and 0.1, L1 against L2, either "
        "with dropout, and data of different complexity. λ is Keras' here: l2(0.001), l2(0.01) and "
        "l2(0.1) are λ = 0.002, 0.02 and 0.2 in the textbook's convention, and l1(…) is λ itself. "
        f"The lesson's moons and network, {setting.epochs:,} epochs."
    )
    complexities = (
        "Then L2 at Keras 0.01 against no penalty on moons, circles, spirals and xor with noise "
        "from 0.1 to 0.5, and on moons with 100 to 2,000 rows; "
        f"{max(setting.epochs // SHARE, 1):,} epochs on a hundred points, and as many steps on "
        "more."
    )
    return listed, complexities


@dataclass(frozen=True, eq=False)
class _Ways:
    """Each way on moons, (ways, seeds)."""

    train: Floats
    validation: Floats
    loss: Floats
    accuracy: Floats
    zeros: Floats

    def least(self, places: Sequence[int]) -> Floats:
        """Test loss of each seed's best of some ways, chosen by its validation rows."""
        own = self.validation[list(places)].argmin(axis=0)
        found: Floats = self.loss[np.array(places)[own], np.arange(own.size)]
        return found


def _measure(studies: Sequence[Study]) -> _Ways:
    count = len(_labels())
    scores = np.array(
        [[test_scores(fit, study.data) for fit in study.fits] for study in studies]
    ).transpose(1, 0, 2)
    train, validation, zeros = (
        np.array([each(studies, place, measure) for place in range(count)])
        for measure in (
            lambda fit, _: fit.final_train_loss,
            lambda fit, _: fit.final_validation_loss,
            lambda fit, _: 100.0 * fit.sparsity,
        )
    )
    return _Ways(train, validation, scores[:, :, 0], scores[:, :, 1], zeros)


def _claims(ways: _Ways) -> tuple[Claim, ...]:
    none, middle = 0, 1 + _MIDDLE
    l2 = range(1, 1 + len(STRENGTHS))
    l1 = range(1 + len(STRENGTHS), 1 + 2 * len(STRENGTHS))
    dropout, both = len(_labels()) - 2, len(_labels()) - 1
    others = [place for place in l2 if place != middle]
    best = across(ways.loss[others].min(axis=0) - ways.loss[middle])
    better = across(ways.least(list(l1)) - ways.least(list(l2)))
    added = across(ways.loss[middle] - ways.loss[both])
    alone = across(ways.loss[none] - ways.loss[dropout])
    return (
        judged(
            "Start with λ = 0.01: of 0.001, 0.01 and 0.1 it predicts new points best.",
            f"On {TEST:,} fresh points its log loss is {across(ways.loss[middle])} nats, {best} "
            "below the lower of the two others.",
            best,
            above=0,
            unit="nats",
        ),
        judged(
            "L2 gives better results than L1 that acts at full strength from the first step.",
            f"Each at the λ of the three that validates best: the test log loss of L1 is "
            f"{across(ways.least(list(l1)))} nats, of L2 {across(ways.least(list(l2)))}; L1's is "
            f"higher by {better}.",
            better,
            above=0,
            unit="nats",
        ),
        judged(
            f"Dropout of {DROPOUT:g} alone regularizes this network: less loss on new points.",
            f"The test log loss goes from {across(ways.loss[none])} to "
            f"{across(ways.loss[dropout])} nats, a fall of {alone}.",
            alone,
            above=0,
            unit="nats",
        ),
        judged(
            "Dropout in addition to L2 at 0.01 lowers the loss on new points further.",
            f"The test log loss goes from {across(ways.loss[middle])} to "
            f"{across(ways.loss[both])} nats, a fall of {added}.",
            added,
            above=0,
            unit="nats",
        ),
    )


def _picture(ways: _Ways) -> Picture:
    *alone, _, _ = _labels()
    ticks = (*alone, "dropout", "both")
    places = list(range(len(ticks)))
    return Chart(
        "Every way on moons",
        f"penalty and Keras' λ; dropout of {DROPOUT:g} alone; and both, with L2 at 0.01",
        "log loss (nats)",
        "Without a penalty, on the left, training and new points are far apart. The lower the "
        "dotted line, the better a way predicts new points; where both lines are high, it learns "
        "too little. Bands are 95% intervals over the seeds.",
        (
            banded("training points", "train", places, [across(own) for own in ways.train]),
            banded("new points", "test", places, [across(own) for own in ways.loss]),
        ),
        y_scale="log",
        ticks=tuple((float(place), label) for place, label in enumerate(ticks)),
    )


def _table(ways: _Ways) -> Table:
    rows = [
        (
            label,
            *(
                str(across(values[place]))
                for values in (ways.train, ways.loss, ways.accuracy, ways.zeros)
            ),
        )
        for place, label in enumerate(_labels())
    ]
    return Table(
        (
            "way (Keras' λ)",
            "training log loss (nats)",
            "test log loss (nats)",
            "test accuracy (%)",
            "exact zeros (%)",
        ),
        tuple(rows),
    )


def _code(setting: Setting) -> str:
    seeds = seeds_of(setting)
    return program(
        f"""\
        import numpy as np

        from shrinkage import L1, L2, Network, Training, Trial, train
        from shrinkage.lesson.measured import test_scores
        from shrinkage.lesson.toys import toy

        NETWORK
        TRAINING
        ways = {{"none": (None, 0.0)}}
        for keras in {STRENGTHS}:
            ways[f"L2 {{keras:g}}"] = (L2(), 2 * keras)
            ways[f"L1 {{keras:g}}"] = (L1(), keras)
        losses = {{way: [] for way in ways}}
        for seed in range({seeds.start}, {seeds.stop}):
            data = toy("moons", seed)  # or "circles", "spirals", "xor"; noise=0.1 … 0.5; rows=2000
            for way, (penalty, lam) in ways.items():
                (fit,) = train([Trial(network, training, penalty, lam, 0, seed)], data)
                losses[way].append(test_scores(fit, data)[0])
        for way, found in losses.items():
            print(f"{{way}}: test log loss {{np.mean(found):.3f}} nats")
        """,
        setting.epochs,
    )
