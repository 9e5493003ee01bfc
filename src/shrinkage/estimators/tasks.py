"""The two tasks: labels or numbers come in, labels or numbers come out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from shrinkage.detect import Diagnosis
from shrinkage.estimators.html import NotebookSummary
from shrinkage.estimators.rows import Table, classification_table, inputs_of, regression_table
from shrinkage.estimators.settings import Settings
from shrinkage.predictor import Predictor
from shrinkage.study import Fit, Study


@dataclass(repr=False, eq=False, kw_only=True)
class Fitted(NotebookSummary, Settings):
    """What all estimators have once they are fitted."""

    predictor_: Predictor = field(init=False)
    fit_: Fit = field(init=False)
    study_: Study = field(init=False)
    diagnosis_: Diagnosis | None = field(init=False)
    lambda_: float = field(init=False)
    coefs_: list[NDArray[np.float32]] = field(init=False)
    intercepts_: list[NDArray[np.float32]] = field(init=False)
    n_iter_: int = field(init=False)
    n_outputs_: int = field(init=False)
    n_features_in_: int = field(init=False)
    out_activation_: str = field(init=False)
    loss_: float = field(init=False)
    loss_curve_: NDArray[np.float64] = field(init=False)
    validation_curve_: NDArray[np.float64] | None = field(init=False)
    sparsity_: float = field(init=False)
    stationarity_: float | None = field(init=False)
    _flat: bool = field(init=False)

    def _table(self, X: Any, y: Any, weights: Any, *, reset: bool, classes: Any = None) -> Table:
        """The rows given, checked."""
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str], *, inputs: bool = False) -> Path:
        """Save as one file that cannot execute code; `shrinkage.load` reads it.

        Parameters
        ----------
        path : str or path-like
            Where to; a file that is there is replaced, when all of the new one is written.
        inputs : bool, default False
            Whether the inputs of the training rows are in the file too.

        Returns
        -------
        Path
            Absolute.

        Raises
        ------
        SettingError
            When the estimator is not fitted or has a parameter that such a file cannot hold, or
            when nothing can be written there.

        See Also
        --------
        shrinkage.estimators.saving.save : The same as a function, with more about the file.
        """
        from shrinkage.estimators.saving import save

        return save(self, path, inputs=inputs)


@dataclass(repr=False, eq=False, kw_only=True)
class Classifies(ClassifierMixin):  # type: ignore[misc]  # scikit-learn has no annotations
    """Labels."""

    label_smoothing: float = 0.0
    class_weight: str | Mapping[Any, float] | None = None

    predictor_: Predictor = field(init=False)
    classes_: NDArray[Any] = field(init=False)

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable label of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            In the units of the rows given to `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Some of `classes_`.
        """
        check_is_fitted(self)
        return self.predictor_.predictions(inputs_of(self, X))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            In the units of the rows given to `fit`.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            In the order of `classes_`; each row sums to 1.
        """
        check_is_fitted(self)
        return self.predictor_.probabilities(inputs_of(self, X))

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            In the units of the rows given to `fit`.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            In nats; −inf where a probability is 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _table(self, X: Any, y: Any, weights: Any, *, reset: bool, classes: Any = None) -> Table:
        return classification_table(
            self,
            X,
            y,
            weights,
            reset=reset,
            classes=classes,
            class_weight=self.class_weight,
        )


@dataclass(repr=False, eq=False, kw_only=True)
class Predicts(RegressorMixin):  # type: ignore[misc]  # scikit-learn has no annotations
    """Numbers."""

    predictor_: Predictor = field(init=False)
    _flat: bool = field(init=False)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The expected targets of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            In the units of the rows given to `fit`.

        Returns
        -------
        ndarray of float64, shape (n_samples,) or (n_samples, n_targets)
            In the targets' own units, with the dimensions of the `y` given to `fit`.
        """
        check_is_fitted(self)
        values = self.predictor_.predictions(inputs_of(self, X))
        return values[:, 0] if self._flat else values

    def _table(self, X: Any, y: Any, weights: Any, *, reset: bool, classes: Any = None) -> Table:
        del classes  # of the other task
        return regression_table(self, X, y, weights, reset=reset)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
