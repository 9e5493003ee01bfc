"""Records on disk: one as JSON on each line, appended as each is measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar


class Keyed(Protocol):
    """A record that is about what its key says; a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def key(self) -> Any: ...


R = TypeVar("R", bound=Keyed)


class Stored(Generic[R]):
    """All records of a folder; None keeps them in memory only.

    Parameters
    ----------
    folder : Path or None
        Where they are.
    read : callable
        Makes a record of what JSON holds.
    stem : callable
        The file that a record belongs into, without its suffix.
    """

    def __init__(
        self, folder: Path | None, read: Callable[[dict[str, Any]], R], stem: Callable[[R], str]
    ) -> None:
        self._folder, self._stem = folder, stem
        self._records: dict[Any, R] = {}
        for path in sorted(folder.glob("*.jsonl")) if folder else ():
            for line in path.read_text().splitlines():
                try:
                    record = read(json.loads(line))
                except json.JSONDecodeError:
                    continue  # cut off by an interruption
                self._records[record.key] = record

    def __contains__(self, key: object) -> bool:
        return key in self._records

    def __iter__(self) -> Iterator[R]:
        return iter(self._records.values())

    def add(self, record: R) -> None:
        """Keep a record and append it to its file; it replaces an older one."""
        replaces = record.key in self._records
        self._records[record.key] = record
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = self._stem(record)
        path = self._folder / f"{stem}.jsonl"
        if replaces:
            kept = [other for other in self if self._stem(other) == stem]
            path.write_text("".join(map(_line, kept)))
        else:
            cut_off = path.exists() and not path.read_text().endswith("\n")
            with path.open("a") as file:
                file.write("\n" * cut_off + _line(record))


def _line(record: Keyed) -> str:
    return json.dumps(asdict(record), ensure_ascii=False, default=str) + "\n"
