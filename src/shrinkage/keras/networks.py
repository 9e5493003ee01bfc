"""A Keras model of one's own as a network that trials can be about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.errors import SettingError
from shrinkage.frameworks.selectors import HIDDEN_KERNELS, chosen
from shrinkage.keras.factories import Head, last_layer
from shrinkage.keras.layers import places_of
from shrinkage.keras.rows import answers_of
from shrinkage.keras.seeding import seeded
from shrinkage.keras.values import numpy_of
from shrinkage.network import Block, Kind, Layout, OwnNetwork
from shrinkage.study import Fit, Trial

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Array:
    """One of the model's arrays and its place in the flat vector.

    Parameters
    ----------
    position : int
        Among ``model.weights``.
    start : int
        Its first number in the vector.
    shape : tuple of int
        In Keras' order.
    """

    position: int
    start: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        """First number after it."""
        return self.start + int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, eq=False, kw_only=True)
class KerasNetwork(OwnNetwork):
    """A model that a factory makes, with the order of its arrays in one flat vector.

    Parameters
    ----------
    factory : callable
        Makes a fresh model; called once for each training, with Keras' seed set.
    arrays : tuple of Array
        In the order of the vector: what is penalized, what else is trained, what is not.
    penalized : int
        So many of them, from the first, are penalized.
    shape : tuple of int
        Of one row, as the model takes it.
    whole : bool, default False
        Whether inputs are whole numbers, such as tokens.
    head : str, default "none"
        ``"sigmoid"`` or ``"softmax"`` where the model ends with one, which is left out here:
        losses take logits.
    logits_of_two : bool, default False
        Whether the model answers one number for each of two classes; their difference counts.
    workers : dict
        Compiled models by what they were compiled for, as long as a search goes on.
    """

    factory: Callable[[], Any]
    arrays: tuple[Array, ...]
    penalized: int
    shape: tuple[int, ...]
    whole: bool = False
    head: Head = "none"
    logits_of_two: bool = False
    workers: dict[Any, Any] = field(default_factory=dict, repr=False)
    _kept: dict[str, Any] = field(default_factory=dict)

    def train(
        self, trials: Iterable[Trial], data: Data, *, expired: Callable[[], bool] | None = None
    ) -> Iterator[Fit]:
        """Train one trial after another; see :func:`shrinkage.train`."""
        from shrinkage.keras.training import train_each

        return train_each(self, trials, data, expired)

    def fresh(self, seed: int) -> Any:
        """A model that answers logits, with first weights of this seed and no regularizers.

        Raises
        ------
        SettingError
            When the factory makes another architecture than at first.
        """
        with seeded(seed):
            model = self.factory()
        found = [tuple(variable.shape) for variable in model.weights]
        if len(found) != len(self.arrays) or any(
            found[array.position] != array.shape for array in self.arrays
        ):
            raise SettingError(
                "the factory makes different models: it had arrays of other shapes at first; let "
                "it make the same architecture every time"
            )
        for variable in model.weights:
            variable.regularizer = None
        if self.head != "none":
            last_layer(model).activation = keras.activations.linear
        return model

    def vector_of(self, model: Any) -> NDArray[np.float32]:
        """The arrays of such a model as one vector (P,)."""
        weights = model.weights
        vector = np.empty(self.places.size, dtype=np.float32)
        for array in self.arrays:
            vector[array.start : array.stop] = numpy_of(weights[array.position]).ravel()
        return vector

    def put(self, parameters: NDArray[np.float32], model: Any) -> None:
        """Write the numbers of a vector (P,) into a model."""
        weights = model.weights
        for array in self.arrays:
            numbers = parameters[array.start : array.stop].reshape(array.shape)
            weights[array.position].assign(numbers)

    def model_of(self, parameters: NDArray[np.float32]) -> Any:
        """A model of the user's own make with the numbers of a fit."""
        model = self.factory()
        self.put(parameters, model)
        return model

    def rows(self, inputs: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Flat rows (rows, inputs) as the model takes them."""
        shaped = inputs.reshape(-1, *self.shape)
        return np.rint(shaped).astype(np.int32) if self.whole else shaped.astype(np.float32)

    def answers(self, model: Any, inputs: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """What a model answers before the head, (rows, outputs), with layers as in evaluation."""
        found = [
            np.asarray(answers_of(model, self.rows(inputs[first : first + _ROWS_AT_ONCE])))
            for first in range(0, len(inputs), _ROWS_AT_ONCE)
        ]
        if not found:
            return np.empty((0, self.outputs), dtype=np.float32)
        logits = np.concatenate(found).reshape(len(inputs), -1).astype(np.float32)
        return logits[:, 1:] - logits[:, :1] if self.logits_of_two else logits

    def logits(
        self, parameters: NDArray[np.float32], inputs: NDArray[np.floating[Any]]
    ) -> NDArray[np.floating[Any]]:
        """What the model answers in evaluation mode before the head, (rows, outputs).

        Keras computes in single precision, whatever the type of the inputs.
        """
        if "model" not in self._kept:
            self._kept["model"] = self.fresh(0)
        self.put(parameters, self._kept["model"])
        return self.answers(self._kept["model"], inputs).astype(inputs.dtype)


def network_of(
    factory: Callable[[], Any],
    model: Any,
    rows: NDArray[Any],
    outputs: int,
    *,
    head: Head,
    logits_of_two: bool,
    on: str | Sequence[str] = HIDDEN_KERNELS,
    output: str | Sequence[str] | None = None,
) -> KerasNetwork:
    """The order of a model's arrays in one vector, and all else that training needs to know.

    Parameters
    ----------
    factory : callable
        Makes models.
    model : keras.Model
        One of them.
    rows : ndarray, shape (rows, …)
        Inputs.
    outputs : int
        In this package's convention: 1 for two classes.
    head : str
        What it ends with.
    logits_of_two : bool
        Whether two numbers stand for two classes.
    on : str or sequence of str, default "hidden kernels"
        What is penalized; see :func:`shrinkage.frameworks.selectors.chosen`.
    output : str or sequence of str, optional
        Name of the output layer where the model does not tell.
    """
    places = places_of(model, output=output)
    meant = {p.name for p in chosen(on, [place.parameter for place in places])}
    first = [place for place in places if place.parameter.name in meant]
    others = [
        place for place in places if place.parameter.trainable and place.parameter.name not in meant
    ]
    known = {id(place.variable): place for place in places}
    position = {id(variable): n for n, variable in enumerate(model.weights)}
    ordered = [place.variable for place in (*first, *others)]
    done = {id(variable) for variable in ordered}
    ordered += [variable for variable in model.weights if id(variable) not in done]
    numbers = {layer: n for n, layer in enumerate(dict.fromkeys(p.parameter.layer for p in places))}
    answering = {p.parameter.layer for p in places if p.parameter.kind == "output kernel"}
    arrays: list[Array] = []
    blocks: list[Block] = []
    start = 0
    for variable in ordered:
        shape = tuple(int(side) for side in variable.shape)
        arrays.append(Array(position[id(variable)], start, shape))
        if id(variable) in known:
            parameter = known[id(variable)].parameter
            kind = _kind(parameter.kind, output=parameter.layer in answering)
            shown = (int(np.prod(shape[:-1])), shape[-1]) if kind.endswith("kernel") else shape
            blocks.append(
                Block(numbers[parameter.layer] + 1, kind, start, shown, label=parameter.name)
            )
        else:
            blocks.append(Block(0, "state", start, shape, label=variable.path))
        start = arrays[-1].stop
    return KerasNetwork(
        name=type(model).__name__ if type(model) not in _PLAIN else model.name,
        inputs=int(np.prod(rows.shape[1:])),
        outputs=outputs,
        places=Layout(tuple(blocks), reach=arrays[len(first) - 1].stop),
        multiplications=sum(int(np.prod(p.parameter.shape)) for p in places),
        factory=factory,
        arrays=tuple(arrays),
        penalized=len(first),
        shape=tuple(rows.shape[1:]),
        whole=np.issubdtype(rows.dtype, np.integer),
        head=head,
        logits_of_two=logits_of_two,
    )


_PLAIN = (keras.Sequential, keras.Model)


def _kind(kind: str, *, output: bool) -> Kind:
    if kind in ("hidden kernel", "output kernel"):
        return kind  # type: ignore[return-value]  # one of two kinds, by the line above
    if kind == "bias":
        return "output bias" if output else "hidden bias"
    return "other"
