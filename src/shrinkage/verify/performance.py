"""The untouched test set, with and without the penalty: every metric with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits

from shrinkage.data import Data, TestSet
from shrinkage.data.put_away import let_go
from shrinkage.detect.gains import loss_name
from shrinkage.engine.pool import predict
from shrinkage.intervals import FEWEST_ROWS, Interval, bootstrap_interval
from shrinkage.network import OwnNetwork, layout
from shrinkage.scores import loss_unit
from shrinkage.study import Fit
from shrinkage.training import Training
from shrinkage.verify.large import tested
from shrinkage.verify.metrics import (
    Counts,
    Floats,
    Statistic,
    auc,
    class_members,
    mean,
    mean_by_class,
    mean_of,
    r_squared,
    root_mean,
)

RESAMPLES = 2_000
TOO_FEW = "too few test rows to tell"
_ROUNDING = 1e-6  # resamples are summed in float32: smaller differences, relatively, are none
_ROWS_AT_ONCE = 1 << 14  # predicted; of a large table the others stay in their file
_DRAWS = 20_000_000  # rows drawn in all: a test set of more than 10,000 rows gets fewer resamples


@dataclass(frozen=True)
class Effect:
    """One metric on the test set, before and after the penalty.

    Parameters
    ----------
    metric : str
        Key: ``"log_loss"``, ``"accuracy"``, ``"balanced_accuracy"``, ``"roc_auc"``,
        ``"mean_squared_error"``, ``"rmse"`` or ``"r2"``.
    label : str
        For people: ``"log loss"``, ``"class-weighted log loss"``, ``"AUC"``, ``"R²"``.
    unit : str
        ``"nats"``, ``"share of rows"``, the target's name for RMSE …; empty when none.
    before, after : Interval
        Without and with the penalty: the mean over the refits' seeds.
    difference : Interval
        After − before on the same resampled rows.
    greater_is_better : bool
        False for losses.
    """

    metric: str
    label: str
    unit: str
    before: Interval
    after: Interval
    difference: Interval
    greater_is_better: bool

    @property
    def improvement(self) -> Interval:
        """The difference, positive where the penalty is better."""
        return self.difference if self.greater_is_better else -self.difference

    @property
    def outcome(self) -> str:
        """``"better"``, ``"worse"``, ``"no clear difference"`` or :data:`TOO_FEW`.

        The third when the interval holds 0, the last when it is unbounded.
        """
        if not self.difference.bounded:
            return TOO_FEW
        change = self.improvement
        if change.low > 0 and change.estimate > 0:
            return "better"
        return "worse" if change.high < 0 and change.estimate < 0 else "no clear difference"

    def __str__(self) -> str:
        return f"{self.label} {self.before} → {self.after}, difference {self.difference}"


def effects(
    before: Sequence[Fit], after: Sequence[Fit], data: Data, test: TestSet
) -> tuple[tuple[Effect, ...], int, tuple[str, ...]]:
    """Every metric of the task on the test set, averaged over the fits of each side.

    A metric is the mean of the fits' own metrics, not the metric of their averaged predictions:
    it tells what one network of the kind will do. All metrics and both sides use the same
    resampled rows, drawn within each class for classification. The log loss weighs the classes as
    the training did; the other metrics do not.

    Parameters
    ----------
    before, after : sequence of Fit
        Refits on every training row without and with the penalty, one for each seed.
    data : Data
        Task, classes and the scale of the targets.
    test : TestSet
        The untouched rows, at least one.

    Returns
    -------
    effects : tuple of Effect
        The loss first.
    resamples : int
        How many were drawn; 0 when the test set is too small for intervals.
    notes : tuple of str
        A sentence for each metric that does not exist on this test set.
    """
    test = tested(test)
    return compared(
        [predicted(fit, test.inputs) for fit in before],
        [predicted(fit, test.inputs) for fit in after],
        before[0].trial.training,
        data,
        test,
    )


def compared(
    before: Sequence[Floats],
    after: Sequence[Floats],
    training: Training,
    data: Data,
    test: TestSet,
) -> tuple[tuple[Effect, ...], int, tuple[str, ...]]:
    """:func:`effects` of predictions, (rows, classes or targets) each, by :func:`predicted`.

    `training` tells how the loss weighs the classes.
    """
    rows = len(test.targets)
    resamples = min(RESAMPLES, max(_DRAWS // max(rows, 1), RESAMPLES // 5))
    resamples = resamples if rows >= FEWEST_ROWS else 0
    weights = np.asarray(test.weights, dtype=np.float64)
    answers = (*before, *after)
    strata = None
    if data.task == "regression":
        metrics, notes = _regression_metrics(answers, data, test, weights)
    else:
        strata = np.asarray(test.targets[:, 0], dtype=np.int64)
        metrics, notes = _classification_metrics(answers, training, data, weights, strata)

    share = len(before)
    # The metrics hold what they need, which is less; with many rows the rest would add up.
    del before, after, answers

    def statistic(counts: Counts) -> Floats:
        tables = [np.stack([one(counts) for one in metric.per_fit]) for metric in metrics]
        sides = [(table[:share].mean(axis=0), table[share:].mean(axis=0)) for table in tables]
        return np.stack([row for old, new in sides for row in (old, new, _change(old, new))])

    # The products are small: a second BLAS thread costs more than it brings, most of all while
    # other threads work.
    # A class whose sample weights are all zero divides by zero; such a metric is dropped below.
    quiet = np.errstate(divide="ignore", invalid="ignore")
    with quiet, threadpool_limits(limits=1, user_api="blas"):
        intervals = bootstrap_interval(statistic, rows, strata, resamples=resamples)
    found = tuple(
        Effect(
            metric=metric.key,
            label=metric.label,
            unit=metric.unit,
            before=intervals[3 * i],
            after=intervals[3 * i + 1],
            difference=intervals[3 * i + 2],
            greater_is_better=metric.greater,
        )
        for i, metric in enumerate(metrics)
        if np.isfinite(intervals[3 * i + 2].estimate)
    )
    return found, resamples, notes


def _change(old: Floats, new: Floats) -> Floats:
    """After − before; exactly 0 where the two are equal but for rounding."""
    rounding = _ROUNDING * np.maximum(np.abs(old), np.abs(new))
    change = new - old
    return np.where(np.abs(change) <= rounding, 0.0, change)


@dataclass(frozen=True, eq=False)
class _Metric:
    """A metric with one statistic for each fit."""

    key: str
    label: str
    unit: str
    greater: bool
    per_fit: list[Statistic]


def _classification_metrics(
    probabilities: Sequence[Floats],
    training: Training,
    data: Data,
    weights: Floats,
    classes: NDArray[np.int64],
) -> tuple[list[_Metric], tuple[str, ...]]:
    """Log loss, accuracy, balanced accuracy and AUC of each fit."""
    true = (np.arange(classes.size), classes)
    # float32 holds 1e-38 and not less; a smaller probability of the true class counts as that.
    tiny = float(np.finfo(np.float32).tiny)
    losses = [-np.log(np.maximum(p[true], tiny)) for p in probabilities]
    members = class_members(weights, classes)
    hits = [p.argmax(axis=1) == classes for p in probabilities]
    metrics = [
        _Metric(
            "log_loss",
            loss_name(data, training),
            "nats",
            False,
            [mean(v, _loss_weights(training, data, weights, classes)) for v in losses],
        ),
        _Metric("accuracy", "accuracy", "share of rows", True, [mean(v, weights) for v in hits]),
        _Metric(
            "balanced_accuracy",
            "balanced accuracy",
            "mean share over classes",
            True,
            [mean_by_class(v, members) for v in hits],
        ),
    ]
    present = np.unique(classes)
    notes = []
    absent = len(data.classes) - present.size
    if present.size < 2:
        notes.append("AUC does not exist: the test set holds rows of one class only.")
        return metrics, tuple(notes)
    if absent:
        verb = "has" if absent == 1 else "have"
        notes.append(
            f"{absent} of {len(data.classes)} classes {verb} no row in the test set; balanced "
            "accuracy and AUC are means over the others."
        )
    positives = [1] if data.task == "binary" else [int(label) for label in present]
    label = "AUC" if data.task == "binary" else "AUC (one against rest)"
    metrics.append(
        _Metric(
            "roc_auc",
            label,
            "",
            True,
            [
                mean_of([auc(p[:, c], classes == c, weights) for c in positives])
                for p in probabilities
            ],
        )
    )
    return metrics, tuple(notes)


def _loss_weights(
    training: Training, data: Data, weights: Floats, classes: NDArray[np.int64]
) -> Floats:
    """Sample weights, times the class weights that the fits were trained with."""
    if training.class_weight == "none":
        return weights
    trained = data.full.targets[data.full.train, 0].astype(np.int64)
    sizes = np.bincount(trained, minlength=len(data.classes))
    by_class = trained.size / (np.count_nonzero(sizes) * np.maximum(sizes, 1))
    return np.asarray(weights * by_class[classes], dtype=np.float64)


def _regression_metrics(
    answers: Sequence[Floats], data: Data, test: TestSet, weights: Floats
) -> tuple[list[_Metric], tuple[str, ...]]:
    """Mean squared error (standardized), RMSE (original units) and R² of each fit."""
    center, scale = data.full.target_center, data.full.target_scale
    targets = np.asarray(test.targets, dtype=np.float64)
    squares = [np.square(answer * scale + center - targets) for answer in answers]
    one = targets.shape[1] == 1
    unit = data.target_names[0] if one else "mean over targets, original units"
    metrics = [
        _Metric(
            "mean_squared_error",
            "mean squared error",
            loss_unit(data),
            False,
            [mean((s / scale**2).mean(axis=1), weights) for s in squares],
        ),
        _Metric("rmse", "RMSE", unit, False, [root_mean(s, weights) for s in squares]),
    ]
    if np.ptp(targets, axis=0).all():
        r2 = [r_squared(s, targets, weights) for s in squares]
        metrics.append(_Metric("r2", "R²", "", True, r2))
        return metrics, ()
    return metrics, ("R² does not exist: a target is constant on the test set.",)


def predicted(fit: Fit, inputs: NDArray[np.float32]) -> Floats:
    """Class probabilities, (rows, classes), or standardized predictions, (rows, targets)."""
    if fit.trial.training.loss == "mean_squared_error":
        return _outputs(fit, inputs)
    return _class_probabilities(fit, inputs)


def _outputs(fit: Fit, inputs: NDArray[np.float32]) -> Floats:
    """Answers after the head, float64 (rows, outputs)."""
    trial = fit.trial
    if isinstance(trial.network, OwnNetwork):
        answers = predict(trial.network, fit.parameters, inputs, trial.training.loss)
        return answers.astype(np.float64)
    found = np.empty((len(inputs), trial.network.outputs))
    for start in range(0, len(inputs), _ROWS_AT_ONCE):
        piece = slice(start, start + _ROWS_AT_ONCE)
        found[piece] = predict(trial.network, fit.parameters, inputs[piece], trial.training.loss)
        let_go(inputs)
    return found


def _class_probabilities(fit: Fit, inputs: NDArray[np.float32]) -> Floats:
    """Probability of each class, float64 (rows, classes), small ones exact for the logarithm."""
    probabilities = _outputs(fit, inputs)
    if fit.trial.training.loss != "binary_cross_entropy":
        return probabilities
    if isinstance(fit.trial.network, OwnNetwork):
        log_odds = fit.trial.network.logits(fit.parameters, inputs).astype(np.float64)
        return np.concatenate([expit(-log_odds), probabilities], axis=1)
    # In float32, 1 − p is 0 from p = 1 − 3e-8 on, and the log loss of a confident mistake would
    # be lost. Negating the output layer gives the probability of class 0 with all its digits.
    mirrored = fit.parameters.copy()
    for block in layout(fit.trial.network).blocks:
        if block.kind.startswith("output"):
            block.of(mirrored)[...] *= -1
    of_class_0 = _outputs(replace(fit, parameters=mirrored), inputs)
    return np.concatenate([of_class_0, probabilities], axis=1)
