"""What is on is said, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from shrinkage.findings.ingredients import ingredients
from shrinkage.training import Augmentation, Training

SAID: list[tuple[dict[str, Any], str]] = [
    ({"dropout": 0.125}, "dropout of 12.5% of the hidden units"),
    ({"input_dropout": 0.1}, "dropout of 10% of the inputs"),
    ({"input_noise": 0.05}, "noise of deviation 0.05 on the inputs"),
    ({"mixup": 0.4}, "mixup with α = 0.4"),
    ({"label_smoothing": 0.1}, "labels smoothed by 0.1"),
    ({"max_norm": 3.0}, "norms of incoming weights up to 3"),
    ({"averaging": 0.99}, "weights averaged with decay 0.99"),
    ({"patience": 1}, "early stopping after 1 epoch without improvement"),
    ({"lam_schedule": "cosine"}, "λ rising along a cosine in the first 50% of the steps"),
    ({"relaxed_epochs": 20}, "20 epochs more without penalty, zeros kept"),
    ({"augmentation": Augmentation((8, 8), rotate=10)}, "images of 8x8 turned by up to 10°"),
    ({"augmentation": Augmentation((8, 9))}, "images of 8x9 as they are"),
    (
        {"augmentation": Augmentation((8, 8), shift=0.1, flip=True)},
        "images of 8x8 shifted by up to 10% and mirrored half of the time",
    ),
]


@pytest.mark.parametrize(("settings", "sentence"), SAID, ids=lambda value: str(value)[:40])
def test_one_ingredient_is_one_clause(settings: dict[str, Any], sentence: str) -> None:
    assert ingredients(Training("cross_entropy", **settings)) == (sentence,)


def test_nothing_is_said_of_a_plain_training() -> None:
    assert ingredients(Training("cross_entropy", stopping_share=0.2, lam_ramp=0.1)) == ()
