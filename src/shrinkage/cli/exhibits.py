"""Which exhibits there are, and how each is made of the options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shrinkage.cli.words import choice, numbers, words
from shrinkage.errors import SettingError

if TYPE_CHECKING:
    from shrinkage.exhibits import Exhibit


def _capacity(raw: Mapping[str, Any]) -> Exhibit:
    from shrinkage.exhibits.capacity import WIDTHS, CapacitySweep

    given = raw.get("widths")
    widths = WIDTHS if given is None else tuple(numbers(given, "--widths", int, "1,10,100"))
    layers = raw.get("layers", 1)
    if layers < 1:
        raise SettingError(f"--layers is {layers}; it must be at least 1")
    # Who sets the epochs gets them.
    return CapacitySweep(widths, layers, longer=None if raw["epochs"] is None else 1)


def _interaction(raw: Mapping[str, Any]) -> Exhibit:
    from shrinkage.exhibits.interaction import DROPOUTS, InteractionMap

    given = raw.get("dropouts")
    dropouts = DROPOUTS if given is None else tuple(numbers(given, "--dropouts", float, "0.2,0.5"))
    return InteractionMap(**_penalty(raw), dropouts=dropouts)


def _learning_curve(raw: Mapping[str, Any]) -> Exhibit:
    from shrinkage.exhibits.learning_curve import GrowingData

    given = raw.get("sizes")
    sizes = None if given is None else tuple(numbers(given, "--sizes", float, "0.25,0.5,1"))
    return GrowingData(sizes, **_penalty(raw))


def _penalty(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The one penalty of an exhibit and its λ; beside a search they follow from its choice."""
    from shrinkage.penalties import parse_penalty

    penalty, lambdas = raw.get("one_penalty"), raw.get("own_lambdas")
    if penalty is not None and len(words(penalty)) != 1:
        raise SettingError(f"--penalty is '{penalty}'; name one penalty, such as --penalty l2")
    return {
        "penalty": None if penalty is None else parse_penalty(words(penalty)[0]),
        "lambdas": None
        if lambdas is None
        else tuple(numbers(lambdas, "--lambdas", float, "0.001,0.01,0.1")),
    }


def kinds() -> dict[str, type[Exhibit]]:
    """The exhibits themselves, by their names."""
    from shrinkage.exhibits.capacity import CapacitySweep
    from shrinkage.exhibits.interaction import InteractionMap
    from shrinkage.exhibits.learning_curve import GrowingData

    return {one.name: one for one in (CapacitySweep, InteractionMap, GrowingData)}


EXHIBITS: dict[str, Callable[[Mapping[str, Any]], Exhibit]] = {
    "capacity": _capacity,
    "interaction": _interaction,
    "learning-curve": _learning_curve,
}
"""By the name of the command, which is also that in ``--with``."""


def read_exhibits(raw: Mapping[str, Any]) -> tuple[Exhibit, ...]:
    """The exhibit that is the command, or those that ``--with`` names, each once.

    Parameters
    ----------
    raw : mapping
        As :func:`shrinkage.cli.options.read_options` gets it.

    Raises
    ------
    SettingError
        On an unknown name, or a setting that an exhibit cannot use.
    """
    given = [raw["exhibit"]] if raw.get("exhibit") else raw.get("exhibits") or []
    known = {name.replace("-", "_"): name for name in EXHIBITS}
    names = [known[choice("exhibit", word, known)] for text in given for word in words(text)]
    return tuple(EXHIBITS[name](raw) for name in dict.fromkeys(names))
