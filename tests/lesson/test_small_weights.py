from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import rankdata

from shrinkage.engine.pool import predict, run_trial
from shrinkage.lesson.exhibited import Exhibited, Setting
from shrinkage.lesson.ranks import rank_correlation
from shrinkage.lesson.scaled import SCALES, scaled
from shrinkage.lesson.small_weights import STRENGTHS, SmallWeights
from shrinkage.lesson.toys import toy
from shrinkage.lesson.trials import lesson_trial
from shrinkage.network import initialize, layout
from shrinkage.study import Fit
from shrinkage.verify.norms import weight_norm
from shrinkage.verify.smoothness import jacobian_norms

SETTING = Setting(seeds=2, epochs=60)


@pytest.fixture(scope="module")
def one(exhibited: Callable[..., Exhibited]) -> Exhibited:
    return exhibited(SmallWeights(), SETTING)


@pytest.fixture(scope="module")
def fit() -> Fit:
    data = toy(seed=1, test=10)
    return run_trial(lesson_trial(data, 1, epochs=30), data.part(0))


def _column(one: Exhibited, table: int, name: str) -> list[float]:
    head, rows = one.tables[table][1].columns, one.tables[table][1].rows
    return [float(row[head.index(name)].split()[0]) for row in rows]


def test_it_says_what_a_page_needs(one: Exhibited, suits_a_page: Callable[..., None]) -> None:
    suits_a_page(one)
    assert len(one.tables[0][1].rows) == len(STRENGTHS)
    assert len(one.tables[1][1].rows) == len(SCALES)


def test_the_weights_and_the_slope_shrink_along_the_path(one: Exhibited) -> None:
    norms = _column(one, 0, "norm of hidden weights")
    assert norms == sorted(norms, reverse=True)
    slopes = _column(one, 0, "median Jacobian norm")
    assert slopes[-1] < slopes[0]
    assert one.claims[0].interval is not None
    assert one.claims[0].interval.estimate > 0


def test_the_code_prints_the_correlation_of_the_claim(
    one: Exhibited, printed: Callable[[str], str]
) -> None:
    assert one.claims[0].interval is not None
    assert f"correlation {one.claims[0].interval.estimate:.2f}" in printed(one.code)


def test_only_hidden_kernels_are_scaled(fit: Fit) -> None:
    half = scaled(fit, 0.5)
    for block in layout(fit.trial.network).blocks:
        factor = 0.5 if block.kind == "hidden kernel" else 1.0
        np.testing.assert_array_equal(
            block.of(half.parameters), factor * block.of(fit.parameters), err_msg=block.name
        )
    assert weight_norm(half) == pytest.approx(0.5 * weight_norm(fit))


def test_without_hidden_weights_the_answer_is_the_same_everywhere(fit: Fit) -> None:
    inputs = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    none = scaled(fit, 0.0)
    answers = predict(none.trial.network, none.parameters, inputs, none.trial.training.loss)
    assert np.ptp(answers) == 0
    assert jacobian_norms(none, inputs).max() == 0


def test_without_biases_two_scaled_layers_scale_the_jacobian_twice(fit: Fit) -> None:
    """A relu network without biases is homogeneous: no unit turns on or off."""
    fresh = scaled(fit, 1.0)
    fresh.parameters[:] = initialize(fit.trial.network, 0)
    inputs = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    np.testing.assert_allclose(
        jacobian_norms(scaled(fresh, 0.3), inputs), 0.09 * jacobian_norms(fresh, inputs), rtol=1e-5
    )


def test_the_demonstration_flattens_to_nothing(one: Exhibited) -> None:
    slopes = _column(one, 1, "median Jacobian norm")
    assert slopes[0] == max(slopes)
    assert slopes[-1] == 0
    assert _column(one, 1, "boundary length per area")[-1] == 0
    assert _column(one, 1, "test accuracy (%)")[-1] == 50


def test_a_rank_correlation_is_that_of_the_ranks() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 5, 8))
    by_hand = [
        np.corrcoef(rankdata(one), rankdata(two))[0, 1]
        for one, two in zip(first, second, strict=True)
    ]
    found = rank_correlation(first, second)
    assert found.estimate == pytest.approx(np.mean(by_hand))
    assert -1 <= found.low < found.high <= 1


def test_a_rank_correlation_with_what_never_changes_is_none() -> None:
    rising = np.tile(np.arange(4.0), (3, 1))
    assert rank_correlation(rising, np.ones((3, 4))).estimate == 0
    assert rank_correlation(rising, -rising).low == -1
