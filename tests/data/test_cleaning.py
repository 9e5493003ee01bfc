"""What strings mean."""

import numpy as np
import pandas as pd

from shrinkage.data.cleaning import clean, mostly_numbers


def _clean(*values: object) -> pd.Series:
    return clean(pd.Series(values, dtype=object, name="column"))


def test_marks_for_missing_are_removed() -> None:
    assert _clean("red", " ? ", "N/A", None, "blue ").fillna("-").tolist() == [
        "red",
        "-",
        "-",
        "-",
        "blue",
    ]


def test_none_is_missing_among_numbers_only() -> None:
    assert np.array_equal(_clean("1", "none", "2.5"), [1, np.nan, 2.5], equal_nan=True)
    assert _clean("none", "guarantor").tolist() == ["none", "guarantor"]
    assert _clean("none", "None").tolist() == ["none", "None"]


def test_dates_are_found_in_usual_formats() -> None:
    for values in (
        ["2024-05-01", "2024-06-13"],
        ["13/06/2024", "01/05/2024"],
        ["2024-05-01T10:00:00", "2024-06-13T11:30:00"],
    ):
        assert pd.api.types.is_datetime64_any_dtype(_clean(*values))
    assert not pd.api.types.is_datetime64_any_dtype(_clean("A14", "A13"))


def test_numbers_with_a_few_words_are_numbers() -> None:
    strings = pd.Series([str(number) for number in range(99)] + ["unknown"])
    numbers = mostly_numbers(strings)
    assert numbers is not None
    assert numbers.isna().tolist() == [False] * 99 + [True]
    assert mostly_numbers(pd.Series(["1", "2", "many"])) is None
