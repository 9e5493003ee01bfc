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
from shrinkage.verify import boundary
from shrinkage.verify.shrinking import shrinking


def test_a_part_of_no_great_size_is_looked_at_whole() -> None:
    data = prepare(*bundled("moons", 60))
    assert boundary.looked_at(data.full) is data.full


def test_evenly_spaced_rows_stand_for_a_large_part(monkeypatch: pytest.MonkeyPatch) -> None:
    data = prepare(*bundled("breast_cancer"), folds=3, repeats=1)
    whole = boundary.plane_through(data)
    monkeypatch.setattr(boundary, "_MANY", 1)
    monkeypatch.setattr(boundary, "_ROWS_OF_MANY", 100)
    part = boundary.looked_at(data.full)
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
