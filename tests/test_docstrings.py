"""Public docstrings keep numpydoc's rules and have an example; pytest runs every example."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module

import pytest
from numpydoc.validate import validate

import shrinkage

# No second paragraph and no cross-references where the first sentence says all.
_OPTIONAL = {"ES01", "SA01"}
_OPEN = ("estimators", "displays", "exports", "torch", "keras")
_ROOMS = tuple(f"shrinkage.{room}" for room in _OPEN)
_CAPITAL = {"PR08", "SS02"}


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
    found = validate(name)
    # λ is a symbol: with a capital letter it would be another.
    symbols = set(re.findall(r"^ *(\w+) : .*\n +λ", found["docstring"], re.MULTILINE))
    opening = {f'Parameter "{one}" description should start' for one in symbols}
    if found["docstring"].lstrip().startswith("λ"):
        opening.add("Summary does not start with a capital")
    return [
        f"{code} {text}"
        for code, text in found["errors"]
        if code not in optional and not text.startswith(tuple(opening))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_docstring(name: str) -> None:
    assert _problems(name, _OPTIONAL) == []


def _methods() -> Iterator[str]:
    """Methods that these rooms define themselves; others document what they lend or ask for."""
    for room in _ROOMS:
        module = import_module(room)
        for name in module.__all__:
            thing = getattr(module, name)
            for method in dir(thing) if inspect.isclass(thing) else ():
                function = inspect.unwrap(inspect.getattr_static(thing, method))
                function = getattr(function, "__func__", function)
                if method.startswith("_") or not inspect.isfunction(function):
                    continue
                lent = any(
                    hasattr(base, method)
                    for base in thing.__mro__[1:]
                    if not base.__module__.startswith("shrinkage.")
                )
                if function.__module__.startswith("shrinkage.") and not lent:
                    yield f"{_place(thing)}.{method}"


@pytest.mark.parametrize("name", sorted(set(_methods())))
def test_method_docstring(name: str) -> None:
    assert _problems(name, _OPTIONAL | {"EX01"}) == []
