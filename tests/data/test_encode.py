"""Encoded inputs, held against scikit-learn and skrub, and free of what they must not know."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler
from skrub import StringEncoder

from shrinkage.data.columns import read_columns
from shrinkage.data.encode import Encoded, encode


def _encode(table: pd.DataFrame, fit: np.ndarray | None = None) -> Encoded:
    rows = np.arange(len(table))
    return encode(read_columns(table, list(table), rows + 1), rows, rows if fit is None else fit)


def test_numbers_are_those_of_the_standard_scaler() -> None:
    values = np.random.default_rng(0).lognormal(size=(80, 3)) * [1, 1e9, 1e-9] + [0, 1e9, 0]
    fit = np.arange(0, 80, 2)
    encoded = _encode(pd.DataFrame(values, columns=list("abc")), fit)
    expected = StandardScaler().fit(values[fit]).transform(values)
    np.testing.assert_allclose(encoded.inputs, expected, rtol=1e-5, atol=1e-6)
    assert encoded.names == ("a", "b", "c")


@given(scale=st.floats(1e-9, 1e9), shift=st.floats(-1e9, 1e9))
def test_units_do_not_matter(scale: float, shift: float) -> None:
    values = np.linspace(-1, 1, 30) ** 3
    moved = values * scale + shift * scale
    encoded = _encode(pd.DataFrame({"a": moved, "b": values}))
    # What is lost was lost when the shifted numbers were written down.
    np.testing.assert_allclose(encoded.inputs[:, 0], encoded.inputs[:, 1], atol=1e-5)


def test_center_and_scale_lead_back_to_the_table() -> None:
    values = np.random.default_rng(0).normal(40, 12, size=(50, 2))
    encoded = _encode(pd.DataFrame(values, columns=["a", "b"]))
    back = encoded.inputs * encoded.scale + encoded.center
    np.testing.assert_allclose(back, values, rtol=1e-5)


def test_missing_numbers_take_the_median_of_the_fitted_rows_and_are_marked() -> None:
    table = pd.DataFrame({"a": [1.0, 2.0, 6.0, np.nan, 500.0, np.nan], "b": np.arange(6.0) ** 2})
    encoded = _encode(table, np.arange(4))
    assert encoded.names == ("a", "b", "a is missing")
    raw = encoded.inputs * encoded.scale + encoded.center
    np.testing.assert_allclose(raw[:, 0], [1, 2, 6, 2, 500, 2], rtol=1e-5)
    np.testing.assert_allclose(raw[:, 2], [0, 0, 0, 1, 0, 1], atol=1e-6)


def test_gaps_outside_of_the_fitted_rows_get_no_mark() -> None:
    table = pd.DataFrame({"a": [1.0, 2.0, 6.0, 3.0, np.nan]})
    encoded = _encode(table, np.arange(4))
    assert encoded.names == ("a",)
    assert encoded.inputs[4, 0] * encoded.scale[0] + encoded.center[0] == pytest.approx(2.5)


def test_categories_become_one_input_each_with_rare_ones_together() -> None:
    words = ["a"] * 20 + ["b"] * 20 + ["c", "d"] * 3 + [None] * 9
    encoded = _encode(pd.DataFrame({"w": words}))
    assert encoded.names == ("w = (missing)", "w = a", "w = b", "w = (rare)")
    raw = encoded.inputs * encoded.scale + encoded.center
    assert np.allclose(raw.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(raw[:, 3].round(), [word in ("c", "d") for word in words])


def test_an_unknown_category_counts_as_rare() -> None:
    words = ["a"] * 20 + ["b"] * 20 + ["c"] * 20 + ["d"] * 2 + ["new"]
    encoded = _encode(pd.DataFrame({"w": words}), np.arange(62))
    raw = encoded.inputs * encoded.scale + encoded.center
    np.testing.assert_allclose(raw[62], [0, 0, 0, 1], atol=1e-5)


def test_two_categories_are_one_input() -> None:
    assert _encode(pd.DataFrame({"w": ["a", "b"] * 10})).names == ("w = b",)


def test_a_rare_flag_is_no_outlier() -> None:
    flag = np.zeros(20_000, dtype=bool)
    flag[:2] = True
    assert np.abs(_encode(pd.DataFrame({"f": flag})).inputs).max() <= 20


@pytest.mark.parametrize("value", [0.1, 1e9, -3.0])
def test_inputs_without_variation_in_the_fitted_rows_are_zero_everywhere(value: float) -> None:
    table = pd.DataFrame({"a": [value] * 7 + [5.0, np.nan], "b": np.arange(9.0) ** 2})
    table["w"] = ["x"] * 7 + ["y", "z"]
    encoded = _encode(table, np.arange(7))
    for name, column in zip(encoded.names, encoded.inputs.T, strict=True):
        if name != "b":
            assert (column == 0).all(), name
    assert encoded.center[0] == value
    assert encoded.scale[0] == 1


def test_a_column_that_is_empty_in_the_fitted_rows_is_zero() -> None:
    table = pd.DataFrame({"a": [np.nan] * 7 + [5.0, 9.0], "b": np.arange(9.0) ** 2})
    encoded = _encode(table, np.arange(7))
    assert np.isfinite(encoded.inputs).all()
    assert (encoded.inputs[:, 0] == 0).all()


def _notes(rows: int) -> pd.Series:
    words = np.array(["red", "old", "house", "river", "boat", "large", "quiet", "garden"])
    picks = np.random.default_rng(1).integers(0, len(words), (rows, 6))
    return pd.Series([" ".join(row) for row in words[picks]], name="t")


def test_text_has_the_components_of_skrubs_string_encoder() -> None:
    notes = _notes(120)
    fit = np.arange(90)
    encoded = _encode(notes.to_frame(), fit)
    peer = StringEncoder(n_components=30, random_state=0)
    expected = np.empty((120, 30))
    expected[fit] = peer.fit_transform(notes[:90])
    expected[90:] = peer.transform(notes[90:])
    expected *= peer.scaling_factor_
    raw = encoded.inputs * encoded.scale + encoded.center
    signs = np.sign((raw[fit] * expected[fit]).sum(axis=0))
    # The first components; the last ones depend on the solver's random start.
    np.testing.assert_allclose((raw * signs)[:, :10], expected[:, :10], atol=2e-3)


def test_text_in_few_rows_or_missing_from_the_fitted_ones_is_no_error() -> None:
    few = _encode(_notes(12).to_frame())
    assert few.inputs.shape[1] <= 12
    assert np.isfinite(few.inputs).all()
    gone = _notes(40)
    gone[:20] = None
    encoded = _encode(pd.DataFrame({"t": gone, "x": np.arange(40) % 7}), np.arange(20))
    assert np.isfinite(encoded.inputs).all()
    assert (encoded.inputs[:, 1] == 0).all()


def test_other_rows_do_not_change_the_fitted_ones() -> None:
    rng = np.random.default_rng(5)
    table = pd.DataFrame(
        {
            "number": rng.standard_normal(100),
            "gaps": np.where(rng.random(100) < 0.2, np.nan, rng.standard_normal(100)),
            "word": rng.choice(["a", "b", "c"], 100),
            "flag": rng.random(100) < 0.3,
            "note": _notes(100),
            "when": pd.Timestamp("2024") + pd.to_timedelta(rng.integers(0, 10**8, 100), unit="s"),
        }
    )
    fit = rng.permutation(100)[:70]
    others = np.setdiff1d(np.arange(100), fit)
    changed = table.copy()
    changed.loc[others, "number"] = 1e6
    changed.loc[others, "gaps"] = np.nan
    changed.loc[others, "word"] = "new"
    changed.loc[others, "flag"] = ~changed.loc[others, "flag"]
    changed.loc[others, "note"] = "strange zebra quilt"
    changed.loc[others, "when"] = pd.Timestamp("1999-09-09")
    before, after = _encode(table, fit), _encode(changed, fit)
    assert before.names == after.names
    np.testing.assert_array_equal(before.inputs[fit], after.inputs[fit])
    assert not np.array_equal(before.inputs[others], after.inputs[others])


def test_every_input_knows_the_column_that_it_comes_from() -> None:
    words = ["a much longer remark", "quite another one", "and a third remark here"] * 10
    table = pd.DataFrame(
        {
            "size = big": [1.0, np.nan, 3.0] * 10,
            "kind": ["x", "y", "z"] * 10,
            "flag": ["no", "yes"] * 15,
            "remark": [f"{text} {i}" for i, text in enumerate(words)],
        }
    )
    encoded = _encode(table)
    assert len(encoded.sources) == len(encoded.names) == encoded.inputs.shape[1]
    assert set(encoded.sources) == set(table)
    for name, source in zip(encoded.names, encoded.sources, strict=True):
        assert name == source or name.startswith((f"{source} = ", f"{source} is", f"{source} ("))
