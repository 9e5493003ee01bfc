"""How much a search may take: a time, which depends on the machine, or a number of fits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shrinkage.errors import SettingError

_UNITS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_FORM = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(fits?|s|sec|m|min|h)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Budget:
    """Seconds or fits; exactly one of both.

    Parameters
    ----------
    seconds : float or None, default None
        Of wall-clock time, from the start of the search.
    fits : int or None, default None
        Fits in all: the same number gives the same result to the last bit on any machine.
    """

    seconds: float | None = None
    fits: int | None = None

    def __str__(self) -> str:
        if self.fits is not None:
            return f"{self.fits:,} fits"
        return f"{self.seconds:g} s"


def parse_budget(text: str) -> Budget:
    """The budget that a user names.

    Parameters
    ----------
    text : str
        A number with its unit: ``"60s"``, ``"2m"``, ``"1h"``, ``"500fits"``.

    Returns
    -------
    Budget

    Raises
    ------
    SettingError
        On anything else.

    Examples
    --------
    >>> parse_budget("2m"), parse_budget("500fits")
    (Budget(seconds=120.0, fits=None), Budget(seconds=None, fits=500))
    """
    found = _FORM.fullmatch(text)
    if found is None or found[2] is None:
        raise SettingError(
            f"the budget '{text}' is not understood; write a time or a number of fits, such as "
            "60s, 2m or 500fits"
        )
    amount, unit = float(found[1]), found[2].lower()
    if amount == 0 or (unit.startswith("fit") and amount != int(amount)):
        raise SettingError(f"the budget is {text}; it must be above 0, and fits come whole")
    if unit.startswith("fit"):
        return Budget(fits=int(amount))
    return Budget(seconds=amount * _UNITS[unit])
