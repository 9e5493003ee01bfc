"""A network of the user's own, from a module and a name in it."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from shrinkage.errors import SettingError, suggestion

_EXAMPLE = "shrinkage audit net:make, where net.py has def make(): return model, optimizer"
_NETWORKS = {"keras.src.layers.layer": "Keras", "torch.nn.modules.module": "PyTorch"}
"""Modules of the classes that networks are made of. Keras' own come first: on PyTorch, its layers
are modules of PyTorch as well."""


@dataclass(frozen=True)
class Loaded:
    """What a factory returned.

    Parameters
    ----------
    framework : str
        ``"Keras"`` or ``"PyTorch"``.
    network : object
        Model or module.
    optimizer : object, default None
        One, or a tuple of several; None where there is none.
    penalized : tuple, default ()
        Of PyTorch, what is added to the loss.
    """

    framework: str
    network: Any
    optimizer: Any = None
    penalized: tuple[Any, ...] = ()


def load(named: str) -> Loaded:
    """Import a module from the current folder, and make the network that is named in it.

    Parameters
    ----------
    named : str
        ``"module:factory"``: a function without arguments, a class, or the network itself.

    Returns
    -------
    Loaded
        The network and what trains it.

    Raises
    ------
    SettingError
        When there is no such module or name, the code raises, or what it makes is no network.
    """
    module_name, name = _split(named)
    with _guarded(named):
        module = _imported(module_name)
        made = _attribute(module, name)
        if _framework(made) is None and not isinstance(made, tuple) and callable(made):
            _require_no_arguments(made, named)
            made = made()
    return _sorted(made, named)


def _split(named: str) -> tuple[str, str]:
    module, colon, name = named.rpartition(":")
    if not colon or not module or not name:
        raise SettingError(
            f"'{named}' does not say where the network is; write module:factory, as in {_EXAMPLE}"
        )
    if module.endswith(".py"):  # a path, as shells complete it
        module = ".".join(Path(module[:-3]).parts)
    if not re.fullmatch(r"\w+(\.\w+)*", module):
        raise SettingError(
            f"'{module}' is not the name of a module in the current folder; write it as in Python, "
            "such as net or package.net"
        )
    return module, name


def _imported(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        known = sorted(path.stem for path in Path().glob("*.py"))
        hint = suggestion(name, known) if known else "no file here ends with .py"
        raise SettingError(
            f"there is no module '{error.name}' in the current folder; {hint}"
        ) from error
    own = Path(*name.split(".")).with_suffix(".py")
    if own.exists() and not own.samefile(module.__file__ or "."):
        raise SettingError(
            f"'{name}' is a module of Python or of a package that is loaded already, not {own} of "
            "this folder; give the file another name"
        )
    return module


def _attribute(module: ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            own = [each for each in vars(found) if not each.startswith("_")]
            owner = found.__name__ if hasattr(found, "__name__") else type(found).__name__
            raise SettingError(
                f"'{owner}' has no '{part}'; {suggestion(part, _callables(found, own))}"
            )
        found = getattr(found, part)
    return found


def _callables(owner: Any, names: list[str]) -> list[str]:
    """Names of what could be a factory: defined there, rather than imported."""
    home = getattr(owner, "__name__", None)
    own = [
        name
        for name in names
        if getattr(getattr(owner, name), "__module__", home) == home
        and not isinstance(getattr(owner, name), ModuleType)
    ]
    return own or names


def _require_no_arguments(factory: Any, named: str) -> None:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed:
        raise SettingError(
            f"'{named}' needs arguments ({', '.join(needed)}), and is called without any; write a "
            "function without arguments that makes the network"
        )


@contextmanager
def _guarded(named: str) -> Iterator[None]:
    """Turn whatever the user's code does into one sentence; what it prints goes to stderr."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (SettingError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit too: the code is the user's
        raise SettingError(_raised(named, error)) from error


def _raised(named: str, error: BaseException) -> str:
    what = type(error).__name__
    said = str(error).strip().split("\n")[0].rstrip(".")
    told = f"{what}: {said}" if said else what
    remedy = "run the file with Python to see all of it"
    if isinstance(error, ModuleNotFoundError) and error.name == "tensorflow":
        remedy = "set KERAS_BACKEND to a backend that is installed, such as torch or jax"
    return f"'{named}' raised {told}{_where(error)}; {remedy}"


def _where(error: BaseException) -> str:
    """File and line of the user's code that raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({_short(error.filename)}, line {error.lineno})"
    here = Path.cwd()
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(here) and "site-packages" not in frame.filename
    ]
    return f" ({_short(own[-1].filename)}, line {own[-1].lineno})" if own else ""


def _short(filename: str) -> str:
    path, here = Path(filename), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _framework(thing: Any) -> str | None:
    """Told by the names of classes, so that nothing is imported for it."""
    modules = {kind.__module__ for kind in type(thing).__mro__}
    return next((name for home, name in _NETWORKS.items() if home in modules), None)


def _sorted(made: Any, named: str) -> Loaded:
    parts = made if isinstance(made, tuple) else (made,)
    networks = [part for part in parts if _framework(part)]
    if len(networks) != 1:
        what = f"a tuple of {_kinds(parts)}" if isinstance(made, tuple) else _a(type(made).__name__)
        raise SettingError(
            f"'{named}' gives {what}; expected a PyTorch module or a Keras model, or a tuple of it "
            "and its optimizer"
        )
    network = networks[0]
    rest = [part for part in parts if part is not network and part is not None]
    penalized = tuple(part for part in rest if type(part).__name__ == "Penalized")
    optimizers = tuple(part for part in rest if part not in penalized)
    one = optimizers[0] if len(optimizers) == 1 else optimizers or None
    return Loaded(str(_framework(network)), network, one, penalized)


def _kinds(parts: tuple[Any, ...]) -> str:
    return " and ".join(_a(type(part).__name__) for part in parts) or "nothing"


def _a(name: str) -> str:
    return f"an {name}" if name[:1] in "AEIOUaeiou" else f"a {name}"
