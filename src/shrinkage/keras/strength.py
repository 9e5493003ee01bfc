"""λ while a model trains: changed by hand, or by a schedule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from shrinkage.errors import SettingError
from shrinkage.frameworks.selectors import chosen
from shrinkage.keras.layers import parameters_of, places_of
from shrinkage.keras.proximal import proximal_of
from shrinkage.keras.targets import Lam, strengths_of
from shrinkage.keras.terms import PenaltyTerm, require_lambda
from shrinkage.tune.planning import require_kind


def lambdas_of(model: Any) -> dict[str, Any]:
    """The λ of every penalized parameter, whichever way its penalty acts.

    Parameters
    ----------
    model : keras.Model
        With penalties from :func:`shrinkage.keras.regularize`, or compiled with a
        :class:`shrinkage.keras.Proximal` optimizer, or both.

    Returns
    -------
    dict of str to keras.Variable
        By the parameter's name; ``assign`` changes one.

    Raises
    ------
    SettingError
        When no parameter has a penalty of this package.

    Examples
    --------
    >>> import keras
    >>> from shrinkage import L2
    >>> from shrinkage.keras import regularize
    >>> model = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Dense(8, name="one"), keras.layers.Dense(1)]
    ... )
    >>> list(lambdas_of(regularize(model, L2(), lam=0.02)))
    ['one/kernel']
    """
    optimizer = proximal_of(model)
    rules = {} if optimizer is None else {rule.path: rule.lam for rule in optimizer.rules}
    found = {}
    for place in places_of(model):
        name, term = place.parameter.name, place.variable.regularizer
        if isinstance(term, PenaltyTerm):
            found[name] = term.lam
        elif place.variable.path in rules:
            found[name] = rules[place.variable.path]
    if not found:
        raise SettingError(
            f"no parameter of '{model.name}' has a λ that could be changed; give it a penalty with "
            "regularize(model, …), or compile it with Proximal(optimizer, model, …)"
        )
    return found


def set_lambda(model: Any, lam: Lam, *, on: str | Sequence[str] | None = None) -> None:
    """Change λ, also in the middle of a training: from the next batch on.

    Nothing is compiled anew.

    Parameters
    ----------
    model : keras.Model
        With penalties of this package.
    lam : float, sequence of float, or mapping
        λ in this package's convention: one for all, one for each penalized parameter in the order
        of the model, or by selector.
    on : str or sequence of str, optional
        Whose λ: kinds, names or patterns of names; by default that of all penalties.

    Raises
    ------
    SettingError
        When λ is negative, or nothing that is named has a penalty.

    Examples
    --------
    >>> import keras
    >>> from shrinkage import L2
    >>> from shrinkage.keras import regularize
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(8), keras.layers.Dense(1)])
    >>> set_lambda(regularize(model, L2(), lam=0.02), 0.5)
    >>> [float(lam) for lam in lambdas_of(model).values()]
    [0.5]
    """
    lambdas = lambdas_of(model)
    penalized = [p for p in parameters_of(model) if p.name in lambdas]
    if on is not None:
        penalized = list(chosen(on, penalized))
    strengths = strengths_of(lam, penalized)
    settle(model)
    for name, strength in strengths.items():
        lambdas[name].assign(strength)


class LambdaSchedule(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no annotations
    """λ as a function of the epoch, for ``model.fit(…, callbacks=[LambdaSchedule(…)])``.

    Parameters
    ----------
    schedule : callable
        Of the epoch, from 0, or with `every` ``"batch"`` of the number of batches seen so far in
        this ``fit``: the λ of all penalties, or with `relative` what the λ of each is multiplied
        by.
    relative : bool, default False
        Whether penalties keep the ratios between their λ.
    every : str, default "epoch"
        ``"epoch"`` or ``"batch"``. Between batches JAX has to hand its state over, which costs
        time.

    Raises
    ------
    SettingError
        When the schedule is no function, on another `every`; in ``fit``, when there is no λ, or the
        schedule gives what is none.

    Notes
    -----
    ``History.history["lam"]`` has λ at the end of each epoch (the largest, where they differ).

    Examples
    --------
    >>> schedule = LambdaSchedule.rising(epochs=10)
    >>> schedule.schedule(0), schedule.schedule(5), schedule.schedule(20)
    (0.0, 0.5, 1.0)
    """

    def __init__(
        self,
        schedule: Callable[[int], float],
        *,
        relative: bool = False,
        every: str = "epoch",
    ) -> None:
        super().__init__()
        if not callable(schedule):
            raise SettingError(
                f"schedule is {schedule!r}; it must be a function of the epoch that gives λ, such "
                "as lambda epoch: 0.001 * epoch"
            )
        if every not in ("epoch", "batch"):
            raise SettingError(f"every is '{every}'; it must be 'epoch' or 'batch'")
        self.schedule, self.relative, self.every = schedule, relative, every
        self._lambdas: list[tuple[Any, float]] = []
        self._seen = 0

    @classmethod
    def rising(cls, epochs: int) -> LambdaSchedule:
        """λ rises from 0 to what it is, evenly over the first epochs.

        An L1 that acts at full strength from the first step may remove units before they have
        learnt anything. A rise costs epochs: if few follow it, the penalized loss ends higher.

        Parameters
        ----------
        epochs : int
            At least 1.

        Returns
        -------
        LambdaSchedule
            Relative.

        Raises
        ------
        SettingError
            Without epochs.
        """
        require_kind("epochs", epochs, int)
        if epochs < 1:
            raise SettingError(f"epochs is {epochs}; λ needs at least 1 to rise in")
        return cls(lambda epoch: min(1.0, epoch / epochs), relative=True)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras' signature
        """Note what λ is."""
        self._lambdas = [(lam, float(lam)) for lam in lambdas_of(self.model).values()]
        self._seen = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras' signature
        """Set λ for this epoch."""
        if self.every == "epoch":
            self._set(epoch)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras' signature
        """Set λ for this batch."""
        if self.every == "batch":
            settle(self.model)
            self._set(self._seen)
            self._seen += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras' signature
        """Tell λ."""
        if logs is not None:
            logs["lam"] = max(float(lam) for lam, _ in self._lambdas)

    def _set(self, moment: int) -> None:
        for lam, first in self._lambdas:
            factor = first if self.relative else 1.0
            lam.assign(factor * require_lambda(self.schedule(moment)))


def settle(model: Any) -> None:
    """Between two batches JAX keeps a model's state to itself until it is asked for it."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()
