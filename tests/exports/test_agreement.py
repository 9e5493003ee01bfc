"""An export is compared with the original, and refused where they differ."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from shrinkage.errors import ShrinkageError
from shrinkage.exports import agreement_of, to_keras, to_onnx, to_sklearn, to_torch
from shrinkage.exports.agreement import compare, require

EXPORTS = [to_keras, to_onnx, to_sklearn, to_torch]


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "two targets"])
def test_the_sentence(trained, rows, export, task):
    predictor = trained(task)
    exported = export(SimpleNamespace(predictor_=predictor), X=rows(predictor))
    found = agreement_of(predictor, exported)
    assert found.holds
    assert found.difference < 1e-5
    assert found.rows == 256
    assert "over 256 rows drawn around the training rows. Preprocessing is included." in str(found)
    own = agreement_of(predictor, exported, X=rows(predictor, 1))
    assert "over 1 row that was given. Preprocessing is included." in str(own)


@pytest.mark.parametrize("export", EXPORTS)
def test_another_network_is_found_out(trained, export):
    predictor = trained()
    parameters = predictor.parameters.copy()
    parameters[-1] += 1e-3
    found = agreement_of(predictor, export(replace(predictor, parameters=parameters)))
    assert not found.holds
    with pytest.raises(ShrinkageError, match=r"network differs from the original by up to 0\.000"):
        require(found)


def test_a_constant_input_has_to_count_nothing(trained):
    predictor = trained()
    other = replace(predictor, scale=np.where(np.isinf(predictor.scale), 1.0, predictor.scale))
    assert not agreement_of(predictor, to_torch(other)).holds


def test_answers_that_are_not_numbers_are_no_agreement(trained):
    predictor = trained()
    found = compare(predictor, lambda rows: np.full((len(rows), 1), np.nan), "Elsewhere", "double")
    assert not found.holds


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([1.0, 2.0, 3.0, 4.0], r"have shape \(4,\); expected at least one row of 4 columns"),
        (np.ones((3, 5)), r"have shape \(3, 5\)"),
        (np.ones((0, 4)), r"have shape \(0, 4\)"),
        ([[1.0, 2.0, np.inf, 4.0]], "values that are not finite"),
        ([["a", "b", "c", "d"]], "are not numbers"),
    ],
)
def test_rows_that_cannot_be_compared(trained, export, given, sentence):
    with pytest.raises(ShrinkageError, match=sentence):
        export(trained(), X=given)


@pytest.mark.parametrize("export", EXPORTS)
def test_what_is_not_trained(export):
    with pytest.raises(ShrinkageError, match="got LogisticRegression; call fit first"):
        export(LogisticRegression())
    with pytest.raises(ShrinkageError, match=r"got int$"):
        export(3)


@pytest.mark.parametrize("other", [3, LogisticRegression()])
def test_what_is_no_export(trained, other):
    with pytest.raises(ShrinkageError, match="there is no export to compare in a"):
        agreement_of(trained(), other)


@pytest.mark.parametrize(
    ("export", "package"), [(to_keras, "keras"), (to_onnx, "onnx"), (to_torch, "torch")]
)
def test_a_package_that_misses(trained, monkeypatch, export, package):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Missing(package), *sys.meta_path])
    with pytest.raises(ShrinkageError, match=rf"pip install 'shrinkage\[{package}\]'"):
        export(trained())


def test_keras_without_a_backend(trained, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "keras"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setattr(sys, "meta_path", [_Missing("tensorflow"), *sys.meta_path])
    with pytest.raises(ShrinkageError, match=r"keras needs tensorflow, .* set KERAS_BACKEND"):
        to_keras(trained())


class _Missing:
    """Finds nothing where a package would be."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, *_):
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
