"""Reading a table from a file, and saying clearly why when it cannot be read."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from shrinkage.data.problems import BUNDLED, TOY_PROBLEMS, bundled
from shrinkage.data.put_away import give_back
from shrinkage.data.shared import LARGE
from shrinkage.data.stored import StoredTable, stored
from shrinkage.data.target import find_target
from shrinkage.data.text import check_header, read_text
from shrinkage.data.written import written_anew
from shrinkage.errors import DataError, SettingError, suggestion

if TYPE_CHECKING:
    import pandas as pd

_MANY = 1 << 22
"""Cells of a table from which on what its reading took is given back to the system."""


def open_source(
    source: str | Path,
    target: str | Sequence[str] | None = None,
    samples: int | None = None,
    noise: float | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame | StoredTable, tuple[str, ...], str]:
    """A table by what the user called it: a bundled problem's name or a file.

    Parameters
    ----------
    source : str or Path
        A name in :data:`BUNDLED`, or a file (``./moons`` for a file of a bundled name).
    target : str, sequence of str or None, default None
        Column to predict, or several; see :func:`find_target` for None.
    samples, noise, seed
        Of a toy problem; see :func:`bundled`.

    Returns
    -------
    table : DataFrame or StoredTable
        A file of :data:`LARGE` cells or more stays where it is, to be read a column at a time.
    targets : tuple of str
        Target columns.
    name : str
        To show: the bundled name or the file's name.

    Raises
    ------
    DataError, SettingError
        With one sentence, on everything that cannot be opened.
    """
    if isinstance(source, str) and source in BUNDLED:
        table, usual = bundled(source, samples, noise, seed)
        return table, find_target(list(table.columns), target or usual), source
    path = Path(source)
    _require_file(path, str(source))
    for option, value in (("samples", samples), ("noise", noise)):
        if value is not None:
            raise SettingError(
                f"{option} was given for the file {path.name}; it applies to the toy problems "
                f"{', '.join(TOY_PROBLEMS)}"
            )
    table = _left_in_file(path)
    if table is None:
        table = load_table(path)
        if table.size >= _MANY:
            give_back()
    return table, find_target(list(table.columns), target), path.name


def _left_in_file(path: Path) -> StoredTable | None:
    """A file that is too large to be read as a whole; None for all others, damaged ones too."""
    try:
        table = stored(path)
        if table is None:
            table = written_anew(path, LARGE)
    except OSError:  # said, in a sentence, by who reads the whole
        return None
    if table is None or table.cells < LARGE:
        return None
    check_header(table.columns, path.name)
    return table


def load_table(path: str | Path) -> pd.DataFrame:
    """Read a file: Parquet, Arrow, or text with a header row, plain or compressed with gzip.

    The kind of file, the delimiter (comma, tab, semicolon or bar) and, with semicolons, decimal
    commas are told from the contents, not from the file's name.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    DataFrame
        With unique string column names and at least one row.

    Raises
    ------
    DataError
        With one sentence, when there is no such file or it holds no usable table.
    """
    path = Path(path)
    _require_file(path, str(path))
    try:
        with path.open("rb") as file:
            if file.read(4) == b"PAR1":
                file.seek(0)
                return _with_rows(_read_parquet(file, path.name), path.name)
            file.seek(0)
            content = file.read()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path.name} is a damaged gzip file ({error}); make it anew") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path.name} cannot be read: {reason}; check its permissions") from error
    if not content.strip():
        raise DataError(f"{path.name} is empty; it should hold a header row and rows of data")
    if content[:4] == b"PAR1":
        table = _read_parquet(BytesIO(content), path.name)
    elif content[:6] == b"ARROW1":
        table = _read_arrow(content, path.name)
    else:
        table = read_text(content, path.name)
    return _with_rows(table, path.name)


def _with_rows(table: pd.DataFrame, name: str) -> pd.DataFrame:
    if len(table) == 0:
        raise DataError(f"{name} has column names but no rows of data; add rows")
    return table


def _require_file(path: Path, said: str) -> None:
    """Raise on something that is no file, with names that are close to what was said."""
    try:
        if path.is_dir():
            tables = sorted(
                entry.name
                for entry in path.iterdir()
                if entry.name.lower().endswith((".csv", ".csv.gz", ".tsv", ".parquet"))
            )
            inside = f", such as {path / tables[0]}" if tables else ""
            raise DataError(f"{said} is a directory; name a file in it{inside}")
        if path.exists():
            return
        siblings = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        siblings = []
    if len(path.parts) == 1 and not path.suffix:
        raise DataError(f"'{said}' is neither a file nor bundled; {suggestion(said, BUNDLED)}")
    close = get_close_matches(path.name, siblings, n=3, cutoff=0.6)
    if not close and len(path.parts) == 1:
        close = get_close_matches(path.name.split(".")[0], BUNDLED, n=1, cutoff=0.8)
    remedy = f"did you mean {' or '.join(close)}?" if close else "check the path"
    raise DataError(f"there is no file {said}; {remedy}")


def _read_parquet(content: IO[bytes], name: str) -> pd.DataFrame:
    import pandas as pd
    from pyarrow import ArrowException

    try:
        table = pd.read_parquet(content)
    except (ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"{name} is a damaged Parquet file ({reason}); make it anew") from error
    return _with_names(table, name)


def _read_arrow(content: bytes, name: str) -> pd.DataFrame:
    from pyarrow import ArrowException, BufferReader, ipc

    try:
        table = ipc.open_file(BufferReader(content)).read_all().to_pandas()
    except (ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"{name} is a damaged Arrow file ({reason}); make it anew") from error
    return _with_names(table, name)


def _with_names(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Row labels with a name become a column; all names become text."""
    if table.index.names != [None]:
        table = table.reset_index()
    table.columns = [str(column) for column in table.columns]
    check_header(list(table.columns), name)
    return table
