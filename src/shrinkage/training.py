"""How a network is trained: one frozen record of every setting that is not the penalty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from shrinkage.errors import SettingError, require_known

Loss = Literal["binary_cross_entropy", "cross_entropy", "mean_squared_error"]

LOSSES = ("binary_cross_entropy", "cross_entropy", "mean_squared_error")
OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("cosine", "constant")
LAM_SCHEDULES = ("constant", "linear", "cosine")
CLASS_WEIGHTS = ("none", "balanced")


@dataclass(frozen=True)
class Augmentation:
    """How rows that are images are changed anew in every epoch.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of an image; the inputs are its pixels, row by row.
    rotate : float, default 0.0
        Largest angle in degrees, either way.
    shift : float, default 0.0
        Largest shift as a share of the image's height and width, below 1.
    scale : float, default 0.0
        Largest change of size: 0.1 draws factors from 0.9 to 1.1. Below 1.
    flip : bool, default False
        Whether a mirror image (left to right) means the same; every second one is then flipped.

    Raises
    ------
    SettingError
        On a value outside its range.
    """

    shape: tuple[int, int]
    rotate: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    flip: bool = False

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise SettingError(
                f"the image shape is {self.shape[0]}x{self.shape[1]}; both sides need at least 1"
            )
        if not 0 <= self.rotate <= 180:
            raise SettingError(f"rotate is {self.rotate}; it must lie between 0 and 180 degrees")
        for name, value in (("shift", self.shift), ("scale", self.scale)):
            if not 0 <= value < 1:
                raise SettingError(f"{name} is {value}; it must lie in [0, 1)")


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
    shuffle : bool, default True
        Whether every epoch takes the rows in a new order; else in the order that they have.
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
    dropout, input_dropout : float, default 0.0
        Share of hidden units, and of inputs, that are set to 0 in each training step; the others
        grow by 1 / (1 − share) (inverted scaling, Srivastava et al. 2014). In [0, 1).
    input_noise : float, default 0.0
        Standard deviation of the normal noise added to the (standardized) inputs of each step.
    mixup : float, default 0.0
        Mixes each row of a step, and its target, with another, by a share drawn from
        Beta(mixup, mixup) (Zhang et al. 2018); 0 mixes nothing.
    label_smoothing : float, default 0.0
        Share of the target that is spread evenly over all classes (Szegedy et al. 2016). In
        [0, 1); classification only.
    patience : int or None, default None
        Early stopping: end when the validation loss has not improved for this many epochs, and
        restore the parameters of the least. On the fold's validation rows; without any, on a part
        of the training rows (`stopping_share`) that is then not trained on.
    stopping_share : float, default 0.1
        Share of the training rows set aside for early stopping where a trial has no validation
        rows; in (0, 0.5].
    max_norm : float or None, default None
        Largest norm of the incoming weights of a hidden unit, kept after every step.
    averaging : float, default 0.0
        Decay of the exponential moving average of all parameters that is evaluated and returned
        instead of the last ones; in [0, 1). A weight that ends exactly zero is zero in it too.
    lam_schedule : str, default "constant"
        How λ rises from 0: ``"constant"`` (at once), ``"linear"`` or ``"cosine"``.
    lam_ramp : float, default 0.5
        Share of all steps in which it rises; it stays afterwards. In (0, 1].
    relaxed_epochs : int, default 0
        Epochs of a second training without penalty, from the weights of the first, in which exact
        zeros stay zero (the relaxed lasso of Meinshausen 2007).
    augmentation : Augmentation or None, default None
        For rows that are images.
    polish : int, default 0
        Most passes over all training rows of a polish after the descent (after the relaxed one, if
        there is one): the penalized loss is minimized in double precision, and the fit says how
        close to stationary it came. Where no penalty acts on the output kernel behind hidden
        layers, that stays as it is, since the penalized loss has no minimizer over it. Not together
        with what changes the loss from step to step or ends the descent elsewhere: dropout, noise,
        mixup, label smoothing, augmentation, early stopping, averaging and `max_norm`.

    Raises
    ------
    SettingError
        On a value that cannot train.

    Examples
    --------
    >>> Training("cross_entropy", epochs=50, dropout=0.2).learning_rate
    0.005
    >>> Training("cross_entropy", optimizer="adamm")
    Traceback (most recent call last):
    ...
    shrinkage.errors.SettingError: unknown optimizer 'adamm'; did you mean 'adam'?
    """

    loss: Loss
    optimizer: str = "adam"
    learning_rate: float = 0.005
    schedule: str = "cosine"
    epochs: int = 200
    batch_size: int = 32
    shuffle: bool = True
    momentum: float = 0.9
    nesterov: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    rho: float = 0.9
    epsilon: float = 1e-7
    class_weight: str = "none"
    dropout: float = 0.0
    input_dropout: float = 0.0
    input_noise: float = 0.0
    mixup: float = 0.0
    label_smoothing: float = 0.0
    patience: int | None = None
    stopping_share: float = 0.1
    max_norm: float | None = None
    averaging: float = 0.0
    lam_schedule: str = "constant"
    lam_ramp: float = 0.5
    relaxed_epochs: int = 0
    augmentation: Augmentation | None = None
    polish: int = 0

    def __post_init__(self) -> None:
        require_known("loss", self.loss, LOSSES)
        require_known("optimizer", self.optimizer, OPTIMIZERS)
        require_known("schedule", self.schedule, SCHEDULES)
        require_known("class weight", self.class_weight, CLASS_WEIGHTS)
        require_known("λ schedule", self.lam_schedule, LAM_SCHEDULES)
        if self.epochs < 1:
            raise SettingError(f"epochs is {self.epochs}; a training needs at least 1 epoch")
        if self.batch_size < 1:
            raise SettingError(f"batch size is {self.batch_size}; a step needs at least 1 row")
        for name, value in (
            ("learning rate", self.learning_rate),
            ("epsilon", self.epsilon),
            ("max_norm", self.max_norm),
        ):
            if value is not None and not 0 < value < float("inf"):
                raise SettingError(f"{name} is {value}; it must be a positive, finite number")
        for name in _SHARES:
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise SettingError(f"{name} is {value}; it must lie in [0, 1)")
        self._check_noise()
        self._check_stopping()
        self._check_polish()

    def _check_noise(self) -> None:
        for name, value in (("input_noise", self.input_noise), ("mixup", self.mixup)):
            if not 0 <= value < float("inf"):
                raise SettingError(f"{name} is {value}; it must be 0 or a positive, finite number")
        if self.label_smoothing and self.loss == "mean_squared_error":
            raise SettingError(
                f"label smoothing is {self.label_smoothing}, but the target is a number; only "
                "classes can be smoothed"
            )

    def _check_stopping(self) -> None:
        if self.patience is not None and not 1 <= self.patience <= self.epochs:
            raise SettingError(
                f"patience is {self.patience}, with {self.epochs} epochs; it must be at least 1 "
                "and at most the number of epochs"
            )
        if not 0 < self.stopping_share <= 0.5:
            raise SettingError(
                f"stopping_share is {self.stopping_share}; it must be above 0 and at most 0.5"
            )
        if not 0 < self.lam_ramp <= 1:
            raise SettingError(f"lam_ramp is {self.lam_ramp}; it must be above 0 and at most 1")
        if self.relaxed_epochs < 0:
            raise SettingError(f"relaxed_epochs is {self.relaxed_epochs}; it must be 0 or larger")

    def _check_polish(self) -> None:
        if self.polish < 0:
            raise SettingError(f"polish is {self.polish}; it must be 0 or larger")
        for name, reason in _UNPOLISHED.items() if self.polish else ():
            if getattr(self, name):
                raise SettingError(
                    f"a polish cannot follow {name}, which {reason}; leave out one of the two"
                )


