"""A trained network as an ONNX graph, from raw rows to labels."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shrinkage.container import replace_file
from shrinkage.data.arrays import FARTHEST
from shrinkage.engine.activations import LEAK, SELU_ALPHA, SELU_SCALE
from shrinkage.errors import SettingError, require_known
from shrinkage.exports.agreement import Precision, compare, predictor_of, require
from shrinkage.exports.packages import require_package
from shrinkage.penalties import describe
from shrinkage.predictor import Predictor

OPSET = 13
"""Of 2020: the first with everything that is used here; later runtimes read it too."""
_IR = 7
"""The format of the file that came with it."""

_DTYPES = ("float64", "float32")


def to_onnx(
    model: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    dtype: Literal["float64", "float32"] = "float64",
    X: Any = None,
) -> Any:
    """Export a trained network to ONNX, checked to answer the same.

    Its input ``X`` are raw rows, in their original units: standardization is part of the graph.
    Its outputs are called as skl2onnx calls them: ``label`` and ``probabilities`` (of all classes,
    in the order of ``classes_``), or ``variable`` with the predictions of a regression. Penalty,
    λ, classes, columns and versions are in its metadata.

    Parameters
    ----------
    model : estimator or Predictor
        A fitted estimator of this package, or the network alone.
    path : str or path-like, optional
        Where to write it too; a file that is there is replaced.
    dtype : str, default "float64"
        Type of the input: rows of ``"float64"`` go in as NumPy has them, ``"float32"`` is for
        runtimes that know no other. A regression answers in the same type.
    X : array-like of shape (rows, inputs), optional
        Rows to compare both networks on; by default 256 drawn around the training rows.

    Returns
    -------
    onnx.ModelProto
        Checked by ``onnx.checker``.

    Raises
    ------
    SettingError
        When the package onnx is not installed, `model` is not fitted, or the file cannot be
        written.
    ShrinkageError
        When the exported network differs from the original by more than 1e-5.

    Examples
    --------
    >>> from onnx.reference import ReferenceEvaluator
    >>> from sklearn.datasets import load_iris
    >>> from shrinkage import ShrinkageClassifier
    >>> from shrinkage.exports import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ShrinkageClassifier(hidden_layer_sizes=(8,), random_state=0).fit(X, y)
    >>> session = ReferenceEvaluator(to_onnx(model))
    >>> label, probabilities = session.run(None, {"X": X[:1]})
    >>> label, probabilities.shape
    (array([0]), (1, 3))
    """
    require_known("type of the input", dtype, _DTYPES)
    require_package("onnx")
    predictor = predictor_of(model)
    graph = _graph(predictor, dtype)
    found = compare(predictor, answers(graph), "ONNX", precision(graph), X=X)
    require(found)
    if path is not None:
        replace_file(path, graph.SerializeToString(), "the ONNX model")
    return graph


def read(path: str | os.PathLike[str]) -> Any:
    """The graph of a file."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        return onnx.load_model_from_string(Path(path).read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingError(f"cannot read '{path}': {reason}") from error
    except DecodeError as error:
        raise SettingError(f"'{path}' is not an ONNX model") from error


def answers(graph: Any) -> Callable[[NDArray[np.float64]], NDArray[Any]]:
    """What a graph answers to raw rows, by ONNX's own reference implementation."""
    from onnx.reference import ReferenceEvaluator

    session = ReferenceEvaluator(graph)
    dtype = np.float32 if precision(graph) == "single" else np.float64
    name: Any = session.input_names[0]

    def answer(rows: NDArray[np.float64]) -> NDArray[Any]:
        outputs: Any = session.run(None, {name: rows.astype(dtype)})
        return np.asarray(outputs[-1])

    return answer


def precision(graph: Any) -> Precision:
    """Of a graph's input."""
    import onnx

    taken = graph.graph.input[0].type.tensor_type.elem_type
    return "single" if taken == onnx.TensorProto.FLOAT else "double"


