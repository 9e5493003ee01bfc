"""One file for numbers and what is said about them, which cannot execute code.

A safetensors file: arrays of numbers, and one line of JSON beside them that says what the file is,
which version of the format it follows and what its content's SHA-256 digest is. Nothing in it is
ever run, so a file from a stranger can do no harm, and a damaged one is found out.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.errors import SettingError

FORMAT = 1
"""Version of what is written here; readers refuse later ones."""

_ENTRY = "shrinkage"
_BEGIN = f'{{"__metadata__":{{"{_ENTRY}":"'.encode()
"""How a file of ours goes on after the eight bytes with the length of its first part."""
_LENGTH = 8
_PACKAGES = ("shrinkage", "numpy", "numba", "scikit-learn")
_KINDS = "biuf"  # NumPy's letters for booleans, integers and floating-point numbers


@dataclass(frozen=True, eq=False)
class Content:
    """What a file holds.

    Parameters
    ----------
    header : dict
        Text, numbers, booleans, None, and lists and dictionaries of these.
    tensors : dict of str to ndarray
        Of booleans, integers or floating-point numbers, each of any shape.
    versions : dict of str to str, default {}
        Packages that wrote it.
    """

    header: dict[str, Any]
    tensors: dict[str, NDArray[Any]]
    versions: dict[str, str] = field(default_factory=dict)


def write(
    path: str | os.PathLike[str],
    kind: str,
    header: dict[str, Any],
    tensors: Mapping[str, NDArray[Any]],
) -> Path:
    """Write one file, completely or not at all.

    Parameters
    ----------
    path : str or path-like
        Where to; a file that is there is replaced.
    kind : str
        What the file is about; :func:`read` must ask for the same.
    header : dict
        As in :class:`Content`. Numbers are finite.
    tensors : mapping of str to ndarray
        As in :class:`Content`.

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    SettingError
        When nothing can be written there, or a tensor is not of numbers; nothing is left behind.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = write(Path(folder) / "a.shrinkage", "example", {"n": 2}, {"x": np.ones(2)})
    ...     content = read(path, "example")
    >>> content.header, content.tensors["x"]
    ({'n': 2}, array([1., 1.]))
    """
    from safetensors.numpy import save

    plain = {name: _plain(name, values) for name, values in tensors.items()}
    said = {"format": FORMAT, "kind": kind, "versions": _versions(), "header": header}
    said["digest"] = _digest(said, plain)
    return replace_file(path, save(plain, metadata={_ENTRY: _canonical(said)}), "the file")


def read(path: str | os.PathLike[str], kind: str) -> Content:
    """Read a file that :func:`write` wrote.

    Parameters
    ----------
    path : str or path-like
        Where from.
    kind : str
        What it has to be about.

    Returns
    -------
    Content
        The same values, to the bit.

    Raises
    ------
    SettingError
        When there is no such file, when it is empty, truncated or damaged, when it is not ours or
        of another kind, or when a later version of this package wrote it.
    """
    data = _bytes(path)
    _check_ours(path, data)
    said = _said(path, data)
    if said["format"] > FORMAT:
        by = said["versions"].get("shrinkage", "")
        raise SettingError(
            f"'{path}' follows format {said['format']} and this version of shrinkage reads formats "
            f"up to {FORMAT}; update it" + (f" to {by} or later" if by else "")
        )
    tensors = _tensors(path, data)
    digest = said.pop("digest")
    if digest != _digest(said, tensors):
        raise _damaged(path, "its content and its checksum disagree")
    if said["kind"] != kind:
        raise SettingError(f"'{path}' holds {_a(said['kind'])}, and {_a(kind)} was asked for")
    return Content(said["header"], tensors, said["versions"])


def replace_file(path: str | os.PathLike[str], content: bytes, what: str) -> Path:
    """Put a file in its place when all of it is on the disk, and not before.

    Parameters
    ----------
    path : str or path-like
        Where to; a file that is there is replaced.
    content : bytes
        All of it.
    what : str
        For people: ``"the ONNX model"``.

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    SettingError
        When nothing can be written there; nothing is left behind.
    """
    target = Path(path).absolute()
    if target.is_dir():
        raise SettingError(f"cannot write {what} to '{path}': it is a folder; name a file in it")
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}")
    try:
        # "x": a file of this name, however unlikely, is somebody's.
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        reason = (error.strerror or str(error)).lower()
        raise SettingError(
            f"cannot write {what} to '{path}': {reason}; choose another place"
        ) from error
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return target


def _plain(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """As it lies in the file: contiguous, the first byte the least."""
    array = np.asarray(values)
    if array.dtype.kind not in _KINDS or array.dtype.itemsize > np.dtype(np.float64).itemsize:
        raise SettingError(
            f"'{name}' is an array of {array.dtype}, and a file holds numbers of up to 64 bits"
        )
    return np.array(array, dtype=array.dtype.newbyteorder("<"), order="C", copy=True)


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _canonical(said: dict[str, Any]) -> str:
    """The one way to write it: what is equal has one digest, and one file."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _digest(said: dict[str, Any], tensors: Mapping[str, NDArray[Any]]) -> str:
    """Of all that is said and of every bit of the tensors."""
    digest = sha256(_canonical(said).encode())
    for name in sorted(tensors):
        values = tensors[name]
        digest.update(_canonical({"": [name, values.dtype.str, list(values.shape)]}).encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _bytes(path: str | os.PathLike[str]) -> bytes:
    source = Path(path)
    if source.is_dir():
        raise SettingError(f"cannot read '{path}': it is a folder; name a file in it")
    try:
        data = source.read_bytes()
    except FileNotFoundError:
        raise SettingError(f"cannot read '{path}': there is no such file") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise SettingError(f"cannot read '{path}': {reason}") from error
    if not data:
        raise SettingError(f"'{path}' is empty; its writing may have been interrupted")
    return data


def _check_ours(path: str | os.PathLike[str], data: bytes) -> None:
    """Raise unless a file begins like those of :func:`write`."""
    begin = data[_LENGTH : _LENGTH + len(_BEGIN)]
    if begin == _BEGIN:
        return
    if len(data) < _LENGTH + len(_BEGIN) and _BEGIN.startswith(begin):
        raise _truncated(path)
    what = "is not a file that shrinkage wrote"
    if data[0] == 0x80 and 2 <= data[1] <= 5:
        what = "is a pickle, which can execute code when it is read, and shrinkage writes none"
    elif data.startswith(b"PK"):
        what = "is a zip archive, which shrinkage does not write"
    elif begin.startswith(b'{"'):
        what = "is a safetensors file that something else wrote"
    raise SettingError(f"'{path}' {what}; it was not opened")


def _said(path: str | os.PathLike[str], data: bytes) -> dict[str, Any]:
    """The JSON of a whole file, with the types of its fields checked."""
    length = int.from_bytes(data[:_LENGTH], "little")
    if _LENGTH + length > len(data):
        raise _truncated(path)
    try:
        outer = json.loads(data[_LENGTH : _LENGTH + length])
        said = json.loads(outer.pop("__metadata__")[_ENTRY])
        end = max((tensor["data_offsets"][1] for tensor in outer.values()), default=0)
        typed = {"format": int, "kind": str, "versions": dict, "header": dict, "digest": str}
        sound = all(type(said[name]) is kind for name, kind in typed.items())
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise _damaged(path, "what it says about itself cannot be read") from error
    if not sound or not isinstance(end, int):
        raise _damaged(path, "what it says about itself makes no sense")
    if _LENGTH + length + end > len(data):
        raise _truncated(path)
    return dict(said)


def _tensors(path: str | os.PathLike[str], data: bytes) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return {name: np.array(values) for name, values in load(data).items()}
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(path, "its numbers cannot be read") from error


def _truncated(path: str | os.PathLike[str]) -> SettingError:
    return SettingError(f"'{path}' is truncated: its end is missing; copy or save it again")


def _damaged(path: str | os.PathLike[str], why: str) -> SettingError:
    return SettingError(f"'{path}' is damaged: {why}; copy or save it again")


def _a(kind: Any) -> str:
    return f"{'an' if str(kind)[:1] in 'aeiou' else 'a'} {kind}"
