"""Colours by meaning, for light and dark; the same meaning has the same colour everywhere.

Vermillion and blue (without and with the penalty) and the zones' green are from the palette of
Okabe & Ito (2008), which colour-blind readers can tell apart. Training is always a grey dashed line
and validation a solid line in the ink of the text, the test rows are a dotted purple line with
diamonds, and every class has a shape beside its colour:
nothing is told apart by hue alone.
"""

from __future__ import annotations

from typing import Literal

Mode = Literal["light", "dark"]

MODES: tuple[Mode, Mode] = ("light", "dark")

ROLES: dict[Mode, dict[str, str]] = {
    "light": {
        "paper": "#ffffff",
        "ink": "#1b1f24",
        "muted": "#5a636c",
        "line": "#e4e5e1",
        "axis": "#b9bdb9",
        "none": "#d55e00",
        "penalized": "#0072b2",
        "train": "#8b939b",
        "validation": "#1b1f24",
        "test": "#b3528e",
        "overfitting": "#d55e00",
        "good": "#009e73",
        "underfitting": "#0072b2",
    },
    "dark": {
        "paper": "#1a1e23",
        "ink": "#e8eaec",
        "muted": "#a2abb4",
        "line": "#2d333a",
        "axis": "#4a525a",
        "none": "#f08a4b",
        "penalized": "#5ab4e5",
        "train": "#8b959f",
        "validation": "#e8eaec",
        "test": "#dd8fc0",
        "overfitting": "#f08a4b",
        "good": "#2cc295",
        "underfitting": "#5ab4e5",
    },
}

CLASSES = (
    "#6a4fb3",
    "#e69f00",
    "#2a9d8f",
    "#cc6677",
    "#56b4e9",
    "#999933",
    "#882255",
    "#4d7c3a",
    "#b06fc4",
    "#808080",
)
"""One for each class; they repeat beyond ten."""

MARKERS = (
    "circle",
    "triangle",
    "square",
    "diamond",
    "inverted_triangle",
    "hex",
    "star",
    "plus",
    "cross",
    "asterisk",
)
"""Shapes for classes, so that colour is not the only difference."""

_STRONGEST = {"light": 0.62, "dark": 0.66}
_FAINTEST = 0.10


def class_colour(index: int) -> str:
    """Colour of a class."""
    return CLASSES[index % len(CLASSES)]


def class_marker(index: int) -> str:
    """Shape of a class's points; another than that of the class with the same colour."""
    return MARKERS[(index + index // len(CLASSES)) % len(MARKERS)]


def mix(first: str, second: str, share: float) -> str:
    """`first` with `share` of `second`.

    Examples
    --------
    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


def probability_colours(mode: Mode) -> list[str]:
    """256 colours from certainly the first of two classes to certainly the second."""
    paper, strongest = ROLES[mode]["paper"], _STRONGEST[mode]
    sides = (class_colour(0), class_colour(1))
    shares = [(2 * code / 255 - 1) for code in range(256)]
    return [
        mix(paper, sides[share > 0], _FAINTEST + (strongest - _FAINTEST) * abs(share))
        for share in shares
    ]


def class_colours(mode: Mode, classes: int, levels: int) -> list[str]:
    """`levels` colours for each class, from hardly to certainly that class."""
    paper, strongest = ROLES[mode]["paper"], _STRONGEST[mode]
    return [
        mix(paper, class_colour(index), _FAINTEST + (strongest - _FAINTEST) * level / (levels - 1))
        for index in range(classes)
        for level in range(levels)
    ]
