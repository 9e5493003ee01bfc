"""The report of a Keras path says what makes its numbers again."""

from __future__ import annotations

import importlib

import keras
import numpy as np
import pytest

from shrinkage.errors import DataError, SettingError
from shrinkage.keras import path, report


def build():
    return keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "sigmoid")]
    )


SETTINGS = {"penalties": "l2", "lambdas": [0.1], "seeds": 1, "epochs": 1, "verbose": 0}


def test_the_report_has_the_call_the_seed_and_the_backend(moons, tmp_path):
    (rows, labels), _ = moons
    study = path(build, (rows, labels), folds=2, random_state=17, **SETTINGS)
    text = report(study, tmp_path / "r.html").read_text(encoding="utf-8")
    name = keras.backend.backend()
    for term, said in (
        ("seed", "17"),
        ("keras", keras.__version__),
        (name, importlib.import_module(name).__version__),
    ):
        assert f"<dt>{term}</dt><dd>{said}</dd>" in text
    assert "from shrinkage.keras import path" in text
    assert "random_state=17" in text


def test_a_report_is_not_about_a_callback(tmp_path):
    with pytest.raises(SettingError, match="expected the study of a path, got History"):
        report(keras.callbacks.History(), tmp_path / "r.html")


def test_what_would_do_nothing_is_refused(moons):
    train, held = moons
    with pytest.raises(SettingError, match="folds is 3, but rows of val_data are validated on"):
        path(build, train, held, folds=3, **SETTINGS)
    with pytest.raises(DataError, match="are the same class, 0"):
        path(build, (train[0], np.zeros(len(train[0]), int)), **SETTINGS)
