"""Encoded, standardized inputs: every statistic comes from the rows that are trained on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.arrays import FARTHEST
from shrinkage.data.columns import Columns

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# A category is rare, and joins the other rare ones, below half a percent of the rows, but never
# with 50 rows or more and always with less than 5.
_RARE_SHARE, _RARE_AT_LEAST, _RARE_AT_MOST = 0.005, 5, 50
# The least scale of a 0/1 input: a flag of a few rows would else be an outlier of hundreds.
LEAST_FLAG_SCALE = 0.05
# The least scale of a text's component: below it is the rounding of rows of length 1 in float32.
_LEAST_TEXT_SCALE = 1e-5
_TEXT_COMPONENTS = 30
# Rows standardized in one go: their float64 copies stay in a core's cache.
_ROWS_AT_ONCE = 1024
_COLUMNS_AT_ONCE = 8

MISSING_HANDLING = (
    "a missing number takes its column's median and a second input marks it; a missing category "
    "is a category of its own"
)

Numbers = list[tuple[str, NDArray[Any]]]
Block = tuple[NDArray[np.floating], list[str], list[str], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Inputs of some rows.

    Parameters
    ----------
    inputs : ndarray of float32, shape (rows, columns), C-contiguous
        Standardized.
    names : tuple of str
        Of the columns.
    sources : tuple of str
        For each, the column of the table that it comes from.
    center, scale : ndarray of float64, shape (columns,)
        Value before standardization = input · scale + center. An input that is constant over the
        fitted rows is 0 in all rows: nothing can be learnt from it, so unseen values say nothing.
    """

    inputs: NDArray[np.float32]
    names: tuple[str, ...]
    sources: tuple[str, ...]
    center: NDArray[np.float64]
    scale: NDArray[np.float64]


def encode(columns: Columns, rows: NDArray[np.int64], fit: NDArray[np.int64]) -> Encoded:
    """Encode and standardize rows with statistics of some of them.

    Parameters
    ----------
    columns : Columns
        The table.
    rows : ndarray of int64, shape (m,)
        Table rows to encode, in this order.
    fit : ndarray of int64, shape (n,)
        Positions in `rows` that statistics are taken from.

    Returns
    -------
    Encoded
        Of `rows`.
    """
    blocks = list(_others(columns, rows, fit))
    few = _few_numbers(columns, rows)
    if few is None:
        few, blocks = [], [_numbers(columns, rows, fit), *blocks]
    widths = [len(some) for some in few] + [len(names) for _, names, _, _ in blocks]
    inputs = np.empty((len(rows), sum(widths)), np.float32)
    names: list[str] = []
    sources: list[str] = []
    centers: list[NDArray[np.float64]] = []
    scales: list[NDArray[np.float64]] = []
    place = 0
    for values, block_names, block_sources, least_scale in chain(
        (_as_block(columns, some, rows) for some in few), blocks
    ):
        here = slice(place, place := place + len(block_names))
        inputs[:, here], center, scale = standardize(values, fit, least_scale, columns.images)
        names.extend(block_names)
        sources.extend(block_sources)
        centers.append(center)
        scales.append(scale)
    return Encoded(
        inputs, tuple(names), tuple(sources), np.concatenate(centers), np.concatenate(scales)
    )


def _few_numbers(columns: Columns, rows: NDArray[np.int64]) -> list[Numbers] | None:
    """The numbers in groups of a few, since all at once would be in memory several times.

    None where they belong together: with gaps, as pixels, and where there are none.
    """
    numbers = columns.numbers
    if columns.images or not numbers or any(np.isnan(one[rows]).any() for _, one in numbers):
        return None if numbers else []
    # Never a column alone: NumPy adds those up in another order, and the last bits would differ.
    starts = list(range(0, max(len(numbers) - 1, 1), _COLUMNS_AT_ONCE))
    return [numbers[start:end] for start, end in pairwise([*starts, len(numbers)])]


def _as_block(columns: Columns, numbers: Numbers, rows: NDArray[np.int64]) -> Block:
    names = [name for name, _ in numbers]
    least = [LEAST_FLAG_SCALE if name in columns.flags else 0.0 for name in names]
    values = np.column_stack([column[rows] for _, column in numbers]).astype(np.float64, copy=False)
    return values, names, list(names), np.array(least)


def _others(columns: Columns, rows: NDArray[np.int64], fit: NDArray[np.int64]) -> Iterator[Block]:
    """Unscaled values (m, k), their k names and source columns, and the least scale of each."""
    if columns.categories:
        yield _categories(columns, rows, fit)
    for name, counts in columns.texts:
        yield encode_text(counts, name, rows, fit)


