"""What an estimator holds as JSON and arrays, and back; only the records listed here are made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import model_selection

from shrinkage.data import Data, Part
from shrinkage.data.arrays import TestSet
from shrinkage.data.description import Description
from shrinkage.detect import Diagnosis
from shrinkage.intervals import Interval
from shrinkage.network import Network, layout
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso
from shrinkage.predictor import Predictor
from shrinkage.scores import Failures, PathPoint
from shrinkage.study import Fit, Status, Study, Trial
from shrinkage.training import Augmentation, Training
from shrinkage.tune import Selection

RECORDS = {
    kind.__name__: kind
    for kind in (
        *(L1, L2, ElasticNet, GroupLasso),
        *(Network, Augmentation, Training, Trial, Fit, Study),
        *(Data, Part, TestSet, Description),
        *(Predictor, PathPoint, Selection, Interval, Diagnosis, Failures),
    )
}
"""Frozen dataclasses; the one way to make an object of what a file says."""

SPLITTERS = (
    "KFold",
    "LeaveOneOut",
    "RepeatedKFold",
    "RepeatedStratifiedKFold",
    "ShuffleSplit",
    "StratifiedKFold",
    "StratifiedShuffleSplit",
    "TimeSeriesSplit",
)
"""Of scikit-learn; they are told by their settings."""

_PLAIN = (type(None), bool, int, str)


class Unstorable(Exception):
    """Something that is none of the above; it never leaves this package."""


class Writer:
    """Takes values apart; what is met twice is written once.

    Attributes
    ----------
    objects : list
        Records, as JSON; others point to them by their place.
    tensors : dict of str to ndarray
        Arrays of numbers, by name.
    """

    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.tensors: dict[str, NDArray[Any]] = {}
        # The values too, so that none is freed and its place taken by another.
        self._met: dict[int, tuple[Any, Any]] = {}

    def write(self, value: Any) -> Any:
        """A value as JSON.

        Raises
        ------
        Unstorable
            With the value, when it cannot be told.
        """
        if type(value) in _PLAIN:
            return value
        if type(value) is float:
            return value if isfinite(value) else {"float": repr(value)}
        if type(value) in (list, tuple):
            return {type(value).__name__: [self.write(item) for item in value]}
        if type(value) is dict:
            return {"dict": [[self.write(key), self.write(item)] for key, item in value.items()]}
        if isinstance(value, np.str_):
            return {"text": str(value)}
        if isinstance(value, np.generic):
            return {"scalar": self._tensor(np.asarray(value))}
        if isinstance(value, Status):
            return {"status": value.name}
        if isinstance(value, np.random.RandomState):
            return {"random_state": self.write(value.get_state(legacy=True))}
        if id(value) not in self._met:
            self._met[id(value)] = value, self._apart(value)
        return self._met[id(value)][1]

    def _apart(self, value: Any) -> Any:
        kind = type(value).__name__
        if type(value) is np.ndarray:
            return self._array(value)
        if RECORDS.get(kind) is type(value):
            told = {field.name: self.write(getattr(value, field.name)) for field in fields(value)}
            self.objects.append({"is": kind, "fields": told})
            return {"object": len(self.objects) - 1}
        if kind in SPLITTERS and type(value) is getattr(model_selection, kind):
            given = vars(value) | getattr(value, "cvargs", {})
            names = inspect.signature(type(value)).parameters
            return {"splitter": kind, "settings": {name: self.write(given[name]) for name in names}}
        raise Unstorable(value)

    def _array(self, values: NDArray[Any]) -> Any:
        shape = list(values.shape)
        if values.dtype.kind == "U":
            width = values.dtype.itemsize // np.dtype("U1").itemsize
            return {"texts": values.ravel().tolist(), "shape": shape, "width": width}
        if values.dtype.kind == "O":
            return {"items": [self.write(item) for item in values.ravel()], "shape": shape}
        return {"array": self._tensor(values)}

    def _tensor(self, values: NDArray[Any]) -> str:
        if values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
            raise Unstorable(values)
        name = str(len(self.tensors))
        self.tensors[name] = values
        return name


class Reader:
    """Puts values together again.

    Parameters
    ----------
    objects, tensors
        As a :class:`Writer` left them.
    """

    def __init__(self, objects: list[Any], tensors: dict[str, NDArray[Any]]) -> None:
        self.tensors = tensors
        self.objects: list[Any] = []
        for told in objects:  # each points to earlier ones only
            self.objects.append(self._record(told))

    def read(self, told: Any) -> Any:
        """A value; any of Python's usual errors when `told` makes no sense."""
        if type(told) in (*_PLAIN, float):
            return told
        (kind,) = told.keys() & _READ.keys()
        return _READ[kind](self, told)

    def _record(self, told: dict[str, Any]) -> Any:
        given = {name: self.read(value) for name, value in told["fields"].items()}
        record = RECORDS[told["is"]](**given)
        if isinstance(record, Part):
            _check_part(record)
        return record

    def _texts(self, told: dict[str, Any]) -> NDArray[np.str_]:
        texts = np.array([str(text) for text in told["texts"]], dtype=f"U{int(told['width'])}")
        return texts.reshape(told["shape"])

    def _items(self, told: dict[str, Any]) -> NDArray[np.object_]:
        items = np.empty(len(told["items"]), dtype=object)
        for place, item in enumerate(told["items"]):
            items[place] = self.read(item)
        return items.reshape(told["shape"])

    def _splitter(self, told: dict[str, Any]) -> Any:
        if told["splitter"] not in SPLITTERS:
            raise ValueError(told["splitter"])
        settings = {name: self.read(value) for name, value in told["settings"].items()}
        return getattr(model_selection, told["splitter"])(**settings)

    def _random_state(self, told: dict[str, Any]) -> np.random.RandomState:
        state = np.random.RandomState(0)
        state.set_state(self.read(told["random_state"]))
        return state


