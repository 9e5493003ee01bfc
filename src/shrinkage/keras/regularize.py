"""A penalty for a model that is built already, which really acts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.frameworks.selectors import HIDDEN_KERNELS, chosen
from shrinkage.keras.layers import Place, attribute_of, layers_of, places_of
from shrinkage.keras.proximal import proximal_of
from shrinkage.keras.targets import Lam, Penalties, Target, targets_of
from shrinkage.keras.terms import PenaltyTerm
from shrinkage.keras.values import numpy_of

_ATTENTION = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)


def regularize(
    model: Any,
    penalties: Penalties,
    *,
    lam: Lam,
    on: str | Sequence[str] = HIDDEN_KERNELS,
    output: str | Sequence[str] | None = None,
) -> Any:
    """Give a built model a penalty that acts from the next batch on.

    Setting ``layer.kernel_regularizer`` of a built layer does nothing, silently: Keras reads it
    once, when the layer makes its kernel, and asks the kernel itself from then on. This sets both,
    and looks that the loss has changed by exactly the penalty. Weights, optimizer and compiled
    state stay as they are; a regularizer that was there is replaced, and a warning says so where it
    was none of this package's.

    Parameters
    ----------
    model : keras.Model
        Built, of any make; it is changed in place.
    penalties : Penalty, or mapping of selectors to penalties
        L1, L2, ElasticNet or GroupLasso for all parameters that `on` names; or by selector, as in
        ``{"dense*": L2(), "conv": L1()}``. ``GroupLasso("inputs")`` is about the inputs of the
        network: by kind it acts on the first parameter alone, by name on all that are named.
    lam : float, sequence of float, or mapping
        λ in this package's convention (Keras' ``l2(0.01)`` is λ = 0.02): one for all, one for each
        parameter in the order of the model, or by selector.
    on : str or sequence of str, default "hidden kernels"
        What the penalty acts on: kinds such as ``"hidden kernels"``, names, or patterns of names.
    output : str or sequence of str, optional
        Name of the output layer where the model does not tell.

    Returns
    -------
    keras.Model
        The same model.

    Raises
    ------
    SettingError
        When nothing is named, a λ is missing or negative, the penalty is decoupled, or the
        optimizer has one on the same parameter.
    ShrinkageError
        When the penalty does not reach the loss; the model is then as it was.

    Warns
    -----
    UserWarning
        When a regularizer of the model is replaced, or a saved model would not carry the penalty.

    See Also
    --------
    Proximal : An optimizer under which L1 and the group lasso make exact zeros.

    Notes
    -----
    L1 and the group lasso in the loss leave no weight exactly zero. The saved model carries the
    penalty and is loaded where ``shrinkage.keras`` was imported. Where a layer cannot say in its
    config what its kernels carry (one of your own, attention with a group lasso), a warning tells.

    Examples
    --------
    >>> import keras
    >>> from shrinkage import L2
    >>> from shrinkage.keras import regularize
    >>> model = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    ... )
    >>> len(model.losses), len(regularize(model, L2(), lam=0.02).losses)
    (0, 1)
    """
    targets = targets_of(model, penalties, lam, on, output)
    _require_single(model, targets)
    terms = [PenaltyTerm(one.penalty, one.lam, one.within) for one in targets]
    before = [(one.place, one.place.variable.regularizer) for one in targets]
    rest = _penalties_of(model) - sum(_cost(place.variable, old) for place, old in before)
    for one, term in zip(targets, terms, strict=True):
        _set(one.place.layer, one.place.variable, term)
    _tell_attention(model)
    expected, found = _expected(targets), _penalties_of(model) - rest
    if not np.isclose(found, expected, rtol=1e-3, atol=1e-6 * (1.0 + abs(rest))):
        for place, old in before:
            _set(place.layer, place.variable, old)
        _tell_attention(model)
        raise ShrinkageError(
            f"the penalty does not reach the loss of '{model.name}': it should add {expected:.6g} "
            f"and adds {found:.6g}; does the model define its own `losses` or `train_step`?"
        )
    _forget_compiled(model)
    _warn_of_replaced(before)
    _warn_of_saving(model, targets)
    return model


def unregularize(
    model: Any,
    *,
    on: str | Sequence[str] | None = None,
    output: str | Sequence[str] | None = None,
) -> Any:
    """Take regularizers off a built model, so that they act no longer.

    Parameters
    ----------
    model : keras.Model
        Built; it is changed in place.
    on : str or sequence of str, optional
        What to take them off; by default everything that has one.
    output : str or sequence of str, optional
        Name of the output layer where the model does not tell.

    Returns
    -------
    keras.Model
        The same model.

    Raises
    ------
    SettingError
        When nothing of what is named has a regularizer.

    Examples
    --------
    >>> import keras
    >>> from shrinkage import L2
    >>> model = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    ... )
    >>> len(unregularize(regularize(model, L2(), lam=0.02)).losses)
    0
    """
    places = places_of(model, output=output)
    if on is not None:
        names = {p.name for p in chosen(on, [place.parameter for place in places])}
        places = tuple(place for place in places if place.parameter.name in names)
    penalized = [place for place in places if place.variable.regularizer is not None]
    if not penalized:
        what = "no parameter" if on is None else f"nothing that '{on}' names"
        raise SettingError(f"{what} of '{model.name}' has a regularizer, so none can be taken off")
    for place in penalized:
        _set(place.layer, place.variable, None)
    _tell_attention(model)
    _forget_compiled(model)
    return model


def _require_single(model: Any, targets: Sequence[Target]) -> None:
    """A parameter has one penalty, in the loss or in the optimizer."""
    optimizer = proximal_of(model)
    paths = set() if optimizer is None else {rule.path for rule in optimizer.rules}
    for one in targets:
        if one.place.variable.path in paths:
            raise SettingError(
                f"'{one.place.parameter.name}' has a penalty in the optimizer of '{model.name}' "
                "already; change its λ with set_lambda, or compile the model with another optimizer"
            )


def _cost(variable: Any, regularizer: Any) -> float:
    if regularizer is None or not variable.trainable:
        return 0.0
    return float(numpy_of(regularizer(variable)))


def _penalties_of(model: Any) -> float:
    """All that the model adds to the data's loss now."""
    return float(sum(float(numpy_of(loss)) for loss in model.losses))


