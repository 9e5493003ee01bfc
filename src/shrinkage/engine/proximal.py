"""The proximal steps of L1 and of the group lasso on tensors, in an optimizer's own metric.

What :mod:`shrinkage.penalties` says of one NumPy kernel, for PyTorch's layout of kernels and for
many networks at once: a kernel is (out, in) for a linear layer and (out, in, height, width) for a
convolution, and `lead` dimensions before these count copies of it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from shrinkage.errors import require_known
from shrinkage.penalties import GROUPS

_MOST_STEPS = 60
_UNCHECKED_STEPS = 12
"""Newton's steps where asking whether they suffice would cost more than to take them."""


def soft_threshold_(weights: Tensor, threshold: Tensor | float) -> None:
    """Move weights towards zero by the threshold, and exactly to zero within it, in place.

    Parameters
    ----------
    weights : tensor
        Any shape.
    threshold : tensor or float
        Step · λ, not negative; a tensor that broadcasts to `weights`.

    Examples
    --------
    >>> weights = torch.tensor([-0.3, 0.05, 0.2])
    >>> soft_threshold_(weights, 0.1)
    >>> weights
    tensor([-0.2000,  0.0000,  0.1000])
    """
    if _in_one_pass(weights, weights.detach(), threshold):
        from shrinkage.engine.thresholds import shrink_by

        flat = weights.detach().view(-1).numpy()
        shrink_by(flat, flat.dtype.type(threshold))
        return
    most: Any = threshold  # two tensors or two numbers, which no type of `clamp` says
    with torch.no_grad():
        # What a weight loses is itself where it is small: zeros are +0.0, one bit pattern.
        weights.sub_(torch.clamp(weights, -most, most))


def shrink_in_metric_(
    weights: Tensor,
    moment: Tensor,
    length: Tensor | float,
    added: Tensor | float = 0.0,
    rooted: bool = True,
) -> None:
    """Soft-threshold weights by length / (√moment + added), in place.

    That is λ · learning rate / (√v̂ + ε) where a moment scales each weight's gradient.

    Parameters
    ----------
    weights, moment : tensor
        Same shape.
    length, added : float or tensor
        λ · learning rate, and ε; a tensor broadcasts to `weights`.
    rooted : bool, default True
        Whether the root is taken.
    """
    if rooted and _in_one_pass(weights, moment, length, added):
        from shrinkage.engine.thresholds import shrink_by_root

        flat, own = weights.detach().view(-1).numpy(), moment.view(-1).numpy()
        shrink_by_root(flat, own, flat.dtype.type(length), flat.dtype.type(added))
        return
    with torch.no_grad():
        size = moment.sqrt() if rooted else moment
        soft_threshold_(weights, length / (size + added))


def _in_one_pass(weights: Tensor, moment: Tensor, *numbers: Tensor | float) -> bool:
    """Whether both are plain arrays in this machine's memory, and the numbers numbers."""
    return (
        not torch.compiler.is_compiling()
        and weights.device.type == "cpu"
        and weights.dtype in (torch.float32, torch.float64)
        and moment.dtype == weights.dtype
        and weights.is_contiguous()
        and moment.is_contiguous()
        and type(weights) in (Tensor, nn.Parameter)
        and type(moment) is Tensor
        and not any(isinstance(number, Tensor) for number in numbers)
    )


def shrink_groups_in_metric_(
    weights: Tensor,
    moment: Tensor,
    length: Tensor | float,
    added: Tensor | float = 0.0,
    rooted: bool = True,
    over: str = "units",
) -> None:
    """The group lasso's step on one kernel (out, in, …) in that metric, in place.

    Parameters
    ----------
    weights, moment : tensor (out, in, *kernel)
        Same shape.
    length, added, rooted
        As for :func:`shrink_in_metric_`.
    over : str, default "units"
        As for :func:`group_prox`.
    """
    rows = over == "units" and weights.ndim >= 2
    if rooted and rows and weights.numel() and _in_one_pass(weights, moment, length, added):
        from shrinkage.engine.thresholds import shrink_rows_by_root

        flat, own = weights.detach().flatten(1).numpy(), moment.flatten(1).numpy()
        number = flat.dtype.type
        shrink_rows_by_root(flat, own, number(length * flat.shape[1] ** 0.5), number(added))
        return
    with torch.no_grad():
        size = moment.sqrt() if rooted else moment
        weights.copy_(group_prox(weights, length / (size + added), 1.0, over))


