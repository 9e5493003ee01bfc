"""A time or a number of fits, as people write them."""

import pytest

from shrinkage.errors import SettingError
from shrinkage.tune.joint import Budget, parse_budget


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("60s", Budget(seconds=60)),
        (" 1.5 min ", Budget(seconds=90)),
        ("2m", Budget(seconds=120)),
        ("1H", Budget(seconds=3600)),
        ("500fits", Budget(fits=500)),
        ("1 fit", Budget(fits=1)),
    ],
)
def test_times_and_fits_are_understood(text, budget):
    assert parse_budget(text) == budget


@pytest.mark.parametrize("text", ["60", "", "fast", "-5s", "0s", "0fits", "1.5fits", "10days"])
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(SettingError, match=r"60s, 2m or 500fits|must be above 0"):
        parse_budget(text)


def test_a_budget_says_what_it_is():
    assert str(Budget(seconds=90)) == "90 s"
    assert str(Budget(fits=1500)) == "1,500 fits"
