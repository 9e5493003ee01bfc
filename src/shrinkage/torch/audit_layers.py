"""What the layers of a module say without their parameters: their order, and limits of norms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from shrinkage.frameworks.audit import Action, short
from shrinkage.torch.modules import run_order

Pairs = list[tuple[str, str]]


def dropout_before_batch_norm(module: nn.Module, example: Any = None) -> tuple[Pairs, Pairs]:
    """Batch normalizations, each with the last dropout before it.

    Parameters
    ----------
    module : torch.nn.Module
        Of any make.
    example : tensor or tuple of tensors, optional
        Inputs to run the module on, which tells the order.

    Returns
    -------
    sure, likely : list of (str, str)
        Names of dropout and normalization: in the order of running, or within one Sequential; and
        in the order of definition, which need not be that of running.
    """
    if example is not None:
        asked = {
            name: layer
            for name, layer in module.named_modules()
            if isinstance(layer, (_DropoutNd, _BatchNorm))
        }
        order = run_order(module, asked, example)
        return list(_pairs([(name, asked[name], 0) for name in order])), []
    everything = list(_pairs(found := list(_defined(module))))
    home = {name: where for name, _, where in found}
    sure = [pair for pair in everything if home[pair[0]] == home[pair[1]] != 0]
    return sure, [pair for pair in everything if pair not in sure]


def limits_of(module: nn.Module) -> Iterator[tuple[torch.Tensor, Action]]:
    """Tensors whose norms their layer limits when it runs."""
    for layer in module.modules():
        limit = getattr(layer, "max_norm", None)
        if isinstance(layer, (nn.Embedding, nn.EmbeddingBag)) and limit is not None:
            yield (
                layer.weight,
                Action(f"{type(layer).__name__}(max_norm={short(limit)})", "limit"),
            )


def _pairs(layers: list[tuple[str, nn.Module, int]]) -> Iterator[tuple[str, str]]:
    before: str | None = None
    for name, layer, _ in layers:
        if isinstance(layer, _DropoutNd) and layer.p > 0:
            before = name
        elif before is not None and _uses_the_batch(layer):
            yield before, name


def _uses_the_batch(layer: nn.Module) -> bool:
    """Without averages it looks at the batch in prediction too, where there is no dropout."""
    return isinstance(layer, _BatchNorm) and bool(layer.track_running_stats)


def _defined(module: nn.Module) -> Iterator[tuple[str, nn.Module, int]]:
    """Leaves in the order of definition, each with the identity of the Sequential that runs it."""

    def visit(name: str, layer: nn.Module, where: int) -> Iterator[tuple[str, nn.Module, int]]:
        children = list(layer.named_children())
        if not children:
            yield name, layer, where
        inside = (where or id(layer)) if isinstance(layer, nn.Sequential) else 0
        for short_name, child in children:
            yield from visit(f"{name}.{short_name}" if name else short_name, child, inside)

    return visit("", module, 0)
