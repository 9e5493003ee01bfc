"""Penalties on chosen parameters of a PyTorch module: their value, to add to a loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from shrinkage.errors import DataError, SettingError
from shrinkage.frameworks.parameters import Parameter
from shrinkage.frameworks.selectors import HIDDEN_KERNELS, chosen
from shrinkage.penalties import Penalty
from shrinkage.torch.modules import parameters_of, unwrapped
from shrinkage.torch.strength import Lam, Schedule, Strength

Selector = str | tuple[str, ...]
Penalties = Penalty | Mapping[Selector, Penalty]


@dataclass(frozen=True)
class Place:
    """One penalized parameter, and where the module keeps it.

    Parameters
    ----------
    parameter : Parameter
        What it is.
    penalty : Penalty
        What acts on it.
    found : tensor
        What was there when the penalty was attached.
    owner : torch.nn.Module or None
        Whose attribute it is; None for tensors that came without a module.
    attribute : str
        Its name there.
    transposed : bool
        Whether inputs come before outputs in its shape, as in transposed convolutions.
    """

    parameter: Parameter
    penalty: Penalty
    found: Tensor
    owner: nn.Module | None = None
    attribute: str = ""
    transposed: bool = False

    @property
    def tensor(self) -> Tensor:
        """What is there now."""
        if self.owner is None:
            return self.found
        held = getattr(self.owner, self.attribute, None)
        return held if isinstance(held, Tensor) else self.found

    def kernel(self, tensor: Tensor) -> Tensor:
        """A view of something of the parameter's shape, outputs before inputs."""
        return tensor.transpose(0, 1) if self.transposed else tensor

    def __getstate__(self) -> dict[str, Any]:
        # Tensors are enough to go on; a module may not be picklable.
        return {**self.__dict__, "found": self.tensor, "owner": None}


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
        model: nn.Module | Iterable[Tensor] | Iterable[tuple[str, Tensor]],
        penalties: Penalties,
        *,
        lam: Lam,
        schedule: Schedule = "constant",
        steps: int | None = None,
        output: str | None = None,
        example: Any = None,
    ) -> None:
        if isinstance(model, nn.Module):
            model = unwrapped(model)
            parameters = parameters_of(model, output=output, example=example)
            standard: Selector = HIDDEN_KERNELS
        else:
            tensors = _named(model)
            parameters = tuple(_bare(name, tensor) for name, tensor in tensors.items())
            standard = "*"
        by_selector = penalties if isinstance(penalties, Mapping) else {standard: penalties}
        penalty_of = _penalty_of(by_selector, parameters)
        self.places: tuple[Place, ...] = tuple(
            _place(model, parameter, penalty_of[parameter.name])
            if isinstance(model, nn.Module)
            else Place(parameter, penalty_of[parameter.name], tensors[parameter.name])
            for parameter in parameters
            if parameter.name in penalty_of
        )
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
        """λ of each parameter at this step, with the schedule."""
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
        parts = [_value(place, lam[place.parameter.name]) for place in self.places]
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
        return loss + self.value().to(loss.device)

    __call__ = add_to

    def step(self) -> None:
        """Count a step, for the schedule: after ``optimizer.step()``.

        :class:`Proximal` does that by itself.
        """
        self.strength.step += 1

    def state_dict(self) -> dict[str, Any]:
        """λ, steps taken and the ramp, as plain numbers."""
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


def group_bound(kernel: Tensor, over: str) -> float:
    """Root of the number of weights in each group of a kernel (out, in, …)."""
    return float((kernel.numel() / max(_groups(kernel, over), 1)) ** 0.5)


def _groups(kernel: Tensor, over: str) -> int:
    if kernel.ndim < 2:
        return 1 if over == "units" else kernel.numel()
    return int(kernel.shape[0 if over == "units" else 1])


