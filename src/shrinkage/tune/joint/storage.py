"""Optuna's study, in memory or in a file from which a search goes on."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shrinkage.errors import SettingError

if TYPE_CHECKING:
    import optuna

_NAME = "shrinkage"
_OWNER = "shrinkage: about"


def open_study(
    path: str | None, about: dict[str, Any], *, maximize: bool, first_rung: int, halving: int
) -> optuna.Study:
    """A new study, or the one in a file.

    Parameters
    ----------
    path : str or None
        A journal file, made when there is none; None for memory alone.
    about : dict
        What the study is of: plain values that a stored study must share.
    maximize : bool
        Whether larger scores are better.
    first_rung, halving : int
        Of successive halving: of the candidates that reach `first_rung` folds, and each multiple of
        that by `halving`, one in `halving` goes on.

    Returns
    -------
    optuna.Study
        With successive halving as its pruner.

    Raises
    ------
    SettingError
        When the file cannot be used, is none of ours, or is of another study.
    """
    import optuna

    logging.getLogger("optuna").setLevel(logging.ERROR)
    pruner = optuna.pruners.SuccessiveHalvingPruner(
        min_resource=first_rung, reduction_factor=halving
    )
    direction: Literal["maximize", "minimize"] = "maximize" if maximize else "minimize"
    if path is None:
        return optuna.create_study(direction=direction, pruner=pruner)
    storage = _journal(path)
    study = optuna.create_study(
        storage=storage,
        study_name=_NAME,
        direction=direction,
        pruner=pruner,
        load_if_exists=True,
    )
    stored = study.user_attrs.get(_OWNER)
    if stored is None:
        study.set_user_attr(_OWNER, about)
    elif stored != json.loads(json.dumps(about)):
        differing = [
            name for name in about if stored.get(name) != json.loads(json.dumps(about[name]))
        ]
        raise SettingError(
            f"the storage '{path}' is of another study: it differs in {', '.join(differing)}; "
            "choose another file, or repeat the command that made it"
        )
    return study


def _journal(path: str) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    place = Path(path)
    if place.is_dir() or not place.parent.is_dir():
        raise SettingError(
            f"'{path}' cannot be a storage file; name a file in a folder that exists"
        )
    if place.exists():
        _check(place)
    try:
        # Its lock is a link to the path as given, which has to hold in every folder.
        return JournalStorage(JournalFileBackend(str(place.resolve())))
    except (ValueError, KeyError, AssertionError) as error:
        raise _not_ours(path) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingError(
            f"the storage '{path}' cannot be used ({reason}); choose another file"
        ) from error


def _check(place: Path) -> None:
    """Refuse a file that is no journal before Optuna appends to it."""
    try:
        with place.open("rb") as file:
            first = file.readline(1 << 20)
        if first and "op_code" not in json.loads(first):
            raise _not_ours(str(place))
    except (ValueError, TypeError) as error:
        if isinstance(error, SettingError):
            raise
        raise _not_ours(str(place)) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingError(
            f"the storage '{place}' cannot be read ({reason}); choose another file"
        ) from error


def _not_ours(path: str) -> SettingError:
    return SettingError(
        f"'{path}' is no storage of a joint search; choose another file, which will be made"
    )
