"""What is computed in another way while many copies of a module run as one.

Under `vmap` a convolution becomes one with as many groups as there are copies, which libraries for
processors do slowly; as a product of matrices over patches it is a batched product. And a dropout
would draw from one generator for all copies, so that what a copy draws would depend on who else is
in the stack; here each draw is a hash of (seed, step, layer, position), as in the engine's own
kernels, and to the bit the same.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

_LARGEST = 4_294_967_295.0
_SIGN = -(2**31)
_DROPOUTS: dict[Any, int | None] = {
    F.dropout: None,
    F.dropout1d: 1,
    F.dropout2d: 2,
    F.dropout3d: 3,
}
"""Functions, and how many dimensions behind the channels are dropped together."""
_CONVOLUTIONS: dict[Any, int] = {F.conv1d: 1, F.conv2d: 2}


class Rewriting(TorchFunctionMode):
    """Replaces dropouts and, when asked to, convolutions.

    Parameters
    ----------
    key : tensor of int64, shape ()
        Of the draws of this copy in this step; a batch of keys under `vmap`.
    convolutions : bool, default False
        Whether they become products of matrices.
    """

    def __init__(self, key: torch.Tensor, *, convolutions: bool = False) -> None:
        super().__init__()
        self._key = key
        self._convolutions = convolutions
        self._dropouts = 0
        self.used = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Called for every function of PyTorch's while the mode is on."""
        given = kwargs or {}
        if func in _DROPOUTS:
            self.used = True
            return self._drop(func, *args, **given)
        if self._convolutions and func in _CONVOLUTIONS:
            found = _as_product(_CONVOLUTIONS[func], *args, **given)
            if found is not None:
                self.used = True
                return found
        return func(*args, **given)

    def _drop(
        self,
        func: Any,
        input: torch.Tensor,  # noqa: A002  # PyTorch's name for it, which may be used as a keyword
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
    ) -> torch.Tensor:
        del inplace
        if not training or p == 0.0:
            return input
        self._dropouts += 1
        if p >= 1.0:
            return torch.zeros_like(input)
        behind = _DROPOUTS[func]
        shape = input.shape
        if behind is not None and input.ndim > behind:
            shape = torch.Size([*shape[: input.ndim - behind], *[1] * behind])
        kept = kept_by(_mix(self._key, self._dropouts), shape, p)
        grown = input / (1.0 - p)
        found: torch.Tensor = torch.where(kept, grown, torch.zeros_like(grown))
        return found


def step_keys(seeds: torch.Tensor, step: int) -> torch.Tensor:
    """Key of each copy's draws in a step (from 0), int64 (C,), from its seed (C,)."""
    return _mix(seeds ^ 0x5EED_0001, step)


def kept_by(key: torch.Tensor, shape: torch.Size, share: float) -> torch.Tensor:
    """Which elements are kept, bool of `shape`; see :func:`shrinkage.engine.noise.drop`."""
    low, high = _lower(key), _lower(_shift(key, 32))
    place = torch.arange(shape.numel(), dtype=torch.int32, device=key.device).reshape(shape)
    x = place + low
    x = x ^ ((x >> 16) & 0xFFFF)
    x = x * 0x7FEB352D
    x = x ^ high
    x = x ^ ((x >> 15) & 0x1FFFF)
    x = x * (0x846CA68B - 2**32)
    x = x ^ ((x >> 16) & 0xFFFF)
    # An unsigned comparison: both sides move by half of the range.
    limit = int(share * _LARGEST) - 2**31
    return (x ^ _SIGN) >= limit


def _mix(key: torch.Tensor, counter: int) -> torch.Tensor:
    """:func:`shrinkage.engine.noise.mix` on signed numbers, which wrap around alike."""
    z = key + _signed((counter + 1) * 0x9E3779B97F4A7C15)
    z = (z ^ _shift(z, 30)) * _signed(0xBF58476D1CE4E5B9)
    z = (z ^ _shift(z, 27)) * _signed(0x94D049BB133111EB)
    return z ^ _shift(z, 31)


def _signed(number: int) -> int:
    """The 64-bit number with the same bits and a sign."""
    number &= 2**64 - 1
    return number - 2**64 if number >= 2**63 else number


def _shift(z: torch.Tensor, places: int) -> torch.Tensor:
    """To the right, zeros coming in."""
    return (z >> places) & (2 ** (64 - places) - 1)


def _lower(z: torch.Tensor) -> torch.Tensor:
    """The lower 32 bits, int32."""
    low = z & 0xFFFFFFFF
    return torch.where(low >= 2**31, low - 2**32, low).to(torch.int32)


def _as_product(
    dimensions: int,
    input: torch.Tensor,  # noqa: A002  # as above
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
) -> torch.Tensor | None:
    """A convolution as patches times weights; None where it is of a kind that is left alone."""
    if groups != 1 or input.ndim != dimensions + 2:
        return None
    steps, apart = _each(stride, dimensions), _each(dilation, dimensions)
    window = tuple(weight.shape[2:])
    before, after = _margins(padding, window, apart, dimensions)
    # The last dimension comes first in F.pad.
    margins = [side for pair in zip(reversed(before), reversed(after)) for side in pair]
    padded = F.pad(input, margins) if any(margins) else input
    last = padded.movedim(1, -1)
    reach = [(size - 1) * gap for size, gap in zip(window, apart)]
    sizes = [(padded.shape[2 + d] - reach[d] - 1) // steps[d] + 1 for d in range(dimensions)]
    if min(sizes) < 1:
        return None
    pieces = []
    for place in product(*(range(size) for size in window)):
        where: list[Any] = [slice(None)]
        for d in range(dimensions):
            start = place[d] * apart[d]
            where.append(slice(start, start + (sizes[d] - 1) * steps[d] + 1, steps[d]))
        pieces.append(last[tuple(where)])
    patches = torch.cat(pieces, dim=-1) if len(pieces) > 1 else pieces[0]
    rows = patches.reshape(-1, patches.shape[-1])
    kernel = weight.movedim((0, 1), (-1, -2)).reshape(-1, weight.shape[0])
    answer = rows @ kernel
    if bias is not None:
        answer = answer + bias
    return answer.reshape(input.shape[0], *sizes, weight.shape[0]).movedim(-1, 1)


def _each(value: int | tuple[int, ...], dimensions: int) -> tuple[int, ...]:
    found = (value,) * dimensions if isinstance(value, int) else tuple(value)
    return found * dimensions if len(found) == 1 else found


def _margins(
    padding: int | str | tuple[int, ...],
    window: tuple[int, ...],
    apart: tuple[int, ...],
    dimensions: int,
) -> tuple[list[int], list[int]]:
    """Zeros before and after the input in each dimension."""
    if padding == "valid":
        return [0] * dimensions, [0] * dimensions
    if isinstance(padding, str):  # "same": the odd one comes behind
        whole = [(size - 1) * gap for size, gap in zip(window, apart)]
        return [total // 2 for total in whole], [total - total // 2 for total in whole]
    both = list(_each(padding, dimensions))
    return both, both