def _value(place: Place, lam: float) -> Tensor:
    """What one parameter's penalty is, in float32 at least."""
    penalty, w = place.penalty, place.tensor
    if penalty.decoupled:
        raise SettingError(
            f"the {penalty.label} penalty on '{place.parameter.name}' is decoupled, so it is no "
            "part of the loss; use Proximal, or one that is not decoupled"
        )
    if w.dtype in (torch.float16, torch.bfloat16):
        w = w.float()
    total = w.new_zeros(())
    if penalty.l1_share:
        total = total + lam * penalty.l1_share * w.abs().sum()
    if penalty.l2_share:
        total = total + 0.5 * lam * penalty.l2_share * w.square().sum()
    if penalty.group_share and penalty.groups:
        kernel = place.kernel(w)
        bound = lam * penalty.group_share * group_bound(kernel, penalty.groups)
        matrix = kernel if kernel.ndim >= 2 else kernel.reshape(1, -1)
        if penalty.groups == "inputs":
            matrix = matrix.transpose(0, 1)
        total = total + bound * torch.linalg.vector_norm(matrix.flatten(1), dim=1).sum()
    return total


def _penalty_of(
    penalties: Mapping[Selector, Penalty], parameters: Sequence[Parameter]
) -> dict[str, Penalty]:
    """The penalty of each parameter that has one."""
    if not penalties:
        raise SettingError("there is no penalty; name one, such as {'hidden kernels': L1()}")
    found: dict[str, tuple[Selector, Penalty]] = {}
    for selector, penalty in penalties.items():
        if not hasattr(penalty, "l1_share"):
            raise SettingError(
                f"'{selector}' has {penalty!r} as penalty; use L1(), L2(), ElasticNet() or "
                "GroupLasso() of shrinkage"
            )
        named = chosen(selector, parameters)
        if penalty.groups == "inputs" and selector == HIDDEN_KERNELS:
            named = named[:1]
        for parameter in named:
            if parameter.name in found:
                raise SettingError(
                    f"'{parameter.name}' is named twice, by {found[parameter.name][0]!r} and "
                    f"{selector!r}; a parameter has one penalty (ElasticNet() is L1 and L2)"
                )
            found[parameter.name] = (selector, penalty)
    return {name: penalty for name, (_, penalty) in found.items()}


def _place(model: nn.Module, parameter: Parameter, penalty: Penalty) -> Place:
    path, _, attribute = parameter.name.rpartition(".")
    owner = model.get_submodule(path)
    found = getattr(owner, attribute)
    transposed = isinstance(owner, _ConvTransposeNd)
    grouped = isinstance(owner, _ConvNd) and owner.groups > 1
    if grouped and penalty.groups == ("units" if transposed else "inputs"):
        raise SettingError(
            f"'{parameter.name}' is of a convolution in {owner.groups} groups, whose "
            f"{penalty.groups} do not each have a slice of it; leave it out, or use L1"
        )
    return Place(parameter, penalty, found, owner, attribute, transposed)


def _named(tensors: Iterable[Tensor] | Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors that came without a module, by name, each once."""
    found: dict[str, Tensor] = {}
    seen: set[int] = set()
    for place, one in enumerate(tensors):
        name, tensor = one if isinstance(one, tuple) else (str(place), one)
        if not isinstance(tensor, Tensor):
            raise SettingError(
                f"'{name}' is a {type(tensor).__name__}; hand in a module, or tensors to be "
                "penalized"
            )
        if id(tensor) not in seen:
            seen.add(id(tensor))
            found[name] = tensor
    if not found:
        raise SettingError("there are no parameters to penalize; hand in a module, or tensors")
    return found


def _bare(name: str, tensor: Tensor) -> Parameter:
    if not tensor.is_floating_point():
        raise SettingError(
            f"the parameter '{name}' holds {str(tensor.dtype).removeprefix('torch.')} numbers; a "
            "penalty needs real ones (float32, say)"
        )
    shape = tuple(tensor.shape)
    return Parameter(name, "other", "", "", shape, bool(tensor.requires_grad))
