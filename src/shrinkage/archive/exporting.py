"""A study file as a folder for other programs: Parquet, CSV, or MLflow's store of files."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from shrinkage.archive.frames import EXPORTED, frame
from shrinkage.archive.mlflow_store import write_store
from shrinkage.errors import SettingError, require_known

FORMATS = ("parquet", "csv", "mlflow")


def export(
    path: str | os.PathLike[str], to: str, folder: str | os.PathLike[str] | None = None
) -> Path:
    """Write a study file's tables into a new folder.

    Parameters
    ----------
    path : str or path-like
        The study file.
    to : str
        ``"parquet"`` or ``"csv"``: ``fits``, ``histories`` and ``runs``, one file each.
        ``"mlflow"``: each fit as a run of one experiment, in the layout of MLflow's own folder
        ``mlruns``.
    folder : str or path-like, optional
        Where; it must not exist yet, or be empty. By default beside the working directory's other
        files, as ``moons-parquet``; for MLflow ``mlruns``.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    SettingError
        When the study file cannot be read, or the folder not be written.
    """
    require_known("format", to, FORMATS)
    usual = "mlruns" if to == "mlflow" else f"{Path(path).stem}-{to}"
    target = Path(usual if folder is None else folder).absolute()
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise SettingError(f"'{folder or usual}' exists and is not empty; name another --output")
    if not target.parent.is_dir():
        raise SettingError(f"there is no directory '{target.parent}'; make it first")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:80]}.", dir=target.parent))
        try:
            if to == "mlflow":
                write_store(path, temporary, target)
            else:
                _write_tables(path, temporary, to)
            temporary.chmod(0o755)
            if target.exists():
                target.rmdir()
            temporary.rename(target)
        except BaseException:
            with suppress(OSError):
                shutil.rmtree(temporary)
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingError(
            f"the folder '{target}' cannot be written ({reason}); choose another --output"
        ) from error
    return target


def _write_tables(path: str | os.PathLike[str], folder: Path, to: str) -> None:
    from pyarrow.csv import write_csv
    from pyarrow.parquet import write_table

    write = write_table if to == "parquet" else write_csv
    for name in EXPORTED:
        write(frame(path, name, "arrow"), folder / f"{name}.{to}")
