"""What the user hands in: rows, targets and weights, checked as scikit-learn does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, validate_data

from shrinkage.data.numeric import Arrays
from shrinkage.errors import DataError, SettingError

Floats = NDArray[np.float64]

_TABLES = (
    "numbers without gaps are needed: put skrub.TableVectorizer() or an imputer and an encoder "
    "before the network in a pipeline"
)


@dataclass(frozen=True, eq=False)
class Table:
    """Rows to train on.

    Parameters
    ----------
    arrays : Arrays
        Inputs, targets and weights.
    classes : ndarray or None
        Labels in the order of their indices; None for a regression.
    flat : bool
        Whether the targets came as one dimension, as predictions then are.
    class_weights : ndarray of float64, shape (classes,), or None
        What rows of each class weigh beside their own weights; None for a regression.
    """

    arrays: Arrays
    classes: NDArray[Any] | None
    flat: bool
    class_weights: Floats | None = None


def inputs_of(estimator: Any, X: Any, *, reset: bool = False) -> NDArray[Any]:
    """Inputs as a dense array of single or double precision, with the columns seen in `fit`."""
    inputs: NDArray[Any] = _validated(estimator, X, reset=reset)
    return inputs


def regression_table(estimator: Any, X: Any, y: Any, weights: Any, *, reset: bool) -> Table:
    """Rows with one or several numbers to predict."""
    inputs, targets = _validated(estimator, X, y, reset=reset, multi_output=True, y_numeric=True)
    values = np.asarray(targets, dtype=np.float64)
    flat = values.ndim == 1
    arrays = Arrays(inputs, values.reshape(len(values), -1), _weights(weights, inputs))
    return Table(arrays, None, flat)


def classification_table(
    estimator: Any,
    X: Any,
    y: Any,
    weights: Any,
    *,
    reset: bool,
    classes: Any = None,
    class_weight: Any = None,
) -> Table:
    """Rows with one label each.

    Parameters
    ----------
    estimator, X, y, weights, reset
        As for a regression.
    classes : array-like, optional
        All labels there are; by default those of the rows that have a weight.
    class_weight : "balanced", dict or None, default None
        What each label's rows weigh, times their own weights.
    """
    inputs, labels = _validated(estimator, X, y, reset=reset)
    check_classification_targets(labels)
    own = _weights(weights, inputs)
    known = np.unique(labels[own > 0]) if classes is None else np.unique(np.asarray(classes))
    if known.size < 2:
        raise DataError(
            f"y has one class only, {known.tolist()[0]!r}; a classifier needs at least 2 classes"
        )
    indices = index_of(labels, known, own > 0)
    factors = _class_weights(class_weight, known, indices, own)
    own = own * factors[indices]
    if not (own > 0).any():
        raise SettingError(f"class_weight is {class_weight!r}, which leaves no row with a weight")
    arrays = Arrays(inputs, indices[:, None].astype(np.float64), own)
    return Table(arrays, known, True, factors)


def index_of(labels: NDArray[Any], classes: NDArray[Any], used: NDArray[np.bool_]) -> NDArray[Any]:
    """Positions of labels among the classes; 0 for an unknown label of a row that is not used."""
    try:
        indices = np.minimum(np.searchsorted(classes, labels), classes.size - 1)
    except TypeError as error:
        raise DataError(
            f"labels such as {labels.tolist()[0]!r} cannot be compared with the classes, such as "
            f"{classes.tolist()[0]!r}; give labels of one type"
        ) from error
    unknown = classes[indices] != labels
    if np.any(unknown & used):
        shown = ", ".join(repr(label) for label in np.unique(labels[unknown & used])[:5].tolist())
        raise DataError(
            f"y has labels that are none of the classes: {shown}; the classes are "
            f"{', '.join(repr(label) for label in classes[:12].tolist())}"
        )
    return np.where(unknown, 0, indices)


def validation_rows(estimator: Any, table: Table, X: Any, y: Any) -> Arrays | None:
    """The rows given to validate on, or None without any."""
    if X is None and y is None:
        return None
    if X is None or y is None:
        raise SettingError("X_val and y_val belong together; give both or neither")
    inputs = inputs_of(estimator, X)
    given = np.asarray(y)
    check_consistent_length(inputs, given)
    ones = np.ones(len(inputs))
    if table.classes is not None and table.class_weights is not None:
        indices = index_of(given.ravel(), table.classes, ones > 0)
        weights = table.class_weights[indices]
        return Arrays(inputs, indices[:, None].astype(np.float64), weights)
    targets = given.astype(np.float64).reshape(len(given), -1)
    if targets.shape[1] != table.arrays.targets.shape[1]:
        raise DataError(
            f"y_val has {targets.shape[1]} targets, but y has {table.arrays.targets.shape[1]}"
        )
    if not np.isfinite(targets).all():
        raise DataError("y_val has values that are NaN or infinite; drop those rows")
    return Arrays(inputs, targets, ones)


def _validated(estimator: Any, X: Any, y: Any = "no_validation", **how: Any) -> Any:
    if issparse(X):
        raise DataError(
            "X is a sparse matrix, but networks are trained on dense rows here; pass X.toarray()"
        )
    try:
        return validate_data(estimator, X, y, dtype=[np.float64, np.float32], **how)
    except ValueError as error:
        first = str(error).split("\n", 1)[0]
        about_inputs = "Input X contains NaN" in first or "could not convert string" in first
        if not about_inputs or isinstance(error, DataError):
            raise
        raise DataError(f"{first.rstrip('.')}; {_TABLES}") from error


def _weights(given: Any, inputs: NDArray[Any]) -> Floats:
    weights: Floats = _check_sample_weight(
        given, inputs, dtype=np.float64, ensure_non_negative=True
    )
    return weights


def _class_weights(
    given: Any, classes: NDArray[Any], indices: NDArray[Any], weights: Floats
) -> Floats:
    """A factor for each class; balanced ones come from sums of weights, not from counts of rows."""
    if given is None:
        return np.ones(classes.size)
    totals = np.bincount(indices, weights, minlength=classes.size)
    if isinstance(given, str) and given == "balanced":
        present = np.where(totals > 0, totals, np.inf)
        balanced: Floats = weights.sum() / (np.count_nonzero(totals) * present)
        return balanced
    if not isinstance(given, Mapping):
        raise SettingError(
            f"class_weight is {given!r}; give 'balanced', a dict from label to weight, or None"
        )
    factors = np.array([float(given.get(label, 1.0)) for label in classes.tolist()])
    if not (np.isfinite(factors).all() and (factors >= 0).all()):
        raise SettingError(f"class_weight is {given!r}; weights must be finite and not negative")
    return factors