@torch.no_grad()
def group_prox(
    weights: Tensor, step: Tensor, lam: Tensor | float, over: str, lead: int = 0
) -> Tensor:
    """The proximal step of λ Σ √|g| ‖w_g‖, for all groups at once.

    Parameters
    ----------
    weights : tensor (*lead, out, in, *kernel)
        A kernel, or a stack of them, in PyTorch's layout; a vector is a kernel of one output.
    step : tensor
        What the optimizer multiplied each weight's gradient by; broadcasts to `weights`.
    lam : tensor (*lead,) or float
        λ, not negative.
    over : str
        ``"units"``: a group is all weights into one output. ``"inputs"``: all weights out of one
        input.
    lead : int, default 0
        Dimensions that count networks.

    Returns
    -------
    tensor
        Shape and dtype of `weights`; +0.0 where a group is zero.

    Raises
    ------
    SettingError
        When `over` is something else.

    Notes
    -----
    See :meth:`shrinkage.GroupLasso.prox` for the equation that is solved. Half precision is
    computed in float32.

    Examples
    --------
    The first unit has weights (3, 4), the second none worth keeping.

    >>> kernel = torch.tensor([[3.0, 4.0], [0.1, 0.0]])
    >>> group_prox(kernel, torch.ones(2, 2), 0.5, "units").round(decimals=3)
    tensor([[2.5760, 3.4340],
            [0.0000, 0.0000]])
    """
    require_known("group", over, GROUPS)
    exact = weights if weights.dtype == torch.float64 else weights.float()
    z = grouped(exact, over, lead)
    strength = lam.to(z.dtype)[..., None, None] if isinstance(lam, Tensor) else lam
    bound = strength * z.shape[-1] ** 0.5
    if all(size == 1 for size in step.shape[lead:]):  # of SGD: the same for all weights
        threshold = step.to(z.dtype).reshape(*step.shape[:lead], 1, 1) * bound
        lengths = torch.linalg.vector_norm(z, dim=-1, keepdim=True)
        kept = torch.where(lengths > 0, 1.0 - threshold / lengths, 0.0).clamp(min=0.0)
        shrunk = torch.addcmul(z.new_zeros(()), z, kept)  # a sum, so that no zero has a sign
        return _ungrouped(shrunk, weights.shape, over, lead).to(weights.dtype)
    thresholds = grouped(step.to(z.dtype).expand_as(weights), over, lead) * bound
    norms = _norms_after(z, thresholds)
    kept = torch.where(thresholds > 0, norms / (norms + thresholds), 1.0)
    shrunk = torch.where((norms > 0) & (z != 0), z * kept, 0.0)
    return _ungrouped(shrunk, weights.shape, over, lead).to(weights.dtype)


def _norms_after(z: Tensor, thresholds: Tensor) -> Tensor:
    """Norm of each group (…, groups, 1) after its step; 0 where it dies.

    Newton's steps rise to the root of 1/‖z / (r + t)‖ − 1 from a lower bound of it and never pass
    it, as in :mod:`shrinkage.penalties.group_lasso`. From r ≥ |z_i| − t_i on, no ratio exceeds 1,
    so that single precision is enough.
    """
    size = z.abs()
    zero = torch.zeros_like(size[..., :1])
    if not size.numel():
        return zero
    lengths = torch.linalg.vector_norm(z, dim=-1, keepdim=True)
    reached = torch.where(size > 0, size / thresholds, 0.0)
    alive = reached.square().sum(dim=-1, keepdim=True) > 1.0
    largest = thresholds.amax(dim=-1, keepdim=True)
    lowest = torch.maximum(lengths - largest, (size - thresholds).amax(dim=-1, keepdim=True))
    r = torch.where(alive, lowest.clamp(min=0.0), zero)
    # Newton's steps square the error: one of this size leaves none to speak of.
    enough = torch.finfo(z.dtype).eps ** 0.5
    asks = not torch.compiler.is_compiling() and z.device.type == "cpu"
    for _ in range(_MOST_STEPS if asks else _UNCHECKED_STEPS):
        below = r + thresholds
        ratio = torch.where(size > 0, size / below, 0.0)
        square = ratio.square().sum(dim=-1, keepdim=True)
        slope = torch.where(size > 0, ratio.square() / below, 0.0).sum(dim=-1, keepdim=True)
        rise = torch.where(alive, square * (square.sqrt() - 1.0) / slope, zero).clamp(min=0.0)
        r = r + rise
        if asks and not bool((rise > enough * r).any()):
            break
    return r


def grouped(w: Tensor, over: str, lead: int = 0) -> Tensor:
    """Kernels as (*lead, groups, weights of a group)."""
    kernel = w if w.ndim - lead >= 2 else w.reshape(*w.shape[:lead], 1, -1)
    if over == "inputs":
        kernel = kernel.transpose(lead, lead + 1)
    return kernel.flatten(start_dim=lead + 1)


def _ungrouped(groups: Tensor, shape: torch.Size, over: str, lead: int) -> Tensor:
    """The inverse of :func:`grouped`."""
    if over == "units" or len(shape) - lead < 2:
        return groups.reshape(shape)
    out, inputs, *window = shape[lead:]
    return groups.reshape(*shape[:lead], inputs, out, *window).transpose(lead, lead + 1)
