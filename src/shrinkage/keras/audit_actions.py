"""What regularizers, constraints and optimizers of Keras do to a weight, in one convention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from shrinkage.conventions import KERAS_L1, KERAS_L2
from shrinkage.frameworks.audit import Action, of_penalty, short
from shrinkage.keras.layers import Place
from shrinkage.keras.proximal import Proximal
from shrinkage.keras.terms import PenaltyTerm
from shrinkage.keras.values import numpy_of

_REGULARIZERS = keras.regularizers
_CLOSE = 1e-4
"""What single precision leaves of a strength that is measured."""


def regularizer_action(regularizer: Any, attribute: str, shape: tuple[int, ...]) -> Action:
    """What a regularizer adds to the loss; one of the user's own is measured.

    Parameters
    ----------
    regularizer : keras.regularizers.Regularizer or callable
        Of a variable.
    attribute : str
        Where its layer has it.
    shape : tuple of int
        Of the variable.
    """
    if isinstance(regularizer, PenaltyTerm):
        name, lam = type(regularizer.penalty).__name__, number(regularizer.lam)
        setting = f"{attribute}={name}(λ={short(lam)})"
        return of_penalty(setting, "loss", regularizer.penalty, lam)
    kind = type(regularizer)
    if kind is _REGULARIZERS.L1:
        l1, l2 = number(regularizer.l1), 0.0
        said = f"L1({short(l1)})"
    elif kind is _REGULARIZERS.L2:
        l1, l2 = 0.0, number(regularizer.l2)
        said = f"L2({short(l2)})"
    elif kind is _REGULARIZERS.L1L2:
        l1, l2 = number(regularizer.l1), number(regularizer.l2)
        said = f"L1L2(l1={short(l1)}, l2={short(l2)})"
    else:
        said = getattr(regularizer, "__name__", kind.__name__)
        measured = _measured(regularizer, shape)
        if measured is None:
            return Action(f"{attribute}={said}", "unknown")
        l1, l2 = measured
    setting = f"{attribute}={said}"
    return Action(setting, "loss", l1=KERAS_L1.lam(l1), l2=KERAS_L2.lam(l2))


def _measured(regularizer: Any, shape: tuple[int, ...]) -> tuple[float, float] | None:
    """l1 and l2 of a regularizer that is l1 · Σ|w| + l2 · Σw², whatever its class; else None."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, size, shape).astype("float32") for size in (0.3, 1.0, 3.0, 1.0)]
    try:
        cost = np.array([number(regularizer(keras.ops.convert_to_tensor(w))) for w in weights])
    except Exception:  # noqa: BLE001  # whatever a regularizer of the user's raises
        return None
    parts = np.array([[np.abs(w).sum(), np.square(w).sum()] for w in weights], dtype=float)
    scale = np.abs(cost).max()
    if not np.isfinite(cost).all() or not scale:
        return None
    found, *_ = np.linalg.lstsq(parts / cost[:, None], np.ones(len(cost)), rcond=None)
    shares = parts * found / cost[:, None]
    found[np.abs(shares).max(0) < _CLOSE] = 0.0
    fits = np.allclose(parts @ found, cost, rtol=_CLOSE, atol=0)
    return (float(found[0]), float(found[1])) if fits and (found >= 0).all() else None


def constraint_action(constraint: Any, attribute: str) -> Action:
    """A limit that is kept after each step."""
    settings = ", ".join(
        f"{name}={short(value) if isinstance(value, float) else value}"
        for name, value in constraint.get_config().items()
        if name not in ("axis", "rate")
    )
    return Action(f"{attribute}={type(constraint).__name__}({settings})", "limit")


def optimizers_in(optimizer: Any) -> Iterator[Any]:
    """An optimizer and those that it wraps, from the outside."""
    while optimizer is not None:
        yield optimizer
        optimizer = getattr(optimizer, "inner_optimizer", None)


def inner_of(optimizer: Any, variable: Any) -> Any:
    """The optimizer that steps a variable, within loss scaling, proximal steps or a map."""
    *_, inner = optimizers_in(optimizer)
    choose = getattr(inner, "_optimizer_map", None)
    return inner if choose is None else inner_of(choose(variable), variable)


def optimizer_actions(optimizer: Any, place: Place, position: int) -> Iterator[Action]:
    """Decay and proximal steps of an optimizer on one variable.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Of any make.
    place : Place
        The variable.
    position : int
        Of it, among the model's trainable variables.
    """
    inner = inner_of(optimizer, place.variable)
    kind, decay = type(inner).__name__, inner.weight_decay
    if hasattr(inner, "adam_weight_decay") and inner._should_use_adamw(place.variable):
        decay = inner.adam_weight_decay  # Muon has another for what is no matrix
    if decay and inner._use_weight_decay(place.variable):
        rate = number(inner.learning_rate)
        setting = f"{kind}(weight_decay={short(decay)})"
        yield Action(setting, "decoupled", decay=rate * float(decay))
    for one in optimizers_in(optimizer):
        if isinstance(one, Proximal):
            yield from _proximal(one, inner, position)


def _proximal(optimizer: Proximal, inner: Any, position: int) -> Iterator[Action]:
    for rule in optimizer.rules:
        if rule.position != position:
            continue
        lam = number(rule.lam)
        setting = f"Proximal({type(rule.penalty).__name__}(), λ={short(lam)})"
        apart = rule.penalty.decoupled or isinstance(inner, keras.optimizers.AdamW)
        if rule.penalty.l2_share and apart:
            decay = number(inner.learning_rate) * lam * rule.penalty.l2_share
            yield Action(setting, "decoupled", decay=decay)
        if rule.exact or not apart:
            action = of_penalty(setting, "proximal", rule.penalty, lam)
            yield action if not apart else Action(setting, "proximal", action.l1, 0.0, action.group)


def number(value: Any) -> float:
    """A float, whatever the backend holds it in."""
    if isinstance(value, int | float):
        return float(value)
    return float(numpy_of(value))
