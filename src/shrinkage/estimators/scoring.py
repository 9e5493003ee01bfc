"""The metric that decides, by this package's name or by scikit-learn's."""

from __future__ import annotations

from shrinkage.data import Task
from shrinkage.errors import SettingError, suggestion
from shrinkage.scores import CLASSIFICATION, METRICS, REGRESSION, check_metric, default_metric

_SPELLINGS = {
    "neg_log_loss": "log_loss",
    "roc_auc_ovr": "roc_auc",
    "neg_mean_squared_error": "mean_squared_error",
    "neg_root_mean_squared_error": "rmse",
}


def metric_of(scoring: str | None, task: Task) -> str:
    """A metric of :data:`shrinkage.scores.METRICS`.

    Parameters
    ----------
    scoring : str or None
        None for the loss that training minimizes.
    task : str
        Which metrics fit.

    Raises
    ------
    SettingError
        On an unknown name, or one that does not fit.

    Examples
    --------
    >>> metric_of("neg_log_loss", "binary"), metric_of(None, "regression")
    ('log_loss', 'mean_squared_error')
    """
    if scoring is None:
        return default_metric(task)
    if not isinstance(scoring, str):
        raise SettingError(
            f"scoring is {scoring!r}; name a metric: {', '.join(_fitting(task))}, or "
            "scikit-learn's name of one"
        )
    metric = _SPELLINGS.get(scoring, scoring)
    if metric not in METRICS:
        names = [*_fitting(task), *_SPELLINGS]
        raise SettingError(f"unknown scoring '{scoring}'; {suggestion(scoring, names)}")
    check_metric(metric, task)
    return metric


def _fitting(task: Task) -> tuple[str, ...]:
    return REGRESSION if task == "regression" else CLASSIFICATION
