from __future__ import annotations

import pytest

from shrinkage.figures.colours import (
    MODES,
    ROLES,
    Mode,
    class_colour,
    class_colours,
    class_marker,
    probability_colours,
)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", MODES)
def test_text_and_lines_stand_out(mode: Mode) -> None:
    roles = ROLES[mode]
    for role in ("ink", "muted"):
        assert contrast(roles[role], roles["paper"]) >= 4.5
    for role in ("none", "penalized", "train", "validation"):
        assert contrast(roles[role], roles["paper"]) >= 3.0


def test_both_modes_know_the_same_roles() -> None:
    assert ROLES["light"].keys() == ROLES["dark"].keys()


def test_classes_differ_in_colour_or_shape() -> None:
    looks = {(class_colour(index), class_marker(index)) for index in range(40)}
    assert len(looks) == 40


@pytest.mark.parametrize("mode", MODES)
def test_uncertain_is_pale(mode: Mode) -> None:
    paper = ROLES[mode]["paper"]
    colours = probability_colours(mode)
    assert len(colours) == 256
    assert contrast(colours[0], paper) > contrast(colours[127], paper)
    assert contrast(colours[255], paper) > contrast(colours[128], paper)
    steps = class_colours(mode, 3, 16)
    assert len(steps) == len(set(steps)) == 48
    assert contrast(steps[15], paper) > contrast(steps[0], paper)
