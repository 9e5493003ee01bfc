"""A compiled model that is trained again and again."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import keras
from numpy.typing import NDArray

from shrinkage.keras.axes import axes_within
from shrinkage.keras.layers import places_of
from shrinkage.keras.networks import KerasNetwork
from shrinkage.keras.proximal import Proximal
from shrinkage.keras.targets import Target
from shrinkage.keras.values import numpy_of
from shrinkage.study import Trial
from shrinkage.training import Training


@dataclass(frozen=True, eq=False)
class Worker:
    """A compiled model, and what its optimizer begins with."""

    model: Any
    proximal: Proximal | None
    start: tuple[NDArray[Any], ...]

    @staticmethod
    def made(network: KerasNetwork, trial: Trial, rows: int) -> Worker:
        """For this trial's training and penalty, over so many rows."""
        model, how = network.fresh(trial.seed), trial.training
        optimizer: Any = _optimizer(how, how.epochs * ceil(rows / min(how.batch_size, rows)))
        proximal = None
        if trial.penalty is not None and trial.lam:
            positions = [array.position for array in network.arrays[: network.penalized]]
            if trial.penalty.groups == "inputs":
                positions = positions[:1]
            variables = {id(model.weights[position]) for position in positions}
            targets = [
                Target(
                    place,
                    trial.penalty,
                    trial.lam,
                    axes_within(trial.penalty.groups, place.layer, place.variable),
                )
                for place in places_of(model)
                if id(place.variable) in variables
            ]
            optimizer = proximal = Proximal.of_targets(optimizer, model, targets)
        model.compile(optimizer, _loss(how, network))
        model.optimizer.build(model.trainable_variables)
        start = tuple(numpy_of(variable) for variable in model.optimizer.variables)
        return Worker(model, proximal, start)

    def begin(self, network: KerasNetwork, seed: int, lam: float) -> None:
        """As if it had just been made, with this seed and λ."""
        fresh = network.fresh(seed)
        for variable, first in zip(self.model.variables, fresh.variables, strict=True):
            variable.assign(numpy_of(first))
        for variable, value in zip(self.model.optimizer.variables, self.start, strict=True):
            variable.assign(value)
        self.strengthen(lam)

    def strengthen(self, lam: float) -> None:
        """Set λ."""
        for rule in () if self.proximal is None else self.proximal.rules:
            rule.lam.assign(lam)


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
