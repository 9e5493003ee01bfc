from __future__ import annotations

import numpy as np
import pytest

from shrinkage.verify.margins import margins
from shrinkage.verify.norms import spectral_product
from shrinkage.verify.performance import predicted


def test_two_classes_have_the_log_odds_of_the_true_one(make_data, make_fit):
    data = make_data()
    fit = make_fit(data)
    probabilities = predicted(fit, data.test.inputs)
    classes = data.test.targets[:, 0].astype(int)
    true = probabilities[np.arange(classes.size), classes]
    other = probabilities[np.arange(classes.size), 1 - classes]
    found = margins(fit, data.test.inputs, data.test.targets)
    np.testing.assert_allclose(found, np.log(true) - np.log(other), rtol=1e-4, atol=1e-5)


def test_more_classes_have_the_log_odds_to_the_best_other(make_data, make_fit):
    data = make_data("multiclass")
    fit = make_fit(data)
    logs = np.log(predicted(fit, data.test.inputs))
    classes = data.test.targets[:, 0].astype(int)
    expected = [
        row[label] - max(value for k, value in enumerate(row) if k != label)
        for row, label in zip(logs, classes, strict=True)
    ]
    np.testing.assert_allclose(
        margins(fit, data.test.inputs, classes), expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_positive_where_the_answer_is_right(make_data, make_fit, task):
    data = make_data(task)
    fit = make_fit(data, seed=3)
    right = predicted(fit, data.test.inputs).argmax(axis=1) == data.test.targets[:, 0]
    assert 0 < right.sum() < right.size
    np.testing.assert_array_equal(margins(fit, data.test.inputs, data.test.targets) > 0, right)


def test_a_normalized_margin_is_a_safe_distance(make_data, make_fit):
    data = make_data()
    fit = make_fit(data)
    inputs, targets = data.test.inputs, data.test.targets
    safe = margins(fit, inputs, targets) / spectral_product(fit)
    rng = np.random.default_rng(0)
    for _ in range(50):
        step = rng.standard_normal(inputs.shape)
        step *= 0.999 * np.maximum(safe, 0)[:, None] / np.linalg.norm(step, axis=1, keepdims=True)
        moved = margins(fit, inputs + step, targets)
        assert (moved[safe > 0] > 0).all()
