"""Fits as runs in the layout of MLflow's folder ``mlruns``, written without MLflow.

The layout is that of mlflow/store/tracking/file_store.py (version 3): a folder for an experiment,
in it one for each run, with ``meta.yaml``, a file for each parameter, tag and metric, and in a
metric's file a line "milliseconds value step" for each time that it was taken.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from shrinkage.archive.frames import fits, histories
from shrinkage.archive.kept_data import fact
from shrinkage.archive.opening import opened
from shrinkage.archive.records import parsed

_FINISHED, _FAILED = 3, 4  # mlflow.entities.RunStatus
_LOCAL = 4  # mlflow.entities.SourceType
_PARAMETERS = ("network", "penalty", "lambda", "fold", "seed", "rows")
_METRICS = ("zeros", "spread", "stationarity", "seconds")
_UNSAFE = re.compile(r"[^\w.-]+")


def write_store(path: str | os.PathLike[str], folder: Path, final: Path) -> None:
    """Write an experiment into a folder that will be called `final`."""
    with opened(path) as connection:
        name = f"{fact(connection, 'name') or 'study'} ({Path(path).name})"
        fingerprint = str(fact(connection, "fingerprint") or "")
        table = fits(connection).to_pylist()
        losses = _by_trial(histories(connection).to_pydict())
        settings = {
            key: dict(parsed(said)["fields"]) for key, said in connection.execute(_TRAININGS)
        }
        times = {
            key: _milliseconds(when)
            for key, when in connection.execute("SELECT id, started FROM runs")
        }
    experiment = str(int(blake2b(f"{name}{fingerprint}".encode(), digest_size=7).hexdigest(), 16))
    place = folder / experiment
    place.mkdir()
    (folder / ".trash").mkdir()
    _meta(
        place,
        artifact_location=(final / experiment).as_uri(),
        creation_time=min(times.values(), default=0),
        experiment_id=experiment,
        last_update_time=max(times.values(), default=0),
        lifecycle_stage="active",
        name=name,
    )
    for row in table:
        of = settings.get(row["trial"], {})
        when = times.get(row["run"], 0)
        _write_run(place, final, experiment, fingerprint, row, of, losses, when)


_TRAININGS = "SELECT t.id, r.value FROM trials t JOIN records r ON r.id = t.training"


def _write_run(
    place: Path,
    final: Path,
    experiment: str,
    fingerprint: str,
    row: Mapping[str, Any],
    settings: Mapping[str, Any],
    losses: Mapping[int, list[tuple[int, float, float]]],
    when: int,
) -> None:
    trial = int(row["trial"])
    run = blake2b(f"{fingerprint}{experiment}{trial}".encode(), digest_size=16).hexdigest()
    where = place / run
    for part in ("artifacts", "metrics", "params", "tags"):
        (where / part).mkdir(parents=True)
    fold = "all rows" if row["fold"] is None else f"fold {row['fold']}"
    title = f"{row['penalty']}, lambda {row['lambda']:g}, {fold}"
    _meta(
        where,
        artifact_uri=(final / experiment / run / "artifacts").as_uri(),
        end_time=when + round(1000 * row["seconds"]),
        entry_point_name="",
        experiment_id=experiment,
        lifecycle_stage="active",
        run_id=run,
        run_name=title,
        run_uuid=run,
        source_name="",
        source_type=_LOCAL,
        source_version="",
        start_time=when,
        status=_FAILED if row["status"] not in ("COMPLETED", "STOPPED_EARLY") else _FINISHED,
        tags=[],
        user_id="shrinkage",
    )
    given = {name: row[name] for name in _PARAMETERS if row[name] is not None}
    for name, value in (given | dict(settings)).items():
        if isinstance(value, int | float | str):
            _text(where / "params" / _safe(name), str(value))
    _text(where / "tags" / "mlflow.runName", title)
    _text(where / "tags" / "status", str(row["status"]))
    last = max((epoch for epoch, _, _ in losses.get(trial, ())), default=0)
    for name in _METRICS:
        if row[name] is not None:
            _metric(where, name, [(when, row[name], last)])
    taken = losses.get(trial, ())
    _metric(where, "train_loss", [(when, loss, epoch) for epoch, loss, _ in taken])
    if row["fold"] is not None:
        _metric(where, "validation_loss", [(when, loss, epoch) for epoch, _, loss in taken])


def _by_trial(columns: Mapping[str, list[Any]]) -> dict[int, list[tuple[int, float, float]]]:
    found: dict[int, list[tuple[int, float, float]]] = {}
    names = ("trial", "epoch", "train_loss", "validation_loss")
    for trial, epoch, train, validation in zip(*(columns[name] for name in names)):
        found.setdefault(trial, []).append((epoch, train, validation))
    return found


def _metric(where: Path, name: str, taken: Iterable[tuple[int, float, int]]) -> None:
    lines = [f"{when} {value!r} {step}\n" for when, value, step in taken if math.isfinite(value)]
    if lines:
        _text(where / "metrics" / name, "".join(lines))


def _meta(folder: Path, **said: Any) -> None:
    """JSON is YAML."""
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in said.items()]
    _text(folder / "meta.yaml", "".join(lines))


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _safe(name: str) -> str:
    """A file's name; a study from a stranger must not choose a path."""
    return _UNSAFE.sub("_", name).strip(".")[:120] or "unnamed"


def _milliseconds(when: str) -> int:
    try:
        return round(1000 * datetime.fromisoformat(when).timestamp())
    except (TypeError, ValueError):
        return 0
