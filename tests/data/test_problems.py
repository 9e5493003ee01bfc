"""Bundled problems are what their names promise."""

import numpy as np
import pytest

from shrinkage.data import BUNDLED, REAL_PROBLEMS, TOY_PROBLEMS, bundled
from shrinkage.errors import SettingError


@pytest.mark.parametrize("name", BUNDLED)
def test_every_problem_is_a_table_with_its_target_last(name: str) -> None:
    table, target = bundled(name)
    assert table.columns[-1] == target
    assert table.notna().all().all()
    assert table[target].nunique() >= 2


@pytest.mark.parametrize("name", TOY_PROBLEMS)
def test_toys_have_balanced_classes_and_follow_their_options(name: str) -> None:
    table, target = bundled(name, samples=90, noise=0.1, seed=4)
    counts = table[target].value_counts()
    assert len(table) == 90
    assert counts.max() - counts.min() <= 1
    assert table.equals(bundled(name, samples=90, noise=0.1, seed=4)[0])
    assert not table.equals(bundled(name, samples=90, noise=0.1, seed=5)[0])
    assert list(table.columns) == ["x1", "x2", "class"]


def test_without_noise_the_shapes_are_exact() -> None:
    circles, _ = bundled("circles", noise=0)
    radius = np.hypot(circles["x1"], circles["x2"])
    assert np.allclose(radius, np.where(circles["class"] == "outer", 1.0, 0.5))
    xor, _ = bundled("xor", noise=0)
    assert ((xor["x1"] * xor["x2"] > 0) == (xor["class"] == "same sign")).all()
    moons, _ = bundled("moons", noise=0)
    upper = moons[moons["class"] == "upper"]
    assert np.allclose(np.hypot(upper["x1"], upper["x2"]), 1)
    assert (upper["x2"] >= 0).all()
    blobs, _ = bundled("blobs", noise=0)
    assert len(blobs.drop_duplicates()) == 3


@pytest.mark.parametrize("name", TOY_PROBLEMS)
def test_default_noise_makes_the_classes_overlap(name: str) -> None:
    """Some nearest neighbours differ in class, so that there is noise to memorize."""
    table, target = bundled(name)
    points = table[["x1", "x2"]].to_numpy()
    labels = table[target].cat.codes.to_numpy()
    distance = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    differ = np.mean(labels[distance.argmin(axis=1)] != labels)
    assert 0.05 < differ < 0.35


def test_real_tables_have_their_own_names() -> None:
    table, target = bundled("breast_cancer")
    assert "mean radius" in table
    assert list(table[target].cat.categories) == ["malignant", "benign"]
    assert table.shape == (569, 31)
    assert "bmi" in bundled("diabetes")[0]


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(SettingError, match="did you mean 'moons'"):
        bundled("moon")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 9}, "samples is 9; a toy problem needs at least 10 rows"),
        ({"noise": -1.0}, "noise is -1.0; it must be 0 or a positive"),
        ({"noise": float("nan")}, "noise is nan"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        bundled("moons", **options)


@pytest.mark.parametrize("option", ["samples", "noise"])
@pytest.mark.parametrize("name", REAL_PROBLEMS)
def test_real_data_takes_no_toy_options(name: str, option: str) -> None:
    with pytest.raises(SettingError, match=f"{option} was given, but {name} is real data"):
        bundled(name, **{option: 50})
