"""The data that a benchmark and its peer share: the same arrays, the same folds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shrinkage.data import Data, bundled, prepare


def problem(name: str, samples: int | None = None) -> Data:
    """A bundled problem in five folds, all of them views of one encoded array.

    Encoding each fold by its own training rows is this package's habit and none of the peers'; with
    one array for all folds everybody trains on the same numbers.
    """
    table, target = bundled(name, samples)
    data = prepare(table, target, folds=5, repeats=1, name=name)
    shared = tuple(
        replace(
            part,
            inputs=data.full.inputs,
            center=data.full.center,
            scale=data.full.scale,
            columns=data.full.columns,
        )
        for part in data.parts
    )
    return replace(data, parts=shared)


def save(data: Data, path: Path) -> None:
    """Write the training rows and folds for a peer in another process."""
    arrays: dict[str, Any] = {f"train{i}": part.train for i, part in enumerate(data.parts)}
    arrays |= {f"validation{i}": part.validation for i, part in enumerate(data.parts)}
    labels = data.full.targets[:, 0].astype(np.int64)
    np.savez(path, inputs=data.full.inputs, labels=labels, **arrays)
