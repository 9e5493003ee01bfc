"""One network at one λ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.detect import Diagnosis, diagnose
from shrinkage.engine.pool import train
from shrinkage.errors import SettingError, ShrinkageError
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
class Single(Fitted):
    """Fits one network."""

    lam: float = 0.01
    penalty: str | Penalty | None = "l2"
    warm_start: bool = False

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Any:
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
            starts = {trials[0]: _start(self, trials[0].network)} if _goes_on(self) else None
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


@dataclass(repr=False, eq=False, kw_only=True)
class ShrinkageClassifier(Classifies, Single):
    """A neural network with a penalty of one strength, for classes."""

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> ShrinkageClassifier:
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


@dataclass(repr=False, eq=False, kw_only=True)
class ShrinkageRegressor(Predicts, Single):
    """A neural network with a penalty of one strength, for numbers."""

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> ShrinkageRegressor:
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
