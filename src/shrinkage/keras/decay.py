"""Weight decay of an optimizer for some parameters and none for the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shrinkage.errors import SettingError
from shrinkage.frameworks.selectors import HIDDEN_KERNELS, chosen
from shrinkage.keras.layers import places_of


def decay_only(
    optimizer: Any,
    model: Any,
    *,
    on: str | Sequence[str] = HIDDEN_KERNELS,
    output: str | Sequence[str] | None = None,
) -> Any:
    """Exclude from an optimizer's weight decay all that is not named.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        With ``weight_decay``, before its first step; it is changed in place.
    model : keras.Model
        Built.
    on : str or sequence of str, default "hidden kernels"
        What decays, as in :func:`shrinkage.frameworks.selectors.chosen`: a kind of parameters, or
        names, or patterns of names.
    output : str or sequence of str, optional
        Name of the output layer where the model does not tell.

    Returns
    -------
    keras.optimizers.Optimizer
        The same optimizer. It replaces what was excluded before.

    Raises
    ------
    SettingError
        When the optimizer has stepped already or has no decay, or `on` names nothing.

    Examples
    --------
    >>> import keras
    >>> from shrinkage.keras import decay_only
    >>> model = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    ... )
    >>> optimizer = decay_only(keras.optimizers.AdamW(0.001, weight_decay=0.01), model)
    >>> model.compile(optimizer, "mse")
    """
    if getattr(optimizer, "built", False):
        raise SettingError(
            "the optimizer has been built already, and Keras fixes what decays before that; make a "
            "new one, call decay_only on it, and compile the model again"
        )
    if getattr(optimizer, "weight_decay", None) is None:
        raise SettingError(
            f"{type(optimizer).__name__} has no weight_decay, so nothing decays; give it one, as "
            "in AdamW(0.001, weight_decay=0.01)"
        )
    places = places_of(model, output=output)
    meant = {each.name for each in chosen(on, [place.parameter for place in places])}
    rest = [place.variable for place in places if place.parameter.name not in meant]
    optimizer.exclude_from_weight_decay(var_list=rest)
    return optimizer
