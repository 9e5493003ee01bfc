"""A module without its dead units, channels and inputs: smaller, with the same outputs."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.parameter import UninitializedParameter

from shrinkage.engine.stacked.module import evaluating
from shrinkage.errors import SettingError
from shrinkage.torch.compact_channels import Flags
from shrinkage.torch.compact_check import answers_of, apart, require_same, rows_of
from shrinkage.torch.compact_cut import Columns, cut
from shrinkage.torch.compact_entry import Entry, entry_of
from shrinkage.torch.compact_record import CompactedModule, LayerSize
from shrinkage.torch.compact_rules import Reading
from shrinkage.torch.compact_tracing import example_for, made_permanent, traced
from shrinkage.torch.modules import unwrapped


def compact(model: nn.Module, example: Any = None, *, keep_inputs: bool = True) -> CompactedModule:
    """Remove every unit, channel and input that cannot change a module's outputs.

    A unit whose incoming weights are all zero is a constant, also after an activation, batch
    normalization or pooling, and moves into the biases of the layers that take it. A unit that no
    layer looks at is left out, and so is what only it needed. Channels that meet in a residual
    connection leave where all that meet may. What takes its channels in a way that is not known,
    such as layer normalization, keeps all of them.

    Outputs are those of evaluation mode. A ``forward`` that decides by shapes is followed for the
    shapes of the example. While training, dropout and batch statistics differ. Make a new optimizer
    for the smaller module.

    Parameters
    ----------
    model : torch.nn.Module
        Not changed. Pruning masks and parametrizations become plain weights in the smaller one.
    example : tensor or tuple of tensors, optional
        Inputs to compare both modules on, a batch. By default rows are drawn, where the first
        layer is linear or convolutional.
    keep_inputs : bool, default True
        Whether the smaller module takes all columns, and selects those that are needed. If not, it
        takes only these.

    Returns
    -------
    CompactedModule
        With a module whose outputs are the same, up to the rounding of its numbers.

    Raises
    ------
    SettingError
        When the module's computation cannot be followed, when it has no parameters, or when no
        rows are found that it takes.
    ShrinkageError
        When the outputs differ by more than 1e-5 of the largest; in half precision, by more than
        its rounding.

    Examples
    --------
    >>> import torch
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> with torch.no_grad():
    ...     _ = model[0].weight[1:].zero_()
    >>> small = compact(model)
    >>> small.module[0], small.before, small.after
    (Linear(in_features=3, out_features=1, bias=True), 21, 6)
    """
    model = _known(model)
    small = _copied(model)
    made_permanent(small)
    with evaluating(small), torch.no_grad():
        rows = example_for(small) if example is None else rows_of(example)
        answers = answers_of(small, rows)
        found, entry = _read(small, rows)
    live = found.channels.live()
    layers = tuple(_cut(small, found, live))
    network = _with_numbers_of_now(small, found, live)
    columns = live[entry.value.slots] if entry is not None else np.ones(0, dtype=np.bool_)
    whole = network
    if entry is not None and not columns.all():
        whole = Columns(network, np.flatnonzero(columns), entry.axis)
        whole.to(next(network.parameters()).device).training = network.training
    difference, relative = apart(answers, answers_of(whole, rows))
    require_same(model, relative)
    return CompactedModule(
        module=whole if keep_inputs else network,
        layers=layers,
        columns=tuple(np.flatnonzero(columns).tolist()),
        all_columns=len(columns),
        before=_count(model),
        after=_count(network),
        rows=len(rows[0]),
        drawn=example is None,
        difference=difference,
        relative=relative,
        notes=tuple(dict.fromkeys(found.channels.notes)),
    )


def _known(model: nn.Module) -> nn.Module:
    """The module inside what only runs it; refuses what has no numbers to look at."""
    if not isinstance(model, nn.Module):
        raise SettingError(f"expected a torch.nn.Module, got {type(model).__name__}")
    model = unwrapped(model)
    if isinstance(model, torch.jit.ScriptModule):
        raise SettingError(
            "a TorchScript module has no forward in Python; compact the module that it was made "
            "of, and script the smaller one"
        )
    parameters = dict(model.named_parameters())
    if not parameters:
        name = type(model).__name__
        raise SettingError(f"{name} has no parameters, so there is nothing to remove")
    for one, parameter in parameters.items():
        if isinstance(parameter, UninitializedParameter) or parameter.is_meta:
            kind = "numbers" if parameter.is_meta else "shape"
            where = "it is on the meta device" if parameter.is_meta else "a lazy layer"
            remedy = "load its weights" if parameter.is_meta else "run the module on a few rows"
            raise SettingError(f"the parameter '{one}' has no {kind} yet ({where}); {remedy} first")
        if not parameter.is_floating_point():
            kind = str(parameter.dtype).removeprefix("torch.")
            raise SettingError(f"the parameter '{one}' holds {kind} numbers; expected real ones")
    return model


def _copied(model: nn.Module) -> nn.Module:
    """A copy of a module that can be made smaller."""
    # What a mask or a forward left as an attribute has a gradient's history, which has no copy.
    histories = {
        id(one): one.detach().clone()
        for part in model.modules()
        for one in vars(part).values()
        if isinstance(one, Tensor) and one.grad_fn is not None
    }
    try:
        return copy.deepcopy(model, {**histories})
    except (RuntimeError, TypeError) as error:
        raise SettingError(
            f"{type(model).__name__} cannot be copied: {str(error).splitlines()[0].rstrip('.')}; "
            "keep such attributes out of the module"
        ) from error


def _read(small: nn.Module, rows: tuple[Any, ...]) -> tuple[Reading, Entry | None]:
    """What is known of a module's channels, and where its columns come in."""
    computation = traced(small, copy.deepcopy(rows))
    found = Reading(computation, _alone(small, computation.graph))
    place = entry_of(computation)
    found.read(*(place or (None, 1)))
    return found, None if place is None else Entry(found.values[place[0]], place[1])


