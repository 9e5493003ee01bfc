"""What each step of a module's computation does to channels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from shrinkage.torch.compact_channels import Channels, Flags, Floats, Mixing, Value
from shrinkage.torch.compact_entry import axis_read
from shrinkage.torch.compact_steps import (
    BINARY,
    ELEMENTWISE,
    MOVING,
    POOLS,
    adds_axes,
    applied_to_constants,
    moved,
    pooled_constants,
    step_name,
    together,
    writes_over,
    written_out,
)
from shrinkage.torch.compact_tracing import Traced, tensors_of


class Reading:
    """Goes through a traced computation, step by step.

    Parameters
    ----------
    traced : Traced
        The computation.
    alone : set of str
        Names of the layers that run once and share no parameter: only these can be cut.

    Attributes
    ----------
    channels : Channels
        What was found.
    values : dict
        For each node that gives a tensor of numbers, its channels.
    layers : dict
        For each layer that is cut with its channels, what it takes and gives.
    literals : list of (node, int, Value)
        Places in a step's arguments that hold a number of channels.
    """

    def __init__(self, traced: Traced, alone: set[str]) -> None:
        self.traced = traced
        self.alone = alone
        self.channels = Channels()
        self.values: dict[fx.Node, Value] = {}
        self.layers: dict[str, tuple[Value, Value]] = {}
        self.literals: list[tuple[fx.Node, int, Value]] = []
        self._varying: set[fx.Node] = set()

    def read(self, entry: fx.Node | None, axis: int) -> None:
        """All steps; inputs may be left out along an axis of the entry."""
        for node in self.traced.graph.nodes:
            if node.op == "placeholder" or node is entry:
                self._varying.add(node)
            if entry is not None and node is entry:
                self._fresh(node, axis=axis or 1)
                self._literal(node)
            elif node.op == "placeholder":
                value = self._fresh(node)
                if value is not None and not (entry is not None and node in entry.all_input_nodes):
                    self.channels.pin(value)
            elif node.op == "output":
                for given in node.all_input_nodes:
                    if given in self.values:
                        self.channels.pin(self.values[given])
            elif node.op in ("call_module", "call_function", "call_method"):
                self._step(node)

    def _step(self, node: fx.Node) -> None:
        self._find(node)
        source = writes_over(node, self.traced)
        if source is not None and source in self.values:
            value = self.values[source]
            self.values[source] = replace(value, constant=np.full_like(value.constant, np.nan))

    def _find(self, node: fx.Node) -> None:
        taken = [one for one in node.all_input_nodes if one in self.values]
        if not any(True for _ in tensors_of(self.traced.results[node])):
            return  # a length, say
        if not self._varying.intersection(node.all_input_nodes):
            return  # made of parameters alone, so the same for all rows
        self._varying.add(node)
        if not taken:
            if (value := self._fresh(node)) is not None:
                self.channels.pin(value)
            return
        found = None
        if len(taken) == 1:
            found = self._single(node, self.values[taken[0]])
        elif node.op != "call_module" and step_name(node) in (*BINARY, "cat"):
            found = together(self.channels, node, self.values, self.traced.results)
        if found is not None and found.shape[found.axis] == len(found.slots):
            self.values[node] = found
            return
        for one in taken:
            self.channels.pin(self.values[one], f"{self._named(node)} needs all channels it takes")
        if (value := self._fresh(node)) is not None:
            self.channels.pin(value)

    def _single(self, node: fx.Node, taken: Value) -> Value | None:
        """What a step gives that takes one tensor; None where nothing is known of it."""
        if node.op == "call_module":
            layer = self.traced.module.get_submodule(str(node.target))
            return self._layer(node, layer, taken)
        name, results = step_name(node), self.traced.results
        if name in ELEMENTWISE or name in BINARY:
            constant = applied_to_constants(node, taken, results)
            return None if constant is None else self._like(node, taken, constant)
        if name in POOLS and taken.axis == 1:
            return self._like(node, taken, pooled_constants(node, taken, results))
        if name in MOVING or adds_axes(node):
            return self._moved(node, taken)
        return None

    def _layer(self, node: fx.Node, layer: nn.Module, taken: Value) -> Value | None:
        kind = type(layer)
        if kind.__name__ in ELEMENTWISE:
            return self._like(node, taken, _elementwise(layer, taken.constant))
        if kind.__name__ in POOLS and taken.axis == 1:
            constant = pooled_constants(node, taken, self.traced.results, layer)
            return self._like(node, taken, constant)
        if kind in (nn.Flatten, nn.Unflatten):
            return self._moved(node, taken)
        if str(node.target) not in self.alone:
            return None
        if isinstance(layer, nn.Linear) and taken.axis == len(taken.shape) - 1:
            return self._mixing(node, taken, _weights(layer), layer.bias)
        if isinstance(layer, _ConvNd) and (taken.axis, len(taken.shape)) == (1, layer.weight.dim()):
            if layer.groups == 1:
                return self._mixing(node, taken, _weights(layer), layer.bias, layer)
            return self._depthwise(node, taken, layer)
        if isinstance(layer, _BatchNorm) and taken.axis == 1 and layer.running_mean is not None:
            return self._normalized(node, taken, layer)
        if isinstance(layer, nn.PReLU) and taken.axis == 1:
            return self._prelu(node, taken, layer)
        return None

    def _mixing(
        self,
        node: fx.Node,
        taken: Value,
        weights: torch.Tensor,
        bias: torch.Tensor | None,
        conv: _ConvNd | None = None,
    ) -> Value | None:
        given = self._fresh(node, axis=taken.axis)
        if given is None:
            return None
        uses = _numbers((weights != 0).any(dim=2)).astype(np.bool_)
        sums = _numbers(weights.double().sum(dim=2))
        foldable = np.isfinite(taken.constant)
        if conv is not None and _border(conv):
            foldable &= taken.constant == 0
            self._note_border(node, taken, uses & ~foldable[None, :])
        constant = np.where(foldable, taken.constant, 0.0)
        added = _numbers(bias) if bias is not None else np.zeros(len(sums))
        varies = np.any(uses & ~foldable, axis=1)
        given = replace(given, constant=np.where(varies, np.nan, added + sums @ constant))
        layer = Mixing(str(node.target), taken, given, sums, uses, foldable)
        self.channels.mixing.append(layer)
        self.layers[layer.name] = (taken, given)
        return given

    def _depthwise(self, node: fx.Node, taken: Value, conv: _ConvNd) -> Value | None:
        """Each input channel on its own; other groups are left as they are."""
        if conv.groups != conv.in_channels or isinstance(conv, _ConvTransposeNd):
            return None
        given = self._fresh(node, axis=1)
        if given is None:
            return None
        times = conv.out_channels // conv.in_channels
        self.channels.slots.join(given.slots, np.repeat(taken.slots, times))
        constant = np.repeat(taken.constant, times)
        foldable = np.isfinite(constant)
        if _border(conv):
            foldable &= constant == 0
        sums = _numbers(conv.weight.double().flatten(1).sum(dim=1))
        none = _numbers((conv.weight == 0).flatten(1).all(dim=1)).astype(np.bool_)
        added = _numbers(conv.bias) if conv.bias is not None else np.zeros(len(sums))
        value = added + np.where(none, 0.0, sums * np.where(foldable, constant, 0.0))
        given = replace(given, constant=np.where(none | foldable, value, np.nan))
        self.layers[str(node.target)] = (taken, given)
        return given

    def _normalized(self, node: fx.Node, taken: Value, norm: _BatchNorm) -> Value:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = 1 / np.sqrt(_numbers(norm.running_var) + norm.eps)
        shift: Floats = np.zeros_like(scale)
        if norm.affine:
            scale, shift = scale * _numbers(norm.weight), _numbers(norm.bias)
        centred = np.where(scale == 0, 0.0, taken.constant - _numbers(norm.running_mean))
        given = self._like(node, taken, centred * scale + shift)
        self.layers[str(node.target)] = (taken, given)
        return given

    def _prelu(self, node: fx.Node, taken: Value, layer: nn.PReLU) -> Value:
        slope, constant = _numbers(layer.weight), taken.constant
        given = self._like(node, taken, np.where(constant < 0, slope * constant, constant))
        if layer.num_parameters > 1:
            self.layers[str(node.target)] = (taken, given)
        return given

    def _moved(self, node: fx.Node, taken: Value) -> Value | None:
        value = moved(node, taken, self.traced)
        if value is not None:
            self.values[node] = value
            self._literal(node)
        return value

    def _literal(self, node: fx.Node) -> None:
        """Remember where a step's arguments say how many channels there are."""
        value = self.values[node]
        place = written_out(node, value.shape, value.axis)
        if place is not None:
            self.literals.append((node, place, value))

    def _note_border(self, node: fx.Node, taken: Value, kept: Flags) -> None:
        count = int(np.sum(np.any(kept, axis=0) & np.isfinite(taken.constant)))
        if count:
            what = "1 channel is" if count == 1 else f"{count} channels are"
            stay = "stays" if count == 1 else "stay"
            self.channels.notes.append(
                f"{what} constant and {stay}: the border of zeros that {self._named(node)} adds "
                "differs from that constant"
            )

    def _fresh(self, node: fx.Node, axis: int | None = None) -> Value | None:
        """A tensor's channels before anything is known of them; None where it is no tensor."""
        result = self.traced.results[node]
        if not isinstance(result, torch.Tensor) or not result.dim():
            return None
        place = axis_read(node, self.traced) if axis is None else axis
        place = min(place, result.dim() - 1)
        count = result.shape[place]
        value = Value(
            tuple(result.shape), place, self.channels.slots.new(count), np.full(count, np.nan)
        )
        self.values[node] = value
        return value

    def _like(self, node: fx.Node, taken: Value, constant: Floats) -> Value:
        """The same channels after a step that looks at each on its own."""
        shape = tuple(self.traced.results[node].shape)
        return Value(shape, taken.axis, taken.slots, constant)

    def _named(self, node: fx.Node) -> str:
        if node.op != "call_module":
            return f"the step '{step_name(node)}'"
        layer = self.traced.module.get_submodule(str(node.target))
        return f"the layer '{node.target}' ({type(layer).__name__})"


def _elementwise(layer: nn.Module, constant: Floats) -> Floats:
    if type(layer).__name__.startswith(("Dropout", "AlphaDropout", "FeatureAlphaDropout")):
        return constant
    return _numbers(layer(torch.tensor(constant)))


def _weights(layer: nn.Linear | _ConvNd) -> torch.Tensor:
    """Of shape (outputs, inputs, kernel)."""
    weights = layer.weight.detach()
    if isinstance(layer, _ConvTransposeNd):
        weights = weights.transpose(0, 1)
    return weights.reshape(*weights.shape[:2], -1)


def _border(conv: _ConvNd) -> bool:
    """Whether what a constant channel adds differs at the border."""
    if isinstance(conv, _ConvTransposeNd):
        return True
    padded = conv.padding != "valid" and (conv.padding == "same" or any(conv.padding))
    return bool(padded) and conv.padding_mode == "zeros"


def _numbers(tensor: Any) -> Floats:
    found: Floats = tensor.detach().cpu().double().numpy()
    return found
