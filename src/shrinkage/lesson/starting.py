"""Two points of the lesson's checklist, off and on: normalized inputs, and first weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import ClassVar

import numpy as np

from shrinkage.exhibits import Table
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.groups import finished_seeds
from shrinkage.lesson.measured import Floats, across, test_scores
from shrinkage.lesson.pictures import Chart, Line, Picture, banded
from shrinkage.lesson.starts import (
    GLOROT,
    HE,
    NORMAL,
    NORMALIZED,
    RAW,
    READY,
    TRAINED,
    WAYS,
    ZEROS,
    epochs_of,
    start_jobs,
)
from shrinkage.lesson.toys import TEST
from shrinkage.lesson.trials import seeds_of
from shrinkage.study import Fit, Study

_EARLY = 10
"""Epochs after which a table's training loss is compared."""
_MUCH = 1.0
"""Points of accuracy that are called a difference."""


@dataclass(frozen=True)
class Starting:
    """The question what normalization and initialization do, each off and on."""

    name: ClassVar[str] = "starting"
    title: ClassVar[str] = "Before the first step: normalized inputs and first weights"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """For each seed four ways to start on moons, and normalization off and on, twice."""
        return [job for seed in seeds_of(setting) for job in start_jobs(seed, setting)]

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Compare the loss curves and test accuracies of the ways of each seed."""
        runs, notes = _runs(studies)
        return Exhibited(
            name=self.name,
            heading="Connection to previous topics",
            title=self.title,
            text=_text(setting),
            claims=(*_about_inputs(runs), *_about_weights(runs)),
            pictures=_pictures(runs),
            code=_code(setting),
            tables=(("All ways: means over the seeds with 95% intervals", _table(runs)),),
            notes=notes,
        )


def _text(setting: Setting) -> tuple[str, ...]:
    question = (
        "The lesson's checklist ticks input normalization and weight initialization before it "
        "comes to regularization. Here each is switched off and on with all else equal: the "
        f"lesson's network without a penalty, {epochs_of(setting):,} epochs."
    )
    ways = (
        "Moons have inputs of one size by nature, so a table is added whose columns have not: "
        f"breast_cancer, {TRAINED} rows to train on and the others to test on, with columns from "
        "thousandths to thousands. First weights are Glorot's (Keras' own), He's, all zero, or "
        "normal draws of standard deviation 1 whatever the width of the layer."
    )
    return question, ways


@dataclass(frozen=True, eq=False)
class _Way:
    """The trainings that started in one way, one for each seed."""

    fits: tuple[Fit, ...]
    loss: Floats
    accuracy: Floats

    @property
    def train(self) -> Floats:
        """Final training loss in nats."""
        return np.array([fit.final_train_loss for fit in self.fits])

    @property
    def curves(self) -> Floats:
        """Training loss by epoch, (seeds, E)."""
        return np.array([fit.train_loss for fit in self.fits])

    @property
    def epochs(self) -> list[float]:
        """Where the curves were taken."""
        return [float(epoch) for epoch in self.fits[0].epochs]

    def early(self) -> Floats:
        """Training loss of the first epochs."""
        place = int(np.searchsorted(self.epochs, min(_EARLY, self.epochs[-1])))
        found: Floats = self.curves[:, place]
        return found


def _runs(studies: Sequence[Study]) -> tuple[list[_Way], tuple[str, ...]]:
    """Each way over the seeds of which all ways ended well."""
    seeds, notes = finished_seeds(studies, len(WAYS))
    return [_way([seed[place] for seed in seeds]) for place in range(len(WAYS))], notes


def _way(studies: Sequence[Study]) -> _Way:
    scores = np.array([test_scores(study.fits[0], study.data) for study in studies])
    return _Way(tuple(study.fits[0] for study in studies), scores[:, 0], scores[:, 1])


def _about_inputs(runs: Sequence[_Way]) -> tuple[Claim, ...]:
    raw, ready = runs[RAW], runs[READY]
    faster = across(raw.early() - ready.early())
    better = across(ready.accuracy - raw.accuracy)
    moons = across(runs[NORMALIZED].accuracy - runs[GLOROT].accuracy)
    return (
        judged(
            "With normalized inputs a network learns faster.",
            f"On breast_cancer the training log loss after {_EARLY} epochs is "
            f"{across(ready.early())} nats with normalization and {across(raw.early())} without, "
            f"{faster} nats more.",
            faster,
            above=0,
            unit="nats",
        ),
        judged(
            "It predicts better, too.",
            f"On the other rows of breast_cancer {ready.accuracy.mean():.1f} % are right with "
            f"normalization, {raw.accuracy.mean():.1f} % without: {better} points. The test log "
            f"loss is {across(ready.loss)} nats with and {across(raw.loss)} without, as what "
            "learns faster is also overfitted sooner.",
            better,
            above=0,
            unit="points",
        ),
        judged(
            "Where the inputs have one size by nature, as on moons, it makes no difference of a "
            "point.",
            f"On {TEST:,} fresh points {runs[NORMALIZED].accuracy.mean():.1f} % are right with "
            f"and {runs[GLOROT].accuracy.mean():.1f} % without: {moons} points.",
            moons,
            at_least=-_MUCH,
            at_most=_MUCH,
            unit="points",
        ),
    )


def _about_weights(runs: Sequence[_Way]) -> tuple[Claim, ...]:
    glorot, he, zeros, normal = (runs[way] for way in (GLOROT, HE, ZEROS, NORMAL))
    largest = max(float(np.abs(fit.penalized_weights).max()) for fit in zeros.fits)
    slower = across(normal.early() - glorot.early())
    costs, fewer = across(normal.loss - glorot.loss), across(glorot.accuracy - normal.accuracy)
    schemes = across(he.accuracy - glorot.accuracy)
    return (
        judged(
            "From weights that are all zero a network never learns: it stays a coin.",
            f"{across(zeros.accuracy)} % of the fresh points are right, and no hidden weight has "
            f"become larger than {largest:.0e}: nothing comes through them, so no gradient goes "
            "back.",
            across(zeros.accuracy),
            at_most=50,
            unit="%",
        ),
        judged(
            "From first weights that are too large a network learns more slowly than from "
            "Glorot's.",
            f"After {_EARLY} epochs the training log loss is {across(normal.early())} nats, from "
            f"Glorot's {across(glorot.early())}: {slower} more.",
            slower,
            above=0,
            unit="nats",
        ),
        judged(
            "They end in a worse model: more loss on new points than from Glorot's.",
            f"The test log loss from normal draws of deviation 1 is {across(normal.loss)} nats, "
            f"from Glorot's {across(glorot.loss)}: {costs} more.",
            costs,
            above=0,
            unit="nats",
        ),
        judged(
            "And in fewer new points that are right.",
            f"{normal.accuracy.mean():.1f} % against {glorot.accuracy.mean():.1f} %: {fewer} "
            "points less.",
            fewer,
            above=0,
            unit="points",
        ),
        judged(
            "Between Glorot's and He's weights there is no difference of a point.",
            f"He's give {schemes} points more test accuracy.",
            schemes,
            at_least=-_MUCH,
            at_most=_MUCH,
            unit="points",
        ),
    )


def _pictures(runs: Sequence[_Way]) -> tuple[Picture, ...]:
    def lines(*ways: tuple[str, str, int]) -> tuple[Line, ...]:
        return tuple(
            banded(
                label, role, run.epochs, [across(losses) for losses in run.curves.T], markers=False
            )
            for label, role, run in ((label, role, runs[way]) for label, role, way in ways)
        )

    band = "Bands are 95% intervals over the seeds."
    return (
        Chart(
            "Learning from different first weights",
            "epochs",
            "training log loss (nats)",
            "On moons. The flat line at 0.69, the loss of a coin, are the weights that start at "
            f"zero. The line of deviation 1 starts highest, and has to come down first. {band}",
            lines(
                ("Glorot", "none", GLOROT),
                ("He", "penalized", HE),
                ("deviation 1", "test", NORMAL),
                ("zeros", "validation", ZEROS),
            ),
            x_scale="log",
            y_scale="log",
        ),
        Chart(
            "Learning with and without normalized inputs",
            "epochs",
            "training log loss (nats)",
            "On breast_cancer, whose columns have very different sizes: compare how soon each line "
            f"falls, and how smoothly. {band}",
            lines(("as they are", "none", RAW), ("normalized", "penalized", READY)),
            x_scale="log",
            y_scale="log",
        ),
    )


def _table(runs: Sequence[_Way]) -> Table:
    rows = [
        (label, *(str(across(values)) for values in (run.train, run.loss, run.accuracy)))
        for label, run in zip(WAYS, runs, strict=True)
    ]
    return Table(
        ("start", "training log loss (nats)", "test log loss (nats)", "test accuracy (%)"),
        tuple(rows),
    )


def _code(setting: Setting) -> str:
    seeds = seeds_of(setting)
    return dedent(
        f"""\
        import numpy as np

        from shrinkage import Network, Training, Trial, train
        from shrinkage.lesson.measured import test_scores
        from shrinkage.lesson.starts import drawn_weights, zero_weights
        from shrinkage.lesson.toys import toy

        network = Network(2, (128, 128), initialization="glorot")
        training = Training(
            "binary_cross_entropy",
            learning_rate=0.01,
            schedule="constant",
            epochs={epochs_of(setting)},
        )
        accuracies = {{"Glorot": [], "zeros": [], "deviation 1": []}}
        for seed in range({seeds.start}, {seeds.stop}):
            data, trial = toy("moons", seed), Trial(network, training, None, 0.0, 0, seed)
            starts = {{
                "Glorot": {{}},
                "zeros": {{trial: zero_weights(network)}},
                "deviation 1": {{trial: drawn_weights(network, seed)}},
            }}
            for label, start in starts.items():
                (fit,) = train([trial], data, starts=start)
                accuracies[label].append(test_scores(fit, data)[1])
        for label, found in accuracies.items():
            print(f"{{label}}: test accuracy {{np.mean(found):.1f}} %")
        """
    )
