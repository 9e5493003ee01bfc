"""A small problem for the engine, made without the data room."""

import numpy as np
import pytest

from shrinkage.data import Data, Description, Part, TestSet


def make_part(rows=90, columns=3, task="binary", seed=0, classes=3):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((rows, columns)).astype(np.float32)
    signal = inputs[:, 0] + 0.5 * rng.standard_normal(rows)
    if task == "regression":
        targets = signal[:, None]
    elif task == "binary":
        targets = (signal > 0)[:, None]
    else:
        targets = np.digitize(signal, np.quantile(signal, [1 / 3, 2 / 3]))[:, None]
    train = rng.permutation(rows)
    return Part(
        inputs=inputs,
        targets=targets.astype(np.float32),
        weights=np.ones(rows, np.float32),
        train=np.sort(train[: 2 * rows // 3]),
        validation=np.sort(train[2 * rows // 3 :]),
        columns=tuple(f"x{i}" for i in range(columns)),
        center=np.zeros(columns),
        scale=np.ones(columns),
        target_center=np.zeros(1),
        target_scale=np.ones(1),
    )


def make_data(task="binary", folds=3):
    parts = tuple(make_part(task=task, seed=seed) for seed in range(folds))
    whole = make_part(task=task)
    full = Part(
        **{
            **{name: getattr(whole, name) for name in Part.__dataclass_fields__},
            "train": np.arange(90),
            "validation": np.arange(0),
        }
    )
    names = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    return Data(
        name="small",
        task=task,
        classes=names,
        target_names=("y",),
        parts=parts,
        folds=folds,
        repeats=1,
        full=full,
        test=TestSet(whole.inputs[:20], whole.targets[:20], whole.weights[:20]),
        description=Description("small", 110, 3, 3, "y", task, (), 90, 20, folds, 1),
        fingerprint="",
    )


@pytest.fixture(name="make_part")
def make_part_fixture():
    return make_part


@pytest.fixture(name="make_data")
def make_data_fixture():
    return make_data