_READ: dict[str, Callable[[Reader, dict[str, Any]], Any]] = {
    "float": lambda _, told: float(told["float"]),
    "list": lambda reader, told: [reader.read(item) for item in told["list"]],
    "tuple": lambda reader, told: tuple(reader.read(item) for item in told["tuple"]),
    "dict": lambda reader, told: {reader.read(k): reader.read(v) for k, v in told["dict"]},
    "text": lambda _, told: np.str_(told["text"]),
    "scalar": lambda reader, told: reader.tensors[told["scalar"]][()],
    "status": lambda _, told: Status[told["status"]],
    "random_state": Reader._random_state,
    "splitter": Reader._splitter,
    "array": lambda reader, told: reader.tensors[told["array"]],
    "texts": Reader._texts,
    "items": Reader._items,
    "object": lambda reader, told: reader.objects[told["object"]],
}


def _check_part(part: Part) -> None:
    """Raise :class:`ValueError` unless a part's rows are all there; the kernels trust that too."""
    rows = len(part.inputs)
    if not len(part.targets) == len(part.weights) == rows:
        raise ValueError("rows")
    for some in (part.train, part.validation):
        if some.dtype != np.int64 or some.ndim != 1 or np.any((some < 0) | (some >= rows)):
            raise ValueError("rows")
    if part.inputs.shape[1] not in (0, len(part.columns)):
        raise ValueError("columns")


def check(predictor: Any) -> None:
    """Raise one of Python's usual errors unless a predictor is whole, and answers.

    The engine's kernels trust the sizes that a network speaks of.
    """
    if not isinstance(predictor, Predictor) or not isinstance(predictor.network, Network):
        raise TypeError("no network")
    network, classes = predictor.network, predictor.classes
    inputs, outputs = (network.inputs,), (network.outputs,)
    shapes = {"parameters": (layout(network).size,), "center": inputs, "scale": inputs}
    if classes is None:
        shapes |= {"target_center": outputs, "target_scale": outputs}
    elif classes.shape != (max(2, network.outputs),):
        raise ValueError("classes")
    for name, shape in shapes.items():
        if getattr(predictor, name).shape != shape:
            raise ValueError(name)
    if not all(type(size) is int for size in network.sizes):
        raise TypeError("sizes")
    heads = {
        "mean_squared_error": classes is None,
        "binary_cross_entropy": classes is not None and network.outputs == 1,
        "cross_entropy": classes is not None and network.outputs > 1,
    }
    if not heads[predictor.training.loss]:
        raise ValueError("loss")
    predictor.predictions(predictor.center[None])
