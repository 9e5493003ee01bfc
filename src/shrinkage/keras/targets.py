"""Which kernels get which penalty with which λ: what `regularize` and `Proximal` are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shrinkage.errors import SettingError
from shrinkage.frameworks.parameters import Parameter
from shrinkage.frameworks.selectors import HIDDEN_KERNELS, chosen
from shrinkage.keras.axes import axes_within
from shrinkage.keras.layers import Place, places_of
from shrinkage.keras.shrinking import Axes
from shrinkage.keras.terms import require_lambda
from shrinkage.penalties import Penalty

Selector = str | tuple[str, ...]
Penalties = Penalty | Mapping[Selector, Penalty]
Lam = float | Sequence[float] | Mapping[str, float | Sequence[float]]
"""One λ for all, one for each parameter in the order of the model, or by selector."""


@dataclass(frozen=True, eq=False)
class Target:
    """One kernel and its penalty.

    Parameters
    ----------
    place : Place
        The kernel.
    penalty : Penalty
        On it.
    lam : float
        λ.
    within : tuple of int or None
        Axes along which a group lies.
    """

    place: Place
    penalty: Penalty
    lam: float
    within: Axes


def targets_of(
    model: Any,
    penalties: Penalties,
    lam: Lam,
    on: str | Sequence[str] = HIDDEN_KERNELS,
    output: str | Sequence[str] | None = None,
) -> tuple[Target, ...]:
    """Kernels with their penalties, each kernel once.

    Parameters
    ----------
    model : keras.Model
        Built.
    penalties : Penalty, or mapping of selectors to penalties
        A single one acts on all that `on` names. ``GroupLasso("inputs")`` is about the inputs of
        the network: by kind it acts on the first parameter alone, by name on all that are named.
    lam : float, sequence of float, or mapping
        One λ for all, one for each parameter in the order of the model, or by selector.
    on : str or sequence of str, default "hidden kernels"
        As of :func:`shrinkage.frameworks.selectors.chosen`.
    output : str or sequence of str, optional
        The output layer where it cannot be told.

    Returns
    -------
    tuple of Target
        In the order of the model.

    Raises
    ------
    SettingError
        When nothing is named, something twice, or a λ is missing, too many or negative.
    """
    places = {place.parameter.name: place for place in places_of(model, output=output)}
    parameters = [place.parameter for place in places.values()]
    penalty_of = _penalties(penalties, on, parameters)
    strengths = strengths_of(lam, [p for p in parameters if p.name in penalty_of])
    return tuple(
        Target(
            places[name],
            penalty_of[name],
            strength,
            axes_within(penalty_of[name].groups, places[name].layer, places[name].variable),
        )
        for name, strength in strengths.items()
    )


def _penalties(
    penalties: Penalties, on: str | Sequence[str], parameters: Sequence[Parameter]
) -> dict[str, Penalty]:
    """The penalty of each parameter that has one."""
    if isinstance(penalties, Mapping):
        if on != HIDDEN_KERNELS:
            raise SettingError(
                "a dict of penalties says itself which parameters are meant; leave out `on`"
            )
        by_selector: dict[Selector, Penalty] = dict(penalties)
    else:
        by_selector = {on if isinstance(on, str) else tuple(on): penalties}
    if not by_selector:
        raise SettingError("there is no penalty; name one, such as {'hidden kernels': L1()}")
    found: dict[str, Penalty] = {}
    for selector, penalty in by_selector.items():
        if isinstance(penalty, type) or not hasattr(penalty, "l1_share"):
            raise SettingError(f"expected a penalty such as L2() for '{selector}', got {penalty!r}")
        named = chosen(selector, parameters)
        if penalty.groups == "inputs" and selector == HIDDEN_KERNELS:
            named = named[:1]
        for parameter in named:
            if parameter.name in found:
                raise SettingError(
                    f"'{parameter.name}' is named twice, the second time by {selector!r}; a "
                    "parameter has one penalty (ElasticNet() is L1 and L2)"
                )
            found[parameter.name] = penalty
    return found


def strengths_of(lam: Lam, parameters: Sequence[Parameter]) -> dict[str, float]:
    """λ of each parameter by its name.

    Parameters
    ----------
    lam : float, sequence of float, or mapping
        One for all, one for each, or by selector.
    parameters : sequence of Parameter
        The penalized ones, in the order of the model.

    Returns
    -------
    dict of str to float
        In that order.

    Raises
    ------
    SettingError
        When one is missing, there are too many, or one is negative.
    """
    if not isinstance(lam, Mapping):
        return _one_for_each(lam, parameters, "the penalty")
    found: dict[str, float] = {}
    for selector, value in lam.items():
        found |= _one_for_each(value, chosen(selector, parameters), f"'{selector}'")
    for parameter in parameters:
        if parameter.name not in found:
            raise SettingError(
                f"lam gives no λ for '{parameter.name}', which is penalized; name it too, or set "
                "its λ to 0"
            )
    return {parameter.name: found[parameter.name] for parameter in parameters}


def _one_for_each(
    lam: float | Sequence[float], parameters: Sequence[Parameter], what: str
) -> dict[str, float]:
    names = [parameter.name for parameter in parameters]
    if not isinstance(lam, Sequence) or isinstance(lam, str):
        return dict.fromkeys(names, require_lambda(lam))
    if len(lam) != len(names):
        raise SettingError(
            f"lam has {len(lam)} values, but {what} is on {len(names)} parameters "
            f"({', '.join(names)}); give one for each, or a single λ"
        )
    return {name: require_lambda(value) for name, value in zip(names, lam, strict=True)}
