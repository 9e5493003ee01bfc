"""Everything that a training may use, at once: the programs run, in every framework."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch

from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso, Penalty
from shrinkage.recipes import programs
from shrinkage.training import Augmentation

# Keras 3.15 on PyTorch lets NumPy 2.4 convert its tensors in a way that NumPy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

IMAGES = Augmentation((3, 4), rotate=20, shift=0.1, scale=0.1, flip=True)
EVERYTHING: dict[str, Any] = {
    "dropout": 0.3,
    "input_dropout": 0.1,
    "input_noise": 0.1,
    "mixup": 0.4,
    "patience": 2,
    "max_norm": 2.0,
    "averaging": 0.9,
    "lam_schedule": "cosine",
    "relaxed_epochs": 2,
    "augmentation": IMAGES,
    "batch_size": 16,
    "schedule": "cosine",
    "class_weight": "balanced",
}
# Penalty, optimizer, task.
CASES: list[tuple[Penalty | None, str, Any]] = [
    (L1(), "adam", "multiclass"),
    (ElasticNet(), "sgd", "binary"),
    (L2(), "adamw", "regression"),
    (GroupLasso(), "rmsprop", "regression"),
    (GroupLasso("inputs"), "adam", "binary"),
    (None, "adam", "multiclass"),
]


@pytest.mark.parametrize("framework", ["Keras", "PyTorch", "scikit-learn"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0] and case[0].name}-{case[2]}")
def test_it_runs(framework: str, case: Any, finding: Any, run: Any) -> None:
    penalty, optimizer, task = case
    settings = EVERYTHING | {"optimizer": optimizer}
    if task == "regression":
        settings["class_weight"] = "none"
    else:
        settings["label_smoothing"] = 0.1
    told = finding(task, penalty, 0.01 if penalty else 0.0, inputs=12, weighted=True, **settings)
    source = programs(told)[framework]
    assert "shrinkage" not in source
    assert max(map(len, source.splitlines())) <= 100
    assert "\n\n\n\n" not in source
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 255, (40, 12))
    targets = rng.standard_normal(40) if task == "regression" else np.arange(40) % 3
    targets = targets % 2 if task == "binary" else targets
    names = run(source, (pixels, targets), w_train=rng.uniform(0.5, 1.5, 40))
    inputs = names["X_stop"]
    if framework == "PyTorch":
        with torch.no_grad():
            answers = names["model"](inputs).numpy()
    elif framework == "Keras":
        answers = keras.ops.convert_to_numpy(names["model"](inputs))
    else:
        answers = names["model"].predict(inputs)
    assert len(answers) == 4
    assert np.isfinite(answers).all()
