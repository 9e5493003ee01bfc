"""What strings in a table mean: nothing, a number, a date, or a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Cells that mean "missing" wherever they stand. Other than pandas, not "None": see `clean`.
MISSING_MARKS = (
    "",
    "?",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "#NA",
    "#N/A N/A",
    "<NA>",
    "NaN",
    "nan",
    "-NaN",
    "-nan",
    "NULL",
    "null",
    "1.#IND",
    "-1.#IND",
    "1.#QNAN",
    "-1.#QNAN",
)

# From this share of numbers on, a column of strings is numbers with a few marks for "missing".
_MOSTLY_NUMBERS = 0.95
_MOSTLY_NUMBERS_LEAST = 30


def clean(distinct: pd.Series) -> pd.Series:
    """Strings without marks for "missing"; as numbers or dates where all of them parse.

    Parameters
    ----------
    distinct : Series of object
        Distinct values of a column.

    Returns
    -------
    Series
        As long as `distinct`: float64, datetimes, or stripped strings.
    """
    import pandas as pd

    strings = distinct.map(lambda value: str(value).strip(), na_action="ignore").astype("str")
    strings = strings.mask(strings.isin(MISSING_MARKS))
    # "none" means missing among numbers, but is an answer of its own among words.
    numbers = pd.to_numeric(strings.mask(strings.str.lower() == "none"), errors="coerce")
    unread = strings[numbers.isna()].dropna()
    if (unread.str.lower() == "none").all() and numbers.notna().any():
        return numbers
    # Every date has a digit, and loading skrub takes a second.
    if not strings.dropna().str.contains(r"\d").all():
        return strings
    from skrub import ToDatetime
    from skrub.core import RejectColumn

    try:
        return ToDatetime().fit_transform(strings)
    except RejectColumn:
        return strings


def mostly_numbers(strings: pd.Series) -> pd.Series | None:
    """The strings as numbers where nearly all of many are, NaN for the others; else None."""
    import pandas as pd

    numbers = pd.to_numeric(strings, errors="coerce")
    present = int(strings.notna().sum())
    enough = numbers.notna().sum() >= max(_MOSTLY_NUMBERS * present, _MOSTLY_NUMBERS_LEAST)
    return numbers if enough else None
