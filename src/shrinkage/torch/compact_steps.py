"""Steps without parameters: elementwise ones, pooling, and those that move numbers about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from shrinkage.torch.compact_channels import Channels, Floats, Value
from shrinkage.torch.compact_tracing import Traced

_FUNCTIONS = """
relu relu6 leaky_relu elu selu celu gelu silu mish hardswish hardsigmoid hardtanh sigmoid tanh
softplus softsign logsigmoid tanhshrink softshrink hardshrink threshold exp log log1p expm1 sqrt
rsqrt abs neg square sin cos erf clamp clip clamp_min clamp_max sign contiguous clone detach float
double half bfloat16 dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout
"""
_LAYERS = """
Identity ReLU ReLU6 LeakyReLU ELU SELU CELU GELU SiLU Mish Hardswish Hardsigmoid Hardtanh Sigmoid
Tanh Softplus Softsign LogSigmoid Tanhshrink Softshrink Hardshrink Threshold Dropout Dropout1d
Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout
"""
_MOVING = (
    "flatten view reshape squeeze unsqueeze permute transpose movedim unflatten mean amax amin"
)
_POOLING = "MaxPool AvgPool AdaptiveMaxPool AdaptiveAvgPool ZeroPad ReflectionPad ReplicationPad \
ConstantPad CircularPad max_pool avg_pool adaptive_max_pool adaptive_avg_pool"

ELEMENTWISE = frozenset([*_FUNCTIONS.split(), *_LAYERS.split()])
BINARY = frozenset(["add", "sub", "mul", "truediv", "div", "pow", "maximum", "minimum"])
MOVING = frozenset(_MOVING.split())
POOLS = frozenset(
    [f"{kind}{dimensions}d" for kind in _POOLING.split() for dimensions in (1, 2, 3)]
    + ["Upsample", "UpsamplingNearest2d", "interpolate"]
)
_IN_PLACE = {"iadd": "add", "isub": "sub", "imul": "mul", "itruediv": "truediv", "ipow": "pow"}
_SAME = 1e-6
"""Relative spread within which what pooling makes of a constant counts as one number."""


def step_name(node: fx.Node) -> str:
    """What a function or method is called, in place or not: ``"relu"``, ``"add"``."""
    if node.op == "call_module":
        return str(node.target)
    name = str(getattr(node.target, "__name__", node.target)).strip("_")
    return _IN_PLACE.get(name, {"concat": "cat", "concatenate": "cat"}.get(name, name))


def applied(node: fx.Node, stand_ins: Mapping[fx.Node, Any], results: Mapping[fx.Node, Any]) -> Any:
    """What a function or method gives when some of its arguments are replaced."""

    def argument(one: fx.Node) -> Any:
        return stand_ins[one] if one in stand_ins else results[one]

    args = fx.node.map_arg(node.args, argument)
    kwargs = fx.node.map_arg(node.kwargs, argument)
    if node.op == "call_method":
        return getattr(args[0], str(node.target))(*args[1:], **kwargs)
    assert callable(node.target)
    return node.target(*args, **kwargs)


def applied_to_constants(
    node: fx.Node, taken: Value, results: Mapping[fx.Node, Any]
) -> Floats | None:
    """An elementwise step on the constants; None where another tensor with channels joins in."""
    if step_name(node).endswith(("dropout", "dropout1d", "dropout2d", "dropout3d")):
        return taken.constant
    (source,) = [one for one in node.all_input_nodes if _is(results[one], taken)]
    others = {one: results[one] for one in node.all_input_nodes if one is not source}
    tensors = {one: got.cpu() for one, got in others.items() if isinstance(got, torch.Tensor)}
    if any(one.numel() != 1 for one in tensors.values()):
        if any(_has_channels(one, taken) for one in tensors.values()):
            return None
        return np.full_like(taken.constant, np.nan)
    single = {one: got.reshape(()) for one, got in tensors.items()}
    found: Floats = (
        applied(node, {source: torch.tensor(taken.constant), **single}, results).double().numpy()
    )
    return found


def _is(result: Any, taken: Value) -> bool:
    return isinstance(result, torch.Tensor) and tuple(result.shape) == taken.shape


def _has_channels(other: torch.Tensor, taken: Value) -> bool:
    """Whether a tensor that joins elementwise has numbers of its own for each channel."""
    from_right = len(taken.shape) - taken.axis
    return other.dim() >= from_right and other.shape[-from_right] != 1


def pooled_constants(
    node: fx.Node, taken: Value, results: Mapping[fx.Node, Any], layer: nn.Module | None = None
) -> Floats:
    """What pooling, padding or resizing makes of constants; NaN where they vary at the border."""
    shape = (1, *taken.shape[1:])
    constants = torch.tensor(taken.constant).reshape(-1, *(1,) * (len(shape) - 2))
    tensor = constants.expand(shape).contiguous()
    if layer is not None:
        result = layer(tensor)
    else:
        (source,) = [one for one in node.all_input_nodes if _is(results[one], taken)]
        result = applied(node, {source: tensor}, results)
    flat = result.reshape(result.shape[1], -1)
    low, high = flat.amin(dim=1), flat.amax(dim=1)
    same = high - low <= _SAME * high.abs()
    found: Floats = torch.where(same, (low + high) / 2, torch.nan).numpy()
    return found


def moved(node: fx.Node, taken: Value, traced: Traced) -> Value | None:
    """Where each channel is after a step that moves numbers or averages over other axes.

    Random numbers stand in for the channels; each place of the result then shows whose it is.
    Their negatives have to show the same, which a maximum over channels does not.

    Returns
    -------
    Value or None
        None where channels cannot be told apart afterwards.
    """
    draws = np.random.default_rng(0).uniform(1, 2, len(taken.slots))
    sides = [1] * len(taken.shape)
    sides[taken.axis] = -1
    places: list[np.ndarray[Any, Any]] = []
    axis, shape = 0, (0,)
    for sign in (1.0, -1.0):
        tensor = torch.tensor(sign * draws).reshape(sides).expand(taken.shape).contiguous()
        if node.op == "call_module":
            result = traced.module.get_submodule(str(node.target))(tensor)
        elif step_name(node) == "squeeze" and len(node.args) + len(node.kwargs) == 1:
            return None  # it would drop the channels, too, once a single one is left
        else:
            (source,) = [one for one in node.all_input_nodes if _is(traced.results[one], taken)]
            result = applied(node, {source: tensor}, traced.results)
        found = _axis_of(result, taken.axis)
        if found is None:
            return None
        axis, line = found
        shape = tuple(result.shape)
        order = np.argsort(draws)
        near = np.searchsorted(draws[order], sign * line - 1e-9).clip(0, len(draws) - 1)
        places.append(order[near])
        if np.abs(draws[places[-1]] - sign * line).max() > 1e-9:
            return None
    if not np.array_equal(places[0], places[1]):
        return None
    return Value(shape, axis, taken.slots[places[0]], taken.constant[places[0]])


def _axis_of(result: Any, preferred: int) -> tuple[int, Floats] | None:
    """The axis along which alone a tensor varies, and its numbers along it."""
    axes = [preferred, *(axis for axis in range(1, result.dim()) if axis != preferred)]
    for axis in axes:
        if not 1 <= axis < result.dim():
            continue
        lines = result.movedim(axis, 0).reshape(result.shape[axis], -1)
        if lines.numel() and bool((lines - lines[:, :1]).abs().max() <= 1e-9):
            return axis, lines[:, 0].numpy()
    return None


def adds_axes(node: fx.Node) -> bool:
    """Whether indexing takes all there is, and at most adds axes: ``[:, :, None]``."""
    if step_name(node) != "getitem" or len(node.args) != 2:
        return False
    index = node.args[1] if isinstance(node.args[1], tuple) else (node.args[1],)
    return all(one is None or one is ... or one == slice(None) for one in index)


def writes_over(node: fx.Node, traced: Traced) -> fx.Node | None:
    """The node whose tensor a step changes in place, where another step may still read it."""
    if not node.all_input_nodes or len(node.all_input_nodes[0].users) == 1:
        return None
    if node.op == "call_module":
        inplace = getattr(traced.module.get_submodule(str(node.target)), "inplace", False)
    else:
        name = str(getattr(node.target, "__name__", node.target))
        by_name = name.endswith("_") and not name.endswith("__")
        inplace = by_name or name in _IN_PLACE or node.kwargs.get("inplace", False)
    return node.all_input_nodes[0] if inplace else None


def written_out(node: fx.Node, shape: tuple[int, ...], axis: int) -> int | None:
    """Which of the sizes that a step is given is the number of channels, written as a number."""
    if node.op == "call_module" or step_name(node) not in ("view", "reshape"):
        return None
    given = node.args[1:]
    sizes = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
    if len(sizes) == len(shape) and isinstance(sizes[axis], int) and sizes[axis] != -1:
        return axis
    return None


def together(
    channels: Channels, node: fx.Node, values: Mapping[fx.Node, Value], results: Mapping[Any, Any]
) -> Value | None:
    """Two tensors that meet channel by channel, or several one after the other along them."""
    parts = [values[one] for one in node.all_input_nodes if one in values]
    first, shape = parts[0], tuple(results[node].shape)
    if any(part.axis != first.axis or len(part.shape) != len(shape) for part in parts):
        return None
    if step_name(node) == "cat":
        return _one_after_the_other(node, parts, shape)
    if len(parts) != 2 or len(node.all_input_nodes) != 2:
        return None
    one, other = parts
    if len(one.slots) != len(other.slots):
        short, long = sorted(parts, key=lambda part: len(part.slots))
        if len(short.slots) != 1:
            return None
        channels.pin(short)
        return Value(shape, long.axis, long.slots, np.full(len(long.slots), np.nan))
    channels.slots.join(one.slots, other.slots)
    tensors = {source: torch.tensor(values[source].constant) for source in node.all_input_nodes}
    constant = applied(node, tensors, results).numpy()
    if step_name(node) == "mul":
        constant = np.where((one.constant == 0) | (other.constant == 0), 0.0, constant)
    return Value(shape, first.axis, one.slots, constant)


def _one_after_the_other(node: fx.Node, parts: list[Value], shape: tuple[int, ...]) -> Value | None:
    """Of ``torch.cat`` along the channels; some may be there twice."""
    axis = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
    tensors = node.args[0] if node.args else node.kwargs.get("tensors")
    if not isinstance(axis, int) or axis % len(shape) != parts[0].axis:
        return None
    if not isinstance(tensors, tuple | list) or len(tensors) != len(parts):
        return None
    return Value(
        shape,
        parts[0].axis,
        np.concatenate([part.slots for part in parts]),
        np.concatenate([part.constant for part in parts]),
    )
