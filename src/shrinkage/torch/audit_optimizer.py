"""What an optimizer's weight decay does, and to which tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from shrinkage.conventions import find
from shrinkage.errors import SettingError
from shrinkage.frameworks.audit import Action, How, of_penalty, short
from shrinkage.torch.penalized import Penalized
from shrinkage.torch.proximal import Proximal

_NEVER_ADAPTIVE = (torch.optim.SGD, torch.optim.ASGD)
_ADAPTIVE = (
    torch.optim.Adadelta,
    torch.optim.Adagrad,
    torch.optim.Adam,
    torch.optim.Adamax,
    torch.optim.NAdam,
    torch.optim.RAdam,
    torch.optim.RMSprop,
)
"""Add weight_decay · w to the gradient, which they then divide by its own size."""
_DECOUPLED = (torch.optim.Adafactor, torch.optim.Muon)


@dataclass(frozen=True, eq=False)
class Group:
    """A parameter group of an optimizer.

    Parameters
    ----------
    name : str
        ``"group 1 of AdamW"``, or ``"AdamW"`` where it has one group.
    number : int
        Of it among the groups, from 0.
    kind : str
        Class of the optimizer.
    tensors : tuple of torch.Tensor
        As it holds them; one may stand twice.
    action : Action or None
        Its decay; None where that is 0.
    adaptive : bool
        Whether the decay is divided by the size of each weight's gradients.
    learning_rate : float
        As it is now.
    weight_decay : float
        As it is now.
    """

    name: str
    number: int
    kind: str
    tensors: tuple[torch.Tensor, ...]
    action: Action | None
    adaptive: bool
    learning_rate: float
    weight_decay: float


def within(optimizer: Any) -> tuple[torch.optim.Optimizer, Proximal | None]:
    """The optimizer inside its wrappers, and the proximal one among them.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer, or what holds one as ``optimizer``
        Such as :class:`Proximal`, or a trainer's own.

    Returns
    -------
    inner : torch.optim.Optimizer
        Whose step moves the weights.
    proximal : Proximal or None
        Whose step comes after it.

    Raises
    ------
    SettingError
        When there is none.
    """
    proximal, inner = None, optimizer
    while isinstance(inner, Proximal) or not isinstance(inner, torch.optim.Optimizer):
        proximal = inner if isinstance(inner, Proximal) else proximal
        inner = getattr(inner, "optimizer", None)
        if inner is None:
            raise SettingError(
                f"expected an optimizer of torch.optim, got {type(optimizer).__name__}; pass the "
                "one that step() is called on"
            )
    return inner, proximal


def in_the_loss(penalized: Penalized) -> Iterator[tuple[torch.Tensor, Action]]:
    """Tensors with what :class:`Penalized` adds to the loss for them, with λ as it is now."""
    lam = penalized.current()
    for place in penalized.places:
        strength = lam[place.parameter.name]
        setting = f"Penalized({type(place.penalty).__name__}(), λ={short(strength)})"
        yield place.tensor, of_penalty(setting, "loss", place.penalty, strength)


def after_the_step(proximal: Proximal) -> Iterator[tuple[torch.Tensor, Action]]:
    """Tensors with what :class:`Proximal` does to them, with λ as it is now."""
    lam, holders = proximal.penalized.current(), _holders(proximal.param_groups)
    for place in proximal.penalized.places:
        penalty, strength = place.penalty, lam[place.parameter.name]
        setting = f"Proximal({type(penalty).__name__}(), λ={short(strength)})"
        action = of_penalty(setting, "proximal", penalty, strength)
        group = holders.get(id(place.tensor), {})
        if action.l2 and (penalty.decoupled or group.get("decoupled_weight_decay")):
            yield place.tensor, Action(setting, "decoupled", decay=_rate(group) * action.l2)
            action = replace(action, l2=0.0)
            if not (action.l1 or action.group):
                continue
        yield place.tensor, action


def _holders(groups: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {id(tensor): group for group in groups for tensor in group["params"]}


def _rate(group: Mapping[str, Any]) -> float:
    return float(group.get("lr", 0))


def groups_of(optimizer: torch.optim.Optimizer) -> Iterator[Group]:
    """Every parameter group with what its decay does."""
    kind, groups = type(optimizer).__name__, optimizer.param_groups
    differ = len({float(group.get("weight_decay", 0)) for group in groups}) > 1
    for number, group in enumerate(groups):
        decay, rate = float(group.get("weight_decay", 0)), _rate(group)
        how = _how(optimizer, group)
        name = f"group {number} of {kind}" if len(groups) > 1 else kind
        setting = f"{kind}(weight_decay={short(decay)})" + (f" of group {number}" if differ else "")
        yield Group(
            name=name,
            number=number,
            kind=kind,
            tensors=tuple(group["params"]),
            action=_action(setting, how, decay, rate) if decay else None,
            adaptive=how == "gradient" and not isinstance(optimizer, _NEVER_ADAPTIVE),
            learning_rate=rate,
            weight_decay=decay,
        )


def described(optimizer: torch.optim.Optimizer, proximal: Proximal | None = None) -> str:
    """The optimizer with its settings, in a few words."""
    groups = optimizer.param_groups
    rates = dict.fromkeys(short(_rate(group)) for group in groups)
    decays = dict.fromkeys(short(float(group.get("weight_decay", 0))) for group in groups)
    several = f", {len(groups)} groups" if len(groups) > 1 else ""
    around = "" if proximal is None else "Proximal of "
    return (
        f"{around}{type(optimizer).__name__}(lr={' and '.join(rates)}, "
        f"weight_decay={' and '.join(decays)}{several})"
    )


def _how(optimizer: torch.optim.Optimizer, group: dict[str, Any]) -> How:
    """Adam, NAdam and RAdam have a switch for it, which AdamW sets."""
    told = group.get("decoupled_weight_decay")
    if told is None and isinstance(optimizer, (*_NEVER_ADAPTIVE, *_ADAPTIVE)):
        told = False
    if told is None and isinstance(optimizer, _DECOUPLED):
        told = True
    return "unknown" if told is None else "decoupled" if told else "gradient"


def _action(setting: str, how: How, decay: float, rate: float) -> Action:
    if how == "decoupled":
        return Action(setting, how, decay=rate * decay)
    if how == "gradient":
        return Action(setting, how, l2=find("torch.adam").lam(decay))
    return Action(setting, how)
