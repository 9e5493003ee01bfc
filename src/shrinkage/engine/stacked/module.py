"""A PyTorch module of the user's own as something that trials can be about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.func import functional_call, jacrev, vmap

from shrinkage.data import Data
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.network import OwnNetwork
from shrinkage.study import Fit, Trial

Role = Literal["trained", "frozen", "buffer"]
Listener = Callable[[int], None]
_ROWS_AT_ONCE = 1024
_HELD = 1 << 22
"""Numbers of Jacobians held at once."""


@dataclass(frozen=True)
class Array:
    """One of the module's arrays: its name, its place in the flat vector, its shape and its role.

    Parameters
    ----------
    name : str
        As in ``module.named_parameters()`` or ``module.named_buffers()``.
    start : int
        Its first number in the vector.
    shape : tuple of int
        In PyTorch's order.
    role : str
        ``"trained"``, ``"frozen"`` or ``"buffer"``.
    """

    name: str
    start: int
    shape: tuple[int, ...]
    role: Role

    @property
    def stop(self) -> int:
        """First number after it."""
        return self.start + int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, eq=False, kw_only=True)
class ModuleNetwork(OwnNetwork):
    """A module that a factory makes, with the order of its arrays in one flat vector.

    Parameters
    ----------
    factory : callable
        Makes a fresh module; called once for each copy, after ``torch.manual_seed`` with its seed.
    skeleton : torch.nn.Module
        One that it made; only its structure is used.
    arrays : tuple of Array
        In the order of the vector: what is penalized, what else is trained, what is frozen, and
        floating-point buffers.
    shape : tuple of int
        Of one row, as the module takes it.
    codes : (int, int) or None, default None
        Least and greatest of inputs that are whole numbers, such as tokens; None for real inputs.
    logits_of_two : bool, default False
        Whether the module answers one logit for each of two classes; their difference counts.
    device : str, default "cpu"
        Where to compute.
    at_once : int or None, default None
        Most copies in one stack; None decides by their size. 1 trains one after another.
    compiled : bool, default False
        Whether steps go through ``torch.compile``.
    reasons : dict, default {}
        Where it is noted why the module cannot be stacked, when it cannot: loss → reason.
    """

    factory: Callable[[], nn.Module]
    skeleton: nn.Module
    arrays: tuple[Array, ...]
    shape: tuple[int, ...]
    codes: tuple[int, int] | None = None
    logits_of_two: bool = False
    device: str = "cpu"
    at_once: int | None = None
    compiled: bool = False
    reasons: dict[str, str] = field(default_factory=dict)
    _listeners: list[Listener] = field(default_factory=list)

    def train(
        self,
        trials: Iterable[Trial],
        data: Data,
        *,
        expired: Callable[[], bool] | None = None,
    ) -> Iterator[Fit]:
        """Train copies as stacks; see :func:`shrinkage.train`."""
        from shrinkage.engine.stacked.training import train_copies

        return train_copies(self, trials, data, expired)

    def listen(self, listener: Listener | None) -> None:
        """Tell a function how much is done of the copies under way, in whole copies."""
        self._listeners[:] = [] if listener is None else [listener]

    def tell(self, copies: int) -> None:
        """Tell whoever listens."""
        for listener in self._listeners:
            listener(copies)

    @cached_property
    def trained(self) -> int:
        """How many of the first numbers of the vector are trained."""
        return max(array.stop for array in self.arrays if array.role == "trained")

    def initialize(self, seed: int) -> NDArray[np.float32]:
        """A fresh copy's arrays as one vector (P,); PyTorch's own generator stays as it was."""
        with seeded(seed):
            module = self.factory()
        return self.vector_of(module)

    def vector_of(self, module: nn.Module) -> NDArray[np.float32]:
        """The arrays of such a module as one vector (P,).

        Raises
        ------
        SettingError
            When the module does not have the arrays of the first one.
        """
        held: Mapping[str, torch.Tensor] = dict(module.named_parameters()) | dict(
            module.named_buffers()
        )
        vector = np.empty(self.places.size, dtype=np.float32)
        for array in self.arrays:
            found = held.get(array.name)
            if found is None or tuple(found.shape) != array.shape:
                has = "none" if found is None else f"shape {tuple(found.shape)}"
                raise SettingError(
                    f"the factory makes different modules: '{array.name}' had shape {array.shape} "
                    f"at first, and then {has}; let it make the same architecture every time"
                )
            vector[array.start : array.stop] = found.detach().cpu().float().numpy().ravel()
        return vector

    def module_of(self, parameters: NDArray[np.float32]) -> nn.Module:
        """A module of the user's own class with the numbers of a fit, in evaluation mode.

        Parameters
        ----------
        parameters : ndarray of float32, shape (P,)
            Of a fit.
        """
        with seeded(0):
            module = self.factory()
        self.vector_of(module)  # says so where it is of another architecture
        held = dict(module.named_parameters()) | dict(module.named_buffers())
        with torch.no_grad():
            for array in self.arrays:
                numbers = np.array(parameters[array.start : array.stop]).reshape(array.shape)
                held[array.name].copy_(torch.from_numpy(numbers))
        return module.eval()

    def answers(
        self, values: Mapping[str, torch.Tensor], inputs: torch.Tensor, module: nn.Module
    ) -> torch.Tensor:
        """What a module with these arrays answers before the head, (rows, outputs).

        Parameters
        ----------
        values : mapping of str to tensor
            One for each of :attr:`arrays`.
        inputs : tensor, shape (rows, inputs)
            Flat rows.
        module : torch.nn.Module
            The skeleton, in training or evaluation mode.
        """
        rows = inputs.reshape(-1, *self.shape)
        if self.codes is not None:
            rows = rows.round().clamp(*self.codes).long()
        found = functional_call(module, dict(values), (rows,))
        if not isinstance(found, torch.Tensor):
            raise SettingError(
                f"{self.name} answers a {type(found).__name__}; a path needs one tensor of "
                "(rows, outputs), so let the factory wrap the module to return that alone"
            )
        found = found.reshape(len(rows), -1)
        if self.logits_of_two:
            found = found[:, 1:] - found[:, :1]
        return found

    def logits(
        self, parameters: NDArray[np.float32], inputs: NDArray[np.floating[Any]]
    ) -> NDArray[np.floating[Any]]:
        """What the module answers in evaluation mode before the head, (rows, outputs)."""
        values = self._values(parameters, inputs.dtype)
        found = np.empty((len(inputs), self.outputs), dtype=inputs.dtype)
        with evaluating(self.skeleton) as module, torch.no_grad():
            for first in range(0, len(inputs), _ROWS_AT_ONCE):
                some = torch.tensor(inputs[first : first + _ROWS_AT_ONCE], device=self.device)
                found[first : first + len(some)] = self.answers(values, some, module).cpu().numpy()
        return found

    def jacobians(
        self, parameters: NDArray[np.float32], inputs: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Derivatives of :meth:`logits` by the inputs, (rows, outputs, inputs); NaN for codes."""
        found = np.empty((len(inputs), self.outputs, self.inputs))
        if self.codes is not None:
            found[:] = np.nan
            return found
        values = self._values(parameters, np.dtype(np.float64))
        step = max(_HELD // (self.outputs * self.inputs), 1)
        with evaluating(self.skeleton) as module:

            def one(row: torch.Tensor) -> torch.Tensor:
                return self.answers(values, row[None], module)[0]

            try:
                for first in range(0, len(inputs), step):
                    some = torch.tensor(inputs[first : first + step], device=self.device)
                    slopes = vmap(jacrev(one))(some)
                    found[first : first + len(some)] = slopes.detach().cpu().numpy()
            except (RuntimeError, ShrinkageError):  # what cannot be batched can be differenced
                return super().jacobians(parameters, inputs)
        return found

    def _values(
        self, parameters: NDArray[np.float32], dtype: np.dtype[Any]
    ) -> dict[str, torch.Tensor]:
        vector = torch.tensor(np.asarray(parameters, dtype=dtype), device=self.device)
        return {
            array.name: vector[array.start : array.stop].reshape(array.shape)
            for array in self.arrays
        }


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """PyTorch's generators with a seed, and afterwards as they were."""
    # A GPU that nobody has used yet has no generator to be put back.
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(seed)
        yield


class evaluating:  # reads as what it does: `with evaluating(module):`
    """A module in evaluation mode, and afterwards each of its layers as it was."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._training = [layer for layer in module.modules() if layer.training]

    def __enter__(self) -> nn.Module:
        return self._module.eval()

    def __exit__(self, *_: object) -> None:
        for layer in self._training:
            layer.training = True
