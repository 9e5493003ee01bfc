"""Several jobs of each seed, kept or left out together."""

from __future__ import annotations

from collections.abc import Sequence

from shrinkage.lesson.measured import finished
from shrinkage.study import Study


def finished_seeds(
    studies: Sequence[Study], each: int
) -> tuple[list[Sequence[Study]], tuple[str, ...]]:
    """The studies of every seed whose trainings all ended well, and a note about other seeds.

    Parameters
    ----------
    studies : sequence of Study
        Those of one seed stand together.
    each : int
        So many belong to a seed.

    Returns
    -------
    seeds : list of sequences of Study
        At least two.
    notes : tuple of str
        Empty when no seed is left out.

    Raises
    ------
    ShrinkageError
        When fewer than two seeds are left.
    """
    seeds = [studies[first : first + each] for first in range(0, len(studies), each)]
    whole = [
        Study(
            seed[0].data,
            tuple(trial for study in seed for trial in study.trials),
            tuple(fit for study in seed for fit in study.fits),
        )
        for seed in seeds
    ]
    good, notes = finished(whole)
    return [seed for seed, one in zip(seeds, whole, strict=True) if one in good], notes
