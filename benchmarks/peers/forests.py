"""scikit-learn's forests, boosted trees and linear model, each at its best stated settings."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy as np

from benchmarks.budget import Budget
from benchmarks.machine import cores
from benchmarks.outer import Labels, Outer, Rows

HIST_GRADIENT_BOOSTING = (
    "balanced class weights, native categories and missing values; trees 60 or 250 and leaves 6 or "
    "31 at learning rate 0.1, chosen by balanced accuracy over the inner folds"
)
RANDOM_FOREST = (
    "500 trees, balanced class weights in each bootstrap, one input for each category; "
    "max_features (root or half of the inputs) and min_samples_leaf (1, 5 or 20) chosen by the "
    "balanced accuracy of the rows left out of the bootstrap"
)
LOGISTIC_REGRESSION = (
    "balanced class weights; L2 with 15 values of C from 1e-4 to 1e4, chosen by balanced accuracy "
    "over the inner folds; the network's encoded and standardized inputs"
)

Answer = tuple[list[Labels], dict[str, Any]]


def hist_gradient_boosting(outer: Outer, _: Budget) -> Answer:
    """Histogram boosting with a small inner grid.

    Fits are shared between the cores, not the threads of one fit: on a thousand rows those wait
    for each other more than they work.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    frame, labels = outer.train

    def fit(trees: int, leaves: int, rows: Rows) -> Any:
        with threadpool_limits(1):  # of OpenMP: for this thread alone
            return HistGradientBoostingClassifier(
                max_iter=trees,
                max_leaf_nodes=leaves,
                class_weight="balanced",
                categorical_features="from_dtype",
                early_stopping=False,
                random_state=0,
            ).fit(frame.iloc[rows], labels[rows])

    def score(trees: int, leaves: int, rows: Rows, held_out: Rows) -> float:
        predicted = fit(trees, leaves, rows).predict(frame.iloc[held_out])
        return _balanced(labels[held_out], predicted)

    grid = list(product((60, 250), (6, 31)))
    with ThreadPoolExecutor(cores()) as pool:
        waiting = {
            point: [pool.submit(score, *point, *fold) for fold in outer.inner]
            for point in reversed(grid)  # the long ones first
        }
        means = {
            point: float(np.mean([future.result() for future in waiting[point]])) for point in grid
        }
    trees, leaves = max(means, key=lambda point: means[point])
    predicted = fit(trees, leaves, np.arange(len(labels))).predict(outer.test[0])
    chosen = {"max_iter": trees, "max_leaf_nodes": leaves}
    return [predicted], chosen | {"inner": round(means[trees, leaves], 4)}


def random_forest(outer: Outer, _: Budget) -> Answer:
    """Trees whose size and choice of inputs the out-of-bag rows decide."""
    from sklearn.ensemble import RandomForestClassifier

    frame, labels = outer.train
    inputs = _one_hot(frame)

    def forest(features: Any, leaf: int, trees: int) -> Any:
        return RandomForestClassifier(
            trees,
            max_features=features,
            min_samples_leaf=leaf,
            class_weight="balanced_subsample",
            oob_score=_balanced,
            n_jobs=cores(),
            random_state=0,
        ).fit(inputs, labels)

    scores = {
        (features, leaf): float(forest(features, leaf, 150).oob_score_)
        for features, leaf in product(("sqrt", 0.5), (1, 5, 20))
    }
    features, leaf = max(scores, key=lambda key: scores[key])
    model = forest(features, leaf, 500)
    predicted = model.predict(_one_hot(outer.test[0]))
    chosen = {"max_features": features, "min_samples_leaf": leaf}
    return [predicted], chosen | {"out of bag": round(scores[features, leaf], 4)}


def logistic_regression(outer: Outer, _: Budget) -> Answer:
    """The linear model on the network's own inputs."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegressionCV

    data = outer.data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegressionCV(
            Cs=np.logspace(-4, 4, 15),
            l1_ratios=(0.0,),
            cv=outer.inner,
            scoring="balanced_accuracy",
            class_weight="balanced",
            max_iter=1000,
            use_legacy_attributes=False,
        ).fit(data.full.inputs, outer.train[1])
    return [model.predict(data.test.inputs)], {"C": float(np.ravel(model.C_)[0])}


def _one_hot(frame: Any) -> Any:
    """Numbers as they are, one input for each category; forests take missing numbers."""
    import pandas as pd

    return pd.get_dummies(frame, dummy_na=False)


def _balanced(truth: Labels, predicted: Labels) -> float:
    from sklearn.metrics import balanced_accuracy_score

    return float(balanced_accuracy_score(truth, predicted))
