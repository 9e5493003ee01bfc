"""Test sets and folds: stratified, disjoint, complete, and never in the way of a small class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shrinkage.data.splits import default_folds, split_folds, split_test

_classes = st.lists(st.integers(1, 40), min_size=2, max_size=6).filter(lambda sizes: max(sizes) > 9)


def _strata(sizes: list[int]) -> np.ndarray:
    labels = np.repeat(np.arange(len(sizes)), sizes).astype(float)
    return np.random.default_rng(len(labels)).permutation(labels)


@given(sizes=_classes, share=st.sampled_from([0.1, 0.2, 0.5]), seed=st.integers(0, 99))
def test_the_test_set_is_stratified(sizes: list[int], share: float, seed: int) -> None:
    strata = _strata(sizes)
    train, test = split_test(strata, share, np.random.default_rng(seed), discrete=True)
    assert sorted([*train, *test]) == list(range(len(strata)))
    lone = sum(size == 1 for size in sizes)
    rate = len(test) / (len(strata) - lone)
    for label, size in enumerate(sizes):
        tested = int(np.sum(strata[test] == label))
        assert tested < size  # every class can be learnt
        if size == 1:
            assert tested == 0
        else:
            assert abs(tested - rate * size) < 1


@given(sizes=_classes, folds=st.integers(2, 9), seed=st.integers(0, 99))
def test_folds_are_stratified_and_cover_each_row_once(
    sizes: list[int], folds: int, seed: int
) -> None:
    strata = _strata(sizes)
    splits = split_folds(strata, folds, np.random.default_rng(seed), discrete=True)
    assert len(splits) == folds
    counts = np.array(
        [np.bincount(strata[held].astype(int), minlength=len(sizes)) for _, held in splits]
    )
    for train, held in splits:
        assert sorted([*train, *held]) == list(range(len(strata)))
        assert len(held) > 0
        assert set(strata[train]) == set(strata)
    for label, size in enumerate(sizes):
        assert counts[:, label].sum() == (0 if size == 1 else size)
        assert np.ptp(counts[:, label]) <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1


def test_numbers_are_spread_over_folds_by_value() -> None:
    values = np.random.default_rng(3).lognormal(size=500)
    splits = split_folds(values, 5, np.random.default_rng(0), discrete=False)
    for _, held in splits:
        # 20 of each fifth of the values, as each block of 5 sorted values goes to 5 folds.
        quintile = np.argsort(np.argsort(values))[held] // 100
        assert np.bincount(quintile).tolist() == [20] * 5


def test_no_fold_gets_only_the_smaller_neighbours() -> None:
    values = np.arange(1000.0)
    splits = split_folds(values, 5, np.random.default_rng(0), discrete=False)
    ranks = [np.mean(values[held] % 5) for _, held in splits]
    assert max(ranks) - min(ranks) < 0.7


def test_the_seed_decides() -> None:
    strata = _strata([30, 20])

    def once(seed: int) -> list[int]:
        return list(split_test(strata, 0.2, np.random.default_rng(seed), discrete=True)[1])

    assert once(1) == once(1)
    assert once(1) != once(2)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(100, (5, 2)), (2_000, (5, 2)), (2_001, (5, 1)), (20_000, (5, 1)), (20_001, (3, 1))],
)
def test_larger_tables_get_fewer_fits(rows: int, expected: tuple[int, int]) -> None:
    assert default_folds(rows) == expected
