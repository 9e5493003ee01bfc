"""The two modules that PyTorch lacks: into standard units, and back into a target's own."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Floats = NDArray[np.float64]


class Standardize(nn.Module):
    """(rows − center) / scale, cut off where single precision would lose it.

    Parameters
    ----------
    center, scale : ndarray of float64, shape (inputs,)
        An input of infinite scale counts 0.
    farthest : float
        Standard deviations at which a value is cut off.
    """

    center: torch.Tensor
    one_over_scale: torch.Tensor

    def __init__(self, center: Floats, scale: Floats, farthest: float) -> None:
        super().__init__()
        self.farthest = farthest
        self.register_buffer("center", torch.tensor(center, dtype=torch.float64))
        # In single precision: its type is that of what follows, also after `.double()`.
        self.register_buffer("one_over_scale", torch.tensor(1.0 / scale, dtype=torch.float32))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Standardized rows, shape (rows, inputs)."""
        scaled = (rows - self.center) * self.one_over_scale
        return scaled.clamp(-self.farthest, self.farthest).to(self.one_over_scale.dtype)


class Unstandardize(nn.Module):
    """Outputs · scale + center.

    Parameters
    ----------
    center, scale : ndarray of float64, shape (targets,)
        Of the targets.
    """

    center: torch.Tensor
    scale: torch.Tensor

    def __init__(self, center: Floats, scale: Floats) -> None:
        super().__init__()
        self.register_buffer("center", torch.tensor(center, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float64))

    def forward(self, outputs: torch.Tensor) -> torch.Tensor:
        """Predictions in the target's own units, shape (rows, targets)."""
        return outputs * self.scale + self.center
