"""The λ path as scikit-learn tabulates a grid search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from shrinkage.scores import PathPoint, greater_is_better


def tabulated(points: Sequence[PathPoint], metric: str) -> dict[str, Any]:
    """A column for each fact, a row for each point; a DataFrame can be made of it.

    Parameters
    ----------
    points : sequence of PathPoint
        Of a path, all on the same folds.
    metric : str
        What their scores are.

    Returns
    -------
    dict of str to ndarray
        ``param_penalty`` (label, "no penalty" included), ``param_lam``, ``params``; for each fold
        ``split0_test_score`` …; ``mean_test_score``, ``std_test_score``, ``se_test_score`` (its
        standard error), ``rank_test_score``; ``mean_train_loss``, ``mean_validation_loss``,
        ``std_validation_loss``, ``sparsity`` and ``spread`` (standard deviation) of the penalized
        weights. Scores are such that more is better: of a loss they are negative.
    """
    sign = 1.0 if greater_is_better(metric) else -1.0
    scores = sign * np.array([point.scores for point in points])
    means = np.array([sign * point.mean_score for point in points])
    labels = ["none" if point.penalty is None else point.penalty.name for point in points]
    return {
        "param_penalty": np.array(labels, dtype=object),
        "param_lam": np.array([point.lam for point in points]),
        "params": [{"penalty": label, "lam": point.lam} for label, point in zip(labels, points)],
        **{f"split{fold}_test_score": scores[:, fold] for fold in range(scores.shape[1])},
        "mean_test_score": means,
        "std_test_score": scores.std(axis=1),
        "se_test_score": np.array([point.se_score for point in points]),
        "rank_test_score": rankdata(-means, method="min").astype(np.int32),
        "mean_train_loss": np.array([point.mean_train for point in points]),
        "mean_validation_loss": np.array([point.mean_validation for point in points]),
        "std_validation_loss": np.array([point.validation_losses.std() for point in points]),
        "sparsity": np.array([point.sparsity for point in points]),
        "spread": np.array([point.spread for point in points]),
    }
