"""What L2 gains on data of different complexity: four toys, five noises, five numbers of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shrinkage.exhibits import Table
from shrinkage.intervals import Interval, independent_interval
from shrinkage.lesson.exhibited import Claim, Job, Setting, judged
from shrinkage.lesson.measured import Floats, across, test_scores
from shrinkage.lesson.pictures import Boundaries, Chart, Picture, banded, panels_of
from shrinkage.lesson.toys import toy
from shrinkage.lesson.trials import WITHOUT_AND_WITH, both_trials, seeds_of
from shrinkage.study import Study

PROBLEMS = ("moons", "circles", "spirals", "xor")
NOISES = (0.1, 0.2, 0.3, 0.4, 0.5)
ROWS = (100, 200, 500, 1_000, 2_000)
SHARE = 4
"""Epochs are the lesson's divided by this, on a hundred points; so many steps on more rows."""
_FEW, _USUAL_NOISE = ROWS[0], 0.25
_TESTED = 2_000
_SHOWN = NOISES.index(0.3)
_COLOURS = ("none", "penalized", "test", "validation")


@dataclass(frozen=True)
class Case:
    """Data of one complexity.

    Parameters
    ----------
    problem : str
        A toy.
    noise : float
        Standard deviation of its noise.
    rows : int
        To train on.
    """

    problem: str
    noise: float
    rows: int

    def job(self, seed: int, setting: Setting) -> Job:
        """Two networks, without and with L2, from the same first weights."""
        data = toy(
            self.problem, seed, rows=self.rows, noise=self.noise, validation=100, test=_TESTED
        )
        epochs = max(setting.epochs * _FEW // (SHARE * self.rows), 1)
        return Job(f"{self.problem} {seed}", data, both_trials(data, seed, epochs))


GRID = tuple(Case(problem, noise, _FEW) for problem in PROBLEMS for noise in NOISES)
LENGTHS = tuple(Case("moons", _USUAL_NOISE, rows) for rows in ROWS)
CASES = (*GRID, *LENGTHS)


def case_jobs(setting: Setting) -> list[Job]:
    """For each seed a job for each of :data:`CASES`."""
    return [case.job(seed, setting) for seed in seeds_of(setting) for case in CASES]


@dataclass(frozen=True, eq=False)
class Gains:
    """What L2 gains on each case, (cases, seeds).

    Parameters
    ----------
    loss, accuracy : ndarray of float64, shape (cases, seeds)
        Fall of the test log loss in nats, and rise of the test accuracy in points.
    before : ndarray of float64, shape (cases, seeds, 2)
        Test log loss and test accuracy without a penalty.
    """

    loss: Floats
    accuracy: Floats
    before: Floats

    @staticmethod
    def of(seeds: Sequence[Sequence[Study]]) -> Gains:
        """From the studies of each seed, in the order of :data:`CASES`."""
        scores = np.array(
            [
                [[test_scores(fit, study.data) for fit in study.fits] for study in seed]
                for seed in seeds
            ]
        ).transpose(1, 0, 2, 3)
        change = scores[:, :, 1] - scores[:, :, 0]
        return Gains(-change[:, :, 0], change[:, :, 1], scores[:, :, 0])

    def grid(self, values: Floats) -> Floats:
        """Values of the four problems alone, (problems, noises, seeds)."""
        found: Floats = values[: len(GRID)].reshape(len(PROBLEMS), len(NOISES), -1)
        return found

    def lengths(self, values: Floats) -> Floats:
        """Values of the numbers of rows, (rows, seeds)."""
        found: Floats = values[len(GRID) :]
        return found


def case_claims(gains: Gains) -> tuple[Claim, ...]:
    """Where L2 helps, and whether more on noisy and on few rows."""
    losses, accuracies = gains.grid(gains.loss), gains.grid(gains.accuracy)
    rows = gains.lengths(gains.loss)
    fewer = across(rows[0] - rows[-1])
    return (
        *(_noise_claim(problem, own) for problem, own in zip(PROBLEMS, losses, strict=True)),
        _every_claim(
            "On every complexity L2 lowers the loss on new points.", losses, "nats", at_least=False
        ),
        _every_claim("On none does it cost accuracy.", accuracies, "points", at_least=True),
        judged(
            f"The more rows, the less L2 gains: less with {ROWS[-1]:,} than with {ROWS[0]}.",
            f"Fall of the test log loss on moons: {across(rows[0])} nats with {ROWS[0]} rows, "
            f"{across(rows[-1])} with {ROWS[-1]:,}, {fewer} less.",
            fewer,
            above=0,
            unit="nats",
        ),
    )


def _noise_claim(problem: str, losses: Floats) -> Claim:
    more = across(losses[-1] - losses[0])
    return judged(
        f"On {problem} L2 gains more where the points are noisier: more at noise {NOISES[-1]:g} "
        f"than at {NOISES[0]:g}.",
        f"Fall of the test log loss: {across(losses[0])} nats at {NOISES[0]:g}, "
        f"{across(losses[-1])} at {NOISES[-1]:g}, {more} more.",
        more,
        above=0,
        unit="nats",
    )


def _every_claim(text: str, values: Floats, unit: str, *, at_least: bool) -> Claim:
    """About all cases at once: it fails with one that is below 0, and holds when none may be.

    So many intervals at 95 % would miss one in twenty; each has its share of the 5 % (Bonferroni).
    """
    flat = values.reshape(-1, values.shape[2])
    level = 1.0 - 0.05 / len(flat)
    found = [independent_interval(own, level) for own in flat]
    fails = [place for place, one in enumerate(found) if one.high < 0]
    ends = [one.high if fails else one.low for one in found]
    decides = int(np.argmin(ends))
    problem, noise = np.unravel_index(decides, values.shape[:2])
    better, worse = sum(one.low > 0 for one in found), len(fails)
    return judged(
        text,
        f"Of {len(found)} complexities {better} gain and {worse} lose beyond noise (intervals that "
        f"hold for all at once). It is decided by {PROBLEMS[problem]} with noise "
        f"{NOISES[noise]:g}: a gain of {found[decides]} {unit}.",
        found[decides],
        unit=unit,
        **({"at_least": 0.0} if at_least else {"above": 0.0}),
    )


def case_pictures(seed: Sequence[Study], gains: Gains) -> tuple[Picture, ...]:
    """Gains against noise and rows, and boundaries of each problem on one seed."""
    return (
        _against_noise(
            "What L2 gains in loss",
            "fall of the test log loss (nats)",
            "Above 0 L2 helps. Look at how each line goes to the right, where the points are "
            "noisier.",
            gains.grid(gains.loss),
        ),
        _against_noise(
            "What L2 gains in accuracy",
            "rise of the test accuracy (points)",
            "Below 0 the same λ costs accuracy: there the problem asks for a more complicated "
            "boundary than it allows.",
            gains.grid(gains.accuracy),
        ),
        Chart(
            "What L2 gains with more rows",
            "rows to train on",
            "fall of the test log loss (nats)",
            "Moons with noise 0.25, as many steps for each number of rows: where the line comes "
            "down to 0, more rows do what the penalty did; below, the same λ is too much. The "
            "lesson's formula divides λ by the number of rows, which this λ is not. The band is "
            "the 95% interval over the seeds.",
            (banded("", "penalized", ROWS, _intervals(gains.lengths(gains.loss))),),
            x_scale="log",
            ticks=tuple((float(rows), f"{rows:,}") for rows in ROWS),
        ),
        *(
            _boundaries(problem, seed[len(NOISES) * place + _SHOWN])
            for place, problem in enumerate(PROBLEMS)
        ),
    )


def _intervals(values: Floats) -> list[Interval]:
    return [across(own) for own in values]


def _against_noise(title: str, label: str, seen: str, values: Floats) -> Chart:
    lines = tuple(
        banded(problem, colour, NOISES, _intervals(own))
        for problem, colour, own in zip(PROBLEMS, _COLOURS, values, strict=True)
    )
    caption = f"{seen} Bands are 95% intervals over the seeds."
    return Chart(title, "noise (standard deviation)", label, caption, lines)


def _boundaries(problem: str, study: Study) -> Boundaries:
    return Boundaries(
        f"{problem} with noise {NOISES[_SHOWN]:g}",
        "Left without a penalty, right with L2: compare how far the line goes out of its way for "
        "single points. The first seed.",
        panels_of(study.fits, WITHOUT_AND_WITH, study.data),
    )


def case_table(gains: Gains) -> Table:
    """Every case."""
    rows = [
        (
            case.problem,
            f"{case.noise:g}",
            f"{case.rows:,}",
            str(across(before[:, 0])),
            str(across(loss)),
            str(across(before[:, 1])),
            str(across(accuracy)),
        )
        for case, before, loss, accuracy in zip(
            CASES, gains.before, gains.loss, gains.accuracy, strict=True
        )
    ]
    return Table(
        (
            "data",
            "noise",
            "rows",
            "test log loss without a penalty (nats)",
            "its fall with L2",
            "test accuracy without (%)",
            "its rise with L2 (points)",
        ),
        tuple(rows),
    )
