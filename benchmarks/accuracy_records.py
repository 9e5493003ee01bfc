"""Scores on disk: what is measured of one method on one split of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stored import Stored

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


class Records(Stored[Record]):
    """All records of a folder, a file for each method; None keeps them in memory only."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(
            folder,
            lambda stored: Record(
                **stored | {"key": Key(**stored["key"]), "scores": tuple(stored["scores"])}
            ),
            lambda record: re.sub(r"\W+", "-", record.key.method.lower()),
        )

    def of(self, splits: int, seconds: float, clock: str) -> list[Record]:
        """Those of the first `splits` splits, with this budget or without any."""
        return [
            record
            for record in self
            if record.key.split < splits
            and (record.key.seconds, record.key.clock) in ((seconds, clock), (None, None))
        ]