def _expected(targets: Sequence[Target]) -> float:
    """The penalties of the weights as they are, by NumPy."""
    total = 0.0
    for one in targets:
        weights = numpy_of(one.place.variable).astype(np.float64)
        if one.within is not None:
            # A kernel of (members of a group, groups), whose columns are the groups.
            members = int(np.prod([weights.shape[axis] for axis in one.within]))
            weights = np.moveaxis(weights, one.within, range(len(one.within)))
            weights = weights.reshape(members, -1)
            if one.penalty.groups == "inputs":
                weights = weights.T
        total += one.penalty.value(weights, one.lam)
    return total


def _set(layer: Any, variable: Any, regularizer: Any) -> None:
    """Both where Keras looks when it computes a loss, and where it looks when it saves."""
    old = variable.regularizer
    variable.regularizer = regularizer
    attribute = attribute_of(layer, variable)
    if not hasattr(layer, attribute):
        # A layer of one's own may have no such place; it must hold the term all the same, for λ.
        attribute = f"_{variable.name}_penalty"
    locked = layer._tracker.locked
    layer._tracker.unlock()  # as Keras does for adapters of low rank (layers/core/dense.py)
    try:
        if isinstance(old, PenaltyTerm):
            layer._tracker.untrack(old)
        setattr(layer, attribute, regularizer)
    finally:
        if locked:
            layer._tracker.lock()


def _tell_attention(model: Any) -> None:
    """Attention hands one regularizer to all its kernels when it is built from its config."""
    for _, layer in layers_of(model):
        if not isinstance(layer, _ATTENTION):
            continue
        kernels = [place.variable for place in places_of(layer) if "kernel" in place.variable.name]
        first = kernels[0].regularizer
        configs = [_config(kernel.regularizer) for kernel in kernels]  # axes of groups as well
        same = all(config == configs[0] for config in configs)
        locked = layer._tracker.locked
        layer._tracker.unlock()
        try:
            layer._kernel_regularizer = first if same else None
        finally:
            if locked:
                layer._tracker.lock()


def _warn_of_replaced(before: Sequence[tuple[Place, Any]]) -> None:
    """Say so where somebody else's regularizer acts no longer."""
    replaced = [
        f"{place.parameter.name} ({getattr(old, '__name__', type(old).__name__)})"
        for place, old in before
        if old is not None and not isinstance(old, PenaltyTerm)
    ]
    if replaced:
        warnings.warn(
            f"regularizers of {', '.join(replaced)} are replaced; the penalty takes their place "
            "(call unregularize first if that is meant)",
            UserWarning,
            stacklevel=3,
        )


def _warn_of_saving(model: Any, targets: Sequence[Target]) -> None:
    """Say so where a saved model would not carry the penalty."""
    attention = [one for _, one in layers_of(model) if isinstance(one, _ATTENTION)]
    parts = {id(part): one._kernel_regularizer for one in attention for _, part in layers_of(one)}
    lost = [
        one.place.parameter.name
        for one in targets
        if not hasattr(one.place.layer, attribute_of(one.place.layer, one.place.variable))
        or parts.get(id(one.place.layer), one) is None
    ]
    if lost:
        warnings.warn(
            f"the penalty on {', '.join(lost)} acts, but a saved model does not carry it, because "
            "the layer's config cannot say so; call regularize again after loading",
            UserWarning,
            stacklevel=3,
        )


def _config(regularizer: Any) -> Any:
    return None if regularizer is None else keras.regularizers.serialize(regularizer)


def _forget_compiled(model: Any) -> None:
    """What was compiled for the old penalty is compiled anew at the next call of `fit`."""
    for _, part in layers_of(model):
        if isinstance(part, keras.Model):
            part.train_function = part.test_function = None
