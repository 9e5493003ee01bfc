"""One network at one λ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.detect import Diagnosis, diagnose
from shrinkage.engine.pool import train
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.estimators.documentation import documented
from shrinkage.estimators.fitted import (
    all_or_nothing,
    data_of,
    finished,
    network_attributes,
    replace_attributes,
)
from shrinkage.estimators.partial import one_more_epoch
from shrinkage.estimators.progress import watched
from shrinkage.estimators.rows import validation_rows
from shrinkage.estimators.settings import (
    lam_of,
    network_of,
    penalty_of,
    seed_of,
    training_of,
)
from shrinkage.estimators.tasks import Classifies, Fitted, Predicts
from shrinkage.estimators.threads import threads_for
from shrinkage.network import Network
from shrinkage.penalties import Penalty
from shrinkage.study import Fit, Study, Trial
from shrinkage.tune import versions


@dataclass(repr=False, eq=False, kw_only=True)
class Strength:
    """One penalty of one strength; a base of its own, so that these are the first parameters."""

    lam: float = 0.01
    penalty: str | Penalty | None = "l2"


@dataclass(repr=False, eq=False, kw_only=True)
class Single(Fitted, Strength):
    """Fits one network."""

    warm_start: bool = False

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Labels of classes, or numbers to predict.
        sample_weight : array-like of shape (n_samples,), default None
            What each row counts; a row of weight 2 is two rows.
        X_val, y_val : array-like, default None
            Rows that are never trained on: early stopping watches them, and `validation_curve_` and
            `diagnosis_` rest on them.

        Returns
        -------
        estimator
            Itself.
        """
        with all_or_nothing(self):
            table = self._table(X, y, sample_weight, reset=True)
            held_out = validation_rows(self, table, X_val, y_val)
            data = data_of(self, table, held_out=held_out)
            trials = _trials(self, data)
            starts = {trials[0]: _start(self, trials[0].perceptron)} if _goes_on(self) else None
            fits = _Fits(trials, data, threads_for(self.n_jobs), starts)
            found = {fit.trial: fit for fit in watched(fits, self.verbose)}
            study = Study.of(data, trials, found.values(), versions())
            fit = finished(found[trials[0]])
            attributes = network_attributes(fit, data.part(fit.trial.fold), table)
            attributes |= {"study_": study, "diagnosis_": _diagnosis(study)}
            replace_attributes(self, attributes)
        return self


class _Fits:
    """Trials of one network, as work to be watched."""

    def __init__(
        self,
        trials: list[Trial],
        data: Data,
        threads: int,
        starts: dict[Trial, NDArray[np.float32]] | None,
    ) -> None:
        self.stage = "fit"
        self.expected = len(trials)
        self._run = train(trials, data, threads=threads, starts=starts)

    def __iter__(self) -> Iterator[Fit]:
        """Train."""
        return self._run


def _trials(estimator: Single, data: Data) -> list[Trial]:
    """The network, and beside it the unpenalized one where validation rows can judge both."""
    fold = 0 if data.parts else None
    lam = lam_of(estimator.lam)
    penalty = penalty_of(estimator.penalty, estimator.l1_ratio)
    if lam == 0 or penalty is None:
        penalty, lam = None, 0.0
    trial = Trial(
        network=network_of(estimator, data),
        training=training_of(estimator, data),
        penalty=penalty,
        lam=lam,
        fold=fold,
        seed=seed_of(estimator),
    )
    if fold is None or penalty is None:
        return [trial]
    return [trial, replace(trial, penalty=None, lam=0.0)]


def _goes_on(estimator: Single) -> bool:
    return bool(estimator.warm_start) and hasattr(estimator, "predictor_")


def _start(estimator: Single, network: Network) -> NDArray[np.float32]:
    """The parameters of the last fit, for a network of the same shape."""
    before = estimator.predictor_
    if before.network.sizes != network.sizes:
        raise SettingError(
            f"warm_start goes on with the last network, which was {before.network}, but this one "
            f"is {network}; set warm_start=False"
        )
    return before.parameters


def _diagnosis(study: Study) -> Diagnosis | None:
    try:
        return diagnose(study) if study.fold_fits else None
    except ShrinkageError:  # no unpenalized network finished; the penalized one did
        return None


