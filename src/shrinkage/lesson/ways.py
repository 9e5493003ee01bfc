"""What came of each way to start: losses by epoch, and how new rows are predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shrinkage.lesson.groups import finished_seeds
from shrinkage.lesson.measured import Floats, ratio_across, test_scores
from shrinkage.lesson.pictures import Line, banded
from shrinkage.lesson.starts import WAYS
from shrinkage.study import Fit, Study

EARLY = 10
"""Epochs after which a table's training loss is compared."""
_POINTS = 60
"""Of a curve."""


@dataclass(frozen=True, eq=False)
class Way:
    """The trainings that started in one way, one for each seed.

    Parameters
    ----------
    fits : tuple of Fit
        With their losses by epoch, all at the same epochs.
    loss, accuracy : ndarray of float64, shape (seeds,)
        Test log loss in nats and test accuracy in percent.
    """

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

    @property
    def early_epoch(self) -> int:
        """The tenth, or the last of a shorter training."""
        return int(min(EARLY, self.epochs[-1]))

    @property
    def early(self) -> Floats:
        """Training loss in epoch :attr:`early_epoch`."""
        place = self.epochs.index(self.early_epoch)
        found: Floats = self.curves[:, place]
        return found

    def line(self, label: str, role: str) -> Line:
        """Training loss at epochs that lie as far apart on a logarithmic axis."""
        last = len(self.epochs) - 1
        places = np.unique(np.geomspace(1, last + 1, _POINTS).round().astype(np.intp) - 1)
        curves, one = self.curves[:, places], np.ones(len(self.fits))
        # On a logarithmic axis the mean is that of the logarithms.
        means = [ratio_across(losses, one) for losses in curves.T]
        return banded(label, role, [self.epochs[place] for place in places], means, markers=False)


def ways_of(studies: Sequence[Study]) -> tuple[list[Way], tuple[str, ...]]:
    """Each way over the seeds of which all ways ended well.

    Parameters
    ----------
    studies : sequence of Study
        Of :func:`shrinkage.lesson.starts.start_jobs` for each seed.

    Returns
    -------
    ways : list of Way
        In the order of :data:`shrinkage.lesson.starts.WAYS`.
    notes : tuple of str
        About seeds that are left out.
    """
    seeds, notes = finished_seeds(studies, len(WAYS))
    return [_measured([seed[place] for seed in seeds]) for place in range(len(WAYS))], notes


def _measured(studies: Sequence[Study]) -> Way:
    scores = np.array([test_scores(study.fits[0], study.data) for study in studies])
    return Way(tuple(study.fits[0] for study in studies), scores[:, 0], scores[:, 1])
