"""One network at one λ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from shrinkage import L1, ShrinkageClassifier, ShrinkageRegressor
from shrinkage.errors import DataError, SettingError, ShrinkageError
from shrinkage.estimators import single

Rows = tuple[NDArray[np.float64], NDArray[Any]]


def test_a_strong_l1_leaves_few_weights(cancer: Rows, small: dict[str, Any]) -> None:
    weak = ShrinkageClassifier(lam=1e-4, penalty="l1", **small).fit(*cancer)
    strong = ShrinkageClassifier(lam=0.1, penalty=L1(), **small).fit(*cancer)
    assert weak.sparsity_ < 0.2 < strong.sparsity_ < 1
    assert strong.lambda_ == 0.1
    assert np.mean(strong.coefs_[0] == 0) == pytest.approx(strong.sparsity_)


def test_attributes_have_their_shapes(wine: Rows, small: dict[str, Any]) -> None:
    model = ShrinkageClassifier(**small).fit(*wine)
    assert [kernel.shape for kernel in model.coefs_] == [(13, 8), (8, 3)]
    assert [bias.shape for bias in model.intercepts_] == [(8,), (3,)]
    assert model.n_iter_ == len(model.loss_curve_) == 15
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.validation_curve_ is None
    assert model.diagnosis_ is None
    assert (model.n_features_in_, model.n_outputs_, model.out_activation_) == (13, 3, "softmax")
    np.testing.assert_allclose(model.predict_proba(wine[0]).sum(axis=1), 1)


def test_labels_of_any_kind_come_back(wine: Rows, small: dict[str, Any]) -> None:
    X, y = wine
    names = np.array(["barolo", "grignolino", "barbera"])[y]
    model = ShrinkageClassifier(**small).fit(X, names)
    assert model.classes_.tolist() == ["barbera", "barolo", "grignolino"]
    assert set(model.predict(X)) <= set(names)
    assert model.score(X, names) > 0.9


def test_a_table_with_names(wine: Rows, small: dict[str, Any]) -> None:
    X, y = wine
    table = pd.DataFrame(X, columns=[f"column {i}" for i in range(13)])
    model = ShrinkageClassifier(**small).fit(table, pd.Series(y, dtype="category"))
    assert model.feature_names_in_.tolist() == list(table.columns)
    assert model.predictor_.columns == tuple(table.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table[table.columns[::-1]])


def test_several_targets(diabetes: Rows, small: dict[str, Any]) -> None:
    X, y = diabetes
    both = np.column_stack([y, 1000 - 3 * y])
    model = ShrinkageRegressor(**small | {"max_iter": 100}).fit(X, both)
    assert model.predict(X).shape == both.shape
    assert model.score(X, both) > 0.3
    assert ShrinkageRegressor(**small).fit(X, y[:, None]).predict(X).shape == (len(X), 1)


def test_same_random_state_same_bits(cancer: Rows, small: dict[str, Any]) -> None:
    X, y = cancer
    first, second = (ShrinkageClassifier(**small).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    other = ShrinkageClassifier(**small | {"random_state": 1}).fit(X, y)
    assert not np.array_equal(first.coefs_[0], other.coefs_[0])
    generator = np.random.RandomState(0)
    drawn = ShrinkageClassifier(**small | {"random_state": generator})
    assert not np.array_equal(drawn.fit(X, y).coefs_[0], drawn.fit(X, y).coefs_[0])


def test_weights_count_like_rows_of_any_order(cancer: Rows, small: dict[str, Any]) -> None:
    X, y = cancer
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    repeated = np.random.default_rng(1).permutation(np.repeat(np.arange(len(y)), weights))
    weighted = ShrinkageClassifier(class_weight="balanced", **small)
    weighted.fit(X, y, sample_weight=weights)
    rows = ShrinkageClassifier(class_weight="balanced", **small).fit(X[repeated], y[repeated])
    for ours, theirs in zip(weighted.coefs_, rows.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_balanced_classes_are_weights_of_equal_sums(cancer: Rows, small: dict[str, Any]) -> None:
    kept = np.flatnonzero(np.cumsum(cancer[1] == 1) * (cancer[1] == 1) <= 20)
    X, y = cancer[0][kept], cancer[1][kept]
    shares = np.bincount(y) / len(y)
    # Near a minimum the mean probability is the share, both by the weights trained with.
    small = small | {"lam": 0.3, "max_iter": 100}
    by_hand = {label: 1 / (2 * share) for label, share in enumerate(shares)}
    balanced = ShrinkageClassifier(class_weight="balanced", **small).fit(X, y)
    given = ShrinkageClassifier(class_weight=by_hand, **small).fit(X, y)
    np.testing.assert_allclose(balanced.coefs_[0], given.coefs_[0], atol=1e-5)
    plain = ShrinkageClassifier(**small).fit(X, y)
    assert plain.predict_proba(X)[:, 1].mean() == pytest.approx(shares[1], abs=0.05)
    expected = np.average(balanced.predict_proba(X)[:, 1], weights=1 / shares[y])
    assert expected == pytest.approx(0.5, abs=0.05)


def test_validation_rows_are_followed_and_diagnosed(cancer: Rows, small: dict[str, Any]) -> None:
    X, y = cancer
    model = ShrinkageClassifier(**small).fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert model.validation_curve_ is not None
    assert model.validation_curve_.shape == model.loss_curve_.shape
    assert model.diagnosis_ is not None
    assert model.diagnosis_.validation_loss > 0
    truth = y[100:] == 1
    own = model.predict_proba(X[100:])[:, 1]
    loss = -np.mean(np.log(np.where(truth, own, 1 - own)))
    assert model.validation_curve_[-1] == pytest.approx(loss, rel=1e-4)
    alone = ShrinkageClassifier(**small).fit(X[:100], y[:100])
    np.testing.assert_array_equal(model.coefs_[0], alone.coefs_[0])


def test_early_stopping_returns_the_best_epoch(cancer: Rows, small: dict[str, Any]) -> None:
    X, y = cancer
    long = small | {"max_iter": 400, "learning_rate": "constant", "learning_rate_init": 0.02}
    model = ShrinkageClassifier(lam=0, early_stopping=True, **long)
    model.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert model.n_iter_ < 400
    assert model.validation_curve_ is not None
    assert model.fit_.final_validation_loss == model.validation_curve_.min()
    alone = ShrinkageClassifier(lam=0, early_stopping=True, **long).fit(X, y)
    assert alone.n_iter_ < 400
    assert alone.validation_curve_ is not None


def test_half_a_validation_set_is_refused(cancer: Rows, small: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="X_val and y_val belong together"):
        ShrinkageClassifier(**small).fit(*cancer, X_val=cancer[0])
    with pytest.raises(DataError, match="labels that are none of the classes: 7"):
        ShrinkageClassifier(**small).fit(*cancer, X_val=cancer[0], y_val=np.full(200, 7))
    words = np.array(["benign"] * 200, dtype=object)
    with pytest.raises(DataError, match="labels such as 'benign' cannot be compared"):
        ShrinkageClassifier(**small).fit(*cancer, X_val=cancer[0], y_val=words)


def test_validation_rows_weigh_as_their_classes_do(cancer: Rows, small: dict[str, Any]) -> None:
    X, y = cancer
    model = ShrinkageClassifier(class_weight={0: 3.0}, **small)
    model.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    own = model.predict_proba(X[100:])[np.arange(100), y[100:]]
    expected = np.average(-np.log(own), weights=np.where(y[100:] == 0, 3.0, 1.0))
    assert model.validation_curve_ is not None
    assert model.validation_curve_[-1] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("even", "class_weight is 'even'; give 'balanced'"),
        ({0: -1.0}, "must be finite and not negative"),
        ({0: 0.0, 1: 0.0}, "leaves no row with a weight"),
    ],
)
def test_class_weights_that_cannot_be_used(
    cancer: Rows, small: dict[str, Any], class_weight: Any, message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        ShrinkageClassifier(class_weight=class_weight, **small).fit(*cancer)


def test_a_linear_model_has_coefficients_in_own_units(
    wine: Rows, diabetes: Rows, small: dict[str, Any]
) -> None:
    linear = small | {"hidden_layer_sizes": ()}
    model = ShrinkageClassifier(**linear).fit(*wine)
    scores = wine[0] @ model.coef_.T + model.intercept_
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, model.predict_proba(wine[0]), atol=1e-4)
    numbers = ShrinkageRegressor(**linear).fit(*diabetes)
    assert numbers.coef_.shape == (10,)
    np.testing.assert_allclose(
        diabetes[0] @ numbers.coef_ + numbers.intercept_, numbers.predict(diabetes[0]), rtol=1e-4
    )
    assert not hasattr(numbers.set_params(hidden_layer_sizes=(4,)).fit(*diabetes), "coef_")


def test_warm_start_goes_on(cancer: Rows, small: dict[str, Any]) -> None:
    model = ShrinkageClassifier(warm_start=True, **small).fit(*cancer)
    first = model.loss_
    assert model.fit(*cancer).loss_ < first
    cold = ShrinkageClassifier(**small).fit(*cancer).fit(*cancer)
    assert cold.loss_ == first
    with pytest.raises(SettingError, match="warm_start goes on with the last network"):
        model.set_params(hidden_layer_sizes=(5,)).fit(*cancer)


def test_partial_fit_learns_from_parts(cancer: Rows, small: dict[str, Any]) -> None:
    X, y = cancer
    model = ShrinkageClassifier(**small)
    with pytest.raises(SettingError, match="classes must be passed on the first call"):
        model.partial_fit(X, y)
    model.partial_fit(X[:100], y[:100], classes=[0, 1])
    center = model.predictor_.center
    for _ in range(10):
        model.partial_fit(X[:100], y[:100]).partial_fit(X[100:], y[100:])
    assert model.n_iter_ == len(model.loss_curve_) == 21
    np.testing.assert_array_equal(model.predictor_.center, center)
    assert model.score(X, y) > 0.9
    with pytest.raises(SettingError, match="but the first call had"):
        model.partial_fit(X, y, classes=[0, 1, 2])


def test_partial_fit_goes_on_from_fit(diabetes: Rows, small: dict[str, Any]) -> None:
    X, y = diabetes
    model = ShrinkageRegressor(**small).fit(X, y)
    before = model.score(X, y)
    for _ in range(30):
        model.partial_fit(X, y)
    assert model.score(X, y) > before
    with pytest.raises(SettingError, match="the parameters now describe"):
        model.partial_fit(X, np.column_stack([y, y]))


def test_an_interrupted_fit_changes_nothing(
    cancer: Rows, small: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = ShrinkageClassifier(**small)
    fitted = ShrinkageClassifier(**small).fit(*cancer)
    before = dict(vars(fitted))

    def interrupted(*arguments: Any, **named: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(single, "train", interrupted)
    for model in (fresh, fitted):
        with pytest.raises(KeyboardInterrupt):
            model.fit(cancer[0][:, :5], cancer[1])
    assert not [name for name in vars(fresh) if name.endswith("_")]
    assert vars(fitted) == before


def test_two_rows_are_enough(small: dict[str, Any]) -> None:
    X = np.array([[0.0, 1.0], [1.0, 1.0]])
    model = ShrinkageClassifier(**small | {"max_iter": 200}).fit(X, ["no", "yes"])
    assert model.predict(X).tolist() == ["no", "yes"]
    assert ShrinkageRegressor(**small).fit(X, [1.0, 2.0]).predict(X).shape == (2,)


def test_what_cannot_be_trained_on_is_refused(cancer: Rows, small: dict[str, Any]) -> None:
    X, y = cancer
    model = ShrinkageClassifier(**small)
    with pytest.raises(DataError, match="one class only, 1; a classifier needs at least 2 classes"):
        model.fit(X, np.ones(len(X), dtype=int))
    with pytest.raises(DataError, match=r"sparse matrix.*pass X.toarray\(\)"):
        model.fit(csr_array(X), y)
    with pytest.raises(DataError, match="NaN; numbers without gaps are needed: put skrub"):
        model.fit(np.where(X > 20, np.nan, X), y)
    with pytest.raises(DataError, match=r"could not convert.*TableVectorizer"):
        model.fit(pd.DataFrame({"a": ["x", "y"] * 100}), y)


def test_a_training_that_diverges_is_an_error(diabetes: Rows, small: dict[str, Any]) -> None:
    wild = small | {"solver": "sgd", "learning_rate_init": 1e6, "activation": "identity"}
    with pytest.raises(ShrinkageError, match="the training diverged at epoch"):
        ShrinkageRegressor(**wild).fit(*diabetes)


def test_verbose_says_how_long_it_took(
    cancer: Rows, small: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    ShrinkageClassifier(**small).fit(*cancer)
    assert capsys.readouterr().err == ""
    ShrinkageClassifier(verbose=1, **small).fit(*cancer)
    assert "1 fits in" in capsys.readouterr().err