def _alone(small: nn.Module, graph: fx.Graph) -> set[str]:
    """Names of layers that run once, share no parameter, and do nothing besides."""
    runs = Counter(str(node.target) for node in graph.nodes if node.op == "call_module")
    named = list(small.named_parameters(remove_duplicate=False))
    often = Counter(id(parameter) for _, parameter in named)
    tied = {name.rpartition(".")[0] for name, parameter in named if often[id(parameter)] > 1}
    read = {str(n.target).rpartition(".")[0] for n in graph.nodes if n.op == "get_attr"}
    alone = {name for name, count in runs.items() if count == 1} - tied - read
    layers = {name: small.get_submodule(name) for name in alone}
    return {
        name
        for name, layer in layers.items()
        if not layer._forward_hooks and not layer._forward_pre_hooks
    }


def _cut(small: nn.Module, found: Reading, live: Flags) -> Iterator[LayerSize]:
    """Make every layer smaller."""
    mixing = {layer.name: layer for layer in found.channels.mixing}
    for name, (taken, given) in found.layers.items():
        layer = small.get_submodule(name)
        cut(layer, live[taken.slots], live[given.slots], mixing.get(name))
        if isinstance(layer, nn.Linear | _ConvNd):
            yield LayerSize(name, len(given.slots), int(live[given.slots].sum()))


def _with_numbers_of_now(small: nn.Module, found: Reading, live: Flags) -> nn.Module:
    """The module itself, or its graph where numbers of channels are written out and changed."""
    changed = False
    for node, place, value in found.literals:
        left = int(live[value.slots].sum())
        if left == len(value.slots):
            continue
        changed = True
        first, *sizes = node.args
        if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
            inner = list(sizes[0])
            inner[place] = left
            node.args = (first, tuple(inner))
        else:
            sizes[place] = left
            node.args = (first, *sizes)
    if not changed:
        return small
    # A graph of its own, which pickles without the tracer that made the first.
    graph = fx.Graph()
    graph.output(graph.graph_copy(found.traced.graph, {}))
    network = fx.GraphModule(small, graph, class_name=type(small).__name__)
    network.training = small.training
    return network


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
