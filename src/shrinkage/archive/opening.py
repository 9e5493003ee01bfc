"""Opening a study file that may be anything: a sentence for each way in which it is not one."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from shrinkage.archive.records import NONSENSE, Unreadable
from shrinkage.archive.schema import APPLICATION, VERSION, expected, made_of, migrate
from shrinkage.errors import SettingError, ShrinkageError

_MAGIC = b"SQLite format 3\0"
_STEPS, _STEPS_A_BYTE, _EVERY = 5_000_000, 30, 10_000
"""Steps of SQLite's machine that reading may take, and how often they are counted."""
_LONGEST = 1 << 29
"""Bytes of the longest text or BLOB that is read."""
WAIT = 5.0
"""Seconds that are waited for another program that holds the file."""
_LITTLE = 1 << 17
"""Free bytes under which a disk is full: the index of a log takes 32 kB at a time."""
_PAGE_SIZE = slice(16, 18)
_CHANGES, _PAGES, _VALID_FOR = slice(24, 28), slice(28, 32), slice(92, 96)


def reading(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """A connection that reads a study file and cannot write.

    Parameters
    ----------
    path : str or path-like
        The file, which another process may be writing.

    Returns
    -------
    sqlite3.Connection
        Of an older file, of a copy in memory that has been brought to the present version.

    Raises
    ------
    SettingError
        When there is no such file, or it is empty, foreign, truncated, damaged or of a newer
        version.
    """
    check_bytes(path)
    connection = _read_only(Path(path))
    try:
        with sentences(path):
            version = _checked(connection, path)
            _require_any(connection, path)
            if version < VERSION:
                copy = sqlite3.connect(":memory:", isolation_level=None)
                connection.backup(copy)
                connection.close()
                connection = copy
                migrate(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection


def writing(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """A connection that writes an existing study file, brought to the present version.

    :func:`shrinkage.archive.holding.check_writable` comes before, for the lock beside it.

    Raises
    ------
    SettingError
        As :func:`reading`.
    """
    check_bytes(path)
    with sentences(path):
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=WAIT
        )
        try:
            harden(connection)
            version = _checked(connection, path)
            if version < VERSION:
                migrate(connection, version)
        except BaseException:
            connection.close()
            raise
    return connection


def check_bytes(path: str | os.PathLike[str]) -> None:
    """Raise unless a file looks like a whole SQLite database."""
    source = Path(path)
    if source.is_dir():
        raise SettingError(f"'{path}' is a folder; name a study file in it")
    try:
        with source.open("rb") as file:
            head = file.read(100)
        size = source.stat().st_size
    except FileNotFoundError:
        raise SettingError(
            f"there is no study file '{path}'; shrinkage run … --study '{path}' makes one"
        ) from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise SettingError(f"cannot read '{path}': {reason}") from error
    if not head:
        raise SettingError(
            f"'{path}' is empty; shrinkage run … --study '{path}' makes a study of it"
        )
    if not _MAGIC.startswith(head[: len(_MAGIC)]):
        raise SettingError(f"'{path}' {_what(head)}; it was not opened")
    if len(head) < 100 or _is_cut(head, size, source):
        raise truncated(path)


def _what(head: bytes) -> str:
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return "is a pickle, which can execute code when it is read, and no study file"
    if head.startswith(b"PK"):
        return "is a zip archive, and no study file"
    if head.lstrip()[:1] == b"<":
        return "is a web page, and no study file"
    return "is not a study file that shrinkage wrote"


def _is_cut(head: bytes, size: int, source: Path) -> bool:
    page = int.from_bytes(head[_PAGE_SIZE], "big")
    page = 65536 if page == 1 else page
    # With a log beside it, or a count that is out of date, the first page does not tell.
    told = head[_CHANGES] == head[_VALID_FOR] and not _has_log(source)
    return told and size < page * int.from_bytes(head[_PAGES], "big")


def _has_log(path: Path) -> bool:
    """Whether some of a file lies in a log beside it."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _read_only(path: Path) -> sqlite3.Connection:
    """Read with SQLite's locks; where the folder forbids them, the file as it lies there."""
    address = path.absolute().as_uri()
    failure: sqlite3.Error | None = None
    for how in ("?mode=ro", "?mode=ro&immutable=1"):
        if failure is not None and _has_log(path):  # which is then passed over
            raise SettingError(
                f"the study file '{path}' has a log beside it, '{path.name}-wal', which cannot be "
                "read where nothing can be written; copy both to another folder"
            ) from failure
        with ExitStack() as stack:
            try:
                connection = sqlite3.connect(
                    address + how, uri=True, isolation_level=None, timeout=WAIT
                )
                stack.callback(connection.close)
                harden(connection)
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            except sqlite3.Error as error:
                failure = error
                if "unable to open" in str(error) or "readonly" in str(error):
                    continue
                break
            limit(connection, path.stat().st_size)
            stack.pop_all()
            return connection
    assert failure is not None
    raise _sentence(failure, path)


def limit(connection: sqlite3.Connection, size: int) -> None:
    """End queries that take more steps than a file of this size can ask for.

    Pages of a damaged file may point at each other, so that a table never ends.
    """
    left = [(_STEPS + _STEPS_A_BYTE * size) // _EVERY]

    def over() -> int:
        left[0] -= 1
        return int(left[0] < 0)

    connection.set_progress_handler(over, _EVERY)


def harden(connection: sqlite3.Connection) -> None:
    """As SQLite advises for files from strangers: https://sqlite.org/security.html."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)


def _checked(connection: sqlite3.Connection, path: str | os.PathLike[str]) -> int:
    """The version of a file that is ours, to the last statement of its schema."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise SettingError(f"'{path}' is an SQLite database, but no study file; it was not opened")
    if version > VERSION:
        raise SettingError(
            f"'{path}' is a study file of version {version}, and this version of shrinkage reads "
            f"up to {VERSION}; update shrinkage"
        )
    if version < 1 or tuple(made_of(connection)) != expected(version):
        raise damaged(path)
    return int(version)


def _require_any(connection: sqlite3.Connection, path: str | os.PathLike[str]) -> None:
    """Raise where no run has written anything, or what it wrote was left behind with its log."""
    asked = "SELECT EXISTS (SELECT 1 FROM runs) OR EXISTS (SELECT 1 FROM facts)"
    if connection.execute(asked).fetchone() == (0,):
        raise SettingError(
            f"the study file '{path}' is empty: no run has written into it, or it was copied "
            f"without the log beside it, '{Path(path).name}-wal', in which a killed run leaves its "
            f"fits; copy both, or run with --study '{path}', which makes a study of it"
        )


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[sqlite3.Connection]:
    """A connection of :func:`reading`, inside which whatever makes no sense is damage."""
    with sensible(path), closing(reading(path)) as connection:
        yield connection


@contextmanager
def sensible(path: str | os.PathLike[str], *, kept: bool = True) -> Iterator[None]:
    """SQLite's errors in words, and values that make no sense as damage."""
    try:
        with sentences(path, kept=kept):
            yield
    except ShrinkageError:
        raise
    except (Unreadable, *NONSENSE) as error:
        raise damaged(path) from error


@contextmanager
def sentences(path: str | os.PathLike[str], *, kept: bool = True) -> Iterator[None]:
    """SQLite's errors in words; `kept`: whether there is anything in the file already."""
    try:
        yield
    except sqlite3.Error as error:
        raise _sentence(error, path, kept=kept) from error


def _sentence(
    error: sqlite3.Error, path: str | os.PathLike[str], *, kept: bool = True
) -> SettingError:
    said = str(error)
    before = "what was written before is kept" if kept else "nothing is written yet"
    # SQLite maps the index of a log, for which a full disk is a failing one.
    if "full" in said or ("disk I/O" in said and _room(path) < _LITTLE):
        on = " to go on" if kept else ""
        return SettingError(
            f"the disk with the study file '{path}' is full; {before}: make room, and run the same "
            f"command again{on}"
        )
    if "locked" in said:
        return SettingError(
            f"another program holds the study file '{path}'; close it and try again"
        )
    if "readonly" in said or "read-only" in said or "unable to open" in said:
        return SettingError(f"the study file '{path}' cannot be written here; copy it elsewhere")
    if "disk I/O" in said:
        return SettingError(
            f"the system failed to read or write the study file '{path}' ({said}); {before}: see "
            "whether the disk is sound and files may be as large, and run the same command again"
            f"{' to go on' if kept else ''}"
        )
    return damaged(path)


def _room(path: str | os.PathLike[str]) -> float:
    """Bytes that are free beside a file."""
    try:
        return shutil.disk_usage(Path(path).absolute().parent).free
    except OSError:
        return float("inf")


def truncated(path: str | os.PathLike[str]) -> SettingError:
    """The sentence for a file whose end is missing."""
    return SettingError(
        f"the study file '{path}' is truncated: its end is missing; copy it again, or save what is "
        f"left with: shrinkage recover '{path}'"
    )


def damaged(path: str | os.PathLike[str]) -> SettingError:
    """The sentence for a file that makes no sense."""
    return SettingError(
        f"the study file '{path}' is damaged; copy it again, or save what is left with: "
        f"shrinkage recover '{path}'"
    )
