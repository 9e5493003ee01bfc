"""Whether an exported network answers what the original answers: measured, never assumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.predictor import Predictor

Floats = NDArray[np.float64]
Precision = Literal["single", "double"]
Answer = Callable[[Floats], NDArray[Any]]
"""Raw rows → what the exported network answers: of two classes perhaps the second alone."""

MOST = 1e-5
"""Difference from which an export is refused."""

_DRAWN = 256


@dataclass(frozen=True)
class Agreement:
    """What a comparison of an exported network with the original found.

    Parameters
    ----------
    target : str
        What it was exported to: ``"ONNX"``.
    difference : float
        The largest one over rows and outputs: of probabilities, or of predictions in standard
        deviations of the target; relative to the farthest prediction where that lies farther out.
    rows : int
        So many were compared.
    drawn : bool
        Whether they were drawn around the center of the training rows; else they were given.
    regression : bool
        Whether the difference is one of predictions.
    precision : str
        In which the exported network takes rows: ``"single"`` or ``"double"``. The original was
        given them rounded to it.
    notes : tuple of str, default ()
        What the export does not carry over, each a sentence.

    Examples
    --------
    >>> found = Agreement("ONNX", 6e-8, 256, True, False, "double")
    >>> print(found)
    ONNX agrees to 6e-08 in probability, over 256 rows drawn around the training rows. \
Preprocessing is included.
    """

    target: str
    difference: float
    rows: int
    drawn: bool
    regression: bool
    precision: Precision
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the difference is at most 1e-5."""
        return self.difference <= MOST

    def __str__(self) -> str:
        what = "standard deviations of the target" if self.regression else "probability"
        where = "that was given" if self.rows == 1 else "that were given"
        where = "drawn around the training rows" if self.drawn else where
        verb = "agrees to" if self.holds else "differs by up to"
        single = " It takes rows in single precision." if self.precision == "single" else ""
        notes = "".join(f" {note}" for note in self.notes)
        return (
            f"{self.target} {verb} {self.difference:.1g} in {what}, over {self.rows} "
            f"row{'s' * (self.rows != 1)} {where}. Preprocessing is included.{single}{notes}"
        )


def predictor_of(model: Any) -> Predictor:
    """The trained network of an estimator, or the one that was given.

    Parameters
    ----------
    model : Predictor or object with a ``predictor_``
        A fitted estimator of this package, for example.

    Returns
    -------
    Predictor
        What exports speak of.

    Raises
    ------
    SettingError
        When there is none.
    """
    found = getattr(model, "predictor_", model)
    if isinstance(found, Predictor):
        return found
    kind = type(model).__name__
    raise SettingError(
        f"an export takes a fitted estimator of this package or a Predictor, got {kind}"
        + ("; call fit first" if hasattr(model, "fit") else "")
    )


def expected(predictor: Predictor, rows: Floats) -> Floats:
    """What an exported network has to answer: probabilities of all classes, or predictions."""
    if predictor.classes is None:
        return np.asarray(predictor.predictions(rows), dtype=np.float64)
    return predictor.probabilities(rows)


def compare(
    predictor: Predictor,
    answer: Answer,
    target: str,
    precision: Precision,
    notes: tuple[str, ...] = (),
    X: Any = None,
) -> Agreement:
    """Give both networks the same rows.

    Parameters
    ----------
    predictor : Predictor
        The original.
    answer : callable
        The exported one.
    target, precision, notes
        As in :class:`Agreement`.
    X : array-like of shape (rows, inputs), optional
        Raw rows; by default 256 are drawn around the center of the training rows.

    Returns
    -------
    Agreement
        Also where they disagree.
    """
    rows = _drawn(predictor) if X is None else _given(predictor, X)
    if precision == "single":
        with np.errstate(over="ignore"):
            rows = rows.astype(np.float32).astype(np.float64)
    truth = expected(predictor, rows)
    found = np.asarray(answer(rows), dtype=np.float64).reshape(len(rows), -1)
    if predictor.classes is not None and found.shape[1] == 1:
        found = np.hstack([1.0 - found, found])
    regression = predictor.classes is None
    with np.errstate(invalid="ignore"):
        difference = np.abs(found - truth) / (_unit(predictor, truth) if regression else 1.0)
    return Agreement(
        target=target,
        difference=float(difference.max()),
        rows=len(rows),
        drawn=X is None,
        regression=regression,
        precision=precision,
        notes=notes,
    )


def require(found: Agreement) -> None:
    """Raise :class:`ShrinkageError` unless an exported network agrees with the original."""
    if found.holds:
        return
    what = "standard deviations of the target" if found.regression else "probability"
    remedy = "this network cannot be exported there"
    if found.precision == "single":
        remedy = (
            "it calculates in single precision, where a column or a target far from 0 for its "
            "spread loses digits: subtract a constant from it before fitting, or export to where "
            "rows are taken in double precision (PyTorch, scikit-learn, ONNX with float64)"
        )
    raise ShrinkageError(
        f"the {found.target} network differs from the original by up to {found.difference:.1g} in "
        f"{what}, more than {MOST:g}; {remedy}"
    )


def _unit(predictor: Predictor, truth: Floats) -> Floats:
    """The deviation of each target, or the farthest prediction's distance where that is more."""
    farthest = np.abs(truth - predictor.target_center).max(axis=0)
    unit: Floats = np.maximum(np.abs(predictor.target_scale), farthest)
    return unit


def _drawn(predictor: Predictor) -> Floats:
    # What was constant is drawn too: whatever its value, it has to count 0.
    spread = np.where(np.isinf(predictor.scale), 1.0, predictor.scale)
    draws = np.random.default_rng(0).standard_normal((_DRAWN, predictor.network.inputs))
    rows: Floats = predictor.center + spread * draws
    return rows


def _given(predictor: Predictor, X: Any) -> Floats:
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("rows to compare are not numbers, all of the same length") from error
    inputs = predictor.network.inputs
    if rows.ndim != 2 or rows.shape[1] != inputs or not len(rows):
        raise DataError(
            f"rows to compare have shape {rows.shape}; expected at least one row of {inputs} "
            "columns"
        )
    if not np.isfinite(rows).all():
        raise DataError("rows to compare have values that are not finite; leave them out")
    return rows
