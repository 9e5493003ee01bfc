"""What exhibits measure of one network on fresh rows, and of all seeds together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from shrinkage.data import Data
from shrinkage.errors import ShrinkageError
from shrinkage.intervals import Interval, independent_interval
from shrinkage.network import layout
from shrinkage.scores import usable
from shrinkage.study import Fit, Study
from shrinkage.verify.calibration import calibration_statistics
from shrinkage.verify.complexity import Complexity, complexity, fine_plane
from shrinkage.verify.performance import predicted

Floats = NDArray[np.float64]

_TINY = 1e-12


def test_scores(fit: Fit, data: Data) -> tuple[float, float]:
    """Log loss in nats and accuracy in percent, on the rows set aside for testing."""
    classes = data.test.targets[:, 0].astype(np.int64)
    shares = predicted(fit, data.test.inputs)
    true = shares[np.arange(classes.size), classes]
    loss = -np.log(np.maximum(true, float(np.finfo(np.float32).tiny))).mean()
    return float(loss), float(100.0 * np.mean(shares.argmax(axis=1) == classes))


test_scores.__test__ = False  # type: ignore[attr-defined]  # its name starts with "test", and pytest would collect it


def calibration_error(fit: Fit, data: Data) -> float:
    """Expected calibration error on the rows set aside for testing, in percent."""
    classes = data.test.targets[:, 0].astype(np.int64)
    shares, ones = predicted(fit, data.test.inputs), np.ones(classes.size)
    _, error, _ = calibration_statistics(shares, classes, ones)
    return float(100.0 * error(np.ones((classes.size, 1)))[0])


def validation_accuracy(fit: Fit, data: Data) -> float:
    """In percent, on the validation rows of the fit's fold."""
    part = data.part(fit.trial.fold)
    classes = part.targets[part.validation, 0]
    outputs = fit.outputs
    answers = outputs[:, 0] > 0.5 if data.task == "binary" else outputs.argmax(axis=1)
    return float(100.0 * np.mean(answers == classes))


def boundary_of(fit: Fit, data: Data) -> Complexity:
    """Length, islands and regions of the boundary around the training rows."""
    return complexity(fit, fine_plane(data), data)


def kernel_of(fit: Fit, layer: int = 1) -> NDArray[np.float32]:
    """The weights into a layer, counted from 1, as a matrix (fan-in, fan-out)."""
    block = layout(fit.trial.network).kernels[layer - 1]
    return block.of(fit.parameters).astype(np.float32)


def across(values: Iterable[float]) -> Interval:
    """Mean over seeds with Student's t interval; one value for each seed."""
    return independent_interval(np.array(list(values), dtype=np.float64))


def ratio_across(above: Floats, below: Floats) -> Interval:
    """Geometric mean of one ratio for each seed, with the t interval of its logarithm.

    Parameters
    ----------
    above, below : ndarray of float64, shape (k,)
        Not negative; what is 0 counts as a trillionth.

    Returns
    -------
    Interval
        Of positive ends.
    """
    logs = across(np.log(np.maximum(above, _TINY)) - np.log(np.maximum(below, _TINY)))
    estimate, low, high = (float(np.exp(end)) for end in (logs.estimate, logs.low, logs.high))
    return Interval(estimate, low, high, logs.level)


def share_of(hits: int, total: int, level: float = 0.95) -> Interval:
    """A share of seeds in percent, with the exact binomial interval.

    References
    ----------
    Clopper & Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of
    the binomial", Biometrika 26:404.

    Examples
    --------
    >>> print(share_of(10, 10))
    100 [69, 100]
    """
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, hits, total - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, total - hits)) if hits < total else 1.0
    return Interval(100.0 * hits / total, 100.0 * low, 100.0 * high, level)


def finished(studies: Sequence[Study]) -> tuple[list[Study], tuple[str, ...]]:
    """Studies whose trainings all ended well, and a note about the others.

    Raises
    ------
    ShrinkageError
        When fewer than two are left: then nothing can be said of other seeds.
    """
    good = [study for study in studies if not study.missing and all(map(usable, study.fits))]
    if len(good) < 2:
        raise ShrinkageError(
            f"only {len(good)} of {len(studies)} seeds have all their networks trained to a finite "
            "loss, and an interval needs at least 2"
        )
    lost = len(studies) - len(good)
    if not lost:
        return good, ()
    which = "1 seed is" if lost == 1 else f"{lost} seeds are"
    return good, (f"{which} left out, because a training diverged.",)


def each(studies: Sequence[Study], place: int, measure: Callable[[Fit, Data], float]) -> Floats:
    """A measure of each study's fit number `place`, one for each seed."""
    return np.array([measure(study.fits[place], study.data) for study in studies])
