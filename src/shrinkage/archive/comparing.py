"""Two study files side by side: what differs in their plans, and in the fits that both have."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shrinkage.archive.differences import differences
from shrinkage.archive.kept_data import fact
from shrinkage.archive.opening import opened
from shrinkage.archive.reading import plans_of, questions
from shrinkage.archive.summary import Summary, summary


@dataclass(frozen=True)
class Comparison:
    """Two studies.

    Parameters
    ----------
    first, second : Summary
        What each holds.
    same_rows : bool
        Whether both are about the same rows, with the same test set.
    settings : tuple of str
        What differs between their last plans.
    versions : tuple of str
        Packages whose versions differ between their last runs.
    shared : int
        Trials that both have a fit of.
    identical : int
        Of these, with the same results to the bit.
    """

    first: Summary
    second: Summary
    same_rows: bool
    settings: tuple[str, ...]
    versions: tuple[str, ...]
    shared: int
    identical: int


def compare(first: str | os.PathLike[str], second: str | os.PathLike[str]) -> Comparison:
    """Lay two study files side by side.

    Parameters
    ----------
    first, second : str or path-like
        Study files, of whatever data.

    Returns
    -------
    Comparison

    Raises
    ------
    SettingError
        When one cannot be opened, or is damaged.
    """
    looks, plans, rows, fits = [], [], [], []
    for path in (first, second):
        looks.append(summary(path))
        with opened(path) as connection:
            said = plans_of(connection)
            plans.append(said[-1] if said else {})
            rows.append(fact(connection, "rows"))
            fits.append(_digests(connection))
    shared = fits[0].keys() & fits[1].keys()
    names = tuple(dict.fromkeys([*plans[0], *plans[1]]))
    return Comparison(
        first=looks[0],
        second=looks[1],
        same_rows=rows[0] is not None and rows[0] == rows[1],
        settings=tuple(differences(plans[0], plans[1], names)),
        versions=tuple(_versions(looks[0], looks[1])),
        shared=len(shared),
        identical=sum(fits[0][asked] == fits[1][asked] for asked in shared),
    )


def _digests(connection: sqlite3.Connection) -> Mapping[str, Any]:
    """For each question that has a fit, the digest of its answer."""
    asked = questions(connection)
    found = connection.execute("SELECT trial, digest FROM fits")
    return {asked[key]: digest for key, digest in found if key in asked}


def _versions(first: Summary, second: Summary) -> list[str]:
    then, now = ({} if not one.runs else one.runs[-1].versions for one in (first, second))
    return [
        f"{name} {then.get(name, 'none')}, now {now.get(name, 'none')}"
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != now.get(name)
    ]
