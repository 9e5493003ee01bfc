"""The one family of errors that a person at the keyboard is meant to read."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ShrinkageError(ValueError):
    """Base class: what was wrong, where, what was expected, and the remedy, in one sentence.

    Examples
    --------
    >>> from shrinkage import Network
    >>> Network(inputs=0)
    Traceback (most recent call last):
    shrinkage.errors.SettingError: a network needs at least 1 of inputs, got 0
    """


class SettingError(ShrinkageError):
    """A setting (an option, an argument) that cannot be used."""


class DataError(ShrinkageError):
    """A table, a column or a target that cannot be used."""


def suggestion(given: str, known: Iterable[str]) -> str:
    """A ready-made ending for an error about an unknown name.

    Parameters
    ----------
    given : str
        What the user wrote.
    known : iterable of str
        What would have been understood.

    Returns
    -------
    str
        ``"did you mean 'x'?"`` when something is close, else the list of known names.
    """
    names = list(known)
    by_lower = {name.lower(): name for name in names}
    close = get_close_matches(given.lower(), by_lower, n=1, cutoff=0.65)
    if not close and len(given) >= 3:  # a beginning is as good a hint, where it is of one name
        begun = [name for name in by_lower if name.startswith(given.lower())]
        close = begun if len(begun) == 1 else []
    if close:
        return f"did you mean '{by_lower[close[0]]}'?"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"choose one of: {shown}"


def require_known(what: str, given: str, known: Iterable[str]) -> None:
    """Raise :class:`SettingError` with a suggestion unless `given` is one of `known`."""
    names = list(known)
    if given not in names:
        raise SettingError(f"unknown {what} '{given}'; {suggestion(given, names)}")
