"""A module of one's own as a network that trials can be about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.conv import _ConvTransposeNd
from torch.utils.flop_counter import FlopCounterMode

from shrinkage.engine.stacked import Array, ModuleNetwork
from shrinkage.engine.stacked.module import Role, evaluating, seeded
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.frameworks.parameters import Parameter
from shrinkage.frameworks.selectors import HIDDEN_KERNELS, chosen
from shrinkage.frameworks.starts import check_starts
from shrinkage.network import Block, Kind, Layout
from shrinkage.torch.modules import parameters_of

_SAMPLED = 4
"""Rows that a module is tried on."""


def made_by(factory: Callable[[], nn.Module]) -> nn.Module:
    """A module from the factory, in single precision; PyTorch's own generator stays as it was.

    Raises
    ------
    SettingError
        When the factory is no function, does not make a module, or not a fresh one each time.

    Warns
    -----
    UserWarning
        When two modules start from the same weights, though their seeds differ.
    """
    if isinstance(factory, nn.Module):
        raise SettingError(
            f"a path trains many fresh copies, but it was given one {type(factory).__name__}; give "
            f"a function that makes it, such as lambda: {type(factory).__name__}(…)"
        )
    if not callable(factory):
        raise SettingError(
            f"the factory is a {type(factory).__name__}; give a function that makes the module"
        )
    module, reseeds = _drawn(factory, 0)
    parameters_of(module)  # says what is wrong with them
    held = [*module.named_parameters(), *module.named_buffers()]
    empty = next((name for name, tensor in held if tensor.is_meta), None)
    if empty is not None:
        raise SettingError(
            f"the factory makes '{empty}' on the meta device, which holds no numbers; let it make "
            "the module on a real one, such as 'cpu'"
        )
    again, reseeds_again = _drawn(factory, 1)
    pairs = _moving_in_both(module, again)
    check_starts(
        [name for name, one, other in pairs if one.data_ptr() == other.data_ptr()],
        reseeds=reseeds or reseeds_again,
        same=any(one.requires_grad for _, one, _ in pairs)
        and all(torch.equal(one, other) for _, one, other in pairs),
        seeding="torch.manual_seed",
        stacklevel=3,
    )
    return module.float()


def _drawn(factory: Callable[[], nn.Module], seed: int) -> tuple[nn.Module, bool]:
    """A module made under a seed, and whether the factory set another one."""
    with seeded(seed):
        module = factory()
        reseeds = torch.initial_seed() != seed
    if not isinstance(module, nn.Module):
        raise SettingError(
            f"the factory makes a {type(module).__name__}, not a torch.nn.Module; let it return "
            "the module alone"
        )
    return module, reseeds


def _moving_in_both(
    one: nn.Module, other: nn.Module
) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
    """What training moves, parameters and running statistics, of two modules by name and shape."""
    held: dict[str, torch.Tensor] = dict(other.named_parameters()) | dict(other.named_buffers())
    statistics = ("running_mean", "running_var")
    moving = [
        *((name, p) for name, p in one.named_parameters() if p.requires_grad),
        *((name, buffer) for name, buffer in one.named_buffers() if name.endswith(statistics)),
    ]
    return [
        (name, tensor, held[name])
        for name, tensor in moving
        if tensor.numel() and name in held and held[name].shape == tensor.shape
    ]


def answered(module: nn.Module, rows: torch.Tensor) -> int:
    """How many numbers a module answers for a row.

    Raises
    ------
    SettingError
        When it fails on the rows, answers something else than a tensor of one line for each row,
        or answers probabilities instead of logits.
    """
    name = type(module).__name__
    rows = rows.to(next(module.parameters()).device)
    with evaluating(module), torch.no_grad():
        try:
            found = module(rows)
        except Exception as error:
            said = " ".join(str(error).split())[:200]
            raise SettingError(
                f"{name} fails on rows of shape {tuple(rows.shape)} and type {rows.dtype}: {said}"
            ) from error
    if not isinstance(found, torch.Tensor):
        raise SettingError(
            f"{name} answers a {type(found).__name__}; a path needs one tensor of (rows, outputs), "
            "so let the factory wrap the module to return that alone"
        )
    if found.ndim == 0 or len(found) != len(rows) or found.ndim > 2:
        raise SettingError(
            f"{name} answers shape {tuple(found.shape)} for {len(rows)} rows; expected (rows, "
            "outputs)"
        )
    last = [layer for layer in module.modules() if not list(layer.children())][-1]
    if isinstance(last, (nn.Softmax, nn.Sigmoid)):
        raise SettingError(
            f"{name} ends with a {type(last).__name__}, so it answers probabilities; leave that "
            "out, since losses here take logits (which is more exact)"
        )
    return 1 if found.ndim == 1 else int(found.shape[1])


def device_of(device: str | torch.device | None) -> str | None:
    """A device that can be computed on, by its name; None leaves it to the factory.

    Raises
    ------
    SettingError
        When PyTorch does not know it, does not have it here, or it holds no numbers.
    """
    if device is None:
        return None
    try:
        found = torch.empty(0, device=torch.device(device)).device
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        said = str(error).strip().partition("\n")[0].rstrip(".")
        raise SettingError(
            f"the device {device!r} cannot be used here ({said}); choose another, such as 'cpu', "
            "or leave it out"
        ) from error
    if found.type == "meta":
        raise SettingError("the device 'meta' holds no numbers; choose another, such as 'cpu'")
    return str(torch.device(device))


def network_of(
    factory: Callable[[], nn.Module],
    module: nn.Module,
    rows: NDArray[Any],
    outputs: int,
    *,
    on: str | Sequence[str] = HIDDEN_KERNELS,
    output: str | None = None,
    logits_of_two: bool = False,
    device: str | None = None,
    at_once: int | None = None,
    compiled: bool = False,
) -> ModuleNetwork:
    """The order of a module's arrays in one vector, and all else that training needs to know.

    Parameters
    ----------
    factory : callable
        Makes modules.
    module : torch.nn.Module
        One of them.
    rows : ndarray, shape (rows, …)
        All inputs that will be seen.
    outputs : int
        In this package's convention: 1 for two classes.
    on : str or sequence of str, default "hidden kernels"
        What is penalized; see :func:`shrinkage.frameworks.selectors.chosen`.
    output : str, optional
        Name of the output layer, if it is not the last that is run.
    logits_of_two, device, at_once, compiled
        See :class:`shrinkage.engine.stacked.ModuleNetwork`; the device is that of the module's
        parameters by default.
    """
    sample = tensor_of(rows[:_SAMPLED])
    home = next(module.parameters()).device if device is None else torch.device(device)
    module = module.to(home)
    parameters = parameters_of(module, output=output, example=sample.to(home))
    penalized = chosen(on, parameters)
    arrays, blocks = _in_order(module, parameters, penalized)
    codes = None
    if not np.issubdtype(rows.dtype, np.floating) and rows.dtype != bool:
        codes = (int(rows.min()), int(rows.max()))
    return ModuleNetwork(
        name=type(module).__name__,
        inputs=int(np.prod(rows.shape[1:])),
        outputs=outputs,
        places=Layout(blocks, reach=arrays[len(penalized) - 1].stop),
        multiplications=_multiplications(module, sample[:1].to(home)),
        factory=factory,
        skeleton=module,
        arrays=arrays,
        shape=tuple(rows.shape[1:]),
        codes=codes,
        logits_of_two=logits_of_two,
        device=str(home),
        at_once=at_once,
        compiled=compiled,
    )


def tensor_of(rows: NDArray[Any]) -> torch.Tensor:
    """Single precision, or whole numbers as PyTorch's embeddings take them."""
    real = np.issubdtype(rows.dtype, np.floating) or rows.dtype == bool
    return torch.as_tensor(rows.astype(np.float32 if real else np.int64))


