"""What each parameter of a Keras model is, and where it lives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from shrinkage.errors import SettingError, suggestion
from shrinkage.frameworks.parameters import Kind, Parameter
from shrinkage.keras.running import run_order

_NORMALIZATIONS = (
    layers.BatchNormalization,
    layers.GroupNormalization,
    layers.LayerNormalization,
    layers.RMSNormalization,
)
_MATRIX_NAMES = frozenset({"weight", "weights", "w", "W"})
"""What a matrix of a layer of one's own is called where it is a kernel."""

_WHOLE_NUMBERS = frozenset({"int8", "int4", "gptq", "awq"})
"""Ways of quantizing that leave no real number to train."""


@dataclass(frozen=True, eq=False)
class Place:
    """A parameter and where it lives.

    Parameters
    ----------
    parameter : Parameter
        What it is.
    variable : keras.Variable
        The array itself.
    layer : keras.Layer
        The layer that made it; of a recurrent layer, its cell.
    """

    parameter: Parameter
    variable: Any
    layer: Any


def parameters_of(
    model: Any, *, output: str | Sequence[str] | None = None, example: Any = None
) -> tuple[Parameter, ...]:
    """Every parameter of a built model with what it is, those of shared layers once.

    Parameters
    ----------
    model : keras.Model or keras.Layer
        Of any make: Sequential, functional, subclassed, nested. It must be built.
    output : str or sequence of str, optional
        Name of the output layer, or several. By default the layers with a kernel that the outputs
        come from, and where the model does not tell (a subclass), the last one that is run on the
        `example`, or without one the last that it holds.
    example : array or tuple of arrays, optional
        Inputs to run a subclass on, once, as for a prediction.

    Returns
    -------
    tuple of Parameter
        In the order of ``model.weights``. What training does not learn (moving averages of batch
        normalization, seeds, metrics) is none; what is frozen is one that is not trainable.

    Raises
    ------
    SettingError
        When it is no Keras model, is not built, is quantized, or has no parameters; when there is
        no layer called `output`.
    """
    return tuple(place.parameter for place in places_of(model, output=output, example=example))


def places_of(
    model: Any, *, output: str | Sequence[str] | None = None, example: Any = None
) -> tuple[Place, ...]:
    """The parameters with their variables and layers; takes and raises as :func:`parameters_of`."""
    _require_built(model)
    homes: dict[int, list[tuple[str, Any]]] = {}
    variables: dict[int, Any] = {}
    for chain, layer in _walk(model, ()):
        _require_numbers(layer)
        for variable in layer._trainable_variables:  # frozen ones too; no statistics
            variables.setdefault(id(variable), variable)
            homes.setdefault(id(variable), []).append(("/".join(chain), layer))
    if not variables:
        raise SettingError(
            f"the model '{model.name}' has no parameters, so there is nothing to regularize"
        )
    moving = {id(variable) for variable in model.trainable_variables}
    answering = _answering(model, output, example)
    names = _names(model, variables, homes)
    found = []
    cells = {id(one.cell): one for _, one in _walk(model, ()) if isinstance(one, layers.RNN)}
    for key, variable in variables.items():
        chains = _innermost(homes[key])
        _, layer = chains[0]
        home, layer_name = layer, names[key].rpartition("/")[0]
        if id(layer) in cells:  # LSTM, not the cell that does its work
            home, layer_name = cells[id(layer)], layer_name.rpartition("/")[0]
        output_kernel = any(id(one) in answering for _, one in chains)
        parameter = Parameter(
            name=names[key],
            kind=_kind(layer, variable, output=output_kernel),
            layer=layer_name,
            layer_type=type(home).__name__,
            shape=tuple(variable.shape),
            trainable=key in moving,
            shared=tuple(f"{chain}/{variable.name}" for chain, _ in chains[1:]),
            also_in=tuple(chain for chain, _ in chains[1:] if chain != layer_name),
        )
        found.append(Place(parameter, variable, layer))
    return tuple(found)


def layers_of(model: Any) -> Iterator[tuple[str, Any]]:
    """Every layer within a model, nested ones too, each once with its name from the top."""
    return (("/".join(chain), layer) for chain, layer in _walk(model, ()))


def attribute_of(layer: Any, variable: Any, what: str = "regularizer") -> str:
    """What a layer calls the regularizer or constraint of its variable.

    Examples
    --------
    >>> from keras import layers
    >>> lstm = layers.LSTMCell(2)
    >>> lstm.build((None, 3))
    >>> attribute_of(lstm, lstm.recurrent_kernel)
    'recurrent_regularizer'
    """
    short = f"{variable.name.removesuffix('_kernel')}_{what}"
    # The kernel of a depthwise convolution is called otherwise there.
    return short if hasattr(layer, short) else short.replace("kernel_", "depthwise_")


