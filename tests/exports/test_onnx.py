"""A graph answers what the network answers, by ONNX's own reference implementation."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from shrinkage.errors import ShrinkageError
from shrinkage.exports import agreement_of, to_onnx
from shrinkage.network import ACTIVATIONS
from shrinkage.penalties import L1


def run(graph, rows):
    return ReferenceEvaluator(graph).run(None, {"X": rows})


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (6,), (9, 5)])
def test_every_activation_and_depth(trained, rows, activation, hidden):
    predictor = trained("multiclass", activation=activation, hidden=hidden)
    given = rows(predictor)
    label, probabilities = run(to_onnx(predictor), given)
    np.testing.assert_allclose(probabilities, predictor.probabilities(given), atol=1e-6)
    np.testing.assert_array_equal(label, predictor.predictions(given))


@pytest.mark.parametrize(
    "classes",
    [["no", "yes"], [0, 1], [-1, 7], [0.5, 1.5], [False, True], np.array(["a", "ß"], object)],
    ids=str,
)
def test_labels_keep_their_type(trained, rows, classes):
    predictor = trained("binary", classes=classes)
    given = rows(predictor)
    label, probabilities = run(to_onnx(predictor), given)
    np.testing.assert_array_equal(label, predictor.predictions(given))
    assert {*map(type, label.tolist())} == {*map(type, predictor.classes.tolist())}
    np.testing.assert_allclose(probabilities, predictor.probabilities(given), atol=1e-6)
    assert {*label.tolist()} == {*np.asarray(classes).tolist()}


@pytest.mark.parametrize("task", ["regression", "two targets"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_come_in_the_targets_units(trained, rows, task, dtype):
    predictor = trained(task)
    given = rows(predictor).astype(dtype)
    (variable,) = run(to_onnx(predictor, dtype=dtype), given)
    assert variable.dtype == dtype
    np.testing.assert_allclose(variable, predictor.predictions(given), rtol=1e-6, atol=1e-4)


def test_double_precision_holds_targets_far_from_zero(trained, rows):
    predictor = trained("regression", target_center=1e9, target_scale=1.0)
    given = rows(predictor)
    (variable,) = run(to_onnx(predictor), given)
    np.testing.assert_allclose(variable, predictor.predictions(given), rtol=0, atol=1e-5)
    with pytest.raises(ShrinkageError, match=r"ONNX network differs .* ONNX with float64"):
        to_onnx(predictor, dtype="float32")


def test_values_far_away_are_cut_off_as_in_training(trained):
    predictor = trained("regression")
    given = predictor.center + np.where(np.isinf(predictor.scale), 1, predictor.scale) * 1e9
    (variable,) = run(to_onnx(predictor), given[None])
    np.testing.assert_allclose(variable, predictor.predictions(given[None]), rtol=1e-6)


def test_the_file_is_the_graph(trained, rows, tmp_path):
    predictor = trained()
    path = tmp_path / "network.onnx"
    graph = to_onnx(predictor, path)
    read = onnx.load(path)
    onnx.checker.check_model(read, full_check=True)
    assert read == graph
    assert [one.version for one in read.opset_import] == [13]
    found = agreement_of(predictor, path, X=rows(predictor, 20))
    assert found.holds
    assert "ONNX agrees to" in str(found)


def test_what_the_metadata_say(trained):
    predictor = trained("multiclass", L1(), 0.003)
    graph = to_onnx(predictor)
    said = {entry.key: entry.value for entry in graph.metadata_props}
    assert said["penalty"] == "L1, λ = 0.003"
    assert float(said["lambda"]) == 0.003
    assert json.loads(said["columns"]) == ["a", "b", "c", "d"]
    assert json.loads(said["classes"]) == ["2", "3", "5"]
    assert said["preprocessing"].startswith("included")
    assert graph.producer_name == "shrinkage"
    assert graph.producer_version == said["shrinkage"]


def test_any_number_of_rows(trained, rows):
    predictor = trained()
    graph = to_onnx(predictor)
    for count in (1, 3):
        label, probabilities = run(graph, rows(predictor, count))
        assert label.shape == (count,)
        assert probabilities.shape == (count, 2)


def test_a_type_that_it_does_not_take(trained):
    with pytest.raises(ShrinkageError, match="unknown type of the input 'float16'"):
        to_onnx(trained(), dtype="float16")


def test_a_wrong_graph_is_found_out(trained):
    predictor = trained()
    other = replace(predictor, parameters=predictor.parameters * np.float32(1.01))
    found = agreement_of(predictor, to_onnx(other))
    assert not found.holds
    assert "ONNX differs by up to" in str(found)


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "no such file"), (b"nonsense", "is not an ONNX model")]
)
def test_a_file_that_is_none(trained, tmp_path, content, sentence):
    path = tmp_path / "network.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ShrinkageError, match=sentence):
        agreement_of(trained(), path)
