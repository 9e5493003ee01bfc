"""What people trip over in Keras alone, and the remedies there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from keras import layers

from shrinkage.frameworks import audit_checks as checks
from shrinkage.frameworks.audit import Flag, Row, short
from shrinkage.keras.audit_actions import inner_of
from shrinkage.keras.audit_layers import dropout_before_batch_norm, set_after_building
from shrinkage.keras.layers import Place, layers_of

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
_SHRUNK = (checks.BIASES, checks.NORMALIZATION, checks.OUTPUT, checks.EMBEDDINGS, checks.SLOPES)
_KERAS_OWN = re.compile(r"=L(1L)?2\((?!λ)")
_DROPOUT_CODE = "Dense(…), BatchNormalization(), Activation('relu'), Dropout(0.5)"
_EXCLUDE = (
    "from shrinkage.keras import decay_only\n"
    "decay_only(optimizer, model)  # a new optimizer, before compile"
)
_REGULARIZE = (
    "from shrinkage import L2\n"
    "from shrinkage.keras import regularize\n"
    "regularize(model, L2(), lam=0.02)  # hidden kernels alone"
)
_PROXIMAL = (
    "from shrinkage import L1\n"
    "from shrinkage.keras import Proximal\n"
    "model.compile(Proximal(keras.optimizers.Adam(), model, L1(), lam={lam}), …)"
)


def flags_of(
    model: Any, optimizer: Any, places: Sequence[Place], rows: Sequence[Row], example: Any = None
) -> list[Flag]:
    """All that is wrong, or easily misread.

    Parameters
    ----------
    model : keras.Model
        Built.
    optimizer : keras.optimizers.Optimizer or None
        Of the training.
    places : sequence of Place
        Its parameters.
    rows : sequence of Row
        The same with what acts on them.
    example : array or tuple of arrays, optional
        Inputs that tell the order within a subclass.
    """
    flags = checks.check(rows, _codes(rows))
    flags += _after_building(places)
    flags += _frozen(places)
    flags += _excluded(optimizer, places)
    flags += _factor_two(rows)
    flags += _axes(places)
    flags += _outputs(model)
    sure, likely = dropout_before_batch_norm(model, example)
    flags += checks.dropout_first(sure, sure=True, code=_DROPOUT_CODE)
    flags += checks.dropout_first(likely, sure=False, code=_DROPOUT_CODE)
    if optimizer is None:
        return checks.without_optimizer(
            flags, "compile the model first, or pass the optimizer", "audit(model, optimizer)"
        )
    return flags


def _codes(rows: Sequence[Row]) -> dict[str, str]:
    """Remedies for what acts here: a regularizer of a layer, or the optimizer."""
    acting = [action for row in rows for action in row.shrinking]
    decay = any(action.how == "decoupled" for action in acting)
    drop = "from shrinkage.keras import unregularize\nunregularize(model, on={names!r})"
    wrong = [
        row.parameter.name
        for row in rows
        if row.parameter.kind != "hidden kernel"
        and any(action.how in ("loss", "unknown") for action in row.actions)
    ]
    shrunk = drop.format(names=wrong) if wrong else ""
    both = "\n".join(filter(None, [shrunk, _EXCLUDE if decay else ""]))
    lam = next((a.l1 or a.group for a in acting if a.how == "loss" and (a.l1 or a.group)), 0.001)
    return dict.fromkeys(_SHRUNK, both) | {
        checks.BARE: _EXCLUDE if decay else _REGULARIZE,
        checks.NO_ZEROS: _PROXIMAL.format(lam=short(lam)),
    }


def _after_building(places: Sequence[Place]) -> Iterator[Flag]:
    found = list(set_after_building(places))
    remedies = {
        "regularizer": ("give it to the layer when it is made, or to the built model", _REGULARIZE),
        "constraint": (
            "give it to the layer when it is made, or to the weight itself",
            "model.get_layer(…).kernel.constraint = keras.constraints.MaxNorm(3)",
        ),
    }
    for what, (remedy, code) in remedies.items():
        those = [one for one in found if one.what == what]
        if those:
            said = checks.listed([f"{one.attribute} of '{one.layer}'" for one in those])
            yield Flag(
                f"{what} set after building",
                "error",
                f"{said} does nothing: Keras gives a weight its {what} when the layer is built, "
                "and does not look at the layer again.",
                tuple(one.parameter for one in those),
                remedy,
                code,
            )


def _frozen(places: Sequence[Place]) -> Iterator[Flag]:
    found = tuple(
        place.parameter.name
        for place in places
        if not place.parameter.trainable and place.variable.regularizer is not None
    )
    if found:
        yield Flag(
            "a penalty on what is frozen",
            "note",
            f"The regularizer of {checks.listed(found)} does nothing while it is frozen: Keras "
            "sums those of trainable weights.",
            found,
            "nothing, if it is meant to stay frozen",
        )


def _excluded(optimizer: Any, places: Sequence[Place]) -> Iterator[Flag]:
    """Exclusions from decay that exclude nothing: Keras compares them with a weight's own name."""
    for one in {id(each): each for each in _decaying(optimizer, places)}.values():
        pattern = getattr(one, "_exclude_from_weight_decay_pattern", None)
        names = {place.variable.name for place in places}
        if pattern is None:
            continue
        idle = [
            part
            for part in pattern.pattern.split("|")
            if not any(re.search(part, name) for name in names)
        ]
        if idle:
            yield Flag(
                "an exclusion that excludes nothing",
                "error",
                f"exclude_from_weight_decay(var_names={idle}) excludes nothing here: Keras looks "
                f"for it in a weight's own name ({', '.join(sorted(names))}), not in its layer's.",
                (),
                "exclude weights themselves",
                _EXCLUDE,
            )


