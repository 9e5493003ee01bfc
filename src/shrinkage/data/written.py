"""A large text written anew as Parquet, piece by piece, so that its columns can be read alone."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from shrinkage.data.stored import StoredTable
from shrinkage.data.text import SAMPLE_BYTES, text_options

if TYPE_CHECKING:
    import pandas as pd

_CELLS_AT_ONCE = 1 << 22
_BYTES_AT_ONCE = 1 << 24
_GZIP, _BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
_MOST_COMPRESSED = 1032
"""Bytes that one byte of gzip stands for at most, by the format of deflate."""

_LINES_TO_TELL = 3
"""Ends of lines among the first bytes: a header, a row, and where the next was cut short."""

NOTHING, NUMBERS, BOOLEANS, WORDS = "nothing", "numbers", "booleans", "words"


def written_anew(path: Path, cells: int) -> StoredTable | None:
    """A text of at least so many cells as a stored table, in a folder that goes with it.

    Parameters
    ----------
    path : Path
        Text with a header row, plain or compressed with gzip.
    cells : int
        Rows times columns from which on it is worth it.

    Returns
    -------
    StoredTable or None
        None when the text has fewer cells, or something is wrong with it: who reads it as a whole
        says what.

    Raises
    ------
    DataError
        When its first lines show that it is no table.
    """
    try:
        with _opened(path) as file:
            start = file.read(SAMPLE_BYTES)
        packed = _MOST_COMPRESSED if _is_gzip(path) else 1
        if 2 * cells > packed * path.stat().st_size:  # a cell and a comma
            return None
        if len(start) < SAMPLE_BYTES or start.count(b"\n") < _LINES_TO_TELL:
            return None
        names, options = text_options(start.removeprefix(_BOM), path.name, cut=True)
        if _lines(path) * len(names) < cells:
            return None
        return _written(path, names, options)
    except (EOFError, OSError, zlib.error, ValueError):
        return None


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    """The text's bytes."""
    if _is_gzip(path):
        return gzip.open(path, "rb")
    return path.open("rb")


def _lines(path: Path) -> int:
    """Ends of lines; a quoted cell may have some too."""
    with _opened(path) as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(_BYTES_AT_ONCE), b""))


def _written(path: Path, names: list[str], options: dict[str, Any]) -> StoredTable:
    folder = Path(tempfile.mkdtemp(prefix="shrinkage-"))
    try:
        place = folder / f"{path.name}.parquet"
        kinds, sound = _write(path, place, names, options, {})
        if not sound:
            # A later piece was of another kind than the first: all of the column is read as that.
            _write(path, place, names, options, kinds)
        from pyarrow import parquet

        with parquet.ParquetFile(place) as file:
            table = StoredTable(place, tuple(names), int(file.metadata.num_rows))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(table, shutil.rmtree, folder, ignore_errors=True)
    return table


def _write(
    path: Path, place: Path, names: list[str], options: dict[str, Any], kinds: dict[str, str]
) -> tuple[dict[str, str], bool]:
    """Write every piece, its columns being of these kinds or, without any, as they turn out.

    Returns
    -------
    kinds : dict of str to str
        What the columns are.
    sound : bool
        Whether they were what the first piece made them: if not, the file is of no use.
    """
    from pyarrow import parquet

    found = kinds or dict.fromkeys(names, NOTHING)
    first: dict[str, str] | None = None
    writer = None
    try:
        for piece in _pieces(path, names, options, kinds):
            if not kinds:
                found = {name: _joined(found[name], _kind(piece[name])) for name in names}
            first = first or found
            if found == first:
                table = _as_arrow(piece, found)
                if writer is None:
                    writer = parquet.ParquetWriter(
                        place, table.schema, compression="lz4", use_dictionary=False
                    )
                writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
    return found, found == first


def _pieces(
    path: Path, names: list[str], options: dict[str, Any], kinds: dict[str, str]
) -> Iterator[pd.DataFrame]:
    import pandas as pd

    words = [name for name in names if kinds.get(name) == WORDS]
    if words:
        with _opened(path) as file:
            header = pd.read_csv(file, **options, nrows=0).columns
        called = dict(zip(names, header, strict=True))
        options = options | {"dtype": {called[name]: str for name in words}}
    rows = max(_CELLS_AT_ONCE // len(names), 1)
    with _opened(path) as file, pd.read_csv(file, **options, chunksize=rows) as pieces:
        for piece in pieces:
            piece.columns = names
            yield piece


def _kind(column: pd.Series) -> str:
    """What a piece of a column holds."""
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return BOOLEANS
    if types.is_numeric_dtype(column.dtype):
        return NUMBERS if column.notna().any() else NOTHING
    present = column.dropna()
    if not len(present):
        return NOTHING
    return BOOLEANS if all(isinstance(value, bool) for value in present) else WORDS


def _joined(one: str, other: str) -> str:
    """What a column is of which two pieces hold these."""
    if NOTHING in (one, other) or one == other:
        return other if one == NOTHING else one
    return WORDS


def _as_arrow(piece: pd.DataFrame, kinds: dict[str, str]) -> Any:
    import pyarrow as pa

    types = {BOOLEANS: pa.bool_(), WORDS: pa.large_string()}
    arrays = [
        pa.array(piece[name], type=types.get(kind, pa.float64()), from_pandas=True)
        for name, kind in kinds.items()
    ]
    return pa.table(arrays, names=list(kinds))
