from __future__ import annotations

import numpy as np

from shrinkage.detect.gains import honest_gain
from shrinkage.exhibits.choice import chosen_elsewhere, compared, honest_losses


def test_a_fold_has_no_say_in_its_own_choice(synthetic_data):
    # The first candidate is best on every fold but the last, where it is best by far.
    losses = np.array([[1.0, 1.0, 1.0, 1.0, -99.0], [0.9, 0.9, 0.9, 0.9, 5.0]])
    np.testing.assert_array_equal(chosen_elsewhere(losses, synthetic_data()), [0, 0, 0, 0, 1])


def test_repeats_choose_for_themselves(synthetic_data):
    losses = np.array([[1.0] * 5 + [3.0] * 5, [2.0] * 10])
    chosen = chosen_elsewhere(losses, synthetic_data(repeats=2))
    np.testing.assert_array_equal(chosen, [0] * 5 + [1] * 5)


def test_the_honest_gain_is_that_of_the_diagnosis(synthetic_data):
    rng = np.random.default_rng(1)
    data = synthetic_data(repeats=2)
    baseline = rng.normal(1.0, 0.1, 10)
    losses = rng.normal(0.9, 0.1, (7, 10))
    assert compared(baseline, honest_losses(losses, data), data) == honest_gain(
        baseline - losses, data
    )


def test_nothing_is_chosen_where_nothing_can_be_measured(synthetic_data):
    losses = np.full((2, 5), np.nan)
    losses[:, 0] = 1.0  # no other fold to choose on
    data = synthetic_data()
    np.testing.assert_array_equal(chosen_elsewhere(losses, data), [-1] * 5)
    assert compared(np.ones(5), honest_losses(losses, data), data) is None
