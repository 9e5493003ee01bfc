"""A path of λ with folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GroupKFold, RepeatedStratifiedKFold, StratifiedKFold

from shrinkage import L1, L2, ShrinkageClassifierCV, ShrinkageRegressorCV, select
from shrinkage.detect import Diagnosis
from shrinkage.errors import DataError, SettingError
from shrinkage.estimators import cross_validated
from shrinkage.tune import Search

Rows = tuple[NDArray[np.float64], NDArray[Any]]
LAMBDAS = (0.01, 0.1, 1.0)


@pytest.fixture(scope="module")
def model(cancer: Rows, small: dict[str, Any]) -> ShrinkageClassifierCV:
    fitted: ShrinkageClassifierCV = ShrinkageClassifierCV(lambdas=LAMBDAS, **small).fit(*cancer)
    return fitted


def test_the_choice_is_the_best_of_the_table(model: ShrinkageClassifierCV) -> None:
    results = pd.DataFrame(model.cv_results_)
    assert results["param_lam"].tolist() == [0.0, *LAMBDAS]
    assert results["param_penalty"].tolist() == ["none", "l2", "l2", "l2"]
    best = results.loc[model.best_index_]
    assert best["rank_test_score"] == 1
    assert best["mean_test_score"] == results["mean_test_score"].max() == model.best_score_
    assert best["param_lam"] == model.lambda_ == model.fit_.trial.lam
    splits = results[[f"split{fold}_test_score" for fold in range(5)]]
    np.testing.assert_allclose(splits.mean(axis=1), results["mean_test_score"])
    np.testing.assert_allclose(splits.std(axis=1, ddof=0), results["std_test_score"])
    np.testing.assert_allclose(results["mean_validation_loss"], -results["mean_test_score"])
    assert model.lambdas_.tolist() == list(LAMBDAS)
    assert [point.lam for point in model.path_] == [0.0, *LAMBDAS]


def test_scores_are_those_of_the_folds(model: ShrinkageClassifierCV, cancer: Rows) -> None:
    """The first fold's score is the log loss of the recorded outputs on scikit-learn's fold."""
    X, y = cancer
    _, rows = next(StratifiedKFold(5).split(X, y))
    fit = next(f for f in model.study_.fits if (f.trial.lam, f.trial.fold) == (0.1, 0))
    part = model.study_.data.part(0)
    assert sorted(part.targets[part.validation, 0]) == sorted(y[rows])
    loss = log_loss(part.targets[part.validation, 0], fit.outputs[:, 0].astype(float))
    column = model.cv_results_["split0_test_score"]
    assert column[2] == pytest.approx(-loss, rel=1e-4)


def test_what_is_fitted_agrees_with_what_was_chosen(
    model: ShrinkageClassifierCV, cancer: Rows
) -> None:
    assert select(model.study_).point.lam == model.lambda_
    assert isinstance(model.diagnosis_, Diagnosis)
    assert model.n_splits_ == 5
    assert model.score(*cancer) > 0.9
    assert model.validation_curve_ is not None
    assert model.validation_curve_[-1] == pytest.approx(-model.best_score_, rel=1e-6)
    assert model.fit_ in model.study_.fits
    assert model.fit_.trial.fold is None


def test_an_automatic_path_is_refined_where_it_is_best(
    diabetes: Rows, small: dict[str, Any]
) -> None:
    found = ShrinkageRegressorCV(**small | {"max_iter": 60}, cv=3).fit(*diabetes)
    coarse = {1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0}
    assert coarse <= set(found.lambdas_)
    finer = sorted(set(found.lambdas_) - coarse)
    assert len(finer) == 4
    assert (
        min(abs(np.log10(lam / found.lambda_)) for lam in found.lambdas_ if lam != found.lambda_)
        < 0.3
    )
    assert len(ShrinkageRegressorCV(n_lambdas=3, cv=2, **small).fit(*diabetes).lambdas_) == 3


def test_one_standard_error_is_stronger(diabetes: Rows, small: dict[str, Any]) -> None:
    lambdas = np.geomspace(0.01, 1, 5)
    least = ShrinkageRegressorCV(lambdas=lambdas, **small).fit(*diabetes)
    simple = ShrinkageRegressorCV(lambdas=lambdas, rule="one_standard_error", **small)
    assert simple.fit(*diabetes).lambda_ > least.lambda_
    within = least.cv_results_["se_test_score"][least.best_index_]
    assert simple.best_score_ >= least.best_score_ - within


def test_several_penalties_are_compared(cancer: Rows, small: dict[str, Any]) -> None:
    both = ShrinkageClassifierCV(penalty=["l1", L2()], lambdas=LAMBDAS, cv=2, **small)
    both.fit(*cancer)
    assert both.cv_results_["param_penalty"].tolist() == ["none"] + ["l1"] * 3 + ["l2"] * 3
    assert both.penalty_ in (None, L1(), L2())
    assert both.cv_results_["sparsity"][3] > both.cv_results_["sparsity"][6] == 0


def test_no_penalty_leaves_nothing_to_choose(cancer: Rows, small: dict[str, Any]) -> None:
    plain = ShrinkageClassifierCV(penalty=None, cv=2, **small).fit(*cancer)
    assert plain.lambda_ == 0
    assert plain.penalty_ is None
    assert plain.lambdas_.size == 0
    assert len(plain.path_) == 1


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [("neg_log_loss", "log_loss"), ("accuracy", "accuracy"), ("roc_auc", "roc_auc")],
)
def test_scoring_by_its_name_in_scikit_learn(
    cancer: Rows, small: dict[str, Any], scoring: str, metric: str
) -> None:
    found = ShrinkageClassifierCV(scoring=scoring, lambdas=LAMBDAS, cv=2, **small).fit(*cancer)
    assert found.selection_.metric == metric
    if scoring == "accuracy":
        fold = next(f for f in found.study_.fits if (f.trial.lam, f.trial.fold) == (0.01, 0))
        part = found.study_.data.part(0)
        truth = part.targets[part.validation, 0]
        hits = accuracy_score(truth, fold.outputs[:, 0] > 0.5)
        assert found.cv_results_["split0_test_score"][1] == pytest.approx(hits)


def test_given_validation_rows_replace_the_folds(cancer: Rows, small: dict[str, Any]) -> None:
    X, y = cancer
    found = ShrinkageClassifierCV(lambdas=LAMBDAS, **small)
    found.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert found.n_splits_ == 1
    losses = found.cv_results_["mean_validation_loss"]
    assert found.cv_results_["param_lam"][np.argmin(losses)] == found.lambda_
    # The network in use has the same rows, but a seed of its own.
    assert found.study_.data.full.train.size == 100


@pytest.mark.parametrize(
    ("cv", "splits"), [(3, 3), (RepeatedStratifiedKFold(n_splits=2, n_repeats=2), 4)]
)
def test_splitters(cancer: Rows, small: dict[str, Any], cv: Any, splits: int) -> None:
    assert ShrinkageClassifierCV(cv=cv, lambdas=[0.1], **small).fit(*cancer).n_splits_ == splits


def test_splits_by_group(cancer: Rows, small: dict[str, Any]) -> None:
    groups = np.arange(200) // 20
    splits = list(GroupKFold(2).split(*cancer, groups=groups))
    found = ShrinkageClassifierCV(cv=splits, lambdas=[0.1], **small).fit(*cancer)
    assert found.study_.data.part(0).validation.size == splits[0][1].size


def test_the_same_whatever_the_number_of_threads(cancer: Rows, small: dict[str, Any]) -> None:
    one, two = (
        ShrinkageClassifierCV(n_jobs=jobs, n_lambdas=4, cv=2, **small).fit(*cancer)
        for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.predict_proba(cancer[0]), two.predict_proba(cancer[0]))
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "one_se"}, "unknown selection rule 'one_se'"),
        ({"scoring": "r2"}, "metric 'r2' does not fit a classification"),
        ({"scoring": "acuracy"}, "did you mean 'accuracy'"),
        ({"scoring": accuracy_score}, "scoring is <function"),
        ({"penalty": "l3"}, "unknown penalty 'l3'"),
        ({"penalty": 3}, "penalty is 3; name one"),
        ({"lambdas": [-1]}, "lam is -1"),
        ({"lambdas": []}, "the list of λ is empty"),
        ({"n_lambdas": 1}, "points is 1"),
        ({"n_lambdas": 2.5}, "n_lambdas is 2.5; it must be a whole number"),
        ({"cv": []}, "cv has no splits"),
        ({"hidden_layer_sizes": "many"}, "hidden_layer_sizes is 'many'"),
        ({"max_iter": "long"}, "max_iter is 'long'"),
        ({"solver": "lbfgs"}, "unknown solver 'lbfgs'"),
        ({"learning_rate": "adaptive"}, "unknown learning_rate 'adaptive'"),
        ({"learning_rate_init": 0.0}, "learning_rate_init is 0.0"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"beta_1": 1.0}, "beta_1 is 1.0"),
        ({"validation_fraction": 0.9}, "validation_fraction is 0.9"),
        ({"early_stopping": True, "n_iter_no_change": 0}, "n_iter_no_change is 0"),
        ({"lambdas": ["much"]}, "a value of the wrong type"),
        ({"dropout": "half"}, "dropout is 'half'; it must be a number"),
        ({"n_jobs": 0}, "n_jobs is 0"),
    ],
)
def test_settings_that_cannot_be_used(
    cancer: Rows, small: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        ShrinkageClassifierCV(**small | settings).fit(*cancer)


def test_a_split_without_weight_is_refused(cancer: Rows, small: dict[str, Any]) -> None:
    weights = np.ones(200)
    weights[:100] = 0
    halves = [(np.arange(100), np.arange(100, 200))]
    with pytest.raises(DataError, match="split 0 of cv has no row with a weight to train on"):
        ShrinkageClassifierCV(cv=halves, **small).fit(*cancer, sample_weight=weights)


def test_an_interrupted_fit_leaves_nothing(
    cancer: Rows, small: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(Search):
        def __iter__(self) -> Any:
            yield next(super().__iter__())
            raise KeyboardInterrupt

    monkeypatch.setattr(cross_validated, "Search", Interrupted)
    fresh = ShrinkageClassifierCV(lambdas=LAMBDAS, **small)
    with pytest.raises(KeyboardInterrupt):
        fresh.fit(*cancer)
    assert not [name for name in vars(fresh) if name.endswith("_")]
