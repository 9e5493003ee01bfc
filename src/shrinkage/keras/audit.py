"""What regularizes each parameter of a Keras model now, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras

from shrinkage.errors import SettingError
from shrinkage.frameworks.audit import Action, Audit, Row, ordered, short
from shrinkage.keras.audit_actions import (
    constraint_action,
    inner_of,
    number,
    optimizer_actions,
    regularizer_action,
)
from shrinkage.keras.audit_flags import flags_of
from shrinkage.keras.layers import Place, attribute_of, places_of


def audit(
    model: Any,
    optimizer: Any = None,
    *,
    output: str | Sequence[str] | None = None,
    example: Any = None,
) -> Audit:
    """Show what regularizes each parameter of a model now, and flag what is wrong with that.

    Nothing is trained and nothing is changed.

    Parameters
    ----------
    model : keras.Model
        Of any make, on any backend.
    optimizer : keras.optimizers.Optimizer, optional
        By default the one that the model is compiled with.
    output : str or sequence of str, optional
        Name of the output layer, or several. By default the layers that the outputs come from; of
        a subclass the last one that is run on the `example`, or without one the last that it holds.
    example : array or tuple of arrays, optional
        Inputs that build a model that is not built yet, and tell the order within a subclass.

    Returns
    -------
    Audit
        Prints as a table; ``to_frame()`` gives a data frame.

    Raises
    ------
    SettingError
        When it is no Keras model, is not built and no `example` is given, or has no parameters;
        when `optimizer` is none; when there is no layer called `output`.

    Examples
    --------
    >>> import keras
    >>> from shrinkage.keras import audit
    >>> l2 = keras.regularizers.L2(0.01)
    >>> model = keras.Sequential([
    ...     keras.Input((4,)),
    ...     keras.layers.Dense(8, "relu", name="hidden", kernel_regularizer=l2),
    ...     keras.layers.Dense(1, name="answer"),
    ... ])
    >>> audit(model).to_frame()[["parameter", "kind", "setting", "lambda2"]]
           parameter           kind                      setting  lambda2
    0  hidden/kernel  hidden kernel  kernel_regularizer=L2(0.01)     0.02
    1    hidden/bias           bias                                  0.00
    2  answer/kernel  output kernel                                  0.00
    3    answer/bias           bias                                  0.00
    """
    if example is not None and isinstance(model, keras.Layer) and not model.built:
        model(*example if isinstance(example, tuple) else (example,))
    places = places_of(model, output=output, example=example)
    used = _optimizer(model, optimizer)
    positions = {id(variable): n for n, variable in enumerate(model.trainable_variables)}
    rows = tuple(
        Row(place.parameter, tuple(_actions(place, used, positions.get(id(place.variable)))))
        for place in places
    )
    flags = flags_of(model, used, places, rows, example)
    return Audit("Keras", model.name, _described(used, places), rows, ordered(flags))


def _optimizer(model: Any, optimizer: Any) -> Any:
    used = getattr(model, "optimizer", None) if optimizer is None else optimizer
    if used is not None and not isinstance(used, keras.optimizers.Optimizer):
        raise SettingError(f"expected an optimizer of Keras, got {type(used).__name__}")
    return used


def _actions(place: Place, optimizer: Any, position: int | None) -> Iterator[Action]:
    """All that acts on a variable; nothing does on a frozen one, but for its constraint's rule."""
    variable = place.variable
    if position is None:
        return
    if variable.regularizer is not None:
        where = attribute_of(place.layer, variable)
        yield regularizer_action(variable.regularizer, where, place.parameter.shape)
    if variable.constraint is not None:
        where = attribute_of(place.layer, variable, "constraint")
        yield constraint_action(variable.constraint, where)
    activity = getattr(place.layer, "activity_regularizer", None)
    if activity is not None and place.parameter.kind.endswith("kernel"):
        yield Action(f"activity_regularizer={type(activity).__name__}", "outputs")
    if optimizer is not None:
        yield from optimizer_actions(optimizer, place, position)


def _described(optimizer: Any, places: Sequence[Place]) -> str:
    """The optimizer with its settings, and what is around it."""
    if optimizer is None:
        return ""
    steps = {id(one): one for one in (inner_of(optimizer, place.variable) for place in places)}
    said = []
    for one in steps.values():
        decay = "" if one.weight_decay is None else f", weight_decay={short(one.weight_decay)}"
        said.append(f"{type(one).__name__}(lr={short(number(one.learning_rate))}{decay})")
    around = "" if id(optimizer) in steps else f"{type(optimizer).__name__} of "
    return around + " and ".join(said)