def _decaying(optimizer: Any, places: Sequence[Place]) -> Iterator[Any]:
    if optimizer is not None:
        for place in places:
            inner = inner_of(optimizer, place.variable)
            if inner.weight_decay:
                yield inner


def _factor_two(rows: Sequence[Row]) -> Iterator[Flag]:
    found = [
        (row.parameter.name, action)
        for row in rows
        for action in row.actions
        if action.l2 and _KERAS_OWN.search(action.setting)
    ]
    if found:
        settings = dict.fromkeys(action.setting for _, action in found)
        l2, lam = short(found[0][1].l2 / 2), short(found[0][1].l2)
        yield Flag(
            "Keras' l2 without the ½",
            "note",
            f"Keras adds l2 · Σw², without a ½ ({checks.listed(list(settings), 2)}), so λ₂ is "
            f"twice the number: l2 = {l2} is λ₂ = {lam}, and PyTorch's weight_decay={lam}.",
            tuple(name for name, _ in found),
            "",
            f"keras.regularizers.L2({short(found[0][1].l2 / 4)})  # for λ₂ = {l2}",
        )


def _axes(places: Sequence[Place]) -> Iterator[Flag]:
    """The default axis of a limit of norms suits dense layers only."""
    found = []
    for place in places:
        limit, layer = place.variable.constraint, place.layer
        if isinstance(layer, _CONVOLUTIONS) and getattr(limit, "axis", None) == 0:
            found.append((place.parameter.name, type(limit).__name__, len(place.parameter.shape)))
    if found:
        axes = list(range(found[0][2] - 1))
        yield Flag(
            "a limit along one axis of a convolution",
            "warning",
            f"{found[0][1]}(axis=0) of {checks.listed([name for name, *_ in found])} looks at "
            "norms along the first axis of the filter alone, not at those of whole filters.",
            tuple(name for name, *_ in found),
            "name all axes but the last",
            f"kernel_constraint=keras.constraints.{found[0][1]}(…, axis={axes})",
        )


def _outputs(model: Any) -> Iterator[Flag]:
    found = [
        name or model.name
        for name, layer in layers_of(model)
        if getattr(layer, "activity_regularizer", None) is not None
    ]
    if found:
        yield Flag(
            "a penalty on outputs",
            "note",
            f"activity_regularizer of {checks.listed(found)} penalizes what the layer answers, not "
            "its weights, and is divided by the rows of a batch.",
            tuple(found),
            "for a penalty on weights, take kernel_regularizer",
            "Dense(…, kernel_regularizer=keras.regularizers.L2(0.01))",
        )
