"""Some of the training rows: nested, in their classes' shares, the same ones every time."""

import numpy as np
import pytest

from shrinkage.engine.subsets import held_back, some_of
from shrinkage.errors import SettingError

TRAIN = np.arange(3, 203)
LABELS = np.r_[np.zeros(3), np.arange(200) % 4 == 0].astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 8, 40, 199, 200])
def test_larger_sets_contain_the_smaller_ones_with_the_same_shares(count):
    chosen = some_of(TRAIN, LABELS, count)
    assert chosen.size == count
    assert np.isin(chosen, TRAIN).all()
    assert np.isin(some_of(TRAIN, LABELS, max(count // 2, 1)), chosen).all()
    assert abs(LABELS[chosen].sum() - count / 4) <= 1


def test_a_regression_takes_any_rows():
    assert np.isin(some_of(TRAIN, None, 20), some_of(TRAIN, None, 90)).all()


@pytest.mark.parametrize("count", [0, 201])
def test_there_are_no_more_rows_than_there_are(count):
    with pytest.raises(SettingError, match="200 training rows"):
        some_of(TRAIN, LABELS, count)


def test_rows_are_held_back_by_share_and_seed():
    train, held = held_back(TRAIN, LABELS, 0.1, 7)
    assert held.size == 20
    assert LABELS[held].sum() == 5
    np.testing.assert_array_equal(np.sort(np.r_[train, held]), TRAIN)
    assert (held_back(TRAIN, LABELS, 0.1, 8)[1] != held).any()
    few, one = held_back(TRAIN[:2], LABELS, 0.1, 0)
    assert few.size == one.size == 1


def test_one_row_cannot_be_split():
    with pytest.raises(SettingError, match="at least 2 training rows"):
        held_back(TRAIN[:1], LABELS, 0.1, 0)
