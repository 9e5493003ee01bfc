"""What is said of a prepared table."""

import numpy as np
import pandas as pd

from shrinkage.data import bundled, prepare


def test_toys_are_known_as_toys() -> None:
    table, target = bundled("moons")
    assert prepare(table, target, name="moons").description.is_toy
    assert not prepare(table, target, name="moons.csv").description.is_toy


def test_everything_that_was_handled_is_said() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "kept": rng.standard_normal(120) * 1e9,
            "gaps": np.where(np.arange(120) % 10 == 0, np.nan, rng.standard_normal(120)),
            "constant": 1,
            "empty": None,
            "id": np.arange(120),
            "flag": rng.random(120) < 0.5,
            "<b>word</b>": rng.choice(["x", "<script>"], 120),
            "target": np.arange(120) % 3,
        }
    )
    described = prepare(table, name="t.csv").description
    assert described.source == "t.csv"
    assert described.columns == 7
    assert described.kinds == (("numeric", 3), ("boolean", 1), ("categorical", 1))
    assert described.inputs == 6
    assert described.class_counts == (("0", 40), ("1", 40), ("2", 40))
    assert (described.train_rows, described.test_rows) == (96, 24)
    assert (described.missing, described.missing_columns) == (12, 1)
    assert [name for name, _ in described.dropped] == ["constant", "empty"]
    said = " ".join(described.sentences)
    assert "Column 'id' has a different whole number in every row" in said
    assert "looks numeric but has only 3 different values" in said
    assert "a missing number takes its column's median" in said


def test_a_class_without_test_rows_is_told_of() -> None:
    target = np.where(np.arange(100) < 2, "rare", "usual")
    table = pd.DataFrame({"x": np.arange(100) ** 1.5, "target": target})
    said = [" ".join(prepare(table, seed=seed).description.warnings) for seed in range(20)]
    assert any("The test set has no row of 'rare'." in warnings for warnings in said)
    assert all("Fewer training rows than the 5 folds: 'rare'" in warnings for warnings in said)


def test_a_far_outlier_is_told_of() -> None:
    values = np.random.default_rng(0).standard_normal(5000)
    values[77] = 1e6
    table = pd.DataFrame({"x": values, "z": values[::-1] ** 3 % 1, "y": np.arange(5000) % 2})
    said = {prepare(table, "y", seed=seed).description.warnings for seed in range(3)}
    assert any("Input 'x' has values 6" in " ".join(warnings) for warnings in said)
    clean = prepare(table.drop(index=77), "y").description
    assert clean.warnings == ()
