"""Text that is safe to print wherever it comes from, and errors on one line."""

from __future__ import annotations

import os
import sys
import unicodedata
from typing import IO

_BIDIRECTIONAL = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    r"""`text` on one line, without control characters that could move or colour a terminal.

    Names of columns, classes and files come from strangers. Line breaks and tabs become spaces,
    other control characters (also those that reverse the writing direction) and halves of
    characters become U+FFFD.

    Examples
    --------
    >>> plain("two\nlines, \x1b[31mred")
    'two lines, �[31mred'
    """
    return "".join(map(_shown, " ".join(text.split("\n"))))


def _shown(character: str) -> str:
    if character in "\t\r\u2028\u2029":
        return " "
    if unicodedata.category(character) in ("Cc", "Cs") or character in _BIDIRECTIONAL:
        return "\ufffd"
    return character


def say(message: str, prefix: str = "shrinkage: error: ") -> None:
    """One line on stderr."""
    try:
        sys.stderr.write(f"{prefix}{plain(message)}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        pass


def discard(stream: IO[str]) -> None:
    """Go on without a reader (`… | head`): what `stream` gets from now on goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