def standardize(
    values: NDArray[Any],
    fit: NDArray[np.int64] | slice,
    least_scale: NDArray[np.float64],
    images: bool,
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Mean 0 and deviation 1 over the fitted rows, computed in float64.

    Pixels of images have one scale in common, the root of their mean variance: a stroke at the
    edge, where few images have one, would else be an outlier of hundreds of deviations.
    """
    fitted = values[fit]
    center = fitted.mean(axis=0, dtype=np.float64)
    scale = fitted.std(axis=0, dtype=np.float64)
    constant = fitted.min(axis=0) == fitted.max(axis=0)
    # The mean of equal numbers may differ from them in the last bit.
    center[constant] = fitted[0, constant]
    scale = np.maximum(scale, least_scale)
    if images and not constant.all():
        scale[:] = np.sqrt(np.mean(np.square(scale[~constant])))
    scale[constant | (scale == 0)] = 1.0
    standardized = np.empty(values.shape, dtype=np.float32)
    for start in range(0, len(values), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        # A row outside the fitted ones may lie beyond any number that single precision can hold.
        standardized[some] = np.clip((values[some] - center) / scale, -FARTHEST, FARTHEST)
    standardized[:, constant] = 0.0
    return standardized, center, scale


def _numbers(columns: Columns, rows: NDArray[np.int64], fit: NDArray[np.int64]) -> Block:
    """Numbers with the median where missing, then one flag for each column with gaps."""
    values, names, sources, least = _as_block(columns, columns.numbers, rows)
    if np.isnan(values).any():
        from sklearn.impute import SimpleImputer

        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        imputer.fit(values[fit])
        values = imputer.transform(values)
        marked = [names[index] for index in imputer.indicator_.features_]
        names += [f"{name} is missing" for name in marked]
        sources += marked
        least = np.append(least, [LEAST_FLAG_SCALE] * len(marked))
    return values, names, sources, least


def _categories(columns: Columns, rows: NDArray[np.int64], fit: NDArray[np.int64]) -> Block:
    """One input for each category that is not rare; categories not met before count as rare."""
    codes = np.column_stack([column[rows] for _, column, _ in columns.categories])
    labels = {name: of_column for name, _, of_column in columns.categories}
    encode_codes, names, sources = fit_categories(codes[fit], labels)
    return encode_codes(codes), names, sources, np.full(len(names), LEAST_FLAG_SCALE)


def fit_categories(
    codes: NDArray[np.int64], labels: dict[str, list[str]]
) -> tuple[Callable[[NDArray[np.int64]], NDArray[np.float32]], list[str], list[str]]:
    """What turns codes into inputs, and the inputs' names and columns, from the fitted rows' codes.

    Parameters
    ----------
    codes : ndarray of int64, shape (rows, columns)
        −1 where missing.
    labels : dict of str to list of str
        Of each column, in order.
    """
    from sklearn.preprocessing import OneHotEncoder

    rare = round(min(max(_RARE_AT_LEAST, _RARE_SHARE * len(codes)), _RARE_AT_MOST))
    encoder = OneHotEncoder(
        drop="if_binary",
        min_frequency=rare,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
        dtype=np.float32,
        feature_name_combiner=lambda name, code: f"{name} = {_label(labels.get(name, []), code)}",
    )
    encoder.fit(codes)

    def encode_codes(codes: NDArray[np.int64]) -> NDArray[np.float32]:
        with warnings.catch_warnings():
            # Rows outside of the fitted ones may well have a category of their own.
            warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
            values: NDArray[np.float32] = encoder.transform(codes)
        return values

    names = [str(name) for name in encoder.get_feature_names_out(list(labels))]
    encoder.set_params(feature_name_combiner=lambda name, _: name)
    sources = [str(name) for name in encoder.get_feature_names_out(list(labels))]
    return encode_codes, names, sources


def _label(labels: list[str], code: int | str) -> str:
    if isinstance(code, str):
        return "(rare)"
    return labels[code] if code >= 0 else "(missing)"


def encode_text(
    counts: csr_matrix, name: str, rows: NDArray[np.int64], fit: NDArray[np.int64]
) -> Block:
    """Latent semantic components of a text, as skrub's StringEncoder computes them.

    The groups of letters were counted once for the whole table; which of them are known, their
    weights and the components are those of the fitted rows.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer

    counts = counts[rows]
    counts = counts[:, np.flatnonzero(counts[fit].getnnz(axis=0))]
    if counts.shape[1] == 0:
        return np.zeros((len(rows), 1), np.float32), [name], [name], np.zeros(1)
    tfidf = TfidfTransformer().fit(counts[fit])
    fitted = tfidf.transform(counts[fit]).astype(np.float32)
    svd = TruncatedSVD(n_components=min(_TEXT_COMPONENTS, *fitted.shape), random_state=0)
    with np.errstate(invalid="ignore", divide="ignore"):  # shares of a variance that may be 0
        svd.fit(fitted)
    values = svd.transform(tfidf.transform(counts).astype(np.float32))
    names = [f"{name} (text {part})" for part in range(1, values.shape[1] + 1)]
    return values, names, [name] * len(names), np.full(len(names), _LEAST_TEXT_SCALE)
