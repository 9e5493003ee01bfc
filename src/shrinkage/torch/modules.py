"""What each parameter of a PyTorch module is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.rnn import RNNBase, RNNCellBase
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import UninitializedParameter
from torch.nn.utils.parametrizations import _WeightNorm
from torch.nn.utils.parametrize import ParametrizationList

from shrinkage.engine.stacked.module import evaluating
from shrinkage.errors import SettingError, suggestion
from shrinkage.frameworks.parameters import Kind, Parameter

_NORMALIZATIONS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
_KERNELS = (nn.Linear, nn.Bilinear, _ConvNd)
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
_OF_A_KERNEL = re.compile(r"(weight|kernel|w)(_.*|\d+)?", re.IGNORECASE)
"""How a matrix of a layer of one's own is called where it is a kernel: ``W``, ``weight_q``."""
_PARAMETRIZED = ".parametrizations."


def unwrapped(module: nn.Module) -> nn.Module:
    """The module inside what only runs it: compiled, or one of several processes or devices.

    Parameters
    ----------
    module : torch.nn.Module
        Of any make.

    Returns
    -------
    torch.nn.Module
        With the same parameters, under the names that they have in the user's own class.
    """
    while True:
        # torch.compile's class has no public name, and importing it takes two seconds.
        inside = getattr(module, "_orig_mod", None)
        if isinstance(module, (nn.DataParallel, DistributedDataParallel)):
            inside = module.module
        if not isinstance(inside, nn.Module):
            return module
        module = inside


def parameters_of(
    module: nn.Module, *, output: str | None = None, example: Any = None
) -> tuple[Parameter, ...]:
    """Every parameter of a module with what it is, tied ones once.

    Parameters
    ----------
    module : torch.nn.Module
        Of any make.
    output : str, optional
        Name of the output layer. By default the last linear or convolutional layer that is run on
        the `example`, or without one the last that is registered.
    example : tensor or tuple of tensors, optional
        Inputs to run the module on, once, without gradient and in evaluation mode.

    Returns
    -------
    tuple of Parameter
        In the order of ``module.named_parameters()``.

    Raises
    ------
    SettingError
        When it is no module or has no parameters, when some have no shape yet (lazy layers), when
        some are not real numbers, or when there is no layer called `output`.
    """
    if not isinstance(module, nn.Module):
        raise SettingError(f"expected a torch.nn.Module, got {type(module).__name__}")
    module = unwrapped(module)
    own = {id(p): (name, p) for name, p in module.named_parameters()}
    if not own:
        raise SettingError(
            f"{type(module).__name__} has no parameters, so there is nothing to regularize; layers "
            "in a plain list are not registered: use nn.ModuleList"
        )
    names: dict[int, list[str]] = {}
    homes: dict[int, tuple[str, nn.Module, str]] = {}
    for layer, part in module.named_modules(remove_duplicate=False):
        for short, p in part.named_parameters(recurse=False, remove_duplicate=False):
            names.setdefault(id(p), []).append(f"{layer}.{short}" if layer else short)
            homes.setdefault(id(p), (layer, part, short))
    last = _output_layer(module, output, example)
    found = []
    for key, (name, p) in own.items():
        require_numbers(name, p)
        layer, part, short = homes[key]
        user = module.get_submodule(layer.partition(_PARAMETRIZED)[0])
        others = tuple(dict.fromkeys(other for other in names[key] if other != name))
        homes_of = dict.fromkeys(other.rpartition(".")[0] for other in names[key])
        kind = _kind(part, short, p, output=last is not None and last in homes_of)
        home = layer.partition(_PARAMETRIZED)[0]
        users = dict.fromkeys(one.partition(_PARAMETRIZED)[0] for one in homes_of)
        also_in = tuple(one for one in users if one and one != home)
        facts = (tuple(p.shape), bool(p.requires_grad), others, also_in)
        found.append(Parameter(name, kind, home, _type(user), *facts))
    return tuple(found)


def _type(layer: nn.Module) -> str:
    """The class of a layer; a parametrized one is a class made on the fly."""
    return type(layer).__name__.removeprefix("Parametrized")


def run_order(module: nn.Module, layers: Mapping[str, nn.Module], example: Any) -> list[str]:
    """Names of layers in the order in which an example passes them.

    Parameters
    ----------
    module : torch.nn.Module
        Run once, without gradient and in evaluation mode, so that nothing changes.
    layers : mapping of str to torch.nn.Module
        Those of its layers that are asked for.
    example : tensor or tuple of tensors
        What it takes.

    Returns
    -------
    list of str
        A layer stands there as often as it is run.
    """
    order: list[str] = []
    handles = [
        layer.register_forward_hook(lambda *_, name=name: order.append(name))
        for name, layer in layers.items()
    ]
    try:
        with evaluating(module), torch.no_grad():
            module(*example if isinstance(example, tuple) else (example,))
    finally:
        for handle in handles:
            handle.remove()
    return order


def require_numbers(name: str, p: torch.Tensor) -> None:
    """See that a parameter is an array of real numbers.

    Raises
    ------
    SettingError
        When it has no shape yet, or holds other numbers.
    """
    if isinstance(p, UninitializedParameter):
        raise SettingError(
            f"the parameter '{name}' has no shape yet (a lazy layer); run the module once on a few "
            "rows first"
        )
    if not p.is_floating_point():
        raise SettingError(
            f"the parameter '{name}' holds {str(p.dtype).removeprefix('torch.')} numbers; a "
            "penalty needs real ones (float32, say)"
        )


def _kind(layer: nn.Module, name: str, p: torch.Tensor, *, output: bool) -> Kind:
    if isinstance(layer, ParametrizationList):
        return _kind_of_original(layer, name, p)
    if isinstance(layer, _NORMALIZATIONS) or (p.ndim <= 1 and "norm" in _type(layer).lower()):
        return "normalization"
    if isinstance(layer, _EMBEDDINGS):
        return "embedding"
    if "bias" in name:
        return "bias"
    if name.endswith("_g") and hasattr(layer, f"{name[:-2]}_v"):
        return "normalization"  # lengths of torch.nn.utils.weight_norm
    if name.endswith("_v") and hasattr(layer, f"{name[:-2]}_g"):
        return "other"  # its directions: what is multiplied into them changes nothing
    kernel = isinstance(layer, (*_KERNELS, RNNBase, RNNCellBase, nn.MultiheadAttention))
    if p.ndim < 2 or not (kernel or _OF_A_KERNEL.fullmatch(name)):
        return "other"
    return "output kernel" if output else "hidden kernel"


def _kind_of_original(layer: ParametrizationList, name: str, p: torch.Tensor) -> Kind:
    """What a weight is computed from is no kernel: a penalty on it means something else."""
    if any(isinstance(rule, _WeightNorm) for rule in layer):
        return "normalization" if name == "original0" else "other"
    return "bias" if p.ndim == 1 and name == "original" else "other"


def _output_layer(module: nn.Module, output: str | None, example: Any) -> str | None:
    """Name of the layer that answers; None where no layer has a kernel."""
    everything = dict(module.named_modules())
    layers: dict[str, nn.Module] = {
        name: layer for name, layer in everything.items() if isinstance(layer, _KERNELS)
    }
    if output is not None and not isinstance(output, str):
        raise SettingError(f"output is {output!r}; give the name of a layer, such as 'head'")
    if output is not None and output not in everything:
        raise SettingError(
            f"there is no layer '{output}' to be the output; {suggestion(output, layers)}"
        )
    if output is not None or not layers:
        return output
    order = [] if example is None else run_order(module, layers, example)
    return order[-1] if order else next(reversed(layers))
