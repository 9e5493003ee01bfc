"""Scores on disk: one JSON record a line, a file for each method, appended as each is measured."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results" / "accuracy"


@dataclass(frozen=True)
class Key:
    """What a record is about; `seconds` and `clock` only of a method with a time budget."""

    table: str
    split: int
    method: str
    seconds: float | None = None
    clock: str | None = None


@dataclass(frozen=True)
class Record:
    """One method on one outer split of a table.

    Parameters
    ----------
    key : Key
        What it is about.
    scores : tuple of float
        Balanced accuracy on the outer test rows: one for each seed where there are several.
    seconds, processor_seconds : float
        Of everything: search, refit and prediction.
    settings : dict
        That the method chose.
    train_rows, test_rows : int
        Of the outer split.
    versions : dict
        Of the packages behind it.
    machine, measured : str
        Where and when.
    """

    key: Key
    scores: tuple[float, ...]
    seconds: float
    processor_seconds: float
    settings: dict[str, Any]
    train_rows: int
    test_rows: int
    versions: dict[str, str]
    machine: str
    measured: str

    @property
    def score(self) -> float:
        """Mean over the seeds."""
        return sum(self.scores) / len(self.scores)


class Records:
    """All records of a folder; None keeps them in memory only."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._records: dict[Key, Record] = {}
        for path in sorted(folder.glob("*.jsonl")) if folder else ():
            for line in path.read_text().splitlines():
                record = _record(line)
                if record is not None:
                    self._records[record.key] = record

    def __contains__(self, key: Key) -> bool:
        return key in self._records

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def add(self, record: Record) -> None:
        """Keep a record and append it to its method's file; it replaces an older one."""
        replaces = record.key in self._records
        self._records[record.key] = record
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", record.key.method.lower())
        path = self._folder / f"{name}.jsonl"
        if replaces:
            kept = [other for other in self if other.key.method == record.key.method]
            path.write_text("".join(map(_line, kept)))
        else:
            cut_off = path.exists() and not path.read_text().endswith("\n")
            with path.open("a") as file:
                file.write("\n" * cut_off + _line(record))

    def of(self, splits: int, seconds: float, clock: str) -> list[Record]:
        """Those of the first `splits` splits, with this budget or without any."""
        return [
            record
            for record in self
            if record.key.split < splits
            and (record.key.seconds, record.key.clock) in ((seconds, clock), (None, None))
        ]


def _line(record: Record) -> str:
    return json.dumps(asdict(record), ensure_ascii=False, default=str) + "\n"


def _record(line: str) -> Record | None:
    """A stored record; None for a line that an interruption cut off."""
    try:
        stored = json.loads(line)
    except json.JSONDecodeError:
        return None
    return Record(**{**stored, "key": Key(**stored["key"]), "scores": tuple(stored["scores"])})
