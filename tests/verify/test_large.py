"""Of a large table some rows stand for all, where a copy of all would be too much."""

from __future__ import annotations

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.engine.pool import run_trial
from shrinkage.network import Network
from shrinkage.penalties import L1
from shrinkage.study import Trial
from shrinkage.training import Training
from shrinkage.tune import Search, plan, select
from shrinkage.verify import boundary, large, verify
from shrinkage.verify.shrinking import shrinking


def test_a_part_of_no_great_size_is_looked_at_whole() -> None:
    data = prepare(*bundled("moons", 60))
    assert large.looked_at(data.full) is data.full


def test_evenly_spaced_rows_stand_for_a_large_part(monkeypatch: pytest.MonkeyPatch) -> None:
    data = prepare(*bundled("breast_cancer"), folds=3, repeats=1)
    whole = boundary.plane_through(data)
    monkeypatch.setattr(large, "MANY", 1)
    monkeypatch.setattr(large, "TRAINED", 100)
    part = large.looked_at(data.full)
    assert 90 <= len(part.inputs) == len(part.targets) == len(part.weights) <= 100
    np.testing.assert_array_equal(part.inputs[1], data.full.inputs[5])
    some = boundary.plane_through(data)
    assert f"{len(part.inputs)} training rows stand for all." in some.sentence
    assert "stand for all" not in whole.sentence
    assert some.explained == pytest.approx(whole.explained, abs=0.1)
    assert len(boundary.coordinates_on(some, data.full)) == len(part.inputs)
    training = Training(data.loss, epochs=5)
    fit = run_trial(Trial(Network(30, (8,)), training, L1(), 0.3, None, 0), data.full)
    found = shrinking(fit, data)
    assert found is not None
    assert len(part.inputs) < found.rows <= 2 * len(part.inputs)


def test_drawn_rows_stand_for_a_large_test_set(monkeypatch: pytest.MonkeyPatch) -> None:
    data = prepare(*bundled("breast_cancer"), folds=3, repeats=1)
    assert large.tested(data.test) is data.test
    monkeypatch.setattr(large, "MANY_TESTED", 1)
    assert large.tested(data.test) is data.test
    monkeypatch.setattr(large, "TESTED", 60)
    test = large.tested(data.test)
    assert len(test.inputs) == len(test.targets) == len(test.weights) == 60
    assert large.tested(test) is test
    settings = {"penalties": (L1(),), "lambdas": (0.1,), "refits": 1, "relax": False}
    training = Training(data.loss, epochs=3)
    search = Search(data, plan(data, network=Network(30, (4,)), training=training, **settings))
    list(search)
    found = verify(search.study, select(search.study), data.test)
    assert found.rows == 60
    assert found.notes[0] == "60 of the 114 test rows, drawn at random, stand for all."
    assert "On the 60 untouched test rows" in found.sentence
