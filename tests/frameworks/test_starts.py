"""Whether a factory makes two draws, or one twice."""

from __future__ import annotations

import warnings

import pytest

from shrinkage.errors import SettingError
from shrinkage.frameworks.starts import check_starts


def checked(shared=(), *, reseeds=False, same=False):
    check_starts(shared, reseeds=reseeds, same=same, seeding="torch.manual_seed")


def test_two_draws_are_fine():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checked()


def test_what_is_no_draw_is_a_sentence():
    with pytest.raises(SettingError, match="return the same 'a', so trainings"):
        checked(["a"])
    with pytest.raises(SettingError, match="the same 'a' and 2 more"):
        checked(["a", "b", "c"], reseeds=True, same=True)
    with pytest.raises(SettingError, match=r"calls torch\.manual_seed itself"):
        checked(reseeds=True)


def test_the_same_numbers_may_be_meant():
    with pytest.warns(UserWarning, match="the same first weights whatever the seed") as caught:
        checked(same=True)
    assert caught[0].filename == __file__
