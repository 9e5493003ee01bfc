"""What an optimizer has to hold for a proximal step after its own to mean something."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from shrinkage.errors import SettingError
from shrinkage.torch.places import Place


def holders(optimizer: Optimizer, places: Sequence[Place]) -> tuple[int, ...]:
    """Which of the optimizer's groups each penalized parameter is in.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        To be wrapped.
    places : sequence of Place
        What is penalized.

    Returns
    -------
    tuple of int
        An index of ``optimizer.param_groups`` for each.

    Raises
    ------
    SettingError
        When one is in none of them.
    """
    group_of = {
        id(tensor): index
        for index, group in enumerate(optimizer.param_groups)
        for tensor in group["params"]
    }
    missing = [place.parameter.name for place in places if id(place.tensor) not in group_of]
    if missing:
        lacks = "holds none" if len(missing) == len(places) else f"lacks {len(missing)}"
        raise SettingError(
            f"the optimizer {lacks} of the {len(places)} penalized parameters ('{missing[0]}', "
            "say), so a penalty on it would do nothing; make the optimizer from this module's "
            "parameters, after whatever replaces them, or penalize fewer"
        )
    return tuple(group_of[id(place.tensor)] for place in places)


def require_one_penalty(places: Sequence[Place], groups: Sequence[Mapping[str, Any]]) -> None:
    """See that weight decay does not act on what an L2 penalty acts on.

    Parameters
    ----------
    places : sequence of Place
        What is penalized.
    groups : sequence of mapping
        The parameter group of each.

    Raises
    ------
    SettingError
        When one is penalized twice. Weight decay beside another penalty is a warning.
    """
    for place, group in zip(places, groups, strict=True):
        decay = float(group.get("weight_decay", 0.0))
        if not decay:
            continue
        name, label = place.parameter.name, place.penalty.label
        told = f"'{name}' has weight_decay={decay:g} in the optimizer and {label} on top of it"
        if place.penalty.l2_share:
            raise SettingError(
                f"{told}, so it is penalized twice; set weight_decay=0 in its parameter group"
            )
        warnings.warn(
            f"{told}; set weight_decay=0 in its parameter group, or use ElasticNet() if both are "
            "meant",
            stacklevel=3,
        )
        return


def require_usable(place: Place, tensor: Tensor, optimizer: Optimizer) -> None:
    """See that a step on a parameter is one that the module notices.

    Parameters
    ----------
    place : Place
        The penalized parameter.
    tensor : tensor
        What the optimizer holds.
    optimizer : torch.optim.Optimizer
        Whose state is read.

    Raises
    ------
    SettingError
        When the module has another tensor by now, when the gradient is sparse, or when the
        optimizer's state is on another device.
    """
    name = place.parameter.name
    if place.tensor is not tensor:
        raise SettingError(
            f"the module's '{name}' was replaced after the optimizer was made, so the penalty and "
            "the optimizer act on a tensor that it no longer uses; make both anew"
        )
    if tensor.grad is not None and tensor.grad.layout != torch.strided:
        raise SettingError(
            f"the gradient of '{name}' is sparse, and most of its rows are not moved in a step; "
            "make the layer with sparse=False, or do not penalize it"
        )
    for key, value in optimizer.state.get(tensor, {}).items():
        if key != "step" and isinstance(value, Tensor) and value.device != tensor.device:
            raise SettingError(
                f"'{name}' is on {tensor.device}, but the optimizer's state of it on "
                f"{value.device}; make the optimizer after the model was moved"
            )
