"""A large path still makes a page that is small enough to send."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shrinkage import data as tables
from shrinkage import findings, tune
from shrinkage.findings import Findings
from shrinkage.report import RunInfo, render

LAMBDAS = tuple(float(lam) for lam in np.geomspace(1e-4, 1, 20))


def large(task: str) -> Findings:
    """20 λ of 3 penalties over 100 inputs; more rows than the plane shows."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(2_600, 100))
    wave = np.sin(3 * inputs[:, 0]) + inputs @ rng.normal(size=100) / 10
    table = pd.DataFrame(inputs, columns=[f"column number {place}" for place in range(100)])
    table["target"] = {
        "regression": wave,
        "binary": np.where(wave > 0, "above", "below"),
    }[task]
    data = tables.prepare(table, "target", name="large.csv", folds=2, repeats=1)
    training = tune.default_training(data, epochs=1)
    plan = tune.plan(data, training=training, lambdas=LAMBDAS, refits=1)
    search = tune.Search(data, plan, threads=1)
    list(search)
    return findings.find(search.study, plan)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_large_path_is_small_enough_to_send(run: RunInfo, task: str) -> None:
    found = large(task)
    assert found.study.data.full.n_inputs == 100
    assert len(found.points) == 3 * 20 + 1
    page = render(found, run)
    assert found.verification is not None
    # The slider has every λ, and each of its surfaces all of its points.
    assert len(found.verification.boundary.surfaces) == 21
    # Five million are promised; the other half is for exhibits of the same run.
    assert len(page.encode()) < 2_500_000
