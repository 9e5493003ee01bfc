"""Small findings, made once: what figures are drawn from."""

from __future__ import annotations

import pytest

from shrinkage import data as tables
from shrinkage import findings, tune
from shrinkage.findings import Findings


def _findings(source: str) -> Findings:
    table, target, name = tables.open_source(source, samples=120 if source == "moons" else None)
    data = tables.prepare(table, target, name=name, folds=3, repeats=1)
    plan = tune.plan(
        data, training=tune.default_training(data, epochs=8), lambdas=(0.001, 0.1), refits=1
    )
    search = tune.Search(data, plan, threads=1)
    list(search)
    return findings.find(search.study, plan)


@pytest.fixture(scope="session")
def moons() -> Findings:
    return _findings("moons")


@pytest.fixture(scope="session")
def wine() -> Findings:
    return _findings("wine")


@pytest.fixture(scope="session")
def diabetes() -> Findings:
    return _findings("diabetes")
