"""A module's computation as a graph, with what every step gave on example inputs."""

from __future__ import annotations

import copy
import inspect
import operator
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn
from torch.nn.utils import parametrize, prune

from shrinkage.errors import SettingError
from shrinkage.torch.compact_cut import Columns

_DRAWN_ROWS = 64
_SIDES = (*range(1, 65), 96, 128, 160, 192, 224, 256, 299, 320, 384, 512)
"""Sides of images that are tried where no example is given."""


@dataclass(frozen=True, eq=False)
class Traced:
    """A module, its computation and what each step gave.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    graph : torch.fx.Graph
        Its computation.
    results : dict
        For each node, its result on the example.
    """

    module: nn.Module
    graph: fx.Graph
    results: dict[fx.Node, Any]


def traced(module: nn.Module, example: tuple[Any, ...]) -> Traced:
    """Follow a module's computation on an example.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode; not changed.
    example : tuple
        Arguments of its ``forward``.

    Returns
    -------
    Traced
        With a result for every node.

    Raises
    ------
    SettingError
        When ``forward`` is not the same computation for all inputs.
    """
    name = type(module).__name__
    parameters = list(inspect.signature(module.forward).parameters.values())
    left_out = {
        parameter.name: parameter.default
        for parameter in parameters[len(example) :]
        if parameter.default is not parameter.empty
    }
    try:
        with warnings.catch_warnings():
            # That an argument which is left out keeps its default.
            warnings.filterwarnings("ignore", "Was not able to add assertion", UserWarning)
            graph = _Tracer(module, example).trace(module, concrete_args=left_out or None)
    except Exception as error:  # whatever a forward of the user's raises on proxies
        raise SettingError(
            f"{name} cannot be made smaller, for torch.fx cannot follow its forward: "
            f"{_first_sentence(error)}; a forward that decides by the values of its inputs has no "
            "single computation, so compact the parts of it that have one"
        ) from error
    _without_what_is_left_out(graph, len(example))
    recorder = _Recorder(module, graph)
    with torch.no_grad():
        recorder.run(*example)
    return Traced(module, graph, recorder.results)


def _without_what_is_left_out(graph: fx.Graph, given: int) -> None:
    """Remove arguments that keep their defaults, and the checks that they do."""
    arguments = [node for node in graph.nodes if node.op == "placeholder"]
    for argument in reversed(arguments[given:]):
        for check in reversed([user for user in argument.users if not user.users]):
            graph.erase_node(check)
        if not argument.users:
            graph.erase_node(argument)


class _Tracer(fx.Tracer):
    """Follows decisions by shapes as the example's shapes make them."""

    def __init__(self, module: nn.Module, example: tuple[Any, ...]) -> None:
        super().__init__()
        self._module, self._example = module, example

    def to_bool(self, obj: fx.Proxy) -> bool:
        """What a condition is on the example, where it asks for shapes alone."""
        if _about_shapes(obj.node):
            return bool(self._value(obj.node))
        return super().to_bool(obj)

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        """One after another of the lengths in a shape."""
        if _about_shapes(obj.node):
            return iter([operator.getitem(obj, n) for n in range(len(self._value(obj.node)))])
        found: Iterator[Any] = super().iter(obj)
        return found

    def _value(self, node: fx.Node) -> Any:
        recorder = _Recorder(self._module, self.graph)
        with torch.no_grad():
            recorder.run(*copy.deepcopy(self._example))
        return recorder.results[node]


def _about_shapes(node: fx.Node) -> bool:
    """Whether a step looks at a tensor's shape, or at nothing but such steps."""
    if node.op == "call_method" and node.target in ("size", "dim", "ndimension"):
        return True
    if node.op != "call_function":
        return False
    if node.target is getattr:
        return node.args[1] in ("shape", "ndim", "dtype")
    return bool(node.all_input_nodes) and all(map(_about_shapes, node.all_input_nodes))


class _Recorder(fx.Interpreter):
    """Runs a graph and keeps what every step gives."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, garbage_collect_values=False, graph=graph)
        self.results: dict[fx.Node, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        self.results[n] = result
        return result


def example_for(module: nn.Module) -> tuple[torch.Tensor, ...]:
    """Standard normal rows that a module takes, found by trying.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.

    Returns
    -------
    tuple of one tensor
        64 rows, or 64 images of the smallest square size that the module takes.

    Raises
    ------
    SettingError
        When none is found.
    """
    first = next((one for one in module.modules() if _shapes(one)), None)
    parameter = next(module.parameters())
    generator = torch.Generator().manual_seed(0)
    for shape in _shapes(first) if first is not None else ():
        with torch.no_grad():
            rows = torch.randn(2, *shape, generator=generator).to(parameter)
            try:
                module(rows)
            except (RuntimeError, ValueError, IndexError, TypeError, AssertionError):
                continue
            return (torch.randn(_DRAWN_ROWS, *shape, generator=generator).to(parameter),)
    raise SettingError(
        f"no rows were found that {type(module).__name__} takes; give it an example: "
        "compact(model, example=rows)"
    )


def _shapes(layer: nn.Module | None) -> list[tuple[int, ...]]:
    """What one row may look like, given the first layer that asks for a shape."""
    if isinstance(layer, Columns):
        return [(int(layer.columns.max()) + 1,)]
    if isinstance(layer, nn.Linear | nn.BatchNorm1d):
        size = layer.in_features if isinstance(layer, nn.Linear) else layer.num_features
        side = round(size**0.5)
        images = [(1, side, side)] if side * side == size else []
        return [(size,), *images]
    for dimensions, kind in enumerate((nn.Conv1d, nn.Conv2d, nn.Conv3d), start=1):
        if isinstance(layer, kind):
            sides = _SIDES if dimensions < 3 else _SIDES[:32]
            return [(layer.in_channels, *(side,) * dimensions) for side in sides]
    return []


def made_permanent(module: nn.Module) -> None:
    """Turn pruning masks and parametrizations of a module into plain weights, in place."""
    for layer in module.modules():
        for name in [n.removesuffix("_orig") for n, _ in layer.named_parameters(recurse=False)]:
            if prune.is_pruned(layer) and hasattr(layer, f"{name}_mask"):
                prune.remove(layer, name)  # type: ignore[no-untyped-call]  # not annotated
        if parametrize.is_parametrized(layer):
            _freed(layer)


def _freed(layer: nn.Module) -> None:
    """Make parametrized weights plain ones, in place.

    ``remove_parametrizations`` would take the property from the class, which copies share.
    """
    lists = layer.parametrizations
    assert isinstance(lists, nn.ModuleDict)
    values = {name: getattr(layer, name).detach().clone() for name in lists}
    learned = {name: list(one.parameters(recurse=False)) for name, one in lists.items()}
    del layer.parametrizations
    layer.__class__ = type(layer).__bases__[0]
    for name, value in values.items():
        if learned[name]:
            trainable = any(one.requires_grad for one in learned[name])
            layer.register_parameter(name, nn.Parameter(value, requires_grad=trainable))
        else:
            layer.register_buffer(name, value)


def tensors_of(result: Any) -> Iterator[torch.Tensor]:
    """Every tensor in a module's output, be it one, a tuple or a dictionary."""
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, Mapping):
        for part in result.values():
            yield from tensors_of(part)
    elif isinstance(result, tuple | list):
        for part in result:
            yield from tensors_of(part)


def _first_sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].partition(". ")[0].rstrip(".:") if lines else type(error).__name__
