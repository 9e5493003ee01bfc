"""Any PyTorch optimizer with a proximal step after each of its own: exact zeros."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from shrinkage.engine.proximal import (
    group_prox,
    shrink_groups_in_metric_,
    shrink_in_metric_,
    soft_threshold_,
)
from shrinkage.errors import SettingError
from shrinkage.torch.holding import holders, require_one_penalty, require_usable
from shrinkage.torch.metrics import metric_of, number
from shrinkage.torch.penalized import Penalized
from shrinkage.torch.places import Model, Penalties
from shrinkage.torch.strength import Lam, Schedule

_SHARED_HOOKS = (
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)


class Proximal(Optimizer):
    """An optimizer whose steps end with the proximal step of penalties: weights become zero.

    L1 and the group lasso shrink each weight by λ times the step that *its own* gradient was
    multiplied by, read from the optimizer's state, so that it comes to rest where the penalized
    loss is stationary. The L2 part joins the gradient before the step; or it multiplies weights by
    1 − learning rate · λ₂ where the penalty is decoupled or the optimizer decouples its weight
    decay, as AdamW does.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        SGD, Adam, AdamW, NAdam, RAdam, Adamax, Adagrad or RMSprop, with any of their settings; it
        holds all penalized parameters. Use this object in its place from now on.
    model : torch.nn.Module, iterable of tensors or of (name, tensor), or Penalized
        What is trained, as for :class:`Penalized`; or what penalizes it already, and nothing else.
    penalties : Penalty, or mapping of selectors to penalties
        As for :class:`Penalized`: a single one acts on the hidden kernels.
    lam : float, sequence of float, or mapping
        λ in the package's convention.
    schedule, steps, output, example : optional
        As for :class:`Penalized`; a step is a step of the optimizer.

    Raises
    ------
    SettingError
        When nothing is penalized, when the optimizer does not hold what is, when its metric is not
        known (LBFGS), or when its weight decay penalizes the same parameters once more.

    Notes
    -----
    Learning-rate schedulers, ``GradScaler`` (a skipped step shrinks nothing), gradient accumulation
    and ``state_dict`` work as with the optimizer itself, whose groups and state are shared. A
    parameter without a gradient is not moved, so it is not shrunk either.

    References
    ----------
    Parikh & Boyd (2014), "Proximal algorithms", section 4.2.

    Examples
    --------
    >>> from shrinkage import L1
    >>> from torch import nn
    >>> _ = torch.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> optimizer = Proximal(torch.optim.Adam(model.parameters(), lr=0.1), model, L1(), lam=1.0)
    >>> for _ in range(50):
    ...     optimizer.zero_grad()
    ...     model(torch.ones(4, 2)).square().mean().backward()
    ...     optimizer.step()
    >>> int((model[0].weight == 0).sum())
    16
    """

    def __init__(
        self,
        optimizer: Optimizer,
        model: Model | Penalized,
        penalties: Penalties | None = None,
        *,
        lam: Lam | None = None,
        schedule: Schedule = "constant",
        steps: int | None = None,
        output: str | None = None,
        example: Any = None,
    ) -> None:
        if isinstance(optimizer, Proximal) or not isinstance(optimizer, Optimizer):
            raise SettingError(
                f"a {type(optimizer).__name__} cannot be wrapped; hand in an optimizer of "
                "torch.optim, such as torch.optim.Adam(model.parameters())"
            )
        options = (penalties, lam, steps, output, example)
        if isinstance(model, Penalized):
            if schedule != "constant" or any(option is not None for option in options):
                raise SettingError(
                    "the Penalized object has its penalties, λ and schedule already; hand in no "
                    "others beside it"
                )
            penalized = model
        elif penalties is None or lam is None:
            raise SettingError(
                "a penalty and its λ are needed: Proximal(…, model, L1(), lam=0.001)"
            )
        else:
            penalized = Penalized(
                model,
                penalties,
                lam=lam,
                schedule=schedule,
                steps=steps,
                output=output,
                example=example,
            )
        if any(group.get("differentiable") for group in optimizer.param_groups):
            raise SettingError(
                "the optimizer is differentiable, but a proximal step is not; set "
                "differentiable=False"
            )
        self._attach(optimizer, penalized)
        require_one_penalty(penalized.places, self._groups())

    def _attach(self, optimizer: Optimizer, penalized: Penalized) -> None:
        """Share groups, state and hooks with the optimizer."""
        self.optimizer = optimizer
        self.penalized = penalized
        self._metric = metric_of(optimizer)
        self._holders = holders(optimizer, penalized.places)
        self._held = tuple(place.tensor for place in penalized.places)
        self._sums: dict[Tensor, Tensor] = {}
        super().__setstate__({})  # hooks of its own steps
        for hooks in _SHARED_HOOKS:
            setattr(self, hooks, getattr(optimizer, hooks))

    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]  # shared, not copied
        """Those of the optimizer."""
        return self.optimizer.param_groups

    @property
    def state(self) -> Any:  # type: ignore[override]  # shared, not copied
        """That of the optimizer."""
        return self.optimizer.state

    @property
    def defaults(self) -> dict[str, Any]:  # type: ignore[override]  # shared, not copied
        """Those of the optimizer."""
        return self.optimizer.defaults

    @property
    def lam(self) -> Mapping[str, float]:
        """λ of each penalized parameter, see :attr:`Penalized.lam`."""
        return self.penalized.lam

    @lam.setter
    def lam(self, lam: Lam) -> None:
        self.penalized.lam = lam

    def set_lam(self, selector: str | Sequence[str], value: float | Sequence[float]) -> None:
        """Change λ while training goes on, see :meth:`Penalized.set_lam`.

        Parameters
        ----------
        selector : str or sequence of str
            A kind, a name or a pattern.
        value : float or sequence of float
            One λ for all of them, or one for each.
        """
        self.penalized.set_lam(selector, value)

    def value(self) -> Tensor:
        """The penalty at this step, to be shown beside the loss; see :meth:`Penalized.value`.

        Returns
        -------
        tensor ()
            Differentiable.
        """
        return self.penalized.value()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of the optimizer, then the proximal step.

        Parameters
        ----------
        closure : callable, optional
            Evaluates the loss and its gradient.

        Returns
        -------
        tensor, float or None
            What the closure returned.

        Raises
        ------
        SettingError
            When a penalized parameter was replaced in the module, has a sparse gradient, or lies
            on another device than the optimizer's state.
        """
        strengths = list(self.penalized.current().values())
        gradients: list[Tensor | None] = []
        try:
            if closure is None:
                self._prepare(strengths, gradients)
                loss = self.optimizer.step()
            else:

                def with_penalty() -> Any:
                    found = closure()
                    self._prepare(strengths, gradients)
                    return found

                loss = self.optimizer.step(with_penalty)
            self._shrink(strengths, gradients)
        finally:
            for tensor, gradient in zip(self._held, gradients):
                tensor.grad = gradient
        self.penalized.step()
        return loss

    @torch.no_grad()
    def _prepare(self, strengths: Sequence[float], gradients: list[Tensor | None]) -> None:
        """The L2 parts, before the step; `gradients` receives those of the loss alone."""
        places, groups = self.penalized.places, self._groups()
        for place, tensor in zip(places, self._held):
            require_usable(place, tensor, self.optimizer)
        gradients[:] = [tensor.grad for tensor in self._held]
        for place, tensor, group, lam in zip(places, self._held, groups, strengths):
            l2 = lam * place.penalty.l2_share
            if tensor.grad is None or not l2:
                continue
            if place.penalty.decoupled or group.get("decoupled_weight_decay"):
                tensor.mul_(1 - number(group["lr"]) * l2)
            else:
                # A tensor apart: what is accumulated stays the gradient of the loss.
                upwards = group.get("maximize", False)
                tensor.grad = self._sum(tensor, -l2 if upwards else l2)

    def _sum(self, tensor: Tensor, l2: float) -> Tensor:
        """Gradient + λ₂ · weights. Fresh memory costs a processor more than the sum itself."""
        gradient = tensor.grad
        assert gradient is not None
        if tensor.device.type != "cpu" or torch.compiler.is_compiling():
            return gradient.add(tensor, alpha=l2)
        room = self._sums.get(tensor)
        if room is None or room.dtype != gradient.dtype:
            room = self._sums[tensor] = torch.empty_like(gradient)
        return torch.add(gradient, tensor, alpha=l2, out=room)

    @torch.no_grad()
    def _shrink(self, strengths: Sequence[float], gradients: Sequence[Tensor | None]) -> None:
        """L1 and groups, after the step, on whatever was moved."""
        groups = self._groups()
        for place, tensor, group, lam, gradient in zip(
            self.penalized.places, self._held, groups, strengths, gradients
        ):
            penalty = place.penalty
            l1, grouped = lam * penalty.l1_share, lam * penalty.group_share
            if gradient is None or not (l1 or grouped):
                continue
            metric = self._metric(group, self.optimizer.state.get(tensor, {}))
            if l1 and metric.moment is None:
                soft_threshold_(tensor, metric.length * l1)
            elif l1 and metric.moment is not None:
                shrink_in_metric_(
                    tensor, metric.moment, metric.length * l1, metric.added, metric.rooted
                )
            if grouped and penalty.groups:
                kernel = place.kernel(tensor)
                if metric.moment is None:
                    step = torch.as_tensor(metric.length, dtype=tensor.dtype, device=tensor.device)
                    kernel.copy_(group_prox(kernel, step, grouped, penalty.groups))
                else:
                    moment, length = place.kernel(metric.moment), metric.length * grouped
                    shrink_groups_in_metric_(
                        kernel, moment, length, metric.added, metric.rooted, penalty.groups
                    )

    def _groups(self) -> list[dict[str, Any]]:
        """The parameter group of each penalized parameter."""
        return [self.param_groups[holder] for holder in self._holders]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As the optimizer does.

        Parameters
        ----------
        set_to_none : bool, default True
            Whether gradients are removed rather than set to 0.
        """
        self.optimizer.zero_grad(set_to_none)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As the optimizer does; the penalty stays where it is.

        Parameters
        ----------
        param_group : dict
            Parameters, and settings of their own.
        """
        self.optimizer.add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """That of the optimizer, with λ, the schedule and its steps under ``"penalized"``."""
        return {**self.optimizer.state_dict(), "penalized": self.penalized.state_dict()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state_dict : mapping
            From :meth:`state_dict`, or from that of a bare optimizer; then λ stays as it is.

        Raises
        ------
        SettingError
            When its λ are of other parameters.
        """
        own = dict(state_dict)
        penalized = own.pop("penalized", None)
        if penalized is not None:
            self.penalized.load_state_dict(penalized)
        self.optimizer.load_state_dict(own)

    def __getstate__(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer, "penalized": self.penalized}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._attach(state["optimizer"], state["penalized"])

    def __repr__(self) -> str:
        inside = repr(self.optimizer).replace("\n", "\n  ")
        return f"Proximal (\n  {inside}\n  " + repr(self.penalized).replace("\n", "\n  ") + "\n)"
