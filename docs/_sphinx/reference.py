"""The reference: what of the docstrings is shown, and where a reference in them leads.

A reference may use any name under which a thing can be imported, and may name a field or a
constant, which have no place of their own: the first leads to its class, the second stays plain
text. What does not exist stays unresolved, and so fails a strict build.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PACKAGE = "shrinkage"


def _lent(_app: Sphinx, _kind: str, _name: str, thing: Any, skip: bool, _options: Any) -> bool:
    """Leave out members that another package lends and documents itself."""
    place = getattr(getattr(thing, "fget", None) or thing, "__module__", None)
    return skip or not (place or PACKAGE).startswith(PACKAGE)


def _absolute_values(*event: Any) -> None:
    """|x| in prose is no substitution, of which these docstrings have none."""
    lines: list[str] = event[-1]
    lines[:] = [re.sub(r"(?<![\w|`])\|(\S[^|`]*)\|", r"\\|\1\\|", line) for line in lines]


def _candidates(reference: pending_xref) -> Iterator[str]:
    """What may be meant: as in the text, of the same class, in the same module or room."""
    target, module = reference["reftarget"], reference.get("py:module") or ""
    yield target
    yield f"{module}.{(reference.get('py:class') or '').partition('.')[0]}.{target}"
    yield f"{module}.{target}"
    # A room shows what its modules define, so a name of theirs may stand in a docstring.
    yield from (f"{name}.{target}" for name in sorted(sys.modules) if name.startswith(f"{module}."))


def _find(name: str) -> tuple[Any, str] | None:
    """Owner (a module or a class) and own name of what is called so; None where nothing is."""
    *path, last = name.split(".")
    if path[:1] != [PACKAGE]:
        return None
    for depth in range(len(path), 0, -1):
        try:
            owner: Any = import_module(".".join(path[:depth]))
        except ModuleNotFoundError:
            continue
        for step in path[depth:]:
            owner = getattr(owner, step, None)
        fields = getattr(owner, "__dataclass_fields__", {})
        if hasattr(owner, last) or last in fields:
            return owner, last
        try:
            import_module(name)
        except ModuleNotFoundError:
            return None
        return owner, last
    return None


def _places(owner: Any, name: str) -> Iterator[str]:
    """Where a thing may be documented: under its own name, in its room, or with its class."""
    thing = getattr(owner, name, None)
    module = getattr(thing, "__module__", None) or getattr(owner, "__module__", "") or ""
    room = ".".join(module.split(".")[:2])
    if isinstance(owner, type):
        yield from (f"{owner.__module__}.{owner.__name__}", f"{room}.{owner.__name__}")
    else:
        yield from (f"{module}.{name}", f"{room}.{name}")


def _resolve(
    app: Sphinx, env: BuildEnvironment, reference: pending_xref, shown: nodes.TextElement
) -> nodes.Node | None:
    for found in filter(None, map(_find, _candidates(reference))):
        for place in _places(*found):
            link = env.domains["py"].resolve_xref(
                env, reference["refdoc"], app.builder, "obj", place, reference, shown
            )
            if link is not None:
                return link
        return shown
    return None


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen to autodoc and to references that Sphinx cannot place."""
    app.connect("autodoc-skip-member", _lent)
    app.connect("autodoc-process-docstring", _absolute_values)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
