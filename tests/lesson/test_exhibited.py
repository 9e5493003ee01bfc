from __future__ import annotations

from math import inf

import pytest

from shrinkage.intervals import Interval
from shrinkage.lesson.exhibited import judged

HOLDS, FAILS, OPEN = "holds", "does not hold here", "not decided here"


@pytest.mark.parametrize(
    ("low", "high", "limits", "verdict"),
    [
        (3.0, 4.0, {"at_least": 3}, HOLDS),
        (2.0, 4.0, {"at_least": 3}, OPEN),
        (2.0, 2.9, {"at_least": 3}, FAILS),
        (0.0, 0.0, {"at_most": 0}, HOLDS),
        (0.0, 0.0, {"above": 0}, OPEN),
        (0.1, 0.2, {"above": 0}, HOLDS),
        (-0.1, 0.2, {"above": 0}, OPEN),
        (0.5, 1.0, {"below": 1}, OPEN),
        (1.0, 1.5, {"below": 1}, FAILS),
        (0.5, 0.9, {"at_least": 0, "at_most": 1}, HOLDS),
        (-inf, inf, {"above": 0}, OPEN),
        (-inf, inf, {"at_most": 0}, OPEN),
    ],
)
def test_the_whole_interval_decides(
    low: float, high: float, limits: dict[str, float], verdict: str
) -> None:
    middle = 0.0 if low == -inf else (low + high) / 2
    assert judged("A.", "B.", Interval(middle, low, high), **limits).verdict == verdict


def test_what_was_asked_is_said_with_its_unit() -> None:
    claim = judged("A.", "B.", Interval(1, 0, 2), at_least=100 / 3, below=50, unit="%")
    assert claim.asked == "at least 33.3 % and below 50 %"
