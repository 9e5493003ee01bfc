"""The λ path as a function: networks at falling λ, and where such a path begins."""

from __future__ import annotations

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import type_of_target

from shrinkage.data import Data
from shrinkage.errors import SettingError, require_known
from shrinkage.estimators.fitted import data_of, finished
from shrinkage.estimators.largest import largest_lambda, path_fits
from shrinkage.estimators.rows import Table
from shrinkage.estimators.settings import lam_of, penalty_of, seed_of
from shrinkage.estimators.single import ShrinkageClassifier, ShrinkageRegressor, Single
from shrinkage.penalties import Penalty
from shrinkage.predictor import Predictor

Floats = NDArray[np.float64]

TASKS = ("auto", "classification", "regression")
_MOST_CLASSES = 20


class ShrinkagePath(NamedTuple):
    """Networks along a path of λ.

    Parameters
    ----------
    lambdas : ndarray of float64, shape (n_lambdas,)
        Falling.
    coefs : list of ndarray of float32, shape (fan-in, fan-out, n_lambdas)
        The kernel of each layer; they act on the scaled inputs.
    predictors : tuple of Predictor, length n_lambdas
        The networks, with their preprocessing.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinkage import shrinkage_path
    >>> X, y = load_diabetes(return_X_y=True)
    >>> path = shrinkage_path(X, y, hidden_layer_sizes=(), n_lambdas=3, random_state=0)
    >>> bool(path.lambdas[0] > path.lambdas[-1])
    True
    """

    lambdas: Floats
    coefs: list[NDArray[np.float32]]
    predictors: tuple[Predictor, ...]


def shrinkage_path(
    X: Any,
    y: Any,
    *,
    penalty: str | Penalty = "l1",
    lambdas: Any = None,
    n_lambdas: int = 20,
    eps: float = 1e-3,
    task: str = "auto",
    sample_weight: Any = None,
    **settings: Any,
) -> ShrinkagePath:
    """Train a network at every λ of a path, in parallel.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite numbers.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Labels of classes, or numbers to predict.
    penalty : str or Penalty, default "l1"
        As for :class:`ShrinkageClassifier`.
    lambdas : array-like of shape (n_lambdas,), default None
        The path; None for :func:`lambda_grid`.
    n_lambdas : int, default 20
        Length of the automatic path.
    eps : float, default 1e-3
        Its last λ divided by its first.
    task : str, default "auto"
        ``"classification"``, ``"regression"``, or ``"auto"``: numbers of which some have a
        fraction, or more than 20 are different, are a regression; everything else is classes.
    sample_weight : array-like of shape (n_samples,), default None
        What each row counts.
    **settings
        Other parameters of :class:`ShrinkageClassifier` or :class:`ShrinkageRegressor`.

    Returns
    -------
    ShrinkagePath
        ``lambdas``, ``coefs`` and ``predictors``, in this order.

    Raises
    ------
    SettingError
        On a setting that cannot be used.
    ShrinkageError
        When a training diverged.

    See Also
    --------
    ShrinkageClassifierCV : Chooses λ by cross-validation.

    Notes
    -----
    All networks start from the same weights and see the rows in the same order. None starts from
    its neighbour's, so the answer at one λ does not depend on the others.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from shrinkage import shrinkage_path
    >>> X, y = load_iris(return_X_y=True)
    >>> lambdas, coefs, predictors = shrinkage_path(
    ...     X, y, hidden_layer_sizes=(4,), max_iter=5, n_lambdas=3, random_state=0
    ... )
    >>> [kernel.shape for kernel in coefs]
    [(4, 4, 3), (4, 3, 3)]
    >>> predictors[-1].predictions(X[:2]).shape
    (2,)
    """
    estimator, table, data = _ready(X, y, penalty, task, sample_weight, settings)
    chosen = _penalty(estimator)
    if lambdas is None:
        values = _grid(largest_lambda(estimator, data, chosen), n_lambdas, eps)
    else:
        values = np.sort([lam_of(lam) for lam in np.ravel(lambdas)])[::-1]
    if not values.size:
        raise SettingError("the list of λ is empty; give numbers such as 0.001, 0.01, 0.1")
    fits = path_fits(estimator, data, chosen, [float(lam) for lam in values])
    predictors = tuple(Predictor.of(finished(fit), data.full, table.classes) for fit in fits)
    kernels = [predictor.kernels for predictor in predictors]
    return ShrinkagePath(
        np.array(values, dtype=np.float64),
        [np.stack(layer, axis=-1) for layer in zip(*kernels)],
        predictors,
    )


