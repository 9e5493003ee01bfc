"""The description in words."""

from dataclasses import replace

import pytest

from shrinkage.data import Description
from shrinkage.data.description import counted

_PLAIN = Description(
    source="credit.csv",
    rows=1000,
    columns=20,
    inputs=59,
    target="target",
    task="binary",
    class_counts=(("bad", 300), ("good", 700)),
    train_rows=800,
    test_rows=200,
    folds=5,
    repeats=2,
    kinds=(("numeric", 7), ("categorical", 13)),
)


def test_a_clean_table_is_told_in_three_sentences() -> None:
    assert _PLAIN.sentences == (
        "1,000 rows; 20 columns (7 numeric, 13 categorical) became 59 inputs.",
        "Target target: 2 classes, bad (300), good (700).",
        (
            "800 rows for training in 5 folds, repeated 2 times; 200 rows set aside for the final "
            "test."
        ),
    )


def test_what_was_handled_is_told_and_warnings_come_last() -> None:
    told = replace(
        _PLAIN,
        missing=3,
        missing_columns=1,
        missing_handling="the median",
        dropped=(("a", "the same value in every row"),),
        warnings=("Beware.",),
    ).sentences
    assert told[3:] == (
        "3 missing values in 1 column: the median.",
        "Left out 1 column: a (the same value in every row).",
        "Beware.",
    )


def test_long_lists_are_cut() -> None:
    many = replace(
        _PLAIN,
        class_counts=tuple((f"k{place}", 5) for place in range(9)),
        dropped=tuple((f"c{place}", "all values are missing") for place in range(11)),
    )
    assert many.sentences[1].endswith("k5 (5), and 3 more.")
    assert many.sentences[3].endswith("c7 (all values are missing), and 3 more.")


def test_a_regression_has_no_classes() -> None:
    told = replace(_PLAIN, task="regression", class_counts=(), repeats=1).sentences
    assert told[1] == "Target target: regression."
    assert "in 5 folds;" in told[2]


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 rows"), (1, "1 row"), (48_842, "48,842 rows")]
)
def test_numbers_agree_with_their_nouns(number: int, expected: str) -> None:
    assert counted(number, "row") == expected
