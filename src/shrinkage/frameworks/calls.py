"""A call as the Python line that makes it again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

_ROOM = 88
"""Characters of a line."""
_SILENT = ("verbose",)
"""What decides no number."""


def call_of(function: Callable[..., Any], given: Mapping[str, Any]) -> str:
    """The call of a function with what differs from its defaults.

    Parameters
    ----------
    function : callable
        That is called; imported from the room that its module is in.
    given : mapping of str to object
        Its arguments by name: ``locals()``, before anything else is assigned. What has no short
        form stands there by its own name, or by that of the argument: rows, a factory.

    Returns
    -------
    str
        An import and a call.

    Examples
    --------
    >>> def path(factory, rows, seeds=3, folds=None, **training): ...
    >>> path.__module__ = "shrinkage.torch.path"
    >>> given = {"factory": len, "rows": [0], "seeds": 2, "folds": None, "training": {"epochs": 5}}
    >>> print(call_of(path, given))
    from shrinkage.torch import path
    path(len, [0], seeds=2, epochs=5)
    """
    parts = []
    for name, parameter in inspect.signature(function).parameters.items():
        value = given[name]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            parts += [f"{key}={_shown(one, key)}" for key, one in value.items()]
        elif parameter.default is inspect.Parameter.empty:
            parts.append(_shown(value, name))
        elif name not in _SILENT and not _same(value, parameter.default):
            parts.append(f"{name}={_shown(value, name)}")
    room = function.__module__.rpartition(".")[0]
    line = f"{function.__name__}({', '.join(parts)})"
    if len(line) > _ROOM:
        line = f"{function.__name__}(\n    " + ",\n    ".join(parts) + ",\n)"
    return f"from {room} import {function.__name__}\n{line}"


def _same(value: Any, default: Any) -> bool:
    """Whether it is the default; an array, whose comparison is no single answer, is not."""
    return value is default or (type(value) is type(default) and bool(value == default))


def _shown(value: Any, name: str) -> str:
    """A value as one would write it, or a name for it."""
    if isinstance(value, type) or inspect.isroutine(value):
        own = value.__name__
        return own if own.isidentifier() else name
    if name.endswith("_data"):
        return name
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        inside = ", ".join(_shown(one, name) for one in value)
        return f"[{inside}]"
    shown = repr(value)
    return name if "\n" in shown or "<" in shown else shown  # the latter is what objects are
