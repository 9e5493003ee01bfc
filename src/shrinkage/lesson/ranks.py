"""Rank correlations within seeds, and what they are on average."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from shrinkage.intervals import Interval
from shrinkage.lesson.measured import Floats, across


def rank_correlation(first: Floats, second: Floats) -> Interval:
    """Spearman's rank correlation within each seed, its mean over the seeds.

    Parameters
    ----------
    first, second : ndarray of float64, shape (seeds, k)
        A seed in which one of them never changes is given a correlation of 0.

    Returns
    -------
    Interval
        Within [−1, 1].

    References
    ----------
    Spearman (1904), "The proof and measurement of association between two things", American Journal
    of Psychology 15:72.

    Examples
    --------
    >>> rising = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 4.0]])
    >>> print(rank_correlation(rising, rising**2))
    1.00 [1.00, 1.00]
    """
    found = [
        0.0 if np.ptp(one) == 0 or np.ptp(two) == 0 else float(spearmanr(one, two).statistic)
        for one, two in zip(first, second, strict=True)
    ]
    mean = across(found)
    low, high = max(mean.low, -1.0), min(mean.high, 1.0)
    return Interval(mean.estimate, low, high, mean.level)
