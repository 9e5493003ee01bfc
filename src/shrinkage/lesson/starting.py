"""Two points of the lesson's checklist, off and on: normalized inputs, and first weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shrinkage.exhibits import Table
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.measured import across
from shrinkage.lesson.pictures import Chart, Picture
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
from shrinkage.lesson.trials import program, seeds_of
from shrinkage.lesson.ways import Way, ways_of
from shrinkage.study import Study

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
        runs, notes = ways_of(studies)
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


def _about_inputs(runs: Sequence[Way]) -> tuple[Claim, ...]:
    raw, ready = runs[RAW], runs[READY]
    faster = across(raw.early - ready.early)
    better, less = across(ready.accuracy - raw.accuracy), across(raw.loss - ready.loss)
    moons = across(runs[NORMALIZED].accuracy - runs[GLOROT].accuracy)
    return (
        judged(
            "With normalized inputs a network learns faster.",
            f"On breast_cancer the training log loss in epoch {ready.early_epoch} is "
            f"{across(ready.early)} nats with normalization and {across(raw.early)} without, "
            f"{faster} nats more.",
            faster,
            above=0,
            unit="nats",
        ),
        judged(
            "It predicts better, too.",
            f"On the other rows of breast_cancer {ready.accuracy.mean():.1f} % are right with "
            f"normalization, {raw.accuracy.mean():.1f} % without: {better} points.",
            better,
            above=0,
            unit="points",
        ),
        judged(
            "And with less loss.",
            f"The test log loss is {across(ready.loss)} nats with normalization, "
            f"{across(raw.loss)} without: {less} less. With it the loss on the training rows "
            f"goes down to {ready.train.mean():.1g} nats, without to {raw.train.mean():.1g}: what "
            "learns faster also memorizes sooner.",
            less,
            above=0,
            unit="nats",
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


def _about_weights(runs: Sequence[Way]) -> tuple[Claim, ...]:
    glorot, he, zeros, normal = (runs[way] for way in (GLOROT, HE, ZEROS, NORMAL))
    largest = max(float(np.abs(fit.penalized_weights).max()) for fit in zeros.fits)
    slower = across(normal.early - glorot.early)
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
            f"In epoch {normal.early_epoch} the training log loss is {across(normal.early)} nats, "
            f"from Glorot's {across(glorot.early)}: {slower} more.",
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


def _pictures(runs: Sequence[Way]) -> tuple[Picture, ...]:
    band = "Lines are geometric means over the seeds, bands their 95% intervals."
    return (
        Chart(
            "Learning from different first weights",
            "epochs",
            "training log loss (nats)",
            "On moons. The flat line at 0.69, the loss of a coin, are the weights that start at "
            f"zero. The line of deviation 1 starts highest, and has to come down first. {band}",
            (
                runs[GLOROT].line("Glorot", "none"),
                runs[HE].line("He", "penalized"),
                runs[NORMAL].line("deviation 1", "test"),
                runs[ZEROS].line("zeros", "validation"),
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
            (runs[RAW].line("as they are", "none"), runs[READY].line("normalized", "penalized")),
            x_scale="log",
            y_scale="log",
        ),
    )


def _table(runs: Sequence[Way]) -> Table:
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
    return program(
        f"""\
        import numpy as np

        from shrinkage import Network, Training, Trial, train
        from shrinkage.lesson.measured import test_scores
        from shrinkage.lesson.starts import drawn_weights, zero_weights
        from shrinkage.lesson.toys import toy

        NETWORK
        TRAINING
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
        """,
        epochs_of(setting),
    )
