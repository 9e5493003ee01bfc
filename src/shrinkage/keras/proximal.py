"""Exact zeros: an optimizer of Keras, with a penalty's proximal step after each of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from shrinkage.errors import SettingError
from shrinkage.frameworks.selectors import HIDDEN_KERNELS
from shrinkage.keras.metrics import metric_of, velocity_of
from shrinkage.keras.rules import Rule, described, left_by_clipping, ruled
from shrinkage.keras.shrinking import shrink
from shrinkage.keras.targets import Lam, Penalties, Target, targets_of
from shrinkage.keras.terms import require_lambda


@keras.saving.register_keras_serializable("shrinkage")
class Proximal(keras.optimizers.Optimizer):  # type: ignore[misc]  # keras has no annotations
    """An optimizer under which L1, elastic net and the group lasso make weights exactly zero.

    After each step of the optimizer the penalized kernels take a proximal step in its own metric:
    every weight is soft-thresholded by λ times what its own gradient was multiplied by, so that the
    fixed points are those of the penalized loss under Adam, too. An L2 part joins the gradient; it
    multiplies the weights instead under AdamW, or where the penalty says ``decoupled``. The loss
    that Keras shows stays free of the penalty.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer or str
        SGD, Adam, AdamW, RMSprop, Adamax, Nadam or Adagrad, with whatever learning-rate schedule,
        clipping, accumulation, average or loss scale.
    model : keras.Model
        Built; to be compiled with this optimizer.
    penalties : Penalty, or mapping of selectors to penalties
        One for all parameters that `on` names; or by selector, as in
        ``{"dense*": L1(), "conv": GroupLasso()}``. ``GroupLasso("inputs")`` is about the inputs of
        the network: by kind it acts on the first parameter alone, by name on all that are named.
    lam : float, sequence of float, or mapping
        λ in this package's convention: one for all, one for each parameter in the order of the
        model, or by selector.
    on : str or sequence of str, default "hidden kernels"
        What the penalty acts on: kinds such as ``"hidden kernels"``, names, or patterns of names.
    output : str or sequence of str, optional
        Name of the output layer where the model does not tell.
    name : str, default "proximal"
        Of the optimizer.

    Raises
    ------
    SettingError
        When nothing is named, a λ is missing or negative, or the optimizer's metric is not known.

    Notes
    -----
    A saved model is loaded where ``shrinkage.keras`` was imported, with optimizer state and λ.
    With clipping, the threshold is clipped as the gradient is. With ``use_ema`` the average keeps
    the zeros of the last weights.

    References
    ----------
    Parikh & Boyd (2014), "Proximal algorithms", section 4.2.

    Examples
    --------
    >>> import keras
    >>> from shrinkage import L1
    >>> from shrinkage.keras import Proximal
    >>> model = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    ... )
    >>> model.compile(Proximal(keras.optimizers.Adam(0.01), model, L1(), lam=0.001), "mse")
    >>> [round(float(rule.lam), 6) for rule in model.optimizer.rules]
    [0.001]
    """

    def __init__(
        self,
        optimizer: Any,
        model: Any,
        penalties: Penalties,
        *,
        lam: Lam,
        on: str | Sequence[str] = HIDDEN_KERNELS,
        output: str | Sequence[str] | None = None,
        name: str = "proximal",
    ) -> None:
        targets = targets_of(model, penalties, lam, on, output)
        self._start(optimizer, described(model, targets), name)

    @classmethod
    def of_targets(cls, optimizer: Any, model: Any, targets: Sequence[Target]) -> Proximal:
        """The same for kernels that are known already.

        Parameters
        ----------
        optimizer : keras.optimizers.Optimizer or str
            As for the class.
        model : keras.Model
            Built.
        targets : sequence of Target
            Kernels with their penalties and λ.

        Returns
        -------
        Proximal
            As if the penalties had been named.
        """
        made = cls.__new__(cls)
        made._start(optimizer, described(model, targets), "proximal")
        return made

    def _start(self, optimizer: Any, described: Sequence[dict[str, Any]], name: str) -> None:
        try:
            inner = keras.optimizers.get(optimizer)
        except ValueError:
            raise SettingError(
                f"optimizer is {optimizer!r}, which Keras does not know; give one of Keras, or its "
                "name, such as 'adam'"
            ) from None
        if isinstance(inner, Proximal) or getattr(inner, "_is_proximal", False):
            raise SettingError(
                "this optimizer has a proximal step already; give several penalties as a dict, as "
                "in {'dense': L1(), 'conv*': GroupLasso()}"
            )
        metric = metric_of(inner)
        if inner.ema_overwrite_frequency:
            raise SettingError(
                "ema_overwrite_frequency puts averages in the place of weights, which are never "
                "exactly zero; leave it None: the average is then taken at the end, with the zeros "
                "of the last weights"
            )
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer, self._metric = inner, metric
        self.rules: tuple[Rule, ...] = tuple(
            ruled(one, self._strength(one["lam"])) for one in described
        )
        self._reached = self.add_variable(shape=(), dtype="float32", name="reach")
        self._own: dict[int, Rule] = {}
        self._clipped: list[Any] | None = None
        # Keras averages, accumulates and clips around these two (optimizers/base_optimizer.py), so
        # that what happens inside them is averaged, accumulated and clipped rightly.
        self._inner_step, self._inner_clip = inner._backend_update_step, inner._clip_gradients
        inner._backend_update_step, inner._clip_gradients = self._step, self._clip
        inner._is_proximal = True

    def _strength(self, lam: float) -> Any:
        start = keras.initializers.Constant(require_lambda(lam))
        return self.add_variable(shape=(), initializer=start, dtype="float32", name="lam")

    # ---------------------------------------------------------------- what an optimizer is asked

    def build(self, variables: Sequence[Any]) -> None:
        """Make the state for these variables, and find the penalized ones among them."""
        if self.built:
            return
        for rule in self.rules:
            self._own[id(self._found(rule, variables))] = rule
        if not self.inner_optimizer.built:
            with keras.name_scope(self.inner_optimizer.name):
                self.inner_optimizer.build(variables)
        super().build(variables)

    def _found(self, rule: Rule, variables: Sequence[Any]) -> Any:
        for variable in variables:
            if variable.path == rule.path:
                return variable
        # A model that is loaded may call its layers from another point on.
        ending = rule.path.split("/")[-2:]
        if rule.position < len(variables):
            variable = variables[rule.position]
            if variable.path.split("/")[-2:] == ending:
                return variable
        raise SettingError(
            f"'{rule.path}' has a penalty but is not among what is trained; was the optimizer made "
            "for another model, or the layer frozen?"
        )

    @property
    def variables(self) -> list[Any]:
        """Its own state, λ among it, and the optimizer's."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        """The optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self) -> Any:
        """Steps of the optimizer."""
        return self.inner_optimizer.iterations

    @property
    def loss_scale_factor(self) -> Any:
        """The optimizer's."""
        inner = getattr(self, "inner_optimizer", None)
        return None if inner is None else inner.loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        if hasattr(self, "inner_optimizer"):
            self.inner_optimizer.loss_scale_factor = factor

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """One step against the gradients, then the proximal one."""
        if not self.built:
            self.build(list(trainable_variables))
        self.inner_optimizer.apply(grads, trainable_variables)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Take averages for the weights where the optimizer has some, but keep the zeros."""
        penalized = [variable for variable in var_list if id(variable) in self._own]
        zeros = [ops.equal(ops.convert_to_tensor(variable), 0.0) for variable in penalized]
        self.inner_optimizer.finalize_variable_values(var_list)
        if self.inner_optimizer.use_ema:
            for variable, zero in zip(penalized, zeros, strict=True):
                average = ops.convert_to_tensor(variable)
                variable.assign(ops.where(zero, ops.zeros_like(average), average))

    def get_config(self) -> dict[str, Any]:
        """What a saved model says of it."""
        return {
            "name": self.name,
            "optimizer": keras.optimizers.serialize(self.inner_optimizer),
            "rules": [rule.config for rule in self.rules],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Proximal:
        """The inverse of :meth:`get_config`."""
        inner = keras.optimizers.deserialize(config["optimizer"], custom_objects=custom_objects)
        made = cls.__new__(cls)
        made._start(inner, config["rules"], config["name"])
        return made

    # ------------------------------------------------------------------------- the step itself

    def _clip(self, grads: Sequence[Any]) -> Sequence[Any]:
        """The optimizer's clipping; what it left of each gradient is noted for the threshold."""
        self._clipped = left_by_clipping(self.inner_optimizer, grads)
        clipped: Sequence[Any] = self._inner_clip(grads)
        return clipped

    def _step(self, grads: Sequence[Any], variables: Sequence[Any], learning_rate: Any) -> None:
        left, self._clipped = self._clipped, None  # a tensor of a compiled step must not outlive it
        inner, moved = self.inner_optimizer, list(grads)
        penalized = [
            (place, variable, self._own[id(variable)])
            for place, variable in enumerate(variables)
            if id(variable) in self._own
        ]
        for place, variable, rule in penalized:
            if not rule.penalty.l2_share:
                continue
            lam = ops.cast(rule.lam, variable.dtype) * rule.penalty.l2_share
            if rule.penalty.decoupled or isinstance(inner, keras.optimizers.AdamW):
                rate = ops.cast(learning_rate, variable.dtype)
                variable.assign(variable * (1.0 - rate * lam))
            else:
                share = 1.0 if left is None else left[place]
                moved[place] = moved[place] + share * lam * variable
        self._inner_step(moved, variables, learning_rate)
        reach = self._reach(learning_rate)
        for place, variable, rule in penalized:
            if rule.exact:
                step = self._metric(inner, variable, ops.cast(reach, variable.dtype))
                if left is not None:
                    step = step * left[place]
                weights = ops.convert_to_tensor(variable)
                lam = ops.cast(rule.lam, variable.dtype)
                variable.assign(shrink(rule.penalty, weights, lam, step, rule.within))

    def _reach(self, learning_rate: Any) -> Any:
        """The learning rate; of a velocity, which has Keras' rates of the past in it, their sum."""
        rate, momentum = ops.cast(learning_rate, "float32"), velocity_of(self.inner_optimizer)
        if not momentum:
            return rate
        before = ops.convert_to_tensor(self._reached)
        collected = ops.where(before > 0.0, momentum * before + rate, rate / (1.0 - momentum))
        accumulated = self.inner_optimizer.gradient_accumulation_steps
        if accumulated:  # JAX takes every step, and takes back what was none
            counts = (self.inner_optimizer._iterations + 1) % accumulated == 0
            self._reached.assign(ops.where(counts, collected, before))
        else:
            self._reached.assign(collected)
        return collected


def proximal_of(model: Any) -> Proximal | None:
    """The proximal optimizer that a model was compiled with."""
    optimizer = getattr(model, "optimizer", None)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    return optimizer if isinstance(optimizer, Proximal) else None
