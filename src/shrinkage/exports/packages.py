"""Packages that only an export needs."""

from __future__ import annotations

from importlib import import_module

from shrinkage.errors import SettingError


def require_package(package: str) -> None:
    """Import a package, so that what misses is said before anything else is done.

    Parameters
    ----------
    package : str
        Its name, which is that of the extra too.

    Raises
    ------
    SettingError
        When it cannot be imported, with how to install it.
    """
    try:
        import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            # Keras without any of its backends.
            raise SettingError(
                f"{package} needs {error.name}, which is not installed: install it, or set "
                "KERAS_BACKEND to a backend that is there (torch, jax or tensorflow)"
                if package == "keras"
                else f"{package} needs {error.name}, which is not installed"
            ) from error
        raise SettingError(
            f"this export needs {package}; install it with: pip install 'shrinkage[{package}]'"
        ) from error
