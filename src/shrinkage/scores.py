"""What a fit is worth on its validation rows, and the λ path: the scores of every point."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, Part, Task
from shrinkage.errors import SettingError, ShrinkageError, require_known
from shrinkage.penalties import Penalty
from shrinkage.study import Fit, Status, Study

Floats = NDArray[np.float64]

CLASSIFICATION = ("log_loss", "accuracy", "balanced_accuracy", "roc_auc")
REGRESSION = ("mean_squared_error", "rmse", "r2")
METRICS = CLASSIFICATION + REGRESSION
_GREATER = frozenset({"accuracy", "balanced_accuracy", "roc_auc", "r2"})
NAMES = {
    "log_loss": "log loss",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "roc_auc": "area under the ROC curve",
    "mean_squared_error": "mean squared error",
    "rmse": "root mean squared error",
    "r2": "R²",
}
"""What people call each metric."""


def unit(metric: str, data: Data) -> str:
    """The unit of `metric`; empty when it has none.

    Several targets have no unit in common, and the one with the largest numbers would decide
    alone, so their root mean squared errors are averaged in standard deviations of each target.
    """
    if metric == "rmse":
        return "target units" if data.n_outputs == 1 else "standard deviations of the targets"
    return loss_unit(data) if metric in ("log_loss", "mean_squared_error") else ""


def loss_unit(data: Data) -> str:
    """The unit of losses."""
    if data.task != "regression":
        return "nats"
    return "target variances" if data.standardized else "squared target units"


def greater_is_better(metric: str) -> bool:
    """Whether a larger value of `metric` is better."""
    return metric in _GREATER


def default_metric(task: Task) -> str:
    """The loss that training minimizes."""
    return "mean_squared_error" if task == "regression" else "log_loss"


def check_metric(metric: str, task: Task) -> None:
    """Raise :class:`SettingError` unless `metric` exists and fits the task."""
    require_known("metric", metric, METRICS)
    fitting = REGRESSION if task == "regression" else CLASSIFICATION
    if metric not in fitting:
        kind = "regression" if task == "regression" else "classification"
        raise SettingError(
            f"metric '{metric}' does not fit a {kind}; choose one of: {', '.join(fitting)}"
        )


def score(metric: str, fit: Fit, data: Data) -> float:
    """One metric of a fit on its fold's validation rows.

    Parameters
    ----------
    metric : str
        One of :data:`METRICS` that fits the task.
    fit : Fit
        Of a fold.
    data : Data
        The fold's targets and weights.

    Returns
    -------
    float
        In the unit of :func:`unit`; NaN when the fit failed or the metric is not defined on
        these rows (one class only, for the area under the ROC curve).
    """
    if not usable(fit):
        return float("nan")
    if metric in ("log_loss", "mean_squared_error"):
        return fit.final_validation_loss
    part = data.part(fit.trial.fold)
    rows = part.validation
    if data.task == "regression":
        return _regression_score(metric, fit, part)
    return _class_score(
        metric, part.targets[rows, 0].astype(np.int64), fit.outputs, part.weights[rows], data.task
    )


def usable(fit: Fit) -> bool:
    """Whether a fold's fit ended with finite losses, and may be compared with others."""
    return fit.ok and bool(np.isfinite([fit.final_train_loss, fit.final_validation_loss]).all())


@dataclass(frozen=True)
class Failures:
    """Fits that are left out, counted by why.

    Parameters
    ----------
    diverged : int, default 0
        Those that ended without a finite loss.
    out_of_time : int, default 0
        Those that took longer than a fit may.
    lost : int, default 0
        Those whose workers died.

    Examples
    --------
    >>> Failures(out_of_time=2).verb, Failures(diverged=1, out_of_time=2).verb
    ('ran out of time', 'failed (1 diverged, 2 ran out of time)')
    """

    diverged: int = 0
    out_of_time: int = 0
    lost: int = 0

    @staticmethod
    def of(fits: Iterable[Fit]) -> Failures:
        """Those of `fits` that failed: without finite losses on a fold, or not ended as planned."""
        failed = [fit for fit in fits if not (fit.ok if fit.trial.fold is None else usable(fit))]
        why = Counter(fit.status for fit in failed)
        given_up = why[Status.OUT_OF_TIME], why[Status.LOST]
        return Failures(len(failed) - sum(given_up), *given_up)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.diverged + self.out_of_time + self.lost

    @property
    def verb(self) -> str:
        """What they did, after their number: ``"diverged"``."""
        kinds = [
            (self.diverged, "diverged"),
            (self.out_of_time, "ran out of time"),
            (self.lost, "went down with a worker"),
        ]
        there = [(count, verb) for count, verb in kinds if count]
        if len(there) == 1:
            return there[0][1]
        return f"failed ({', '.join(f'{count} {verb}' for count, verb in there)})"


def _regression_score(metric: str, fit: Fit, part: Part) -> float:
    from sklearn.metrics import r2_score, root_mean_squared_error

    rows = part.validation
    alone = part.targets.shape[1] == 1
    scale, center = (part.target_scale, part.target_center) if alone else (1.0, 0.0)
    truth = part.targets[rows].astype(np.float64) * scale + center
    predicted = fit.outputs.astype(np.float64) * scale + center
    measure = r2_score if metric == "r2" else root_mean_squared_error
    if metric == "r2" and rows.size < 2:
        return float("nan")
    return float(measure(truth, predicted, sample_weight=part.weights[rows]))


