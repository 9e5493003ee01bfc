"""In what two studies differ, as clauses for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data
from shrinkage.penalties.names import describe_lambda

FIXED = ("network", "training", "seed")
"""Parts of a plan that every fit of a study shares; the others may be extended."""
_SHOWN = 6
"""Names of columns in a clause."""


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


def columns_differ(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """In what the columns of two tables differ: a clause, or nothing.

    Examples
    --------
    >>> columns_differ(["a", "b"], ["a", "bb"])
    ['columns b, now bb']
    """
    gone = [name for name in before if name not in set(now)]
    new = [name for name in now if name not in set(before)]
    if gone and new:
        return [f"columns {_some(gone)}, now {_some(new)}"]
    if gone or new:
        return [f"without {_some(gone)}" if gone else f"with {_some(new)} besides"]
    return ["the columns in another order"] if list(before) != list(now) else []


def _some(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return ", ".join([*names[:_SHOWN], *more])


def rows_differ(before: Data, now: Data) -> str:
    """In what two tables with the same columns and as many rows differ, as a clause.

    Rows are compared by one number each, a sum over their cells with weights drawn at random: two
    tables have the same rows when they have the same numbers. Where an encoding depends on the
    rows that are trained on, as filled gaps do, they have not, and less is said.
    """
    then, there = (_as_given(one, before) for one in (before, now))
    if then is not None and there is not None and then.shape == there.shape:
        if _alike(then, there):
            if not np.array_equal(before.test_rows, now.test_rows):
                return "the same rows, others of them set aside for the test"
        elif _alike(np.sort(then), np.sort(there)):
            return "the same rows in another order"
    return "the same columns hold other values"


def _as_given(data: Data, scale: Data) -> NDArray[np.float64] | None:
    """For each row a number, in the order of the table; None where that is not known."""
    full, test, units = data.full, data.test, scale.full
    rows = np.concatenate([data.train_rows, data.test_rows])
    known = len(rows) == len(full.inputs) + len(test.inputs)
    if not known or (full.columns, data.target_names) != (units.columns, scale.target_names):
        return None
    inputs = np.concatenate([full.inputs, test.inputs]) * full.scale + full.center
    targets = np.concatenate([full.targets * full.target_scale + full.target_center, test.targets])
    cells = np.hstack(
        [
            (inputs - units.center) / np.where(units.scale == 0, 1.0, units.scale),
            (targets - units.target_center) / units.target_scale,
        ]
    )
    weights = np.random.default_rng(0).uniform(0.5, 1.5, cells.shape[1])
    numbers: NDArray[np.float64] = (cells @ weights)[np.argsort(rows)]
    return numbers


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """But for what single precision leaves of a cell."""
    return np.allclose(one, other, rtol=1e-6, atol=1e-5)


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
