"""Values of options, from text that people write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from shrinkage.errors import SettingError, require_known

Number = TypeVar("Number", int, float)


def words(text: str) -> list[str]:
    """What stands between commas, without empty parts."""
    return [word.strip() for word in text.split(",") if word.strip()]


def numbers(text: str, option: str, read: Callable[[str], Number], example: str) -> list[Number]:
    """Numbers separated by commas.

    Raises
    ------
    SettingError
        On a word that `read` (int or float) refuses.
    """
    found = []
    for word in words(text):
        try:
            found.append(read(word))
        except ValueError:
            kind = "a whole number" if read is int else "a number"
            raise SettingError(
                f"'{word}' in {option} is not {kind}; write them separated by commas, such as "
                f"{option} {example}"
            ) from None
    return found


def choice(what: str, given: str, known: Iterable[str]) -> str:
    """A name in the spelling that the rooms know, whatever its case and hyphens."""
    name = given.strip().lower().replace("-", "_").replace(" ", "_")
    names = list(known)
    if name not in names:
        require_known(what, given, names)
    return name
