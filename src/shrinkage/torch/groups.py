"""Weight decay for some parameters and none for the others, as an optimizer takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from shrinkage.errors import SettingError
from shrinkage.frameworks.selectors import HIDDEN_KERNELS, chosen
from shrinkage.torch.modules import parameters_of, unwrapped


def parameter_groups(
    module: nn.Module,
    weight_decay: float,
    *,
    on: str | Sequence[str] = HIDDEN_KERNELS,
    output: str | None = None,
) -> list[dict[str, Any]]:
    """Split a module's parameters into those that decay and those that do not.

    Parameters
    ----------
    module : torch.nn.Module
        Of any make, compiled or parallel too.
    weight_decay : float
        Of the first group; the second has 0.
    on : str or sequence of str, default "hidden kernels"
        What decays, as in :func:`shrinkage.frameworks.selectors.chosen`: a kind of parameters, or
        names, or patterns of names.
    output : str, optional
        Name of the output layer, where it is not the last one.

    Returns
    -------
    list of dict
        Two groups for any optimizer of ``torch.optim``, of trainable parameters; the second is left
        out where all of them decay.

    Raises
    ------
    SettingError
        When `weight_decay` is negative or `on` names nothing.

    Examples
    --------
    >>> import torch
    >>> from shrinkage.torch import parameter_groups
    >>> model = torch.nn.Sequential(
    ...     torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 1)
    ... )
    >>> groups = parameter_groups(model, weight_decay=0.01)
    >>> optimizer = torch.optim.AdamW(groups, lr=0.001)
    >>> [(len(group["params"]), group["weight_decay"]) for group in optimizer.param_groups]
    [(1, 0.01), (5, 0.0)]
    """
    if not weight_decay >= 0:
        raise SettingError(f"weight_decay is {weight_decay}; it must be 0 or larger")
    module = unwrapped(module)
    decaying = {each.name for each in chosen(on, parameters_of(module, output=output))}
    trainable = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    first = [p for name, p in trainable if name in decaying]
    rest = [p for name, p in trainable if name not in decaying]
    groups = [(first, float(weight_decay)), (rest, 0.0)]
    return [{"params": params, "weight_decay": decay} for params, decay in groups if params]
