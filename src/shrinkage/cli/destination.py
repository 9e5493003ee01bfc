"""Where the report goes: decided, and tried, before the training starts."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from shrinkage.errors import SettingError

_ENDINGS = re.compile(r"\.(csv|tsv|txt|parquet|pq)$", re.IGNORECASE)
_MARK = b'<meta name="generator" content="shrinkage'
"""In the first bytes of every report, which may be overwritten by the next."""
_MARK_WITHIN = 4096


def choose(output: str | None, source: str, exhibit: str = "", *, usual: str = "") -> Path:
    """The path of the report, after making sure that it can be written.

    Parameters
    ----------
    output : str or None
        A file, an existing directory, or None for the working directory.
    source : str
        Names the report when `output` does not: ``shrinkage-<source>.html``.
    exhibit : str, default ""
        Of a report about this alone: ``shrinkage-<exhibit>-<source>.html``.
    usual : str, default ""
        Another name for when `output` gives none.

    Returns
    -------
    Path
        Absolute. An existing file is given only if it is an earlier report or empty; a usual name
        that is taken by another file gets a number.

    Raises
    ------
    SettingError
        When nothing can be written there, or a file that is no report would be lost.
    """
    named = "-".join(filter(None, ["shrinkage", exhibit, f"{_stem(source)}.html"]))
    usual = usual or named
    if output is None:
        path = _spared(Path.cwd() / usual)
    elif not output:
        raise SettingError("--output is empty; name a file or a directory for the report")
    elif Path(output).is_dir():
        path = _spared(Path(output) / usual)
    elif output.endswith(("/", os.path.sep)):
        raise SettingError(f"there is no directory '{output}' for the report; make it first")
    else:
        path = Path(output)
        if not _may_replace(path):
            what = "is no report of shrinkage" if path.is_file() else "is no file"
            raise SettingError(f"'{output}' exists and {what}; choose another --output")
    path = path.resolve()  # through links, so that they stay links
    _try(path, output or str(path))
    return path


def _stem(source: str) -> str:
    name = re.sub(r"\.gz$", "", Path(source).name, flags=re.IGNORECASE)
    return re.sub(r"[^\w.-]+", "-", _ENDINGS.sub("", name)).strip("-.")[:80] or "report"


def _spared(path: Path) -> Path:
    """`path`, or the first of ``name-2``, ``name-3``, … that is free or an earlier report."""
    candidate, number = path, 1
    while not _may_replace(candidate):
        number += 1
        candidate = path.with_stem(f"{path.stem}-{number}")
    return candidate


def _may_replace(path: Path) -> bool:
    try:
        if not path.exists():
            return not path.is_symlink()
        if not path.is_file():  # to replace a device such as /dev/null would break the machine
            return False
        with path.open("rb") as file:
            start = file.read(_MARK_WITHIN)
    except OSError:
        return False
    return not start or _MARK in start


def _try(path: Path, said: str) -> None:
    """Make and remove a file there: what a look at permissions tells is not always so."""
    folder = path.parent
    if not folder.is_dir():
        raise SettingError(
            f"there is no directory '{folder}' for the report '{said}'; make it first or choose "
            "another --output"
        )
    try:
        if path.exists():
            with path.open("ab"):
                pass
        handle, name = tempfile.mkstemp(prefix=".shrinkage-", dir=folder)
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingError(
            f"the report '{said}' cannot be written ({reason}); choose another --output"
        ) from error
