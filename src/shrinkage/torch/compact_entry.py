"""Where a module's columns come in, and rows that it takes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import fx, nn

from shrinkage.torch.compact_channels import Value
from shrinkage.torch.compact_steps import applied, step_name
from shrinkage.torch.compact_tracing import Traced

_CHANNELS_FIRST = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True, eq=False)
class Entry:
    """The inputs that may be left out.

    Parameters
    ----------
    value : Value
        Their channels.
    axis : int
        Along which they lie in the module's input; 0 where every row is flattened first.
    """

    value: Value
    axis: int


def entry_of(traced: Traced) -> tuple[fx.Node, int] | None:
    """The step that gives the columns, and their axis in the module's input.

    Returns
    -------
    (torch.fx.Node, int) or None
        The input itself, or the step that flattens it, with axis 0; None where there are several
        inputs or where it is not known along which axis their columns lie.
    """
    tensors = [
        node
        for node in traced.graph.nodes
        if node.op == "placeholder" and isinstance(traced.results[node], torch.Tensor)
    ]
    if len(tensors) != 1 or not traced.results[tensors[0]].is_floating_point():
        return None
    (source,) = tensors
    shape = traced.results[source].shape
    if len(shape) < 3:
        return (source, 1) if len(shape) == 2 else None
    readers = [node for node in source.users if node.op == "call_module"]
    layers = [traced.module.get_submodule(str(node.target)) for node in readers]
    steps = [node for node in source.users if isinstance(traced.results[node], torch.Tensor)]
    if len(steps) == 1 and _flattens(traced, source, steps[0]):
        return steps[0], 0
    if len(readers) == len(steps) and all(isinstance(one, _CHANNELS_FIRST) for one in layers):
        return source, 1
    if len(readers) == len(steps) and all(isinstance(one, nn.Linear) for one in layers):
        return source, len(shape) - 1
    return None


def axis_read(node: fx.Node, traced: Traced, steps: int = 6) -> int:
    """Along which axis the layers that read a tensor want its channels: the last, or 1.

    Parameters
    ----------
    node : torch.fx.Node
        That gives the tensor.
    traced : Traced
        The computation.
    steps : int, default 6
        How far to look.
    """
    for reader in node.users:
        if reader.op == "call_module":
            layer = traced.module.get_submodule(str(reader.target))
            if isinstance(layer, nn.Linear | nn.LayerNorm):
                return int(traced.results[node].dim()) - 1
            if isinstance(layer, _CHANNELS_FIRST):
                return 1
        result = traced.results[reader]
        same = isinstance(result, torch.Tensor) and result.shape == traced.results[node].shape
        if same and steps:
            return axis_read(reader, traced, steps - 1)
    return 1


def _flattens(traced: Traced, source: fx.Node, step: fx.Node) -> bool:
    """Whether a step flattens every row, and leaves rows that are flat already alone."""
    rows, result = traced.results[source], traced.results[step]
    if result.dim() != 2 or len(result) != len(rows):
        return False
    if step.op == "call_module":
        layer = traced.module.get_submodule(str(step.target))
        return type(layer) is nn.Flatten and layer.start_dim == 1 and layer.end_dim == -1
    if step_name(step) not in ("flatten", "view", "reshape"):
        return False
    flat = rows.flatten(1)
    try:
        again = applied(step, {source: flat}, traced.results)
    except (RuntimeError, IndexError):
        return False
    return torch.equal(again, flat) and torch.equal(result, flat)
