"""``shrinkage audit``: what regularizes each parameter of a network of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shrinkage.cli.loading import Loaded, load
from shrinkage.frameworks.audit import Audit
from shrinkage.terminal.screen import Screen


def carry_out(raw: Mapping[str, Any]) -> int:
    """Load the network, audit it and print.

    Parameters
    ----------
    raw : mapping
        Values by their names in :data:`shrinkage.cli.declared.AUDIT`.

    Returns
    -------
    int
        0, or 1 where something is flagged and ``--strict`` asks for that.

    Raises
    ------
    SettingError
        When there is no network to be found, or it cannot be audited.
    """
    found = _audited(load(raw["network"]), raw["output"])
    screen = Screen(json=raw["json"])
    if raw["json"]:
        screen.json(found.to_dict())
    else:
        screen.audit(found)
    return int(bool(raw["strict"]) and found.flagged)


def _audited(loaded: Loaded, output: str | None) -> Audit:
    if loaded.framework == "Keras":
        from shrinkage.keras import audit as of_keras

        return of_keras(loaded.network, loaded.optimizer, output=output)
    from shrinkage.torch import audit as of_torch

    return of_torch(
        loaded.network, loaded.optimizer, output=output, penalized=loaded.penalized or None
    )