def ramp(schedule: str, step: int, steps: float) -> float:
    """How far λ has risen at a step, from 0 to 1.

    Parameters
    ----------
    schedule : str
        One of :data:`LAM_SCHEDULES`.
    step : int
        From 0.
    steps : float
        In which it rises.

    Returns
    -------
    float
        λ's share at that step.

    Examples
    --------
    >>> ramp("linear", 3, 12), ramp("cosine", 12, 12), ramp("constant", 0, 12)
    (0.25, 1.0, 1.0)
    """
    if schedule == "constant":
        return 1.0
    along = min(1.0, step / steps)
    return along if schedule == "linear" else 0.5 * (1.0 - math.cos(math.pi * along))


_UNPOLISHED = dict.fromkeys(
    ("dropout", "input_dropout", "input_noise", "mixup", "augmentation"),
    "changes the loss in every step",
) | {
    "label_smoothing": "changes the targets of the loss",
    "max_norm": "limits weights beside the penalty",
    "patience": "ends the training before the loss is least",
    "averaging": "returns other parameters than the descent's last",
}
"""What leaves no objective to be minimized, and why."""

_SHARES = (
    "momentum",
    "beta1",
    "beta2",
    "rho",
    "dropout",
    "input_dropout",
    "label_smoothing",
    "averaging",
)
"""Settings in [0, 1)."""