@documented
@dataclass(repr=False, eq=False, kw_only=True)
class ShrinkageClassifier(Classifies, Single):
    """A neural network for classes, with a penalty of one strength.

    Parameters
    ----------
    {parameters of one}
    {parameters of a classifier}

    Attributes
    ----------
    {attributes of one}
    {attributes of a classifier}

    See Also
    --------
    ShrinkageClassifierCV : Chooses λ by cross-validation.
    ShrinkageRegressor : The same for numbers.
    shrinkage.shrinkage_path : Networks along a path of λ.

    Notes
    -----
    The penalized loss is J(w) = mean loss + λ₁ Σ|w| + (λ₂/2) Σ w² over the hidden kernels. L1 is a
    proximal step in the optimizer's own metric, so weights become exactly zero. A row of weight 2
    is the same as two rows, to the last bit.

    References
    ----------
    Parikh & Boyd (2014), "Proximal algorithms". Kingma & Ba (2015), "Adam".

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from shrinkage import ShrinkageClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = ShrinkageClassifier(lam=0.05, hidden_layer_sizes=(16,), random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.97
    True
    >>> model.predict_proba(X[:3]).shape
    (3, 2)
    """

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one more epoch, on these rows.

        Inputs are standardized as the rows of the first call were (or those of `fit`), so these
        should be typical: an input that is constant in them stays without effect. The learning rate
        is constant, and the optimizer's moments start anew in every call, so that many rows in few
        calls train better than few rows in many.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default None
            All labels that there will be; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default None
            What each row counts.

        Returns
        -------
        ShrinkageClassifier
            Itself.
        """
        with all_or_nothing(self):
            known = getattr(self, "classes_", None)
            if known is None and classes is None:
                raise SettingError("classes must be passed on the first call to partial_fit")
            if known is not None and classes is not None and set(classes) != set(known):
                raise SettingError(
                    f"classes is {list(classes)}, but the first call had {known.tolist()}"
                )
            if self.class_weight == "balanced":
                raise SettingError(
                    "class_weight='balanced' needs all rows at once; give partial_fit a dict"
                )
            known = classes if known is None else known
            first = not hasattr(self, "predictor_")
            table = self._table(X, y, sample_weight, reset=first, classes=known)
            replace_attributes(self, one_more_epoch(self, table))
        return self


@documented
@dataclass(repr=False, eq=False, kw_only=True)
class ShrinkageRegressor(Predicts, Single):
    """A neural network for numbers, with a penalty of one strength.

    Parameters
    ----------
    {parameters of one}

    Attributes
    ----------
    {attributes of one}

    See Also
    --------
    ShrinkageRegressorCV : Chooses λ by cross-validation.
    ShrinkageClassifier : The same for classes.
    shrinkage.shrinkage_path : Networks along a path of λ.

    Notes
    -----
    The penalized loss is J(w) = mean squared error + λ₁ Σ|w| + (λ₂/2) Σ w² over the hidden kernels.
    There is no ½ in the mean squared error, and targets are standardized; of several targets it is
    the mean. L1 is a proximal step in the optimizer's own metric, so weights become exactly zero.

    References
    ----------
    Parikh & Boyd (2014), "Proximal algorithms". Kingma & Ba (2015), "Adam".

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinkage import ShrinkageRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ShrinkageRegressor(lam=0.3, hidden_layer_sizes=(16,), random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.4
    True
    """

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one more epoch, on these rows.

        Inputs and targets are standardized as the rows of the first call were (or those of `fit`),
        so these should be typical: an input that is constant in them stays without effect. The
        learning rate is constant, and the optimizer's moments start anew in every call, so that
        many rows in few calls train better than few rows in many.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Numbers to predict.
        sample_weight : array-like of shape (n_samples,), default None
            What each row counts.

        Returns
        -------
        ShrinkageRegressor
            Itself.
        """
        with all_or_nothing(self):
            table = self._table(X, y, sample_weight, reset=not hasattr(self, "predictor_"))
            replace_attributes(self, one_more_epoch(self, table))
        return self
