"""Which parameters of a PyTorch module are penalized, by what, and where they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from shrinkage.engine.proximal import grouped
from shrinkage.errors import SettingError
from shrinkage.frameworks.parameters import Parameter
from shrinkage.frameworks.selectors import HIDDEN_KERNELS, chosen
from shrinkage.penalties import Penalty
from shrinkage.torch.modules import parameters_of, require_numbers, unwrapped

Model = nn.Module | Iterable[Tensor] | Iterable[tuple[str, Tensor]]
Selector = str | tuple[str, ...]
Penalties = Penalty | Mapping[Selector, Penalty]


@dataclass(frozen=True)
class Place:
    """One penalized parameter, and where the module keeps it.

    Parameters
    ----------
    parameter : Parameter
        What it is.
    penalty : Penalty
        What acts on it.
    found : tensor
        What was there when the penalty was attached.
    owner : torch.nn.Module or None
        Whose attribute it is; None for tensors that came without a module.
    attribute : str
        Its name there.
    transposed : bool
        Whether inputs come before outputs in its shape, as in transposed convolutions.
    """

    parameter: Parameter
    penalty: Penalty
    found: Tensor
    owner: nn.Module | None = None
    attribute: str = ""
    transposed: bool = False

    @property
    def tensor(self) -> Tensor:
        """What is there now."""
        if self.owner is None:
            return self.found
        held = getattr(self.owner, self.attribute, None)
        return held if isinstance(held, Tensor) else self.found

    def kernel(self, tensor: Tensor) -> Tensor:
        """A view of something of the parameter's shape, outputs before inputs."""
        return tensor.transpose(0, 1) if self.transposed else tensor

    def __getstate__(self) -> dict[str, Any]:
        # Tensors are enough to go on; a module may not be picklable.
        return {**self.__dict__, "found": self.tensor, "owner": None}


def places_of(
    model: Model, penalties: Penalties, *, output: str | None = None, example: Any = None
) -> tuple[Place, ...]:
    """Every penalized parameter, in the order of the module.

    Parameters
    ----------
    model, penalties, output, example
        As for :class:`shrinkage.torch.Penalized`.

    Returns
    -------
    tuple of Place
        At least one, each parameter once.

    Raises
    ------
    SettingError
        When there is nothing to penalize, or twice.
    """
    if isinstance(model, nn.Module):
        module = unwrapped(model)
        parameters = parameters_of(module, output=output, example=example)
        penalty_of = _penalty_of(_by_selector(penalties, HIDDEN_KERNELS), parameters)
        return tuple(
            _place(module, p, penalty_of[p.name]) for p in parameters if p.name in penalty_of
        )
    tensors = _named(model)
    parameters = tuple(_bare(name, tensor) for name, tensor in tensors.items())
    penalty_of = _penalty_of(_by_selector(penalties, "*"), parameters)
    return tuple(
        Place(p, penalty_of[p.name], tensors[p.name]) for p in parameters if p.name in penalty_of
    )


def value_of(place: Place, lam: float) -> Tensor:
    """What the penalty of one parameter adds to the mean loss.

    Parameters
    ----------
    place : Place
        The parameter.
    lam : float
        λ.

    Returns
    -------
    tensor ()
        Differentiable; in float32 at least.

    Raises
    ------
    SettingError
        When the penalty is decoupled.
    """
    penalty, w = place.penalty, place.tensor
    if penalty.decoupled:
        raise SettingError(
            f"the {penalty.label} penalty on '{place.parameter.name}' is decoupled, so it is no "
            "part of the loss; use Proximal, or one that is not decoupled"
        )
    if w.dtype in (torch.float16, torch.bfloat16):
        w = w.float()
    total = w.new_zeros(())
    if penalty.l1_share:
        total = total + lam * penalty.l1_share * w.abs().sum()
    if penalty.l2_share:
        total = total + 0.5 * lam * penalty.l2_share * w.square().sum()
    if penalty.group_share and penalty.groups:
        groups = grouped(place.kernel(w), penalty.groups)
        bound = lam * penalty.group_share * groups.shape[1] ** 0.5
        total = total + bound * torch.linalg.vector_norm(groups, dim=1).sum()
    return total


def _by_selector(penalties: Penalties, standard: Selector) -> Mapping[Selector, Penalty]:
    return penalties if isinstance(penalties, Mapping) else {standard: penalties}


def _penalty_of(
    penalties: Mapping[Selector, Penalty], parameters: Sequence[Parameter]
) -> dict[str, Penalty]:
    """The penalty of each parameter that has one."""
    if not penalties:
        raise SettingError("there is no penalty; name one, such as {'hidden kernels': L1()}")
    found: dict[str, tuple[Selector, Penalty]] = {}
    for selector, penalty in penalties.items():
        if isinstance(penalty, type) or not hasattr(penalty, "l1_share"):
            raise SettingError(
                f"'{selector}' has {penalty!r} as penalty; use L1(), L2(), ElasticNet() or "
                "GroupLasso() of shrinkage"
            )
        named = chosen(selector, parameters)
        if penalty.groups == "inputs" and selector == HIDDEN_KERNELS:
            named = named[:1]
        for parameter in named:
            if parameter.name in found:
                raise SettingError(
                    f"'{parameter.name}' is named twice, by {found[parameter.name][0]!r} and "
                    f"{selector!r}; a parameter has one penalty (ElasticNet() is L1 and L2)"
                )
            found[parameter.name] = (selector, penalty)
    return {name: penalty for name, (_, penalty) in found.items()}


def _place(model: nn.Module, parameter: Parameter, penalty: Penalty) -> Place:
    path, _, attribute = parameter.name.rpartition(".")
    owner = model.get_submodule(path)
    found = getattr(owner, attribute)
    transposed = isinstance(owner, _ConvTransposeNd)
    in_groups = isinstance(owner, _ConvNd) and owner.groups > 1
    if in_groups and penalty.groups == ("units" if transposed else "inputs"):
        raise SettingError(
            f"'{parameter.name}' is of a convolution in {owner.groups} groups, whose "
            f"{penalty.groups} do not each have a slice of it; leave it out, or use L1"
        )
    return Place(parameter, penalty, found, owner, attribute, transposed)


def _named(tensors: Iterable[Tensor] | Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors that came without a module, by name, each once."""
    if not isinstance(tensors, Iterable):
        what = "function" if callable(tensors) else type(tensors).__name__
        raise SettingError(f"expected a torch.nn.Module, or tensors to be penalized, got a {what}")
    found: dict[str, Tensor] = {}
    seen: set[int] = set()
    for place, one in enumerate(tensors):
        name, tensor = str(place), one
        if isinstance(one, tuple) and len(one) == 2:
            name, tensor = one
        if not isinstance(tensor, Tensor):
            raise SettingError(
                f"'{name}' is a {type(tensor).__name__}; hand in a module, or tensors to be "
                "penalized"
            )
        if id(tensor) not in seen:
            seen.add(id(tensor))
            found[name] = tensor
    if not found:
        raise SettingError("there are no parameters to penalize; hand in a module, or tensors")
    return found


def _bare(name: str, tensor: Tensor) -> Parameter:
    require_numbers(name, tensor)
    shape = tuple(tensor.shape)
    return Parameter(name, "other", "", "", shape, bool(tensor.requires_grad))
