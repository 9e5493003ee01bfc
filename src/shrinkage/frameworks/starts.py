"""Whether a factory makes a start of its own each time, as draws with several seeds need."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from shrinkage.errors import SettingError


def check_starts(
    shared: Sequence[str], *, reseeds: bool, same: bool, seeding: str, stacklevel: int = 2
) -> None:
    """See that two networks, made under different seeds, are two draws.

    Parameters
    ----------
    shared : sequence of str
        Trainable arrays that both have in common, by name.
    reseeds : bool
        Whether the factory sets the framework's seed itself.
    same : bool
        Whether all trainable numbers of both are equal.
    seeding : str
        What sets the framework's seed: ``"torch.manual_seed"``.
    stacklevel : int, default 2
        Of the warning, counted from the caller.

    Raises
    ------
    SettingError
        When they share arrays, or when the factory decides the draws.

    Warns
    -----
    UserWarning
        When both start from the same numbers: loaded, copied or constant ones can be meant.
    """
    if shared:
        others = f" and {len(shared) - 1} more" if len(shared) > 1 else ""
        raise SettingError(
            f"two calls of the factory return the same '{shared[0]}'{others}, so trainings would "
            "not be apart; let it make every layer that is trained anew in each call"
        )
    if reseeds:
        raise SettingError(
            f"the factory calls {seeding} itself, so every seed would start from the same weights; "
            "leave that out, since a path sets the seed before each call"
        )
    if same:
        warnings.warn(
            "the factory makes the same first weights whatever the seed, so draws with several "
            "seeds differ in the order of rows and in dropout alone; if they are not loaded on "
            "purpose, let each call draw them anew",
            stacklevel=stacklevel + 1,
        )
