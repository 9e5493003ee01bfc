"""Penalties on chosen parameters of a PyTorch module: their value, to add to a loss."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from shrinkage.errors import DataError
from shrinkage.torch.places import Model, Penalties, Place, places_of, value_of
from shrinkage.torch.strength import Lam, Schedule, Strength

_MANY = 100
"""Losses: more than a step accumulates."""


class Penalized:
    """Penalties on chosen parameters of a module, each with its λ.

    Parameters
    ----------
    model : torch.nn.Module, or iterable of tensors or of (name, tensor)
        What is trained. Bare tensors are all meant, and are called ``"0"``, ``"1"`` and so on.
    penalties : Penalty, or mapping of selectors to penalties
        A single one acts on the hidden kernels: weights of linear, convolutional, recurrent and
        attention layers, but no biases, normalizations and embeddings and not the output layer.
        Selectors are kinds, names and patterns, see :func:`shrinkage.frameworks.selectors.chosen`.
    lam : float, sequence of float, or mapping
        λ in the package's convention, loss + λ₁ Σ|w| + (λ₂/2) Σ w² with the mean loss: one for all,
        one for each parameter in the order of the module, or by selector.
    schedule : str or callable, default "constant"
        ``"linear"`` and ``"cosine"`` let λ rise from 0 in the first `steps` steps; a function of
        the step (from 0) returns the share of λ that acts.
    steps : int, optional
        Of the rise.
    output : str, optional
        Name of the output layer, where it is not the last.
    example : tensor or tuple of tensors, optional
        Inputs that show which layer is run last.

    Raises
    ------
    SettingError
        When a selector names nothing or only what is frozen, when two name the same parameter, or
        on a λ or a schedule that cannot be used.

    Notes
    -----
    ``GroupLasso("inputs")`` is about the inputs of the network: by kind it acts on the first of
    the parameters alone, by name on all that are named.

    Adding a penalty to the loss leaves no exact zeros. :class:`Proximal` does.

    Examples
    --------
    >>> from shrinkage import L1
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> penalized = Penalized(model, L1(), lam=0.01)
    >>> penalized.names
    ('0.weight',)
    >>> loss = penalized(model(torch.ones(4, 2)).square().mean())
    >>> loss.shape, loss.requires_grad
    (torch.Size([]), True)
    """

    def __init__(
        self,
        model: Model,
        penalties: Penalties,
        *,
        lam: Lam,
        schedule: Schedule = "constant",
        steps: int | None = None,
        output: str | None = None,
        example: Any = None,
    ) -> None:
        self.places: tuple[Place, ...] = places_of(model, penalties, output=output, example=example)
        self._joined = 0
        self.strength = Strength([place.parameter for place in self.places], lam, schedule, steps)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the penalized parameters, in the order of the module."""
        return tuple(place.parameter.name for place in self.places)

    @property
    def lam(self) -> Mapping[str, float]:
        """λ of each parameter, before the schedule; assign what the class takes to change it."""
        return self.strength.lam

    @lam.setter
    def lam(self, lam: Lam) -> None:
        self.strength.set_all(lam)

    def set_lam(self, selector: str | Sequence[str], value: float | Sequence[float]) -> None:
        """Change λ of some of the penalized parameters while training goes on.

        Parameters
        ----------
        selector : str or sequence of str
            A kind, a name or a pattern.
        value : float or sequence of float
            One λ for all of them, or one for each.

        Raises
        ------
        SettingError
            When it names no penalized parameter, or the λ cannot be used.
        """
        self.strength.set(selector, value)

    def current(self) -> dict[str, float]:
        """λ of each parameter at this step, with the schedule.

        Returns
        -------
        dict of str to float
            By the parameter's name.
        """
        share = self.strength.share()
        return {name: share * lam for name, lam in self.strength.lam.items()}

    def value(self) -> Tensor:
        """The penalty at this step, to be added to the mean loss.

        Returns
        -------
        tensor ()
            Differentiable; on the device of the first penalized parameter.

        Raises
        ------
        SettingError
            When a penalty is decoupled, which no loss can express.
        """
        lam = self.current()
        parts = [value_of(place, lam[place.parameter.name]) for place in self.places]
        return torch.stack([part.to(parts[0]) for part in parts]).sum()

    def add_to(self, loss: Tensor) -> Tensor:
        """The loss with the penalty.

        Parameters
        ----------
        loss : tensor ()
            The mean over rows.

        Returns
        -------
        tensor ()
            On the device of the loss.

        Raises
        ------
        DataError
            When the loss is not a single number.
        """
        if not isinstance(loss, Tensor):
            raise DataError(f"the loss is a {type(loss).__name__}; a penalty joins a tensor")
        if loss.ndim:
            raise DataError(
                f"the loss has shape {tuple(loss.shape)}, one number for each row perhaps; take "
                "its mean (loss.mean()) before the penalty is added"
            )
        if not loss.is_floating_point():
            raise DataError(
                f"the loss holds {str(loss.dtype).removeprefix('torch.')} numbers; a penalty joins "
                "a real one"
            )
        self._warn_of_standstill()
        return loss + self.value().to(loss.device)

    __call__ = add_to

    def _warn_of_standstill(self) -> None:
        """A rise that nobody counts the steps of would be no penalty at all, silently."""
        self._joined += 1
        if (
            self._joined == _MANY
            and self.strength.step == 0
            and self.strength.schedule != "constant"
        ):
            warnings.warn(
                f"the schedule of λ still is at step 0 after {_MANY} losses; call step() of the "
                "penalty after each optimizer.step(), or use Proximal, which does",
                stacklevel=3,
            )

    def step(self) -> None:
        """Count a step, for the schedule: after ``optimizer.step()``.

        :class:`Proximal` does that by itself.
        """
        self.strength.step += 1

    def state_dict(self) -> dict[str, Any]:
        """λ, steps taken and the ramp, as plain numbers.

        Returns
        -------
        dict
            For :meth:`load_state_dict`.
        """
        return self.strength.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was called.

        Parameters
        ----------
        state : mapping
            What it returned.

        Raises
        ------
        SettingError
            When it is of other parameters.
        """
        self.strength.load_state_dict(state)

    def __repr__(self) -> str:
        lines = [
            f"  {place.parameter.name}: {place.penalty.label}, λ = {lam:.4g}"
            for place, lam in zip(self.places, self.lam.values(), strict=True)
        ]
        return "\n".join([f"{type(self).__name__} (", *lines, ")"])
