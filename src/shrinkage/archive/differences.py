"""In what two studies differ, as clauses for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shrinkage.penalties.names import describe_lambda

FIXED = ("network", "training", "seed")
"""Parts of a plan that every fit of a study shares; the others may be extended."""


def differences(
    before: Mapping[str, Any], now: Mapping[str, Any], names: tuple[str, ...] = FIXED
) -> list[str]:
    """What differs between two plans, field by field.

    Parameters
    ----------
    before, now : mapping of str to object
        JSON of plans.
    names : tuple of str
        Fields to compare.

    Returns
    -------
    list of str
        Such as ``"epochs 120, now 60"``.

    Examples
    --------
    >>> differences({"seed": 0, "rule": "minimum"}, {"seed": 1, "rule": "minimum"})
    ['seed 0, now 1']
    """
    old = dict(_flat({name: before.get(name) for name in names}))
    new = dict(_flat({name: now.get(name) for name in names}))
    return [
        f"{_title(name)} {_shown(old.get(name))}, now {_shown(new.get(name))}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _flat(said: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(said, Mapping) and "record" in said:
        for field, value in dict(said.get("fields", {})).items():
            yield from _flat(value, field)
    elif isinstance(said, Mapping) and not name:
        for field, value in said.items():
            yield from _flat(value, str(field))
    else:
        yield name, said


def _title(name: str) -> str:
    return {"lambdas": "λ", "hidden": "hidden units"}.get(name, name.replace("_", " "))


def _shown(said: Any) -> str:
    """A value of a plan's JSON for people."""
    if said is None:
        return "none"
    if isinstance(said, bool):
        return "yes" if said else "no"
    if isinstance(said, float):
        return describe_lambda(said)
    if isinstance(said, Mapping) and "tuple" in said:
        return ",".join(_shown(item) for item in said["tuple"]) or "none"
    if isinstance(said, Mapping) and "record" in said:
        return str(said["record"])
    return str(said)
