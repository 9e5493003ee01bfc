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


EXHIBITS: dict[str, Callable[[Mapping[str, Any]], Exhibit]] = {
    "capacity": _capacity,
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
