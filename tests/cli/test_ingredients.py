"""Options for what regularizes besides the penalty, and for rows that are images."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shrinkage.cli.options import Options
from shrinkage.training import Augmentation

REFUSED = {
    "dropout of all": (["--dropout", "1"], r"dropout is 1\.0; it must lie in \[0, 1\)"),
    "negative dropout": (["--dropout", "-0.1"], r"dropout is -0\.1"),
    "dropout of all inputs": (["--input-dropout", "1"], "input_dropout is 1"),
    "dropout in words": (["--dropout", "half"], "--dropout: 'half' is not a number"),
    "noise": (["--input-noise", "nan"], "input_noise is nan"),
    "mixup": (["--mixup", "-1"], "mixup is -1"),
    "smoothing": (["--label-smoothing", "1"], "label_smoothing is 1"),
    "patience": (
        ["--patience", "300", "--epochs", "20"],
        "patience is 300, with 20 epochs; .*most",
    ),
    "patience beyond the table's epochs": (
        ["--patience", "301"],
        "patience is 301, with 300 epochs",
    ),
    "no patience": (["--patience", "0"], "patience is 0"),
    "no norm": (["--max-norm", "0"], "max_norm is 0"),
    "averaging": (["--averaging", "1"], "averaging is 1"),
    "relaxed epochs": (["--relaxed-epochs", "-1"], "relaxed_epochs is -1"),
    "schedule of λ": (["--lam-schedule", "lin"], "did you mean 'linear'?"),
    "shape": (["--image", "2x2"], "3 input columns, but an image of 2x2 has 4 pixels; .* is 3"),
    "no shape": (["--image", "2by2"], "'2by2' in --image is no shape; .*--image 8x8"),
    "half a shape": (["--image", "8"], "'8' in --image is no shape"),
    "empty image": (["--image", "0x3"], "image shape is 0x3"),
    "angle": (["--image", "1x3", "--rotate", "200"], "rotate is 200"),
    "shift": (["--image", "1x3", "--shift", "1"], "shift is 1"),
    "rotate without image": (["--rotate", "5"], "--rotate is for images; .*--image 8x8"),
    "flip without image": (["--flip"], "--flip is for images"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused(command: Any, good: str, name: str) -> None:
    arguments, complaint = REFUSED[name]
    assert re.search(complaint, command("run", good, *arguments).refusal)
    assert command.files() == {good}


def test_labels_of_a_regression_cannot_be_smoothed(command: Any) -> None:
    refusal = command("run", "diabetes", "--label-smoothing", "0.1").refusal
    assert "label smoothing is 0.1, but the target is a number" in refusal
    assert command.files() == set()


def test_a_table_with_categories_has_no_images(command: Any, table: Any) -> None:
    frame = table()
    frame["x1"] = np.where(frame["x1"] > 0, "red", "blue")
    frame.to_csv(command.folder / "colours.csv", index=False)
    refusal = command("run", "colours.csv", "--image", "1x3").refusal
    assert "column 'x1' is no pixel of an image (categories)" in refusal
    assert command.files() == {"colours.csv"}


@pytest.fixture
def training_of(command: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The settings of the training that a command line asks for, without carrying it out."""
    asked: list[Options] = []
    monkeypatch.setattr("shrinkage.cli.run.carry_out", lambda options: asked.append(options) or 0)

    def read(*arguments: str) -> Any:
        assert command("run", "digits", *arguments).code == 0
        return asked[-1].training

    return read


def test_nothing_is_on_unless_asked_for(training_of: Callable[..., Any]) -> None:
    assert set(training_of()) == {"optimizer", "schedule", "class_weight", "nesterov"}


@pytest.mark.parametrize("text", ["8x8", "8,8", " 8 X 8", "8×8"])
def test_a_shape_brings_the_usual_changes(text: str, training_of: Callable[..., Any]) -> None:
    found = training_of("--image", text)["augmentation"]
    assert found == Augmentation((8, 8), rotate=10, shift=0.1, scale=0.1)


def test_changes_can_be_set_or_left_out(training_of: Callable[..., Any]) -> None:
    settings = ("--rotate", "0", "--scale", "0.2", "--flip")
    found = training_of("--image", "28x20", *settings)["augmentation"]
    assert found == Augmentation((28, 20), rotate=0, shift=0.1, scale=0.2, flip=True)


def test_all_reach_the_training_and_are_told(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shrinkage.report.write", lambda _found, _run, path: path.touch())
    pixels = np.random.default_rng(0).integers(0, 9, (60, 6))
    frame = pd.DataFrame(pixels, columns=[f"pixel{place}" for place in range(6)])
    frame["pixel4"] = 0
    frame["target"] = np.arange(60) % 2
    frame.to_csv(command.folder / "images.csv", index=False)
    given = {
        "dropout": 0.2, "input_dropout": 0.1, "input_noise": 0.05, "mixup": 0.3,
        "label_smoothing": 0.15, "patience": 1, "max_norm": 3.0, "averaging": 0.9,
        "lam_schedule": "linear", "relaxed_epochs": 2,
    }  # fmt: skip
    words = [
        word
        for name, value in given.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    outcome = command.quick("images.csv", "--image", "2x3", "--flip", *words)
    said = " ".join(outcome.out.split())
    for clause in (
        "6 columns (6 numeric) became 6 inputs",
        "dropout of 20% of the hidden units, dropout of 10% of the inputs, noise of deviation 0.05",
        "mixup with α = 0.3, labels smoothed by 0.15, norms of incoming weights up to 3",
        "weights averaged with decay 0.9, early stopping after 1 epoch without improvement",
        "λ rising linearly in the first 50% of the steps",
        "2 epochs more without penalty, zeros kept",
        "images of 2x3 turned by up to 10°, shifted by up to 10%, resized by up to 10% and mirror",
        "half of the time; seed 0",
    ):
        assert clause in said
    told = json.loads(command.quick("images.csv", "--image", "2,3", *words, "--json").out)
    training = told["settings"]["training"]
    assert given.items() <= training.items()
    assert training["augmentation"]["shape"] == [2, 3]