def _walk(layer: Any, chain: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A layer and all within it, in the order of ``weights``; each layer once."""
    seen: set[int] = set()

    def visit(one: Any, chain: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        if id(one) in seen:
            return
        seen.add(id(one))
        yield chain, one
        for part in one._layers:
            yield from visit(part, (*chain, part.name))

    return visit(layer, chain)


def _innermost(homes: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Without wrappers, which hold the arrays of the layer that they wrap once more."""
    return [
        (chain, layer)
        for chain, layer in homes
        if not any(
            other.startswith(f"{chain}/") or not chain for other, _ in homes if other != chain
        )
    ]


def _require_built(model: Any) -> None:
    if not isinstance(model, keras.Layer):
        raise SettingError(f"expected a Keras model, got {type(model).__name__}")
    if not model.built:
        raise SettingError(
            f"the model '{model.name}' is not built, so its layers have no weights yet; give it a "
            "keras.Input, or call it once on a few rows"
        )


def _require_numbers(layer: Any) -> None:
    mode = getattr(layer, "quantization_mode", None)
    if mode in _WHOLE_NUMBERS:
        raise SettingError(
            f"the kernel of the layer '{layer.name}' is quantized ({mode}) and no longer trained; "
            "look at the model before quantize()"
        )


def _names(
    model: Any, variables: dict[int, Any], homes: dict[int, list[tuple[str, Any]]]
) -> dict[int, str]:
    """As Keras calls each, without the model's own name; from the top where two are called so."""
    own = f"{model.name}/"
    names = {key: variable.path.removeprefix(own) for key, variable in variables.items()}
    often = Counter(names.values())
    for key, name in names.items():
        if often[name] > 1:
            chain, _ = homes[key][0]
            names[key] = f"{chain}/{variables[key].name}" if chain else variables[key].name
    again: Counter[str] = Counter()
    for key, name in names.items():  # a layer may call two of its arrays the same
        again[name] += 1
        if again[name] > 1:
            names[key] = f"{name}_{again[name]}"
    return names


def _kind(layer: Any, variable: Any, *, output: bool) -> Kind:
    name, made = variable.name, type(layer).__name__.lower()
    flat = len(variable.shape) < 2
    if isinstance(layer, _NORMALIZATIONS) or ("norm" in made and flat):
        return "normalization"
    if isinstance(layer, layers.Embedding) or ("embedding" in made and not flat):
        return "embedding"
    if "bias" in name:
        return "bias"
    if "kernel" in name or (name in _MATRIX_NAMES and not flat):
        return "output kernel" if output else "hidden kernel"
    return "other"


def _answering(model: Any, output: str | Sequence[str] | None, example: Any) -> set[int]:
    """Identities of the output layers and of all layers within them."""
    if output is None:
        heads = _heads(model, example)
    else:
        named = [output] if isinstance(output, str) else list(output)
        heads = [_named(model, name) for name in named]
    return {id(layer) for head in heads for _, layer in _walk(head, ())}


def _named(model: Any, name: str) -> Any:
    known = {chain: layer for chain, layer in layers_of(model) if chain and _has_kernel(layer)}
    short = [chain for chain in known if chain == name or chain.endswith(f"/{name}")]
    if not short:
        raise SettingError(
            f"there is no layer '{name}' with a kernel to be the output; {suggestion(name, known)}"
        )
    return known[short[0]]


def _has_kernel(layer: Any) -> bool:
    return any(_own_kernel(part) for _, part in _walk(layer, ()))


def _heads(model: Any, example: Any = None) -> list[Any]:
    """The layers with a kernel that the outputs come from, with none between."""
    tensors = graph_outputs(model)
    if tensors is None:
        held = [one for _, one in _walk(model, ())]
        inner = [one for one in held if _own_kernel(one)]
        if example is not None:
            inner = [one for one in run_order(model, example) if _own_kernel(one)] or inner
        if not inner:
            return []
        last = inner[-1]
        outer = [one for _, one in _walk(model, ()) if last in one._layers and _is_one_layer(one)]
        return [outer[-1] if outer else last]
    found: list[Any] = []
    seen: set[int] = set()
    waiting = list(tensors)
    while waiting:
        operation, node, _ = waiting.pop()._keras_history
        if (mark := id(operation._inbound_nodes[node])) in seen:
            continue
        seen.add(mark)
        if isinstance(operation, keras.Layer) and _has_kernel(operation):
            found += [operation] if _is_one_layer(operation) else _heads(operation)
        else:
            waiting += operation._inbound_nodes[node].input_tensors
    return found


def _own_kernel(layer: Any) -> bool:
    return any(
        _kind(layer, variable, output=False) == "hidden kernel"
        for variable in layer._trainable_variables
    )


def graph_outputs(model: Any) -> list[Any] | None:
    """Symbolic outputs of a functional or sequential model; None for one that only runs."""
    try:
        return list(keras.tree.flatten(model.outputs))
    except (AttributeError, ValueError):
        return None


def _is_one_layer(layer: Any) -> bool:
    """Whether all kernels within are one layer's: recurrent ones and attention, say."""
    single = (layers.RNN, layers.Wrapper, layers.MultiHeadAttention, layers.GroupQueryAttention)
    return isinstance(layer, single) or not layer._layers
