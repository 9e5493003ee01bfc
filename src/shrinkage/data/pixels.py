"""Rows that are images: their columns are pixels, all of them, in order."""

from __future__ import annotations

from shrinkage.data.columns import Columns
from shrinkage.data.description import counted
from shrinkage.errors import DataError, SettingError


def require_pixels(columns: Columns, shape: tuple[int, int]) -> None:
    """Raise unless the encoded inputs will be exactly the pixels of images, row by row.

    Parameters
    ----------
    columns : Columns
        Read as images.
    shape : (int, int)
        Rows and columns of an image.

    Raises
    ------
    DataError
        On a column that cannot be a pixel: it holds no numbers, or misses some.
    SettingError
        When there are not as many columns as pixels.
    """
    odd = list(columns.dropped)
    odd += [(name, "categories") for name, _, _ in columns.categories]
    odd += [(name, "text") for name, _ in columns.texts]
    odd += [(name, counted(count, "missing value")) for name, count in columns.missing.items()]
    seconds = "_total_seconds"
    if columns.kinds.get("date"):
        parts = [name for name, _ in columns.numbers if name.endswith(seconds)]
        odd += [(name.removesuffix(seconds), "dates") for name in parts]
    if odd:
        name, reason = odd[0]
        raise DataError(
            f"column '{name}' is no pixel of an image ({reason}); leave it out, or do not call the "
            "rows images"
        )
    height, width = shape
    if len(columns.numbers) != height * width:
        raise SettingError(
            f"the table has {counted(len(columns.numbers), 'input column')}, but an image of "
            f"{height}x{width} has {counted(height * width, 'pixel')}; give the height and width "
            f"whose product is {len(columns.numbers)}"
        )
