"""By what an optimizer of PyTorch multiplies each weight's gradient, read from its state.

That is the metric in which a proximal step has to be taken: then it stands still where the
penalized loss is stationary. A moving average of gradients counts as the gradient that it settles
at, so undampened momentum μ makes steps 1/(1 − μ) as long.

References
----------
The steps are those of PyTorch's ``torch/optim/sgd.py``, ``adam.py``, ``nadam.py``, ``radam.py``,
``adamax.py``, ``adagrad.py`` and ``rmsprop.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor
from torch.optim import LBFGS, SGD, Adagrad, Adam, Adamax, NAdam, Optimizer, RAdam, RMSprop

from shrinkage.errors import SettingError

Number = float | Tensor


@dataclass(frozen=True)
class Metric:
    """length / (√moment + added) for each weight; without a moment, `length` for all.

    Parameters
    ----------
    length : float or tensor ()
        Numerator.
    moment : tensor or None, default None
        Shape of the parameter.
    added : float or tensor (), default 0.0
        ε, or what stands for it.
    rooted : bool, default True
        Whether the root of the moment is taken.
    """

    length: Number
    moment: Tensor | None = None
    added: Number = 0.0
    rooted: bool = True

    def step(self) -> Number:
        """For each weight, or one for all."""
        if self.moment is None:
            return self.length
        size = self.moment.sqrt() if self.rooted else self.moment
        return self.length / (size + self.added)


def metric_of(optimizer: Optimizer) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Metric]:
    """How to read the metric of an optimizer after its step.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Of SGD's or Adam's family.

    Returns
    -------
    callable
        From a parameter group and a parameter's state to a :class:`Metric`.

    Raises
    ------
    SettingError
        When its steps have no such metric, or one that is not known.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> sgd = SGD([weight], lr=0.1, momentum=0.9)
    >>> round(metric_of(sgd)(sgd.param_groups[0], {}).step(), 9)
    1.0
    """
    if isinstance(optimizer, LBFGS):
        raise SettingError(
            "LBFGS takes steps along a curve through all parameters at once, which no proximal "
            "step of single weights fits; use SGD or one of Adam's family, or add a penalty that "
            "is smooth (L2) to the loss with Penalized"
        )
    for known, metric in _METRICS.items():
        if isinstance(optimizer, known) and _steps_as(optimizer, known):
            return metric
    names = sorted({"AdamW", *(known.__name__ for known in _METRICS)})
    raise SettingError(
        f"by what {type(optimizer).__name__} multiplies each gradient is not known here, so zeros "
        f"would come at the wrong λ; use one of: {', '.join(names)}"
    )


def _steps_as(optimizer: Optimizer, known: type[Optimizer]) -> bool:
    """Whether a subclass leaves the step alone; PyTorch itself wraps it."""
    return unwrap(type(optimizer).step) is unwrap(known.step)


def number(value: Number) -> Number:
    """A tensor of one number as that, unless it would have to be waited for."""
    if not isinstance(value, Tensor) or value.device.type != "cpu":
        return value
    return value if torch.compiler.is_compiling() else value.item()


def _sgd(group: Mapping[str, Any], _: Mapping[str, Any]) -> Metric:
    rate, momentum = number(group["lr"]), group["momentum"]
    if momentum == 0:
        return Metric(rate)
    return Metric(rate * ((1 - group["dampening"]) / (1 - momentum)))


def _correction(group: Mapping[str, Any], state: Mapping[str, Any]) -> Number:
    """Root of the second moment's correction for its start at 0."""
    return (1 - number(group["betas"][1]) ** number(state["step"])) ** 0.5


def _adam(group: Mapping[str, Any], state: Mapping[str, Any]) -> Metric:
    moment = state["max_exp_avg_sq"] if group.get("amsgrad") else state["exp_avg_sq"]
    correction = _correction(group, state)
    return Metric(number(group["lr"]) * correction, moment, group["eps"] * correction)


def _radam(group: Mapping[str, Any], state: Mapping[str, Any]) -> Metric:
    beta, step, rate = group["betas"][1], number(state["step"]), number(group["lr"])
    correction = 1 - beta**step
    most = 2 / (1 - beta) - 1
    length = most - 2 * step * beta**step / correction
    if isinstance(length, Tensor):
        rectified = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
        adapted = rate * rectified.clamp(min=0) ** 0.5 * correction**0.5
        root = state["exp_avg_sq"].sqrt() + group["eps"]
        # Not adapted yet: every weight has the same step.
        return Metric(rate, torch.where(length > 5, root * rate / adapted, 1.0), rooted=False)
    if length <= 5:
        return Metric(rate)
    rectified = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
    return Metric(rate * (rectified * correction) ** 0.5, state["exp_avg_sq"], group["eps"])


def _adamax(group: Mapping[str, Any], state: Mapping[str, Any]) -> Metric:
    return Metric(number(group["lr"]), state["exp_inf"], rooted=False)  # ε is inside


def _adagrad(group: Mapping[str, Any], state: Mapping[str, Any]) -> Metric:
    decay = 1 + (number(state["step"]) - 1) * group["lr_decay"]
    return Metric(number(group["lr"]) / decay, state["sum"], group["eps"])


def _rmsprop(group: Mapping[str, Any], state: Mapping[str, Any]) -> Metric:
    moment = state["square_avg"]
    if group["centered"]:
        moment = moment.addcmul(state["grad_avg"], state["grad_avg"], value=-1).clamp_(min=0)
    return Metric(number(group["lr"]) / (1 - group["momentum"]), moment, group["eps"])


_METRICS: dict[type[Optimizer], Callable[[Mapping[str, Any], Mapping[str, Any]], Metric]] = {
    SGD: _sgd,
    Adam: _adam,  # and AdamW, which is a subclass
    NAdam: _adam,
    RAdam: _radam,
    Adamax: _adamax,
    Adagrad: _adagrad,
    RMSprop: _rmsprop,
}
