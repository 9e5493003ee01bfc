"""What is computed in another way while many copies of a module run as one.

Under `vmap` a convolution becomes one with as many groups as there are copies, which libraries for
processors do slowly; as a product of matrices over patches it is a batched product. And a dropout
would draw from one generator for all copies, so that what a copy draws would depend on who else is
in the stack; here each draw is a hash of (seed, step, layer, position), as in the engine's own
kernels, and to the bit the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
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

    def __init__(self, key: Tensor, *, convolutions: bool = False) -> None:
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
        input: Tensor,  # noqa: A002  # PyTorch's name for it, which may be used as a keyword
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
    ) -> Tensor:
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
        found: Tensor = torch.where(kept, grown, torch.zeros_like(grown))
        return found


def step_keys(seeds: Tensor, step: int) -> Tensor:
    """Key of each copy's draws in a step (from 0), int64 (C,), from its seed (C,)."""
    return _mix(seeds ^ 0x5EED_0001, step)


def kept_by(key: Tensor, shape: torch.Size, share: float) -> Tensor:
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


def _mix(key: Tensor, counter: int) -> Tensor:
    """:func:`shrinkage.engine.noise.mix` on signed numbers, which wrap around alike."""
    z = key + _signed((counter + 1) * 0x9E3779B97F4A7C15)
    z = (z ^ _shift(z, 30)) * _signed(0xBF58476D1CE4E5B9)
    z = (z ^ _shift(z, 27)) * _signed(0x94D049BB133111EB)
    return z ^ _shift(z, 31)


def _signed(number: int) -> int:
    """The 64-bit number with the same bits and a sign."""
    number &= 2**64 - 1
    return number - 2**64 if number >= 2**63 else number


def _shift(z: Tensor, places: int) -> Tensor:
    """To the right, zeros coming in."""
    mask: int = 2 ** (64 - places) - 1
    return (z >> places) & mask


def _lower(z: Tensor) -> Tensor:
    """The lower 32 bits, int32."""
    low = z & 0xFFFFFFFF
    return torch.where(low >= 2**31, low - 2**32, low).to(torch.int32)


def _as_product(
    dimensions: int,
    input: Tensor,  # noqa: A002  # as above
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
) -> Tensor | None:
    """A convolution as patches times weights; None where it is of a kind that is left alone."""
    if groups != 1 or input.ndim != dimensions + 2:
        return None
    steps, apart = _each(stride, dimensions), _each(dilation, dimensions)
    window = tuple(weight.shape[2:])
    before, after = _margins(padding, window, apart, dimensions)
    # The last dimension comes first in F.pad.
    margins = [side for pair in zip(reversed(before), reversed(after)) for side in pair]
    padded = F.pad(input, margins) if any(margins) else input
    reach = [(size - 1) * gap for size, gap in zip(window, apart)]
    sizes = tuple((padded.shape[2 + d] - reach[d] - 1) // steps[d] + 1 for d in range(dimensions))
    if min(sizes) < 1:
        return None
    patches = _Patches.apply(padded.movedim(1, -1), _Windows(window, steps, apart, sizes))
    rows = patches.reshape(-1, patches.shape[-1])
    kernel = weight.movedim((0, 1), (-1, -2)).reshape(-1, weight.shape[0])
    answer = rows @ kernel if bias is None else torch.addmm(bias, rows, kernel)
    return answer.reshape(input.shape[0], *sizes, weight.shape[0]).movedim(-1, 1)


class _Windows(NamedTuple):
    """Where a convolution looks: its window, its steps, and how far apart a window's places are."""

    window: tuple[int, ...]
    steps: tuple[int, ...]
    apart: tuple[int, ...]
    sizes: tuple[int, ...]

    def places(self) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Each place of a window, with what lies at it in all windows."""
        for place in product(*(range(size) for size in self.window)):
            starts = [at * gap for at, gap in zip(place, self.apart)]
            yield (
                place,
                tuple(
                    slice(start, start + (size - 1) * step + 1, step)
                    for start, size, step in zip(starts, self.sizes, self.steps)
                ),
            )


class _Patches(torch.autograd.Function):
    """What each window of a convolution sees, (rows, *sizes, places · channels).

    One copy forward; backward every place is added to one array, where the derivative of slices
    would fill an array of zeros for each.
    """

    @staticmethod
    def forward(padded: Tensor, windows: _Windows) -> Tensor:
        """Of inputs (rows, *spatial, channels)."""
        padded = padded.contiguous()
        rows, channels = padded.shape[0], padded.shape[-1]
        strides = padded.stride()
        inner = strides[1:-1]
        view = padded.as_strided(
            (rows, *windows.sizes, *windows.window, channels),
            (
                strides[0],
                *(stride * step for stride, step in zip(inner, windows.steps)),
                *(stride * gap for stride, gap in zip(inner, windows.apart)),
                1,
            ),
        )
        return view.reshape(rows, *windows.sizes, -1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, _Windows], output: Tensor) -> None:
        """Keep shapes alone."""
        padded, ctx.windows = inputs
        ctx.shape = padded.shape

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        """Each input gets what all windows that see it get."""
        return _Gathered.apply(slope, ctx.windows, ctx.shape), None

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, None], padded: Tensor, windows: _Windows
    ) -> tuple[Tensor, int]:
        """Copies are more rows: windows do not look across them."""
        return _as_rows(info, in_dims[0], padded, lambda rows: _Patches.apply(rows, windows))


class _Gathered(torch.autograd.Function):
    """The derivative of :class:`_Patches`, which may run in a stack as well."""

    @staticmethod
    def forward(slope: Tensor, windows: _Windows, shape: torch.Size) -> Tensor:
        """Sum over windows, in the shape of the inputs."""
        rows, channels = slope.shape[0], shape[-1]
        found = slope.new_zeros((rows, *shape[-1 - len(windows.sizes) : -1], channels))
        parted = slope.reshape(rows, *windows.sizes, *windows.window, channels)
        behind: tuple[Any, ...] = (slice(None),) * (1 + len(windows.sizes))
        for place, where in windows.places():
            found[(slice(None), *where)] += parted[(*behind, *place)]
        return found

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Windows, for a derivative of the derivative."""
        ctx.windows = inputs[1]

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        """A sum's derivative are the patches again."""
        return _Patches.apply(slope, ctx.windows), None, None

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, None, None],
        slope: Tensor,
        windows: _Windows,
        shape: torch.Size,
    ) -> tuple[Tensor, int]:
        """Copies are more rows."""
        return _as_rows(info, in_dims[0], slope, lambda rows: _Gathered.apply(rows, windows, shape))


def _as_rows(
    info: Any, dimension: int | None, stacked: Tensor, function: Callable[[Tensor], Tensor]
) -> tuple[Tensor, int]:
    """A function of rows, applied to the rows of all copies at once."""
    if dimension is None:
        stacked, dimension = stacked.expand(info.batch_size, *stacked.shape), 0
    copies = stacked.movedim(dimension, 0)
    found = function(copies.flatten(0, 1))
    return found.unflatten(0, copies.shape[:2]), 0


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
