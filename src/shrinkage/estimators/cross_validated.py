"""A path of λ, judged by cross-validation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from shrinkage.data import Data
from shrinkage.detect import Diagnosis, diagnose
from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.estimators.cv_results import tabulated
from shrinkage.estimators.documentation import documented
from shrinkage.estimators.fitted import (
    all_or_nothing,
    data_of,
    finished,
    network_attributes,
    replace_attributes,
)
from shrinkage.estimators.progress import watched
from shrinkage.estimators.rows import Table, validation_rows
from shrinkage.estimators.scoring import metric_of
from shrinkage.estimators.settings import (
    integer,
    lam_of,
    network_of,
    penalty_of,
    seed_of,
    training_of,
)
from shrinkage.estimators.tasks import Classifies, Fitted, Predicts
from shrinkage.estimators.threads import executor_here, threads_for
from shrinkage.penalties import L2, Penalty
from shrinkage.scores import PathPoint
from shrinkage.study import Fit, Study
from shrinkage.tune import Plan, Search, Selection, candidates, plan, select

_NOT_TUNED = (0.0,)
_ROUNDS = 2
"""Rounds that refine the automatic path around its best λ."""


@dataclass(repr=False, eq=False, kw_only=True)
class Path:
    """What is chosen from, and how; a base of its own, so that these are the first parameters."""

    penalty: str | Penalty | Sequence[str | Penalty] | None = "l2"
    lambdas: Sequence[float] | NDArray[np.float64] | None = None
    n_lambdas: int = 10
    cv: Any = 5
    rule: str = "minimum"
    scoring: str | None = None


@dataclass(repr=False, eq=False, kw_only=True)
class CrossValidated(Fitted, Path):
    """Chooses λ, and fits one network with it."""

    selection_: Selection = field(init=False)
    penalty_: Penalty | None = field(init=False)
    lambdas_: NDArray[np.float64] = field(init=False)
    path_: tuple[PathPoint, ...] = field(init=False)
    cv_results_: dict[str, Any] = field(init=False)
    best_score_: float = field(init=False)
    best_index_: int = field(init=False)
    n_splits_: int = field(init=False)

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Train a path of λ on every fold, choose one, and train on all rows with it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Labels of classes, or numbers to predict.
        sample_weight : array-like of shape (n_samples,), default None
            What each row counts, in training and in validation.
        X_val, y_val : array-like, default None
            Rows to judge every λ on, instead of folds.

        Returns
        -------
        estimator
            Itself.
        """
        with all_or_nothing(self):
            table = self._table(X, y, sample_weight, reset=True)
            held_out = validation_rows(self, table, X_val, y_val)
            splits = _splits(self, table) if held_out is None else ()
            data = data_of(self, table, held_out=held_out, splits=splits)
            wanted = _plan(self, data)
            threads, executor = threads_for(self.n_jobs), executor_here()
            search = Search(data, wanted, threads=threads, executor=executor)
            refits: dict[tuple[Penalty | None, float], Fit] = {}
            for fit in watched(search, self.verbose):
                if fit.trial.fold is None:
                    refits[fit.trial.penalty, fit.trial.lam] = fit
            study = search.study
            selection = select(study, wanted.rule, wanted.metric)
            chosen = finished(refits[selection.point.penalty, selection.point.lam])
            attributes = network_attributes(chosen, data.full, table)
            attributes |= _path_attributes(study, selection)
            attributes["validation_curve_"] = _validation_curve(study, selection.point)
            replace_attributes(self, attributes)
        return self


@documented
@dataclass(repr=False, eq=False, kw_only=True)
class ShrinkageClassifierCV(Classifies, CrossValidated):
    """A neural network for classes whose penalty is chosen by cross-validation.

    Parameters
    ----------
    {parameters of a path}
    {parameters of a classifier}

    Attributes
    ----------
    {attributes of a path}
    {attributes of a classifier}

    See Also
    --------
    ShrinkageClassifier : One λ.
    ShrinkageRegressorCV : The same for numbers.
    sklearn.linear_model.LogisticRegressionCV : For linear models.

    Notes
    -----
    Every λ starts a fold from the same weights and sees its rows in the same order, so that losses
    differ by λ alone. Inputs are standardized by the training rows of each fold. The network in use
    is trained on all rows.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), "Classification and Regression Trees", section 3.4.3,
    on the rule of one standard error.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from shrinkage import ShrinkageClassifierCV
    >>> X, y = load_wine(return_X_y=True)
    >>> model = ShrinkageClassifierCV(
    ...     hidden_layer_sizes=(16,), lambdas=(0.01, 0.1, 1), cv=3, random_state=0
    ... ).fit(X, y)
    >>> model.cv_results_["param_lam"]
    array([0.  , 0.01, 0.1 , 1.  ])
    >>> model.score(X, y) > 0.97
    True
    """


