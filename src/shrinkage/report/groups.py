"""Drawings that stand together on a page, with what is said around them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A drawing of the stage and what stands above it."""

    name: str
    label: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Group:
    """Drawings that belong together.

    Parameters
    ----------
    title : str
        The point of them.
    pictures : tuple of Picture
        At least one.
    layout : str
        Class of the element around them: ``"pair"``, ``"pair single"``, ``"multiples"`` (many
        small ones, whose axes the caption names).
    legend : tuple of (str, str, str)
        Role, words and shape of each key.
    swatches : tuple of (str, str)
        Name and colour.
    caption : str
        How to read them.
    """

    title: str
    pictures: tuple[Picture, ...]
    layout: str
    legend: tuple[tuple[str, str, str], ...] = ()
    swatches: tuple[tuple[str, str], ...] = ()
    caption: str = ""
