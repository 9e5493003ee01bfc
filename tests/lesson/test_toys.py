from __future__ import annotations

import numpy as np
import pytest

from shrinkage.errors import SettingError
from shrinkage.lesson.toys import pooled, toy


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    one, again, other = toy(seed=4), toy(seed=4), toy(seed=5)
    assert one.fingerprint == again.fingerprint != other.fingerprint
    np.testing.assert_array_equal(one.test.inputs, again.test.inputs)
    together = np.concatenate([one.test.inputs, other.test.inputs])
    assert len(np.unique(together, axis=0)) == len(together)


def test_rows_to_train_validate_and_test_on_are_different_ones() -> None:
    data = toy(seed=1, rows=50, validation=60, test=70)
    part = data.part(0)
    kinds = [part.inputs[part.train], part.inputs[part.validation], data.test.inputs]
    assert [len(rows) for rows in kinds] == [50, 60, 70]
    assert len(np.unique(np.concatenate(kinds), axis=0)) == 180
    assert data.description.test_rows == 70


def test_inputs_stay_as_they_are_unless_they_are_to_be_standardized() -> None:
    plain, standardized = toy(seed=2), toy(seed=2, standardize=True)
    train = standardized.part(0).inputs[standardized.part(0).train]
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-6)
    full = standardized.full
    np.testing.assert_allclose(
        standardized.test.inputs * full.scale + full.center, plain.test.inputs, atol=1e-5
    )
    assert plain.full.center.tolist() == [0, 0]
    assert plain.full.scale.tolist() == [1, 1]


def test_folds_split_the_rows_to_train_on() -> None:
    data = toy(seed=0, rows=40, folds=4, repeats=2)
    assert (data.folds, data.repeats, len(data.parts)) == (4, 2, 8)
    for repeat in (data.parts[:4], data.parts[4:]):
        held = np.concatenate([part.inputs[part.validation] for part in repeat])
        assert len(np.unique(held, axis=0)) == 40
    firsts = [data.parts[place].inputs[data.parts[place].validation] for place in (0, 4)]
    assert not np.array_equal(*firsts)


def test_every_toy_can_be_drawn() -> None:
    for problem in ("moons", "circles", "spirals", "xor", "blobs"):
        data = toy(problem, noise=None)
        assert data.n_outputs == (3 if problem == "blobs" else 1)


@pytest.mark.parametrize("wrong", [{"problem": "moon"}, {"seed": -1}, {"rows": 3}, {"noise": -1}])
def test_what_cannot_be_drawn_is_said(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        toy(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_draws_side_by_side_keep_their_rows() -> None:
    draws = [toy(seed=seed, rows=20, validation=30) for seed in (3, 7)]
    data = pooled(draws)
    assert data.independent
    assert data.folds == len(data.parts) == 2
    for draw, part in zip(draws, data.parts, strict=True):
        np.testing.assert_array_equal(part.inputs, draw.part(0).inputs)
    assert data.fingerprint not in {draw.fingerprint for draw in draws}
