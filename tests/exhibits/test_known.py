"""Exhibits from fits of before."""

import pytest

from shrinkage.data import bundled, prepare
from shrinkage.exhibits import Basis, Series
from shrinkage.exhibits.capacity import CapacitySweep
from shrinkage.exhibits.interaction import InteractionMap
from shrinkage.network import Network
from shrinkage.penalties import L2
from shrinkage.tune import default_training


@pytest.fixture(name="basis", scope="module")
def basis_fixture():
    table, target = bundled("moons", samples=120, noise=0.3)
    data = prepare(table, target, name="moons", folds=3, repeats=1)
    return Basis(data, Network(2, (16,)), default_training(data, epochs=6))


EXHIBITS = [CapacitySweep((1, 4), refits=2), InteractionMap(L2(), dropouts=(0.0, 0.2))]


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda one: one.name)
def test_what_is_known_is_recalled_without_training(basis, exhibit):
    series = Series(exhibit, basis)
    fits = list(series)
    again = Series(exhibit, basis, known=fits)
    again.recall()
    assert again.study.trials == series.study.trials
    assert again.before == len(fits) == len(again.planned)
    assert exhibit.read(again.study).as_dict() == exhibit.read(series.study).as_dict()


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda one: one.name)
def test_what_is_missing_is_not_trained_by_recalling(basis, exhibit):
    fits = list(Series(exhibit, basis))
    again = Series(exhibit, basis, known=fits[:3])
    again.recall()
    assert len(again.study.fits) <= 3
    assert {fit.trial for fit in again} == {fit.trial for fit in fits[3:]}