@documented
@dataclass(repr=False, eq=False, kw_only=True)
class ShrinkageRegressorCV(Predicts, CrossValidated):
    """A neural network for numbers whose penalty is chosen by cross-validation.

    Parameters
    ----------
    {parameters of a path}

    Attributes
    ----------
    {attributes of a path}

    See Also
    --------
    ShrinkageRegressor : One λ.
    ShrinkageClassifierCV : The same for classes.
    sklearn.linear_model.LassoCV : For linear models.

    Notes
    -----
    Every λ starts a fold from the same weights and sees its rows in the same order, so that losses
    differ by λ alone. Inputs and targets are standardized by the training rows of each fold, and
    mean squared errors are in variances of the target there. The network in use is trained on all
    rows.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), "Classification and Regression Trees", section 3.4.3,
    on the rule of one standard error.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinkage import ShrinkageRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ShrinkageRegressorCV(
    ...     hidden_layer_sizes=(16,), lambdas=(0.01, 0.1, 1), cv=3, random_state=0
    ... ).fit(X, y)
    >>> model.lambda_ in (0.01, 0.1, 1.0)
    True
    """


def _splits(estimator: CrossValidated, table: Table) -> list[tuple[Any, Any]]:
    """The folds, as scikit-learn understands `cv`."""
    arrays = table.arrays
    labels = arrays.targets[:, 0] if table.classes is not None else arrays.targets
    splitter = check_cv(estimator.cv, labels, classifier=table.classes is not None)
    splits = [(np.asarray(a), np.asarray(b)) for a, b in splitter.split(arrays.inputs, labels)]
    if not splits:
        raise SettingError("cv has no splits; give a number of folds, a splitter or a list")
    for number, split in enumerate(splits):
        for rows, purpose in zip(split, ("train", "validate")):
            if not (arrays.weights[rows] > 0).any():
                raise DataError(f"split {number} of cv has no row with a weight to {purpose} on")
    return splits


def _plan(estimator: CrossValidated, data: Data) -> Plan:
    """What to try."""
    given: Any = estimator.penalty
    several = isinstance(given, Iterable) and not isinstance(given, str)
    named = [penalty_of(one, estimator.l1_ratio) for one in (given if several else [given])]
    penalties = tuple(dict.fromkeys(penalty for penalty in named if penalty is not None))
    lambdas: tuple[float, ...] | None = None
    if not penalties:
        penalties, lambdas = (L2(),), _NOT_TUNED
    elif estimator.lambdas is not None:
        lambdas = tuple(lam_of(lam) for lam in np.ravel(estimator.lambdas))
    # Each round tries two λ for each penalty: half-way to the best one's neighbours.
    rounds = min(_ROUNDS, max(0, (integer("n_lambdas", estimator.n_lambdas) - 2) // 2))
    return plan(
        data,
        network=network_of(estimator, data),
        training=training_of(estimator, data),
        metric=metric_of(estimator.scoring, data.task),
        penalties=penalties,
        lambdas=lambdas,
        points=estimator.n_lambdas - 2 * rounds,
        rule=estimator.rule,
        bracket=False,
        refinements=rounds,
        refits=1,
        along=False,
        relax=False,
        seed=seed_of(estimator),
    )


def _path_attributes(study: Study, selection: Selection) -> dict[str, Any]:
    """The attributes that speak of the path and of the choice."""
    points = tuple(candidates(study, selection.metric))
    place = next(
        index
        for index, point in enumerate(points)
        if (point.penalty, point.lam) == (selection.point.penalty, selection.point.lam)
    )
    results = tabulated(points, selection.metric)
    return {
        "study_": study,
        "selection_": selection,
        "diagnosis_": _diagnosis(study),
        "penalty_": selection.point.penalty,
        "lambdas_": np.unique([point.lam for point in points if point.penalty is not None]),
        "path_": points,
        "cv_results_": results,
        "best_index_": place,
        "best_score_": float(results["mean_test_score"][place]),
        "n_splits_": len(study.data.parts),
    }


def _validation_curve(study: Study, point: PathPoint) -> NDArray[np.float64]:
    """Mean over the folds, as far as all of them were trained."""
    curves = [
        fit.validation_loss
        for fit in study.fold_fits
        if fit.ok and (fit.trial.penalty, fit.trial.lam) == (point.penalty, point.lam)
    ]
    shortest = min(curve.size for curve in curves)
    mean: NDArray[np.float64] = np.mean([curve[:shortest] for curve in curves], axis=0)
    return mean


def _diagnosis(study: Study) -> Diagnosis | None:
    try:
        return diagnose(study)
    except ShrinkageError:  # every unpenalized network diverged; a penalized one did not
        return None
