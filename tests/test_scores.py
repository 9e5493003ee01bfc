from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from shrinkage.data import bundled, prepare
from shrinkage.errors import SettingError
from shrinkage.penalties import L2
from shrinkage.scores import (
    CLASSIFICATION,
    REGRESSION,
    check_metric,
    default_metric,
    path,
    score,
    standard_error,
    unit,
)
from shrinkage.study import Study
from shrinkage.tune import Search, default_training, plan, select


def small_study(name, **options):
    table, target = bundled(name, **options)
    data = prepare(table, target, name=name, folds=3, repeats=1)
    training = default_training(data, epochs=4, batch_size=64)
    search = Search(data, plan(data, training=training, lambdas=(0.01, 1.0), penalties=(L2(),)))
    list(search)
    return search.study


@pytest.fixture(scope="module")
def moons():
    return small_study("moons", samples=90)


@pytest.fixture(scope="module")
def wine():
    return small_study("wine")


@pytest.fixture(scope="module")
def diabetes():
    return small_study("diabetes")


def truth(study, fit):
    part = study.data.part(fit.trial.fold)
    return part, part.targets[part.validation, 0]


def test_binary_scores_are_scikit_learns(moons):
    fit = moons.fold_fits[0]
    _, labels = truth(moons, fit)
    chance = fit.outputs[:, 0].astype(float)
    expected = {
        "log_loss": metrics.log_loss(labels, chance),
        "accuracy": metrics.accuracy_score(labels, chance > 0.5),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, chance > 0.5),
        "roc_auc": metrics.roc_auc_score(labels, chance),
    }
    for metric in CLASSIFICATION:
        assert score(metric, fit, moons.data) == pytest.approx(expected[metric], rel=1e-5), metric


def test_multiclass_scores_are_scikit_learns(wine):
    fit = wine.fold_fits[0]
    _, labels = truth(wine, fit)
    chances = fit.outputs.astype(float)
    chances /= chances.sum(axis=1, keepdims=True)
    expected = {
        "log_loss": metrics.log_loss(labels, chances),
        "accuracy": metrics.accuracy_score(labels, chances.argmax(1)),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, chances.argmax(1)),
        "roc_auc": metrics.roc_auc_score(labels, chances, multi_class="ovr"),
    }
    for metric in CLASSIFICATION:
        assert score(metric, fit, wine.data) == pytest.approx(expected[metric], rel=1e-5), metric


def test_regression_scores_are_in_original_units(diabetes):
    fit = diabetes.fold_fits[0]
    part, standardized = truth(diabetes, fit)
    original = standardized * part.target_scale + part.target_center
    predicted = fit.outputs[:, 0] * part.target_scale + part.target_center
    assert score("rmse", fit, diabetes.data) == pytest.approx(
        metrics.root_mean_squared_error(original, predicted), rel=1e-5
    )
    assert score("r2", fit, diabetes.data) == pytest.approx(
        metrics.r2_score(original, predicted), rel=1e-4
    )
    assert score("mean_squared_error", fit, diabetes.data) == pytest.approx(
        metrics.mean_squared_error(standardized, fit.outputs[:, 0]), rel=1e-5
    )
    assert 25 < original.std() < 120


def test_the_path_starts_without_penalty_and_rises(moons):
    points = path(moons)
    assert [point.label for point in points] == ["no penalty", "L2, λ = 0.01", "L2, λ = 1"]
    assert all(point.folds.tolist() == [0, 1, 2] for point in points)
    of_first = [fit.final_validation_loss for fit in moons.fold_fits if fit.trial.penalty is None]
    assert points[0].mean_validation == pytest.approx(np.mean(of_first))
    assert points[0].scores.tolist() == points[0].validation_losses.tolist()
    assert points[2].spread < points[0].spread


def test_the_path_can_look_at_some_folds(moons):
    (first, *_) = path(moons, "accuracy", folds={2})
    assert first.folds.tolist() == [2]
    assert first.se_score == 0.0


def test_diverged_fits_are_left_out_and_counted(moons):
    from shrinkage.study import Status

    fits = [replace(moons.fold_fits[0], status=Status.DIVERGED), *moons.fold_fits[1:]]
    points = path(Study(moons.data, moons.trials, tuple(fits)))
    assert sum(point.diverged for point in points) == 1
    assert sum(point.folds.size for point in points) == len(moons.fold_fits) - 1


def test_metrics_that_do_not_fit_are_refused_with_those_that_do():
    assert default_metric("multiclass") in CLASSIFICATION
    assert default_metric("regression") in REGRESSION
    with pytest.raises(SettingError, match="does not fit a regression; choose one of: mean_squ"):
        check_metric("accuracy", "regression")
    with pytest.raises(SettingError, match="did you mean 'accuracy'"):
        check_metric("acuracy", "binary")


def test_standard_error():
    assert standard_error(np.array([1.0, 2.0, 3.0])) == pytest.approx(1 / np.sqrt(3))


def test_a_loss_that_is_not_finite_counts_as_diverged(moons):
    fits = [
        replace(fit, validation_loss=np.append(fit.validation_loss[:-1], np.nan))
        if place == 0
        else fit
        for place, fit in enumerate(moons.fold_fits)
    ]
    (free, *_) = path(Study(moons.data, moons.trials, tuple(fits)))
    assert (free.diverged, free.folds.tolist()) == (1, [1, 2])
    assert np.isnan(score("accuracy", fits[0], moons.data))


def test_several_targets_count_alike_whatever_their_units():
    table, target = bundled("diabetes")
    table = table.head(90).assign(large=lambda t: 1e6 * t[target].to_numpy() ** 0.5)
    data = prepare(table, [target, "large"], folds=2, repeats=1)
    training = default_training(data, epochs=3, batch_size=64)
    search = Search(data, plan(data, training=training, lambdas=(0.01,), penalties=(L2(),)))
    list(search)
    fit = search.study.fold_fits[0]
    part = data.part(0)
    errors = part.targets[part.validation] - fit.outputs
    assert score("rmse", fit, data) == pytest.approx(
        np.sqrt(np.square(errors).mean(axis=0)).mean(), rel=1e-5
    )
    assert unit("rmse", data) == "standard deviations of the targets"
    chosen = select(search.study, metric="rmse").sentence
    assert "standard deviations of the targets" in chosen