class _Nodes:
    """Nodes and constants, as they are added one after the other."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """A constant's name."""
        from onnx import TensorProto, helper, numpy_helper

        if values.dtype.kind in "iu":
            values = values.astype(np.int64)
        if values.dtype.kind in "UOT":
            texts: Any = [str(value).encode() for value in values.ravel()]
            made = helper.make_tensor(name, TensorProto.STRING, values.shape, texts)
        else:
            made = numpy_helper.from_array(np.array(values, order="C"), name)
        self.constants.append(made)
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """The output's name."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output


def _graph(predictor: Predictor, dtype: str) -> Any:
    from onnx import TensorProto, checker, helper

    nodes = _Nodes()
    taken = getattr(TensorProto, {"float32": "FLOAT", "float64": "DOUBLE"}[dtype])
    current = _standardized(nodes, predictor)
    layers = list(zip(predictor.kernels, predictor.biases))
    for number, (kernel, bias) in enumerate(layers, start=1):
        place = "output" if number == len(layers) else f"layer_{number}"
        weights = nodes.constant(f"{place}_kernel", kernel)
        shift = nodes.constant(f"{place}_bias", bias)
        current = nodes.add("Gemm", [current, weights, shift], f"{place}_sum")
        if number < len(layers):
            current = _activated(nodes, predictor.network.activation, current, place)
    outputs = _answered(nodes, predictor, current, taken)
    rows = _value("X", taken, predictor.network.inputs)
    graph = helper.make_graph(nodes.nodes, "shrinkage", [rows], outputs, nodes.constants)
    made = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR,
        producer_name="shrinkage",
        producer_version=version("shrinkage"),
    )
    helper.set_model_props(made, _metadata(predictor))
    checker.check_model(made, full_check=True)
    return made


def _standardized(nodes: _Nodes, predictor: Predictor) -> str:
    """(X − center) / scale in double precision, whatever comes in."""
    from onnx import TensorProto

    wide = nodes.add("Cast", ["X"], "X_wide", to=TensorProto.DOUBLE)
    shift = nodes.constant("center", predictor.center)
    shifted = nodes.add("Sub", [wide, shift], "centered")
    # Of an infinite scale, the factor is 0: that input counts 0.
    factor = nodes.constant("one_over_scale", 1.0 / predictor.scale)
    scaled = nodes.add("Mul", [shifted, factor], "scaled")
    bounds = [
        nodes.constant(name, np.array(value))
        for name, value in (("least", -FARTHEST), ("most", FARTHEST))
    ]
    clipped = nodes.add("Clip", [scaled, *bounds], "clipped")
    return nodes.add("Cast", [clipped], "standardized", to=TensorProto.FLOAT)


_OPERATORS: dict[str, tuple[str, dict[str, float]]] = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": LEAK}),
    "elu": ("Elu", {"alpha": 1.0}),
    "selu": ("Selu", {"alpha": SELU_ALPHA, "gamma": SELU_SCALE}),
    "tanh": ("Tanh", {}),
    "sigmoid": ("Sigmoid", {}),
}


def _activated(nodes: _Nodes, activation: str, current: str, place: str) -> str:
    if activation == "identity":
        return current
    if activation == "silu":
        gate = nodes.add("Sigmoid", [current], f"{place}_gate")
        return nodes.add("Mul", [current, gate], place)
    if activation == "gelu":
        return _gelu(nodes, current, place)
    kind, attributes = _OPERATORS[activation]
    return nodes.add(kind, [current], place, **attributes)


def _gelu(nodes: _Nodes, current: str, place: str) -> str:
    """x · Φ(x), with Φ(x) = (1 + erf(x / √2)) / 2."""
    constants = {
        name: nodes.constant(f"{place}_{name}", np.array(value, dtype=np.float32))
        for name, value in (("root_half", np.sqrt(0.5)), ("half", 0.5), ("one", 1.0))
    }
    small = nodes.add("Mul", [current, constants["root_half"]], f"{place}_small")
    erf = nodes.add("Erf", [small], f"{place}_erf")
    raised = nodes.add("Add", [erf, constants["one"]], f"{place}_raised")
    half = nodes.add("Mul", [current, constants["half"]], f"{place}_half_of_it")
    return nodes.add("Mul", [half, raised], place)


def _answered(nodes: _Nodes, predictor: Predictor, current: str, taken: int) -> list[Any]:
    """The head, and what people call its outputs."""
    from onnx import TensorProto

    if predictor.classes is None:
        wide = nodes.add("Cast", [current], "output_wide", to=TensorProto.DOUBLE)
        spread = nodes.constant("target_scale", predictor.target_scale)
        center = nodes.constant("target_center", predictor.target_center)
        spread_out = nodes.add("Mul", [wide, spread], "predicted_spread")
        predicted = nodes.add("Add", [spread_out, center], "predicted")
        nodes.add("Cast", [predicted], "variable", to=taken)
        return [_value("variable", taken, predictor.network.outputs)]
    if predictor.network.outputs == 1:
        second = nodes.add("Sigmoid", [current], "second")
        one = nodes.constant("certain", np.array(1.0, dtype=np.float32))
        first = nodes.add("Sub", [one, second], "first")
        nodes.add("Concat", [first, second], "probabilities", axis=1)
    else:
        nodes.add("Softmax", [current], "probabilities", axis=1)
    index = nodes.add("ArgMax", ["probabilities"], "index", axis=1, keepdims=0)
    labels = nodes.constant("classes", np.asarray(predictor.classes))
    nodes.add("Gather", [labels, index], "label", axis=0)
    kind = nodes.constants[-1].data_type
    return [
        _value("label", kind),
        _value("probabilities", TensorProto.FLOAT, len(predictor.classes)),
    ]


def _value(name: str, kind: int, *columns: int) -> Any:
    """The type of an input or output, with any number of rows."""
    from onnx import helper

    return helper.make_tensor_value_info(name, kind, ["rows", *columns])


def _metadata(predictor: Predictor) -> dict[str, str]:
    """What a person who finds the file wants to know."""
    classes = None if predictor.classes is None else list(map(str, predictor.classes))
    return {
        "network": str(predictor.network),
        "penalty": describe(predictor.penalty, predictor.lam),
        "lambda": repr(float(predictor.lam)),
        "convention": "mean loss + λ₁ Σ|w| + (λ₂/2) Σ w²",
        "preprocessing": "included: inputs are standardized in the graph",
        "columns": json.dumps(list(predictor.columns), ensure_ascii=False),
        "classes": json.dumps(classes, ensure_ascii=False),
        "training_rows": str(predictor.rows),
        "shrinkage": version("shrinkage"),
        "onnx": version("onnx"),
    }
