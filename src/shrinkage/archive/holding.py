"""One writer at a time: who holds a study file, by a lock that ends with its process."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from shrinkage.errors import SettingError

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(1 << 30)  # beyond what is written, which others may then read
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from error

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_TRIES = 4


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise unless the file can be written, and others made beside it."""
    target = Path(path)
    folder = target.absolute().parent
    if not folder.is_dir():
        raise SettingError(f"there is no directory '{folder}' for the study file; make it first")
    if target.is_dir():
        raise SettingError(f"'{path}' is a folder; name a study file in it")
    probe = folder / f".{target.name}.{os.getpid()}"
    try:
        if target.exists():
            with target.open("ab"):
                pass
        with probe.open("xb"):
            pass
        probe.unlink()
    except OSError as error:
        with suppress(OSError):
            probe.unlink()
        reason = (error.strerror or str(error)).lower()
        raise SettingError(
            f"the study file '{path}' cannot be written ({reason}); choose another place"
        ) from error


class Hold:
    """The right to write a study file, from :meth:`take` to :meth:`release`.

    A small file beside it, ``NAME-lock``, is locked by the system for as long as the process lives:
    a process that was killed holds nothing. What is written in it only tells people who it is.

    Parameters
    ----------
    path : Path
        The study file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    @property
    def _beside(self) -> Path:
        return self.path.with_name(f"{self.path.name}-lock")

    def take(self) -> None:
        """Hold the file.

        Raises
        ------
        SettingError
            When another process does, which is named.
        """
        tries = 0
        while True:
            file = self._beside.open("a+", encoding="utf-8")
            try:
                _lock(file)
            except BlockingIOError:
                file.close()
                tries += 1
                if tries < _TRIES:  # it may be someone who only asked, in `held`
                    time.sleep(0.05)
                    continue
                raise SettingError(
                    f"the study file '{self.path.name}' is being written by {holder(self.path)}; "
                    "wait until it is done, or end it"
                ) from None
            except OSError as error:  # a network's file system, say
                file.close()
                reason = (error.strerror or str(error)).lower()
                raise SettingError(
                    f"the study file '{self.path.name}' cannot be locked where it lies ({reason}), "
                    "so that two programs could write it at once; keep it on a local disk"
                ) from error
            # Its last holder may have removed it between the two steps.
            with suppress(OSError):
                if os.fstat(file.fileno()).st_ino == self._beside.stat().st_ino:
                    break
            file.close()
        self._file = file
        file.truncate(0)
        json.dump(_myself(), file)
        file.flush()

    def release(self) -> None:
        """Let go, and leave nothing behind."""
        if self._file is None:
            return
        if sys.platform != "win32":  # where what is open cannot be removed
            with suppress(OSError):
                self._beside.unlink()
        self._file.close()
        self._file = None
        if sys.platform == "win32":
            with suppress(OSError):
                self._beside.unlink()


def _myself() -> dict[str, object]:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return {"process": os.getpid(), "computer": platform.node(), "since": now}


def holder(path: Path) -> str:
    """Who wrote a file's lock, for people: ``"process 4711 on desk, since 13:05"``."""
    beside = path.with_name(f"{path.name}-lock")
    try:
        said = json.loads(beside.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(said["since"])
        return f"process {int(said['process'])} on {said['computer']}, since {since:%H:%M}"
    except (OSError, ValueError, TypeError, KeyError):
        return "another process"


def held(path: Path) -> str | None:
    """Who writes a study file now; None if nobody does."""
    beside = path.with_name(f"{path.name}-lock")
    try:
        with beside.open(encoding="utf-8") as file:
            _lock(file)  # ends as the file is closed
    except BlockingIOError:
        return holder(path)
    except OSError:  # there is none, or it is not ours to look at
        return None
    return None
