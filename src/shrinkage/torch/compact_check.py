"""Whether a smaller module answers what the original answers: measured, never assumed."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from shrinkage.engine.stacked.module import evaluating
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.exports.agreement import MOST
from shrinkage.torch.compact_tracing import tensors_of

_HALF = (torch.float16, torch.bfloat16)
_TINY = float(np.finfo(np.float32).tiny)


def rows_of(example: Any) -> tuple[torch.Tensor, ...]:
    """What a module's ``forward`` is given; refuses what is no tensor."""
    rows = example if isinstance(example, tuple) else (example,)
    kinds = [type(one).__name__ for one in rows if not isinstance(one, torch.Tensor)]
    if kinds or not rows:
        raise SettingError(
            f"expected an example that is a tensor or a tuple of tensors, got {kinds or 'none'}; "
            "give what the module's forward takes, in its order"
        )
    return rows


def answers_of(module: nn.Module, rows: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    """A module's outputs on copies of the rows; of half precision, computed in single."""
    rows = copy.deepcopy(rows)
    if any(one.dtype in _HALF for one in module.parameters()):
        module = copy.deepcopy(module).float()
        rows = tuple(one.float() if one.dtype in _HALF else one for one in rows)
    try:
        with evaluating(module), torch.no_grad():
            answers = list(tensors_of(module(*rows)))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        shapes = ", ".join(str(tuple(one.shape)) for one in rows)
        raise SettingError(
            f"{type(module).__name__} cannot be run on the example of shape {shapes}: {error}"
        ) from error
    if not any(bool(one.isfinite().any()) for one in answers):
        held = (*module.named_parameters(), *module.named_buffers())
        broken = next((name for name, one in held if not bool(one.isfinite().all())), None)
        if broken is not None:
            raise SettingError(
                f"{type(module).__name__} answers no finite number on the example, since "
                f"'{broken}' holds NaN or infinite numbers; take the module as it was before its "
                "training diverged"
            )
        raise SettingError(
            f"{type(module).__name__} answers no finite number on the example, so there is nothing "
            "to compare; give rows without NaN, at least one"
        )
    return answers


def apart(before: list[torch.Tensor], after: list[torch.Tensor]) -> tuple[float, float]:
    """The largest difference of outputs, and its share of the largest output."""
    if [one.shape for one in before] != [one.shape for one in after]:
        return np.inf, np.inf
    difference = largest = 0.0
    for one, other in zip(before, after):
        same = (one == other) | (one.isnan() & other.isnan())
        apart = torch.where(same, 0.0, (one.double() - other.double()).abs())
        difference = max(difference, float(apart.max()) if apart.numel() else 0.0)
        finite = one[one.isfinite()].abs()
        largest = max(largest, float(finite.max()) if finite.numel() else 0.0)
    return difference, difference / max(largest, _TINY)


def require_same(model: nn.Module, relative: float) -> None:
    """Raise :class:`ShrinkageError` where outputs are farther apart than 1e-5 of the largest.

    A constant that moves into a bias of half precision is rounded to it: there, that is allowed.
    """
    rounding = [torch.finfo(one.dtype).eps for one in model.parameters() if one.dtype in _HALF]
    most = max([MOST, *rounding])
    if relative <= most:
        return
    raise ShrinkageError(
        f"the smaller {type(model).__name__}'s outputs would differ from the original's by "
        f"{relative:.1g} of the largest, more than {most:.1g}; its forward computes something that "
        "depends on the number of channels, or on chance, so it cannot be made smaller"
    )
