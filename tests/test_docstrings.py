"""Public docstrings keep numpydoc's rules and have an example; pytest runs every example."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module

import pytest
from numpydoc.validate import validate

import shrinkage

# No second paragraph and no cross-references where the first sentence says all.
_OPTIONAL = {"ES01", "SA01"}
_ROOMS = ("shrinkage.estimators", "shrinkage.displays", "shrinkage.exports")


def _names() -> Iterator[str]:
    for name in shrinkage.__all__:
        if not name.startswith("__"):
            yield _place(getattr(shrinkage, name))
    for room in _ROOMS:
        module = import_module(room)
        yield from (_place(getattr(module, name)) for name in module.__all__)


def _place(thing: object) -> str:
    return f"{inspect.getmodule(thing).__name__}.{thing.__qualname__}"


NAMES = sorted(set(_names()))


def _problems(name: str, optional: set[str]) -> list[str]:
    return [f"{code} {text}" for code, text in validate(name)["errors"] if code not in optional]


@pytest.mark.parametrize("name", NAMES)
def test_docstring(name: str) -> None:
    assert _problems(name, _OPTIONAL) == []


def _methods() -> Iterator[str]:
    """Methods that these rooms define themselves; scikit-learn documents what it lends."""
    for room in _ROOMS:
        module = import_module(room)
        for name in module.__all__:
            thing = getattr(module, name)
            for method in dir(thing) if inspect.isclass(thing) else ():
                function = inspect.unwrap(inspect.getattr_static(thing, method))
                function = getattr(function, "__func__", function)
                if method.startswith("_") or not inspect.isfunction(function):
                    continue
                if function.__module__.startswith("shrinkage."):
                    yield f"{_place(thing)}.{method}"


@pytest.mark.parametrize("name", sorted(set(_methods())))
def test_method_docstring(name: str) -> None:
    assert _problems(name, _OPTIONAL | {"EX01"}) == []
