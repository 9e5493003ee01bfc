"""Layers without the channels that nothing needs, and inputs that are selected first."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from shrinkage.torch.compact_channels import Flags, Floats, Mixing


class Columns(nn.Module):
    """A network that takes all columns and looks at those that are left.

    Parameters
    ----------
    network : torch.nn.Module
        Takes the columns that are left.
    columns : sequence of int
        Of the original inputs, rising.
    axis : int, default 1
        Along which they lie. With 0 every row is flattened first and its numbers are the columns.

    Examples
    --------
    >>> narrow = Columns(nn.Linear(2, 1), [0, 3])
    >>> narrow(torch.zeros(5, 4)).shape
    torch.Size([5, 1])
    """

    columns: torch.Tensor

    def __init__(self, network: nn.Module, columns: Any, axis: int = 1) -> None:
        super().__init__()
        self.network = network
        self.axis = axis
        self.register_buffer("columns", torch.as_tensor(columns, dtype=torch.int64))

    def forward(self, rows: torch.Tensor) -> Any:
        """What the network answers; rows as the original took them."""
        if self.axis == 0:
            return self.network(rows.flatten(1).index_select(1, self.columns))
        return self.network(rows.index_select(self.axis, self.columns))

    def extra_repr(self) -> str:
        """How many columns are left."""
        return f"{len(self.columns)} columns"


def cut(layer: nn.Module, taken: Flags, given: Flags, mixing: Mixing | None) -> None:
    """Make one layer smaller, in place.

    Parameters
    ----------
    layer : torch.nn.Module
        Linear, convolutional, batch normalization or PReLU.
    taken, given : ndarray of bool
        Which of its inputs and outputs are left.
    mixing : Mixing or None
        What it does to constants, where every output is a sum over all inputs.
    """
    kept, used = (torch.from_numpy(np.flatnonzero(flags)) for flags in (given, taken))
    if isinstance(layer, _BatchNorm):
        for name in ("weight", "bias", "running_mean", "running_var"):
            _keep(layer, name, 0, kept)
        layer.num_features = len(kept)
    elif isinstance(layer, nn.PReLU):
        _keep(layer, "weight", 0, kept)
        layer.num_parameters = len(kept)
    elif mixing is not None:
        _fold(layer, mixing.folded(~taken))
        flipped = isinstance(layer, _ConvTransposeNd)
        _keep(layer, "weight", 1 if flipped else 0, kept)
        _keep(layer, "weight", 0 if flipped else 1, used)
        _keep(layer, "bias", 0, kept)
        _resize(layer, len(used), len(kept))
    else:
        _keep(layer, "weight", 0, kept)
        _keep(layer, "bias", 0, kept)
        _resize(layer, len(used), len(kept))
        assert isinstance(layer, _ConvNd)
        layer.groups = len(used)


def _fold(layer: nn.Module, added: Floats) -> None:
    """Add a constant to every output; a layer without a bias gets one where it needs it."""
    if not np.any(added):
        return
    weight: torch.Tensor = layer.weight  # type: ignore[assignment]  # of a linear or convolutional layer
    constant = torch.tensor(added, device=weight.device)
    old = layer.bias
    assert old is None or isinstance(old, torch.Tensor)
    total = constant if old is None else old.detach().double() + constant
    source = weight if old is None else old
    layer.bias = nn.Parameter(total.to(weight.dtype), requires_grad=source.requires_grad)


def _keep(layer: nn.Module, name: str, axis: int, indices: torch.Tensor) -> None:
    """Keep some of a parameter's or a buffer's slices along one axis."""
    old = getattr(layer, name)
    if old is None:
        return
    new = old.detach().index_select(axis, indices.to(old.device))
    if isinstance(old, nn.Parameter):
        new = nn.Parameter(new, requires_grad=old.requires_grad)
    setattr(layer, name, new)


def _resize(layer: nn.Module, inputs: int, outputs: int) -> None:
    if isinstance(layer, nn.Linear):
        layer.in_features, layer.out_features = inputs, outputs
    elif isinstance(layer, _ConvNd):
        layer.in_channels, layer.out_channels = inputs, outputs
