"""Reading a table from a file, and saying clearly why when it cannot be read."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Sequence
from difflib import get_close_matches
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from shrinkage.data.cleaning import MISSING_MARKS
from shrinkage.data.problems import BUNDLED, TOY_PROBLEMS, bundled
from shrinkage.data.target import find_target
from shrinkage.errors import DataError, SettingError, suggestion

if TYPE_CHECKING:
    import pandas as pd

_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_BYTES = 1 << 16
_SAMPLE_LINES = 50
# First bytes of files that people take for tables, and what to say of them.
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet; export the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; export the sheet as CSV"),
    (b"%PDF", "a PDF document; export the table as CSV"),
    (b"\xff\xfe", "encoded as UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "encoded as UTF-16; save it as UTF-8"),
)
_DECIMAL = re.compile(r"[-+]?\d*\.\d+([eE][-+]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")


def open_source(
    source: str | Path,
    target: str | Sequence[str] | None = None,
    samples: int | None = None,
    noise: float | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, tuple[str, ...], str]:
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
    table : DataFrame
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
    table = load_table(path)
    return table, find_target(list(table.columns), target), path.name


def load_table(path: str | Path) -> pd.DataFrame:
    """Read a file: Parquet, or text with a header row, plain or compressed with gzip.

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
        content = path.read_bytes()
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
        table = _read_parquet(content, path.name)
    else:
        table = _read_text(content, path.name)
    if len(table) == 0:
        raise DataError(f"{path.name} has column names but no rows of data; add rows")
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


def _read_parquet(content: bytes, name: str) -> pd.DataFrame:
    import pandas as pd
    from pyarrow import ArrowException

    try:
        table = pd.read_parquet(BytesIO(content))
    except (ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"{name} is a damaged Parquet file ({reason}); make it anew") from error
    if table.index.names != [None]:
        table = table.reset_index()
    table.columns = [str(column) for column in table.columns]
    _check_header(list(table.columns), name)
    return table


def _read_text(content: bytes, name: str) -> pd.DataFrame:
    import pandas as pd

    content = content.removeprefix(b"\xef\xbb\xbf")
    _refuse_other_kinds(content, name)
    _require_utf8(content, name)
    lines = _first_lines(content)
    delimiter = _find_delimiter(lines, name)
    header, *sample = _cells(lines, delimiter, name)
    header = [cell.strip() for cell in header]
    _check_header(header, name)
    _check_first_rows(header, sample, name)
    try:
        table = pd.read_csv(
            BytesIO(content),
            sep=delimiter,
            encoding="utf-8",
            index_col=False,
            low_memory=False,
            skipinitialspace=True,
            keep_default_na=False,
            na_values=list(MISSING_MARKS),
            decimal="," if _has_decimal_commas(sample, delimiter) else ".",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(_parse_problem(str(error), name)) from error
    table.columns = [cell or f"Unnamed: {place}" for place, cell in enumerate(header)]
    return table


def _refuse_other_kinds(content: bytes, name: str) -> None:
    for signature, what in _SIGNATURES:
        if content.startswith(signature):
            raise DataError(f"{name} is not a table as text or Parquet but {what}")
    start = content[:_SAMPLE_BYTES]
    if b"\x00" in start:
        raise DataError(f"{name} is a binary file, not a table; expected CSV or Parquet")
    text = start.lstrip().lower()
    if re.match(rb"<(!doctype|html|\?xml|head|body|table|!--|svg)", text):
        raise DataError(f"{name} is a web page or XML, not a table; download the CSV file itself")
    if re.match(rb'(\{\s*["}]|\[\s*[\[{"\]\d])', text):
        raise DataError(f"{name} is JSON, not a table; save it as CSV or Parquet")


def _require_utf8(content: bytes, name: str) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name} is not encoded as UTF-8 (byte 0x{content[error.start]:02x} in line {line}); "
            "save it as UTF-8, for example with: iconv -f latin1 -t utf-8"
        ) from None


def _first_lines(content: bytes) -> list[str]:
    """Up to :data:`_SAMPLE_LINES` non-empty lines from the start, none of them cut short."""
    start = content[:_SAMPLE_BYTES]
    lines = list(StringIO(start.decode("utf-8", errors="ignore"), newline=None))
    if len(content) > len(start) and len(lines) > 1:
        lines.pop()
    elif len(content) > len(start):  # one very long line: a very wide header
        lines = list(StringIO(content.decode("utf-8"), newline=None))
    return [line for line in lines if line.strip()][:_SAMPLE_LINES]


def _find_delimiter(lines: Sequence[str], name: str) -> str:
    """The delimiter that gives the most columns, best where all lines agree on their number."""

    def quality(delimiter: str) -> tuple[bool, int]:
        widths = [len(row) for row in _cells(lines, delimiter, name)]
        return widths[0] > 1 and len(set(widths)) == 1, widths[0]

    # max keeps the first of equals, and the comma is first.
    return max(_DELIMITERS, key=quality)


def _cells(lines: Sequence[str], delimiter: str, name: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise DataError(f"{name} is not a table that can be read ({error})") from error


def _check_header(header: Sequence[str], name: str) -> None:
    seen: dict[str, int] = {}
    for place, column in enumerate(header, start=1):
        if column and column in seen:
            is_number = column.lstrip("+-").replace(".", "", 1).isdigit()
            remedy = "add a header row" if is_number else "rename or remove one of them"
            raise DataError(
                f"{name} has two columns called '{column}' (columns {seen[column]} and {place}); "
                + remedy
            )
        seen[column] = place
    if len(header) < 2:
        shown = header[0] if len(header[0]) <= 40 else header[0][:40] + "…"
        raise DataError(
            f"{name} is not a table: it has one column only ('{shown}'); expected a header row and "
            "cells separated by commas, tabs or semicolons"
        )
    numbers = sum(bool(_DECIMAL.fullmatch(column)) for column in header)
    if numbers > len(header) / 2:
        raise DataError(
            f"the first row of {name} holds numbers ({', '.join(header[:3])}, …), not column "
            "names; add a header row"
        )


def _check_first_rows(header: Sequence[str], sample: Sequence[Sequence[str]], name: str) -> None:
    # The last line may be the first half of a quoted cell.
    for place, row in enumerate(sample[: _SAMPLE_LINES - 2], start=1):
        if len(row) > len(header):
            raise DataError(
                f"row {place} of {name} has {len(row)} cells, but the header names {len(header)} "
                "columns; add the missing name or quote the cell that holds a delimiter"
            )


def _has_decimal_commas(sample: Sequence[Sequence[str]], delimiter: str) -> bool:
    if delimiter != ";":
        return False
    cells = [cell.strip() for row in sample for cell in row]
    commas = any(_DECIMAL_COMMA.fullmatch(cell) for cell in cells)
    return commas and not any(_DECIMAL.fullmatch(cell) for cell in cells)


def _parse_problem(message: str, name: str) -> str:
    """pandas' complaint in the user's terms."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if found:
        expected, line, saw = found.groups()
        return (
            f"line {line} of {name} has {saw} cells where {expected} were expected; quote the cell "
            "that holds a delimiter, or correct the line"
        )
    if "EOF inside string" in message:
        return f"{name} has a quotation mark that is never closed; correct the quoting"
    return f"{name} is not a table that can be read ({message.strip().splitlines()[-1]})"