def _class_score(
    metric: str,
    truth: NDArray[np.int64],
    outputs: NDArray[np.float32],
    weights: NDArray[np.float32],
    task: Task,
) -> float:
    from sklearn.metrics import accuracy_score, roc_auc_score

    if metric == "roc_auc":
        present = np.unique(truth)
        if present.size < 2:
            return float("nan")
        if task == "binary":
            return float(roc_auc_score(truth, outputs[:, 0], sample_weight=weights))
        one_against_rest = [
            roc_auc_score(truth == label, outputs[:, label], sample_weight=weights)
            for label in present
        ]
        return float(np.mean(one_against_rest))
    predicted = outputs[:, 0] > 0.5 if task == "binary" else outputs.argmax(axis=1)
    if metric == "balanced_accuracy":
        hits = (predicted == truth) * weights
        return float(
            np.mean(
                [
                    hits[truth == label].sum() / weights[truth == label].sum()
                    for label in np.unique(truth)
                ]
            )
        )
    return float(accuracy_score(truth, predicted, sample_weight=weights))


@dataclass(frozen=True, eq=False)
class PathPoint:
    """One penalty at one λ, over the folds that have a finished fit of it.

    Parameters
    ----------
    penalty : Penalty or None
        None for no penalty.
    lam : float
        λ; 0 without penalty.
    folds : ndarray of int64, shape (k,)
        Indices of those folds, rising.
    train_losses, validation_losses : ndarray of float64, shape (k,)
        Final, penalty-free.
    scores : ndarray of float64, shape (k,)
        Of the metric asked for.
    sparsity : float
        Mean share of penalized weights that are exactly zero.
    spread : float
        Mean standard deviation of the penalized weights.
    diverged : int
        Fits that diverged, or failed otherwise, and are left out.
    label : str
        For people: ``"L2, λ = 0.01"``.
    """

    penalty: Penalty | None
    lam: float
    folds: NDArray[np.int64]
    train_losses: Floats
    validation_losses: Floats
    scores: Floats
    sparsity: float
    spread: float
    diverged: int
    label: str

    @property
    def mean_train(self) -> float:
        """Mean training loss."""
        return float(self.train_losses.mean()) if self.train_losses.size else float("nan")

    @property
    def mean_validation(self) -> float:
        """Mean validation loss."""
        return float(self.validation_losses.mean()) if self.validation_losses.size else float("nan")

    @property
    def mean_score(self) -> float:
        """Mean score over the folds where it is defined."""
        finite = self.scores[np.isfinite(self.scores)]
        return float(finite.mean()) if finite.size else float("nan")

    @property
    def se_train(self) -> float:
        """Standard error of :attr:`mean_train`."""
        return standard_error(self.train_losses)

    @property
    def se_validation(self) -> float:
        """Standard error of :attr:`mean_validation`."""
        return standard_error(self.validation_losses)

    @property
    def se_score(self) -> float:
        """Standard error of :attr:`mean_score`."""
        return standard_error(self.scores[np.isfinite(self.scores)])


def explained(error: ShrinkageError, study: Study) -> ShrinkageError:
    """The reason why there is nothing to choose from, when that is known.

    Parameters
    ----------
    error : ShrinkageError
        That there is nothing.
    study : Study
        What was trained.

    Returns
    -------
    ShrinkageError
        With the reason of the first fit that failed; `error` itself where none did.
    """
    fits, failed = study.fits, study.failed
    if not failed:
        return error
    return ShrinkageError(
        f"{len(failed)} of {len(fits)} fits failed, too many to compare anything; the first "
        f"{failed[0].message}"
    )


def standard_error(values: Floats) -> float:
    """s/√k over folds, as in the one-standard-error rule (Breiman et al. 1984, section 3.4.3).

    Folds share training rows, so this understates the uncertainty somewhat; intervals that carry a
    verdict use :func:`shrinkage.intervals.corrected_interval` instead. 0 for a single fold.
    """
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else 0.0


def path(
    study: Study, metric: str | None = None, folds: Collection[int] | None = None
) -> tuple[PathPoint, ...]:
    """The λ path of a study.

    Parameters
    ----------
    study : Study
        May be incomplete; its principal trials count.
    metric : str, optional
        What :attr:`PathPoint.scores` hold; the loss by default.
    folds : collection of int, optional
        Look at these folds only.

    Returns
    -------
    tuple of PathPoint
        No penalty first, then each penalty in the order of its first trial, λ rising. Points
        without a finished fit on a fold are left out.
    """
    chosen = metric or default_metric(study.data.task)
    check_metric(chosen, study.data.task)
    study = study.principal
    groups: dict[tuple[Penalty | None, float], list[Fit]] = defaultdict(list)
    for fit in study.fold_fits:
        if folds is None or fit.trial.fold in folds:
            groups[fit.trial.penalty, fit.trial.lam].append(fit)
    order = list(dict.fromkeys(penalty for penalty, _ in groups))
    order.sort(key=lambda penalty: penalty is not None)
    return tuple(
        _point(penalty, lam, groups[penalty, lam], study, chosen)
        for penalty in order
        for lam in sorted(lam for other, lam in groups if other == penalty)
    )


def _point(
    penalty: Penalty | None, lam: float, fits: list[Fit], study: Study, metric: str
) -> PathPoint:
    good = sorted((fit for fit in fits if usable(fit)), key=lambda fit: fit.trial.fold or 0)
    return PathPoint(
        penalty=penalty,
        lam=lam,
        folds=np.array([fit.trial.fold for fit in good], dtype=np.int64),
        train_losses=np.array([fit.final_train_loss for fit in good]),
        validation_losses=np.array([fit.final_validation_loss for fit in good]),
        scores=np.array([score(metric, fit, study.data) for fit in good]),
        sparsity=float(np.mean([fit.sparsity for fit in good])) if good else float("nan"),
        spread=float(np.mean([fit.spread for fit in good])) if good else float("nan"),
        diverged=len(fits) - len(good),
        label=study.label(penalty, lam),
    )
