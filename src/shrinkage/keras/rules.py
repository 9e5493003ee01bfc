"""What a proximal step does to which kernel, and what clipping leaves of λ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras import ops

from shrinkage.keras.shrinking import Axes
from shrinkage.keras.targets import Target
from shrinkage.keras.terms import from_config, to_config
from shrinkage.penalties import Penalty


@dataclass(frozen=True, eq=False)
class Rule:
    """One kernel and what is done to it after each step.

    Parameters
    ----------
    path : str
        Of the variable, as Keras calls it.
    position : int
        Among the model's trainable variables.
    penalty : Penalty
        On the kernel.
    within : tuple of int or None
        Axes along which a group lies.
    lam : keras.Variable
        λ; ``assign`` changes it, between two batches too.
    """

    path: str
    position: int
    penalty: Penalty
    within: Axes
    lam: Any

    @property
    def exact(self) -> bool:
        """Whether it makes exact zeros."""
        return bool(self.penalty.l1_share or self.penalty.group_share)

    @property
    def config(self) -> dict[str, Any]:
        """It as plain values, with λ as it is now."""
        return _plain(self.path, self.position, self.penalty, self.within, self.lam)


def ruled(config: dict[str, Any], lam: Any) -> Rule:
    """The inverse of :attr:`Rule.config`, with a variable for λ."""
    within = None if config["within"] is None else tuple(config["within"])
    return Rule(config["path"], config["position"], from_config(config["penalty"]), within, lam)


def described(model: Any, targets: Sequence[Target]) -> list[dict[str, Any]]:
    """What rules are made of, as plain values."""
    places = {id(variable): n for n, variable in enumerate(model.trainable_variables)}
    return [
        _plain(
            one.place.variable.path,
            places[id(one.place.variable)],
            one.penalty,
            one.within,
            one.lam,
        )
        for one in targets
    ]


def _plain(path: str, position: int, penalty: Penalty, within: Axes, lam: Any) -> dict[str, Any]:
    return {
        "path": path,
        "position": position,
        "penalty": to_config(penalty),
        "within": None if within is None else list(within),
        "lam": float(lam),
    }


def left_by_clipping(optimizer: Any, grads: Sequence[Any]) -> list[Any] | None:
    """What share of each gradient clipping leaves; None where nothing is clipped.

    At a fixed point of the penalized loss the gradient of a penalized weight is not zero, so it may
    be clipped for good; λ then has to be clipped alike, or it would act more strongly.
    """
    if optimizer.clipnorm:
        most = optimizer.clipnorm
        return [most / ops.maximum(_norm([gradient]), most) for gradient in grads]
    if optimizer.global_clipnorm:
        most = optimizer.global_clipnorm
        return [most / ops.maximum(_norm(grads), most)] * len(grads)
    if optimizer.clipvalue:
        most = optimizer.clipvalue
        return [most / ops.maximum(ops.abs(gradient), most) for gradient in grads]
    return None


def _norm(grads: Sequence[Any]) -> Any:
    return ops.sqrt(sum(ops.sum(ops.square(gradient)) for gradient in grads))