def lambda_max(
    X: Any,
    y: Any,
    *,
    penalty: str | Penalty = "l1",
    task: str = "auto",
    sample_weight: Any = None,
    **settings: Any,
) -> float:
    """The least λ at which nothing is left of a network.

    Without hidden layers and with a penalty that makes zeros, it is exact: the least λ at which all
    weights are zero and only the intercept is left. With hidden layers there is no such formula
    (the network of zeros is stationary at every λ), nor is there with a penalty that only shrinks:
    then powers of ten up to 10,000 are tried, and it is the least at which the network learns less
    than 2% of what it learns without a penalty.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite numbers.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Labels of classes, or numbers to predict.
    penalty : str or Penalty, default "l1"
        As for :class:`ShrinkageClassifier`.
    task : str, default "auto"
        As for :func:`shrinkage_path`.
    sample_weight : array-like of shape (n_samples,), default None
        What each row counts.
    **settings
        Other parameters of :class:`ShrinkageClassifier` or :class:`ShrinkageRegressor`.

    Returns
    -------
    float
        In the package's convention.

    Raises
    ------
    SettingError
        On a setting that cannot be used.
    ShrinkageError
        When the network learns nothing even without a penalty.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinkage.estimators import lambda_max
    >>> X, y = load_diabetes(return_X_y=True)
    >>> round(lambda_max(X, y, hidden_layer_sizes=()), 4)
    1.1729
    """
    estimator, _, data = _ready(X, y, penalty, task, sample_weight, settings)
    return largest_lambda(estimator, data, _penalty(estimator))


def lambda_grid(
    X: Any,
    y: Any,
    *,
    penalty: str | Penalty = "l1",
    n_lambdas: int = 20,
    eps: float = 1e-3,
    task: str = "auto",
    sample_weight: Any = None,
    **settings: Any,
) -> Floats:
    """Grid of λ at equal ratios, falling from :func:`lambda_max`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite numbers.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Labels of classes, or numbers to predict.
    penalty : str or Penalty, default "l1"
        As for :class:`ShrinkageClassifier`.
    n_lambdas : int, default 20
        How many.
    eps : float, default 1e-3
        The last divided by the first.
    task : str, default "auto"
        As for :func:`shrinkage_path`.
    sample_weight : array-like of shape (n_samples,), default None
        What each row counts.
    **settings
        Other parameters of :class:`ShrinkageClassifier` or :class:`ShrinkageRegressor`.

    Returns
    -------
    ndarray of float64, shape (n_lambdas,)
        Falling.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinkage.estimators import lambda_grid
    >>> X, y = load_diabetes(return_X_y=True)
    >>> lambda_grid(X, y, hidden_layer_sizes=(), n_lambdas=4).round(4)
    array([1.1729, 0.1173, 0.0117, 0.0012])
    """
    estimator, _, data = _ready(X, y, penalty, task, sample_weight, settings)
    return _grid(largest_lambda(estimator, data, _penalty(estimator)), n_lambdas, eps)


def _ready(
    X: Any, y: Any, penalty: str | Penalty, task: str, weights: Any, settings: dict[str, Any]
) -> tuple[Single, Table, Data]:
    """An estimator that holds the settings, and the rows."""
    require_known("task", task, TASKS)
    if task == "auto":
        task = "regression" if _is_number(y) else "classification"
    cls = ShrinkageRegressor if task == "regression" else ShrinkageClassifier
    for name in settings:
        require_known("parameter", name, cls._get_param_names())
    estimator: Single = cls(**{"penalty": penalty} | settings)
    if not isinstance(estimator.random_state, Integral):
        estimator.random_state = seed_of(estimator)  # drawn once, for all networks of a path
    table = estimator._table(X, y, weights, reset=True)
    return estimator, table, data_of(estimator, table)


def _is_number(y: Any) -> bool:
    """Whether a target looks like a number to predict."""
    kind = type_of_target(y, input_name="y")
    values = np.asarray(y)
    counted = values.dtype.kind in "iuf" and np.unique(values).size > _MOST_CLASSES
    return kind.startswith("continuous") or "multioutput" in kind or bool(counted)


def _penalty(estimator: Single) -> Penalty:
    penalty = penalty_of(estimator.penalty, estimator.l1_ratio)
    if penalty is None:
        raise SettingError("penalty is None, and without a penalty there is no path of λ")
    return penalty


def _grid(largest: float, n_lambdas: int, eps: float) -> Floats:
    if n_lambdas < 1:
        raise SettingError(f"n_lambdas is {n_lambdas}; a path needs at least 1 value of λ")
    if not 0 < eps < 1:
        raise SettingError(f"eps is {eps}; it must lie between 0 and 1")
    if n_lambdas == 1:
        return np.array([largest])
    return np.geomspace(largest, largest * eps, n_lambdas)
