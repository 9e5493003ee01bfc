"""More neurons, more complicated boundaries: 1, 10, 50, 256 and 1,000, without a penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shrinkage.exhibits import Table
from shrinkage.exhibits.capacity import WIDTHS
from shrinkage.lesson.exhibited import Claim, Exhibited, Job, Setting, judged
from shrinkage.lesson.measured import (
    Floats,
    across,
    boundary_of,
    each,
    finished,
    test_scores,
)
from shrinkage.lesson.pictures import Boundaries, Chart, Picture, banded, panels_of
from shrinkage.lesson.toys import TEST
from shrinkage.lesson.trials import lesson_trial, moons_jobs, program, seeds_of
from shrinkage.study import Study
from shrinkage.verify.complexity import ISLAND_ROWS, Complexity

_SOME = WIDTHS.index(10)
_WIDEST = len(WIDTHS) - 1


@dataclass(frozen=True)
class Neurons:
    """The question what more units in one hidden layer do to the boundary."""

    name: ClassVar[str] = "neurons"
    title: ClassVar[str] = "One neuron draws a line, a thousand draw the noise"

    def jobs(self, setting: Setting) -> Sequence[Job]:
        """A network of each width for each seed."""
        return moons_jobs(
            setting,
            lambda data, seed: [
                lesson_trial(data, seed, epochs=setting.epochs, hidden=(width,)) for width in WIDTHS
            ],
        )

    def read(self, setting: Setting, studies: Sequence[Study]) -> Exhibited:
        """Compare the widths on every seed."""
        good, notes = finished(studies)
        widths = _measure(good)
        return Exhibited(
            name=self.name,
            heading="Why do neural networks overfit?",
            title=self.title,
            text=(_text(setting),),
            claims=_claims(widths),
            pictures=_pictures(good[0], widths),
            code=_code(setting),
            tables=(("All widths: means over the seeds with 95% intervals", _table(widths)),),
            notes=notes,
        )


def _text(setting: Setting) -> str:
    return (
        "Each relu unit of a hidden layer can bend the boundary once. Here are networks with one "
        f"hidden layer of 1 to 1,000 units on a hundred points of make_moons with noise 0.25, "
        f"trained for {setting.epochs:,} epochs with Adam at 0.01 and without any penalty."
    )


@dataclass(frozen=True, eq=False)
class _Width:
    """What is measured of the networks of one width, one value for each seed."""

    width: int
    train: Floats
    validation: Floats
    test: Floats
    accuracy: Floats
    shapes: tuple[Complexity, ...]

    @property
    def length(self) -> Floats:
        """Boundary length per area."""
        return np.array([shape.length for shape in self.shapes])

    @property
    def islands(self) -> Floats:
        """Islands in the boundary."""
        return np.array([shape.islands for shape in self.shapes], dtype=np.float64)


def _measure(studies: Sequence[Study]) -> list[_Width]:
    found = []
    for place, width in enumerate(WIDTHS):
        scores = np.array([test_scores(study.fits[place], study.data) for study in studies])
        found.append(
            _Width(
                width,
                each(studies, place, lambda fit, _: fit.final_train_loss),
                each(studies, place, lambda fit, _: fit.final_validation_loss),
                scores[:, 0],
                scores[:, 1],
                tuple(boundary_of(study.fits[place], study.data) for study in studies),
            )
        )
    return found


def _claims(widths: Sequence[_Width]) -> tuple[Claim, ...]:
    one, some, many = widths[0], widths[_SOME], widths[_WIDEST]
    regions = np.array([shape.regions for shape in one.shapes])
    islands = across(many.islands - some.islands)
    longer = across(many.length - one.length)
    fitted = across(some.train - many.train)
    worse = across(many.test - some.test)
    wrong = across(some.accuracy - many.accuracy)
    return (
        judged(
            "One neuron can only separate the plane into two parts.",
            f"The networks of one neuron make {regions.mean():.1f} regions on average, "
            f"{regions.max()} at most.",
            across(np.maximum(regions - 2.0, 0.0)),
            at_most=0,
            unit="regions more than two",
        ),
        judged(
            "More neurons make the boundary longer and more complicated.",
            f"From 1 neuron to 1,000 its length goes from {across(one.length)} to "
            f"{across(many.length)} for each unit of area, {longer} more.",
            longer,
            above=0,
            unit="per area",
        ),
        judged(
            "More neurons fit the training points better.",
            f"From 10 neurons to 1,000 the training log loss falls by {fitted} nats, from "
            f"{across(some.train)} to {across(many.train)}.",
            fitted,
            above=0,
            unit="nats",
        ),
        judged(
            "A thousand neurons capture noise: they predict new points with more loss than ten.",
            f"On {TEST:,} fresh points the log loss rises by {worse} nats, from "
            f"{across(some.test)} with 10 neurons to {across(many.test)} with 1,000.",
            worse,
            above=0,
            unit="nats",
        ),
        judged(
            "They also predict fewer new points rightly.",
            f"{some.accuracy.mean():.1f} % with 10 neurons, {many.accuracy.mean():.1f} % with "
            f"1,000: {wrong} points less.",
            wrong,
            above=0,
            unit="points",
        ),
        judged(
            "Wide networks make small regions for individual points: more islands than with ten "
            "neurons.",
            f"Islands with at most {ISLAND_ROWS} training points: {across(many.islands)} a network "
            f"of 1,000 neurons (in {np.count_nonzero(many.islands)} of {many.islands.size}), "
            f"{across(some.islands)} of ten.",
            islands,
            above=0,
            unit="islands",
        ),
    )


def _pictures(study: Study, widths: Sequence[_Width]) -> tuple[Picture, ...]:
    labels = [f"{width:,} neuron{'s' if width > 1 else ''}" for width in WIDTHS]
    return (
        Boundaries(
            "The boundary of each width",
            "From left to right, follow the line: straight with one neuron, a few bends with "
            "ten; the wider networks turn around single points. The same points each time.",
            panels_of(study.fits, labels, study.data),
        ),
        Chart(
            "Training and test loss against the width",
            "neurons in the hidden layer",
            "log loss (nats)",
            "The dashed line, loss on training points, goes down to the right; where the dotted "
            "one, loss on new points, goes up, the network learns the noise. Bands are 95% "
            "intervals over the seeds.",
            (
                banded("training points", "train", WIDTHS, [across(w.train) for w in widths]),
                banded("new points", "test", WIDTHS, [across(w.test) for w in widths]),
            ),
            x_scale="log",
            y_scale="log",
            ticks=tuple((float(width), f"{width:,}") for width in WIDTHS),
        ),
        Chart(
            "Length of the boundary against the width",
            "neurons in the hidden layer",
            "boundary length per area",
            "The boundary's length around the training points: where it rises, the boundary has "
            "more bends. The band is the 95% interval over the seeds.",
            (banded("", "none", WIDTHS, [across(w.length) for w in widths]),),
            x_scale="log",
            ticks=tuple((float(width), f"{width:,}") for width in WIDTHS),
        ),
    )


def _table(widths: Sequence[_Width]) -> Table:
    rows = [
        (
            f"{one.width:,}",
            *(
                str(across(values))
                for values in (one.train, one.test, one.accuracy, one.length, one.islands)
            ),
        )
        for one in widths
    ]
    return Table(
        (
            "neurons",
            "training log loss (nats)",
            "test log loss (nats)",
            "test accuracy (%)",
            "boundary length per area",
            "islands",
        ),
        tuple(rows),
    )


def _code(setting: Setting) -> str:
    seeds = seeds_of(setting)
    return program(
        f"""\
        import numpy as np

        from shrinkage import Network, Training, Trial, train
        from shrinkage.lesson.toys import toy
        from shrinkage.verify.complexity import complexity, fine_plane

        TRAINING
        networks = [Network(2, (width,), initialization="glorot") for width in {WIDTHS}]
        lengths = {{network: [] for network in networks}}
        for seed in range({seeds.start}, {seeds.stop}):
            data = toy("moons", seed)
            trials = [Trial(network, training, None, 0.0, 0, seed) for network in networks]
            for fit in train(trials, data):
                lengths[fit.trial.network].append(complexity(fit, fine_plane(data), data).length)
        for network, found in lengths.items():
            print(f"{{network}}: boundary length {{np.mean(found):.3f}} per unit of area")
        """,
        setting.epochs,
    )
