"""A compiled model that is trained again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from shrinkage.keras.axes import axes_within
from shrinkage.keras.layers import places_of
from shrinkage.keras.networks import KerasNetwork
from shrinkage.keras.proximal import Proximal
from shrinkage.keras.targets import Target
from shrinkage.keras.values import numpy_of
from shrinkage.penalties import Penalty
from shrinkage.training import Training


@dataclass(frozen=True, eq=False)
class Worker:
    """A compiled model, and what its optimizer begins with.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    proximal : Proximal or None
        Its optimizer, where there is a penalty.
    start : tuple of ndarray
        The optimizer's variables before the first step.
    masks : tuple of keras.Variable, default ()
        Of a relaxed training: 0 where a penalized weight stays zero, for each penalized array.
    """

    model: Any
    proximal: Proximal | None
    start: tuple[NDArray[Any], ...]
    masks: tuple[Any, ...] = ()

    @staticmethod
    def made(
        network: KerasNetwork, how: Training, penalty: Penalty | None, steps: int, *, relaxed: bool
    ) -> Worker:
        """For this training and penalty, over so many steps."""
        model = network.fresh(0)
        optimizer: Any = _optimizer(how, steps)
        kernels = [model.weights[array.position] for array in network.arrays[: network.penalized]]
        masks: tuple[Any, ...] = ()
        if relaxed:
            masks = tuple(_masked(kernel, optimizer) for kernel in kernels)
        proximal = None
        if penalty is not None:
            variables = {
                id(kernel) for kernel in kernels[: 1 if penalty.groups == "inputs" else None]
            }
            targets = [
                Target(
                    place, penalty, 0.0, axes_within(penalty.groups, place.layer, place.variable)
                )
                for place in places_of(model)
                if id(place.variable) in variables
            ]
            optimizer = proximal = Proximal.of_targets(optimizer, model, targets)
        model.compile(optimizer, _loss(how, network))
        model.optimizer.build(model.trainable_variables)
        start = tuple(numpy_of(variable) for variable in model.optimizer.variables)
        return Worker(model, proximal, start, masks)

    def begin(
        self,
        network: KerasNetwork,
        seed: int,
        lam: float,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        """As if it had just been made, with this seed and λ; or from other weights (P,) on."""
        fresh = network.fresh(seed)
        for variable, first in zip(self.model.variables, fresh.variables, strict=True):
            variable.assign(numpy_of(first))
        for variable, value in zip(self.model.optimizer.variables, self.start, strict=True):
            variable.assign(value)
        self.strengthen(lam)
        if weights is None:
            return
        network.put(weights, self.model)
        for array, mask in zip(network.arrays, self.masks, strict=False):
            kernel = weights[array.start : array.stop].reshape(array.shape)
            mask.assign((kernel != 0.0).astype(np.float32))

    def strengthen(self, lam: float) -> None:
        """Set λ."""
        for rule in () if self.proximal is None else self.proximal.rules:
            rule.lam.assign(lam)


def _masked(kernel: Any, optimizer: Any) -> Any:
    """A mask that a kernel is multiplied by after each step, beside its own constraint.

    It is a variable of the optimizer, which a compiled step is told anew each time.
    """
    mask = optimizer.add_variable_from_reference(kernel, name="mask", initializer="ones")
    own = kernel.constraint
    kernel.constraint = lambda w: (w if own is None else own(w)) * mask
    return mask


def _optimizer(how: Training, steps: int) -> Any:
    rate: Any = how.learning_rate
    if how.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    if how.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=how.momentum, nesterov=how.nesterov)
    if how.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate, rho=how.rho, epsilon=how.epsilon)
    settings = {"beta_1": how.beta1, "beta_2": how.beta2, "epsilon": how.epsilon}
    if how.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=0.0, **settings)
    return keras.optimizers.Adam(rate, **settings)


def _loss(how: Training, network: KerasNetwork) -> Any:
    if how.loss == "mean_squared_error":
        return keras.losses.MeanSquaredError()
    if how.loss == "cross_entropy" or network.logits_of_two:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return keras.losses.BinaryCrossentropy(from_logits=True)
