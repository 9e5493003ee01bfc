"""What the layers of a Keras model say besides their weights: their order, what they carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from shrinkage.keras.layers import Place, attribute_of, graph_outputs, layers_of
from shrinkage.keras.running import run_order

Pairs = list[tuple[str, str]]

_DROPOUTS = (
    layers.AlphaDropout,
    layers.Dropout,
    layers.GaussianDropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
)

_MEANT = (*_DROPOUTS, layers.BatchNormalization)


def dropout_before_batch_norm(model: Any, example: Any = None) -> tuple[Pairs, Pairs]:
    """Batch normalizations, each with the last dropout before it.

    Parameters
    ----------
    model : keras.Model
        Built.
    example : array or tuple of arrays, optional
        Inputs that tell the order within a subclass.

    Returns
    -------
    sure, likely : list of (str, str)
        Names of dropout and normalization: along the graph of a functional or sequential model, or
        as they run on the example; and within what only runs, in the order of definition.
    """
    order = _Order({id(layer): name for name, layer in layers_of(model)})
    if example is not None and graph_outputs(model) is None:
        run = run_order(model, example)
        order.along([one for one in run if isinstance(one, _MEANT)], None, sure=True)
        return order.sure, []
    order.through(model, None)
    return order.sure, [pair for pair in order.likely if pair not in order.sure]


class _Order:
    """Follows a graph from the inputs, with the last dropout that was passed."""

    def __init__(self, names: dict[int, str]) -> None:
        self._names = names
        self.sure: Pairs = []
        self.likely: Pairs = []

    def through(self, layer: Any, before: str | None, *, sure: bool = True) -> str | None:
        """The last dropout after `layer`, where `before` was the last one before it."""
        while isinstance(layer, layers.Wrapper) and not isinstance(layer, layers.Bidirectional):
            layer = layer.layer
        if isinstance(layer, _DROPOUTS):
            return self._names[id(layer)] if _drops_units(layer) else before
        if isinstance(layer, layers.BatchNormalization):
            if before is not None and layer.trainable:  # a frozen one keeps its averages
                pair = (before, self._names[id(layer)])
                into = self.sure if sure else self.likely
                into += [pair] if pair not in into else []
            return before
        if isinstance(layer, keras.Sequential):
            return self.along(layer.layers, before, sure=sure)
        if isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth"):
            return self._graph(layer, before, sure=sure)
        return self.along(layer._layers, before, sure=False)

    def along(self, parts: Iterable[Any], before: str | None, *, sure: bool) -> str | None:
        """The same for layers one after another."""
        for part in parts:
            before = self.through(part, before, sure=sure)
        return before

    def _graph(self, model: Any, before: str | None, *, sure: bool) -> str | None:
        last = {id(tensor): before for tensor in keras.tree.flatten(model.inputs)}
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                if node.is_input:
                    continue
                passed = _any(last.get(id(tensor)) for tensor in node.input_tensors)
                if isinstance(node.operation, keras.Layer):
                    passed = self.through(node.operation, passed, sure=sure)
                last |= {id(tensor): passed for tensor in node.outputs}
        return _any(last.get(id(tensor)) for tensor in keras.tree.flatten(model.outputs))


def _drops_units(layer: Any) -> bool:
    """A noise of one value for a whole row drops a branch instead (stochastic depth)."""
    noise = getattr(layer, "noise_shape", None)
    whole = noise is not None and all(side == 1 for side in noise[1:])
    return bool(layer.rate > 0) and not whole


def _any(names: Iterable[str | None]) -> str | None:
    return next((name for name in names if name is not None), None)


@dataclass(frozen=True)
class Idle:
    """What a layer says that it has, and its weight does not.

    Parameters
    ----------
    layer, parameter : str
        Names.
    attribute : str
        Of the layer: ``"kernel_regularizer"``.
    what : str
        ``"regularizer"`` or ``"constraint"``.
    """

    layer: str
    parameter: str
    attribute: str
    what: str


def set_after_building(places: Iterable[Place]) -> Iterator[Idle]:
    """Regularizers and constraints of layers that their weights do not have.

    Parameters
    ----------
    places : iterable of Place
        Of a model.

    Yields
    ------
    Idle
        One for each.
    """
    for place in places:
        for what in ("regularizer", "constraint"):
            attribute = attribute_of(place.layer, place.variable, what)
            said = getattr(place.layer, attribute, None)
            if said is not None and not _same(said, getattr(place.variable, what)):
                yield Idle(place.parameter.layer, place.parameter.name, attribute, what)


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return type(one) is type(other) and bool(one.get_config() == other.get_config())
    except NotImplementedError:
        return False
