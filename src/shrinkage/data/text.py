"""Tables as text: what separates their cells, what their header says, and what may be wrong."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from shrinkage.data.cleaning import MISSING_MARKS
from shrinkage.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_DELIMITERS = (",", "\t", ";", "|")
SAMPLE_BYTES = 1 << 16
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


def read_text(content: bytes, name: str) -> pd.DataFrame:
    """A whole text as a table."""
    import pandas as pd

    content = content.removeprefix(b"\xef\xbb\xbf")
    _refuse_other_kinds(content, name)
    _require_utf8(content, name)
    names, options = text_options(content, name)
    try:
        table = pd.read_csv(BytesIO(content), **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(_parse_problem(str(error), name)) from error
    table.columns = list(names)
    return table


def text_options(
    content: bytes, name: str, *, cut: bool = False
) -> tuple[list[str], dict[str, Any]]:
    """Names of a text's columns, and how pandas is to read it, from its first lines.

    Parameters
    ----------
    content : bytes
        The text, or at least its first :data:`SAMPLE_BYTES`.
    name : str
        For messages.
    cut : bool, default False
        Whether the last line may be cut short.

    Raises
    ------
    DataError
        When it is no table.
    """
    _refuse_other_kinds(content, name)
    lines = _first_lines(content)
    if cut and len(lines) > 1 and len(content) <= SAMPLE_BYTES:
        lines.pop()
    delimiter = _find_delimiter(lines, name)
    header, *sample = _cells(lines, delimiter, name)
    header = [cell.strip() for cell in header]
    check_header(header, name)
    _check_first_rows(header, sample, name)
    options = {
        "sep": delimiter,
        "encoding": "utf-8",
        "index_col": False,
        "low_memory": False,
        "skipinitialspace": True,
        "keep_default_na": False,
        "na_values": list(MISSING_MARKS),
        "decimal": "," if _has_decimal_commas(sample, delimiter) else ".",
    }
    return [cell or f"Unnamed: {place}" for place, cell in enumerate(header)], options


def _refuse_other_kinds(content: bytes, name: str) -> None:
    for signature, what in _SIGNATURES:
        if content.startswith(signature):
            raise DataError(f"{name} is not a table as text or Parquet but {what}")
    start = content[:SAMPLE_BYTES]
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
    start = content[:SAMPLE_BYTES]
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


def check_header(header: Sequence[str], name: str) -> None:
    """Raise :class:`DataError` unless the names of the columns are those of a table."""
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