def _in_order(
    module: nn.Module, parameters: Sequence[Parameter], penalized: Sequence[Parameter]
) -> tuple[tuple[Array, ...], tuple[Block, ...]]:
    """Arrays and blocks: penalized, trained, frozen, buffers."""
    first = {parameter.name for parameter in penalized}
    ordered = [
        *penalized,
        *(p for p in parameters if p.trainable and p.name not in first),
        *(p for p in parameters if not p.trainable),
    ]
    layers = {layer: i for i, layer in enumerate(dict.fromkeys(p.layer for p in parameters), 1)}
    output_layers = {p.layer for p in parameters if p.kind == "output kernel"}
    arrays: list[Array] = []
    blocks: list[Block] = []
    start = 0
    for parameter in ordered:
        kind = _kind(parameter, output=parameter.layer in output_layers)
        role: Role = "trained" if parameter.trainable else "frozen"
        arrays.append(Array(parameter.name, start, parameter.shape, role))
        shape, transposed = _as_kernel(module, parameter)
        blocks.append(
            Block(layers[parameter.layer], kind, start, shape, transposed, parameter.name)
        )
        start = arrays[-1].stop
    for name, buffer in module.named_buffers():
        if not buffer.is_floating_point():
            continue
        arrays.append(Array(name, start, tuple(buffer.shape), "buffer"))
        blocks.append(Block(0, "state", start, tuple(buffer.shape), label=name))
        start = arrays[-1].stop
    return tuple(arrays), tuple(blocks)


def _kind(parameter: Parameter, *, output: bool) -> Kind:
    kinds: dict[str, Kind] = {"hidden kernel": "hidden kernel", "output kernel": "output kernel"}
    if parameter.kind == "bias":
        return "output bias" if output else "hidden bias"
    return kinds.get(parameter.kind, "other")


def _as_kernel(module: nn.Module, parameter: Parameter) -> tuple[tuple[int, ...], bool]:
    """A kernel's shape (fan-in, fan-out), and whether PyTorch has it the other way round."""
    shape = parameter.shape
    if not parameter.kind.endswith("kernel") or len(shape) < 2:
        return shape, False
    behind = int(np.prod(shape[1:]))
    home = module.get_submodule(parameter.layer)
    if isinstance(home, _ConvTransposeNd):
        return (shape[0], behind), False
    return (behind, shape[0]), True


def _multiplications(module: nn.Module, row: torch.Tensor) -> int:
    """For the answer at one row; PyTorch counts an addition with each."""
    try:
        with evaluating(module), torch.no_grad(), FlopCounterMode(display=False) as counter:
            module(row)
        counted = counter.get_total_flops() // 2
    except (RuntimeError, ShrinkageError):
        counted = 0
    return max(int(counted), sum(p.numel() for p in module.parameters()))
