"""A table that stays in its file, and is read a column at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from shrinkage.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

# Row labels that pandas writes beside the columns when they have no name.
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True, eq=False)
class StoredTable:
    """A Parquet or an Arrow file as a table of which every column is read when asked for.

    Parameters
    ----------
    path : Path
        The file.
    columns : tuple of str
        Their names.
    rows : int
        How many.
    keeper : object, default None
        What removes the file when the last table of it is gone, where it was written for this.
    """

    path: Path
    columns: tuple[str, ...]
    rows: int
    keeper: Any = field(default=None, repr=False)

    def __len__(self) -> int:
        return self.rows

    @property
    def cells(self) -> int:
        """Rows times columns."""
        return self.rows * len(self.columns)

    @overload
    def __getitem__(self, wanted: str) -> pd.Series: ...
    @overload
    def __getitem__(self, wanted: list[str]) -> pd.DataFrame: ...
    def __getitem__(self, wanted: str | list[str]) -> pd.Series | pd.DataFrame:
        """One column, or a table of some."""
        import pandas as pd

        if isinstance(wanted, str):
            return self._read(wanted)
        return pd.DataFrame({name: self._read(name) for name in wanted}, copy=False)

    def _read(self, name: str) -> pd.Series:
        import pyarrow as pa

        try:
            column = _column(self.path, name)
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise DataError(f"{self.path.name} is damaged ({reason}); make it anew") from error
        return column.to_pandas().rename(name)


def stored(path: Path) -> StoredTable | None:
    """A file as a stored table; None when it is neither Parquet nor Arrow, or is damaged.

    Parameters
    ----------
    path : Path
        The file; of it only what describes it is read.
    """
    with path.open("rb") as file:
        start = file.read(6)
    if not start.startswith((b"PAR1", b"ARROW1")):
        return None
    import pyarrow as pa

    try:
        names, rows = _described(path)
    except (pa.ArrowException, OSError, ValueError):
        return None
    return StoredTable(path, tuple(names), rows)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _described(path: Path) -> tuple[Sequence[str], int]:
    """Names of the columns, and the number of rows."""
    import pyarrow as pa
    from pyarrow import parquet

    if _is_parquet(path):
        with parquet.ParquetFile(path) as file:
            return _names(file.schema_arrow), int(file.metadata.num_rows)
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        batches = range(file.num_record_batches)
        return _names(file.schema), sum(len(file.get_batch(batch)) for batch in batches)


def _names(schema: Any) -> list[str]:
    return [name for name in schema.names if not _UNNAMED_INDEX.fullmatch(name)]


def _column(path: Path, name: str) -> Any:
    """One column; the file is closed again, so that no page of it stays in memory."""
    import pyarrow as pa
    from pyarrow import parquet

    if _is_parquet(path):
        with parquet.ParquetFile(path) as file:
            # One column is quick to read in this thread; others would keep memory of their own.
            found = file.read(columns=[name], use_pandas_metadata=False, use_threads=False)
            return found.column(name)
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        batches = (file.get_batch(batch) for batch in range(file.num_record_batches))
        pieces = [batch.column(batch.schema.get_field_index(name)) for batch in batches]
        return pa.chunked_array(pieces, type=file.schema.field(name).type)
