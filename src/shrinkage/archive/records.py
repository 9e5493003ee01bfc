"""Frozen records as JSON, and back: only those listed here are made, with fields of their types."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from shrinkage.data import Data, Part, TestSet
from shrinkage.data.description import Description
from shrinkage.errors import SettingError
from shrinkage.network import Block, Layout, Network, OwnNetwork
from shrinkage.penalties import L1, L2, ElasticNet, GroupLasso
from shrinkage.training import Augmentation, Training

_PLAIN = (type(None), bool, int, str)
NONSENSE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What Python raises at values that make no sense."""
_OWN = "OwnNetwork"
_OF_OWN = ("name", "inputs", "outputs", "places", "multiplications")

Keep = Callable[[NDArray[Any]], str]
Fetch = Callable[[str], NDArray[Any]]


class Unreadable(Exception):
    """JSON that is none of ours; it never leaves this room."""


@dataclass(frozen=True, eq=False)
class AbsentNetwork(OwnNetwork):
    """A network of the user's own, of which a file knows the name and the layout alone."""

    # Parameters are those of any such network (ARG002: to refuse, none is needed).

    def train(self, trials: Any, data: Any, *, expired: Any = None) -> Any:  # noqa: ARG002
        """Refuse: the module is not here."""
        raise self._absent("trained")

    def logits(self, parameters: Any, inputs: Any) -> Any:  # noqa: ARG002
        """Refuse: the module is not here."""
        raise self._absent("asked for predictions")

    def _absent(self, what: str) -> SettingError:
        return SettingError(
            f"the network {self.name} cannot be {what} here: a study file holds its parameters and "
            "where they lie, not the module itself; open the file in Python beside the module, "
            "with Study.open(path, network=…)"
        )


RECORDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(L1, L2, ElasticNet, GroupLasso),
        *(Network, Augmentation, Training, Layout, Block),
        *(Data, Part, TestSet, Description),
    )
}
"""Frozen dataclasses; nothing else is made of what a file says."""
PENALTIES = (L1, L2, ElasticNet, GroupLasso)


def told(value: Any, keep: Keep | None = None) -> Any:
    """A value as plain JSON.

    Parameters
    ----------
    value : object
        None, a boolean, a number, text, a tuple, or a record of :data:`RECORDS` with such fields.
    keep : callable, optional
        Puts an array of numbers away, and returns the name to find it by.

    Raises
    ------
    SettingError
        When it is none of these: a penalty of the user's own, say.
    """
    if type(value) in _PLAIN:
        return value
    if type(value) is float:
        return value if isfinite(value) else {"float": repr(value)}
    if type(value) is tuple:
        return {"tuple": [told(item, keep) for item in value]}
    if type(value) is np.ndarray and keep is not None:
        return {"array": keep(value)}
    if isinstance(value, OwnNetwork):
        given = {name: told(getattr(value, name), keep) for name in _OF_OWN}
        return {"record": _OWN, "fields": given}
    kind = type(value).__name__
    if RECORDS.get(kind) is not type(value):
        raise SettingError(
            f"a study file cannot hold {kind} of another program: only what this package defines "
            "can be read again without running code; leave out the file"
        )
    hints = _hints(type(value))
    given = {
        field.name: told(_as_hinted(getattr(value, field.name), hints[field.name]), keep)
        for field in fields(value)
    }
    return {"record": kind, "fields": given}


def _as_hinted(value: Any, hint: Any) -> Any:
    """A dropout of 0 is one of 0.0: what is equal is one text."""
    floats = hint is float or (float in get_args(hint) and int not in get_args(hint))
    return float(value) if floats and type(value) is int else value


def told_fields(record: Any) -> dict[str, Any]:
    """The fields of any dataclass as plain JSON: a plan's, whose room is above this one."""
    return {field.name: told(getattr(record, field.name)) for field in fields(record)}


def untold(said: Any, fetch: Fetch | None = None, own: OwnNetwork | None = None) -> Any:
    """A value from the JSON of :func:`told`.

    Parameters
    ----------
    said : object
        What :func:`json.loads` returned.
    fetch : callable, optional
        Finds an array by its name.
    own : OwnNetwork, optional
        Stands for a network of the user's own with the same name and layout.

    Raises
    ------
    Unreadable
        When it makes no sense.
    """
    try:
        return _value(said, fetch, own)
    except NONSENSE as error:
        raise Unreadable(str(error)) from error


def _value(said: Any, fetch: Fetch | None, own: OwnNetwork | None) -> Any:
    if type(said) in (*_PLAIN, float):
        return said
    if "float" in said:
        return float(said["float"])
    if "tuple" in said:
        return tuple(_value(item, fetch, own) for item in said["tuple"])
    if "array" in said and fetch is not None:
        return fetch(str(said["array"]))
    given = {str(name): _value(item, fetch, own) for name, item in said["fields"].items()}
    if said["record"] == _OWN:
        kind: type[Any] = AbsentNetwork
    else:
        kind = RECORDS[said["record"]]
    for name, hint in _hints(kind).items():
        if name in given and not _is(given[name], hint):
            raise TypeError(f"{kind.__name__}.{name}")
    made = kind(**given)
    alike = own is not None and isinstance(made, AbsentNetwork) and told(own) == told(made)
    return own if alike else made


def _hints(kind: type[Any]) -> dict[str, Any]:
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind)
    return _HINTS[kind]


_HINTS: dict[type[Any], dict[str, Any]] = {}


def _is(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type; constructors trust their callers."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_is(value, one) for one in inside)
    if origin is Literal:
        return value in inside
    if origin is tuple and inside[-1:] == (Ellipsis,):
        return type(value) is tuple and all(_is(item, inside[0]) for item in value)
    if origin is tuple:
        alike = type(value) is tuple and len(value) == len(inside)
        return alike and all(_is(item, one) for item, one in zip(value, inside))
    if origin is np.ndarray:
        (scalar,) = get_args(inside[1])
        return type(value) is np.ndarray and value.dtype == np.dtype(scalar)
    if hint is float:
        return type(value) in (int, float)
    if hint is Network | OwnNetwork:
        return isinstance(value, hint)
    return type(value) is (type(None) if hint is None else hint)


def canonical(said: Any) -> str:
    """The one way to write JSON: what is equal is one text."""
    return _CANONICAL.encode(said)


_CANONICAL = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    allow_nan=False,
    ensure_ascii=False,
    check_circular=False,
)


def parsed(text: Any) -> Any:
    """JSON from a file, which may be nonsense.

    Raises
    ------
    Unreadable
        When it is none.
    """
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (TypeError, ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def _finite(text: str) -> float:
    """JSON knows no other numbers, but Python reads them."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number
