"""A penalty on one kernel as Keras knows it: a regularizer, whose λ can change while it trains."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import Any

import keras

from shrinkage.errors import SettingError, require_known
from shrinkage.keras.shrinking import Axes, value_of
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso, Penalty, describe

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (L1, L2, ElasticNet, GroupLasso)}


def require_lambda(lam: Any) -> float:
    """λ as a number.

    Raises
    ------
    SettingError
        When it is none, or negative, or not finite.
    """
    try:
        number = float(lam)
    except (TypeError, ValueError):
        raise SettingError(f"lam is {lam!r}; it must be a number that is 0 or larger") from None
    if not (isfinite(number) and number >= 0):
        raise SettingError(f"lam is {number:g}; it must be a finite number that is 0 or larger")
    return number


def to_config(penalty: Penalty) -> dict[str, Any]:
    """A penalty as plain values.

    Raises
    ------
    SettingError
        When it is none of this package's, so that nothing could read it back.
    """
    kind = type(penalty).__name__
    if _KINDS.get(kind) is not type(penalty):
        raise SettingError(
            f"{kind} is none of the penalties that a Keras model can carry; choose one of: "
            f"{', '.join(_KINDS)}"
        )
    settings: dict[str, Any] = asdict(penalty)  # type: ignore[call-overload]  # a dataclass, by the test above
    return {"kind": kind, **settings}


def from_config(config: dict[str, Any]) -> Penalty:
    """The inverse of :func:`to_config`."""
    settings = dict(config)
    kind = settings.pop("kind")
    require_known("penalty", kind, _KINDS)
    penalty: Penalty = _KINDS[kind](**settings)
    return penalty


# Keras takes the state of a layer's seed generators along wherever it takes variables (into a
# compiled step of JAX, say), but does not count it among the layer's weights
# (layers/layer.py, `variables` and `weights`). That is what λ is: state, and no weight.
@keras.saving.register_keras_serializable("shrinkage")
class PenaltyTerm(keras.regularizers.Regularizer, keras.random.SeedGenerator):  # type: ignore[misc]  # keras has no annotations
    """A penalty on one kernel, to be given to a layer as its ``kernel_regularizer``.

    Parameters
    ----------
    penalty : Penalty or dict
        L1, L2, ElasticNet or GroupLasso; or what :meth:`get_config` says of one.
    lam : float
        λ in this package's convention, at the start.
    within : sequence of int, optional
        Axes of the kernel along which a group lies; by default a group lasso takes the kernel of a
        dense layer, (inputs, units).

    Raises
    ------
    SettingError
        On a negative λ, or a penalty that is not part of the loss.

    Notes
    -----
    A saved model that carries it is loaded where ``shrinkage.keras`` was imported, with the λ that
    it had when it was saved.

    Examples
    --------
    >>> import keras
    >>> from shrinkage import L2
    >>> layer = keras.layers.Dense(4, kernel_regularizer=PenaltyTerm(L2(), 0.02))
    >>> layer.build((None, 3))
    >>> len(layer.weights), len(layer.losses)
    (2, 1)
    """

    def __init__(self, penalty: Penalty | dict[str, Any], lam: float, within: Any = None) -> None:
        self.penalty = from_config(penalty) if isinstance(penalty, dict) else penalty
        if self.penalty.decoupled:
            raise SettingError(
                "a decoupled L2 penalty is no part of the loss, so it cannot be a regularizer; "
                "give it to Proximal(optimizer, …), or use the optimizer's weight_decay"
            )
        to_config(self.penalty)
        if within is None and self.penalty.groups is not None:
            within = (0,) if self.penalty.groups == "units" else (1,)
        self.within: Axes = None if within is None else tuple(within)
        self.name = "penalty"
        self.state = keras.Variable(
            require_lambda(lam), trainable=False, dtype="float32", name="lam"
        )

    @property
    def lam(self) -> Any:
        """λ, a ``keras.Variable``: ``assign`` changes it, between two batches too."""
        return self.state

    def __call__(self, x: Any) -> Any:
        """What the kernel `x` adds to the loss."""
        weights = keras.ops.convert_to_tensor(x)
        lam = keras.ops.cast(self.state, weights.dtype)
        return value_of(self.penalty, weights, lam, self.within)

    def get_config(self) -> dict[str, Any]:
        """What a saved model says of it."""
        return {
            "penalty": to_config(self.penalty),
            "lam": float(self.state),
            "within": None if self.within is None else list(self.within),
        }

    def next(self, ordered: bool = True) -> Any:
        """No seeds come from here."""
        raise NotImplementedError("a penalty draws nothing")

    def __repr__(self) -> str:
        return f"PenaltyTerm({describe(self.penalty, float(self.state))})"
