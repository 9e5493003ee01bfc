"""How a network is trained: one frozen record of every setting that is not the penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shrinkage.errors import SettingError, require_known

Loss = Literal["binary_cross_entropy", "cross_entropy", "mean_squared_error"]

LOSSES = ("binary_cross_entropy", "cross_entropy", "mean_squared_error")
OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("cosine", "constant")
CLASS_WEIGHTS = ("none", "balanced")


@dataclass(frozen=True)
class Training:
    """Loss, optimizer and schedule of a training.

    Parameters
    ----------
    loss : str
        ``"binary_cross_entropy"`` (one output, logistic head), ``"cross_entropy"`` (softmax head)
        or ``"mean_squared_error"`` (identity head; the mean over rows and targets, with no ½, as
        in Keras and PyTorch). In nats, or in squared units of the standardized target.
    optimizer : str, default "adam"
        ``"adam"``, ``"adamw"``, ``"rmsprop"`` or ``"sgd"``. Under ``"adamw"`` the L2 part of a
        penalty is decoupled: w is multiplied by 1 − learning rate · λ (Loshchilov & Hutter 2019).
    learning_rate : float, default 0.005
        At the first step.
    schedule : str, default "cosine"
        ``"cosine"`` falls from `learning_rate` to 0 over all steps, ``"constant"`` stays.
    epochs : int, default 200
        Passes over the training rows.
    batch_size : int, default 32
        Rows in a step; the last, short batch of an epoch is used too, with the mean over its own
        rows.
    momentum : float, default 0.9
        Of ``"sgd"`` (v ← momentum·v + g). Ignored by the others.
    nesterov : bool, default False
        Nesterov's momentum, for ``"sgd"``.
    beta1, beta2 : float, default 0.9 and 0.999
        Adam's decay of the first and second moment.
    rho : float, default 0.9
        Decay of the squared gradient in ``"rmsprop"``.
    epsilon : float, default 1e-7
        Added to the root of the second moment.
    class_weight : str, default "none"
        ``"balanced"`` weighs each class by rows / (classes · rows of the class).

    Raises
    ------
    SettingError
        On a value that cannot train.
    """

    loss: Loss
    optimizer: str = "adam"
    learning_rate: float = 0.005
    schedule: str = "cosine"
    epochs: int = 200
    batch_size: int = 32
    momentum: float = 0.9
    nesterov: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    rho: float = 0.9
    epsilon: float = 1e-7
    class_weight: str = "none"

    def __post_init__(self) -> None:
        require_known("loss", self.loss, LOSSES)
        require_known("optimizer", self.optimizer, OPTIMIZERS)
        require_known("schedule", self.schedule, SCHEDULES)
        require_known("class weight", self.class_weight, CLASS_WEIGHTS)
        if self.epochs < 1:
            raise SettingError(f"epochs is {self.epochs}; a training needs at least 1 epoch")
        if self.batch_size < 1:
            raise SettingError(f"batch size is {self.batch_size}; a step needs at least 1 row")
        if not 0 < self.learning_rate < float("inf"):
            raise SettingError(
                f"learning rate is {self.learning_rate}; it must be a positive, finite number"
            )
        for name, value in (
            ("momentum", self.momentum),
            ("beta1", self.beta1),
            ("beta2", self.beta2),
            ("rho", self.rho),
        ):
            if not 0 <= value < 1:
                raise SettingError(f"{name} is {value}; it must lie in [0, 1)")
        if not 0 < self.epsilon < float("inf"):
            raise SettingError(f"epsilon is {self.epsilon}; it must be positive and finite")
