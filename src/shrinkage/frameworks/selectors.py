"""Which parameters are meant: a kind, or a pattern of names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from shrinkage.errors import SettingError, suggestion
from shrinkage.frameworks.parameters import KINDS, Parameter

HIDDEN_KERNELS = "hidden kernels"
"""What penalties act on unless something else is said."""
_PLURALS = {"biases" if kind == "bias" else f"{kind}s": kind for kind in KINDS}
_SPARED = ("bias", "normalization")
"""Kinds that are meant by their kind or their own name, not with the layer that they are in."""


def chosen(selector: str | Sequence[str], parameters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """The trainable parameters that a selector names, in the order of the network.

    Parameters
    ----------
    selector : str or sequence of str
        A kind in the singular or plural (``"hidden kernels"``, ``"embeddings"``, ``"biases"``), a
        parameter's or a layer's name, or a pattern of names with ``*``, ``?`` and ``[…]``
        (``"features.*"``, ``"*.weight"``). A layer means its kernels, those that it shares with
        other layers too, and its bias only where it has nothing else. Several together mean all
        that any of them names.
    parameters : iterable of Parameter
        Of the network.

    Returns
    -------
    tuple of Parameter
        At least one, each once.

    Raises
    ------
    SettingError
        When one of the selectors names nothing, with what it may have meant; or when all that it
        names is frozen.

    Examples
    --------
    >>> kernel = Parameter("0.weight", "hidden kernel", "0", "Linear", (8, 2), trainable=True)
    >>> bias = Parameter("0.bias", "bias", "0", "Linear", (8,), trainable=True)
    >>> [p.name for p in chosen("0", (kernel, bias))], len(chosen("0.*", (kernel, bias)))
    (['0.weight'], 2)
    """
    known = tuple(parameters)
    selectors = [selector] if isinstance(selector, str) else selector
    if not isinstance(selectors, Iterable) or not all(isinstance(one, str) for one in selectors):
        raise SettingError(
            f"the selector is {selector!r}; name a kind such as '{HIDDEN_KERNELS}', or parameters, "
            "one or a list of them"
        )
    if not selectors:
        raise SettingError(
            f"the selector is empty; name a kind such as '{HIDDEN_KERNELS}', or parameters"
        )
    meant: set[str] = set()
    for one in selectors:
        named = _named(one, known)
        if not named:
            raise SettingError(_nothing(one, known))
        free = [parameter for parameter in named if parameter.trainable]
        if not free:
            raise SettingError(
                f"all that '{one}' names is frozen ({_listed(named)}), so a penalty on it would do "
                "nothing; make it trainable, or name something else"
            )
        meant |= {parameter.name for parameter in free}
    return tuple(parameter for parameter in known if parameter.name in meant)


def _named(selector: str, known: Sequence[Parameter]) -> list[Parameter]:
    """What a selector means of the parameters."""
    kind = _PLURALS.get(selector, selector)
    if kind in KINDS:
        return [parameter for parameter in known if parameter.kind == kind]
    by_name = {
        parameter.name
        for parameter in known
        if any(fnmatchcase(name, selector) for name in (parameter.name, *parameter.shared))
    }
    found = [p for p in known if p.name in by_name or _is_in(p, selector)]
    return [p for p in found if p.name in by_name or p.kind not in _SPARED] or found


def _is_in(parameter: Parameter, selector: str) -> bool:
    """Whether it belongs to a layer that is meant, its own or one that shares it."""
    layers = (parameter.layer, *parameter.also_in)
    return any(fnmatchcase(layer or ".", selector) for layer in layers)


def _nothing(selector: str, known: Sequence[Parameter]) -> str:
    """Why a selector names nothing, and what would be something."""
    kind = _PLURALS.get(selector, selector)
    if kind in KINDS:
        found = ", ".join(sorted({parameter.kind for parameter in known})) or "nothing"
        # A name that there is, and rather one that a penalty is mostly meant for.
        likely = sorted(known, key=lambda p: (p.kind in _SPARED, len(p.shape) < 2))
        example = f", such as '{likely[0].name}'" if likely else ""
        return (
            f"the network has no {kind} (it has: {found}); name the parameters that are "
            f"meant{example}"
        )
    names = [parameter.name for parameter in known]
    layers = [layer for p in known for layer in (p.layer, *p.also_in) if layer]
    possible = [*dict.fromkeys([*names, *layers, *_PLURALS])]
    return f"no parameter is called '{selector}'; {suggestion(selector, possible)}"


def _listed(parameters: Sequence[Parameter]) -> str:
    names = [parameter.name for parameter in parameters]
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
