from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from shrinkage.lesson.complexities import (
    CASES,
    GRID,
    NOISES,
    PROBLEMS,
    ROWS,
    Case,
    Gains,
    case_claims,
)
from shrinkage.lesson.exercises import Exercises
from shrinkage.lesson.exhibited import Exhibited, Setting
from shrinkage.penalties import L1, L2

SETTING = Setting(seeds=2, epochs=16)


@pytest.fixture(scope="module")
def one(exhibited: Callable[..., Exhibited]) -> Exhibited:
    return exhibited(Exercises(), SETTING)


def test_it_says_what_a_page_needs(one: Exhibited, suits_a_page: Callable[..., None]) -> None:
    suits_a_page(one)
    assert len(one.tables[1][1].rows) == len(CASES) == len(PROBLEMS) * len(NOISES) + len(ROWS)


def test_the_list_is_the_lessons_in_keras_convention() -> None:
    job = Exercises().jobs(SETTING)[0]
    found = [(trial.penalty, trial.lam, trial.training.dropout) for trial in job.trials]
    assert found == [
        (None, 0.0, 0.0),
        (L2(), 0.002, 0.0),
        (L2(), 0.02, 0.0),
        (L2(), 0.2, 0.0),
        (L1(), 0.001, 0.0),
        (L1(), 0.01, 0.0),
        (L1(), 0.1, 0.0),
        (None, 0.0, 0.2),
        (L2(), 0.02, 0.2),
    ]


def test_more_rows_are_trained_for_as_many_steps() -> None:
    setting = Setting(seeds=2, epochs=2_000)
    steps = []
    for rows in ROWS:
        job = Case("moons", 0.25, rows).job(0, setting)
        assert job.data.part(0).train.size == rows
        training = job.trials[0].training
        steps.append(training.epochs * rows)
    assert set(steps) == {50_000}


def test_the_code_prints_the_losses_of_the_table(
    one: Exhibited, printed: Callable[[str], str]
) -> None:
    lines = dict(line.split(": test log loss ") for line in printed(one.code).splitlines())
    rows = {row[0]: row[2].split()[0] for row in one.tables[0][1].rows}
    assert set(lines) < set(rows)
    for way, loss in lines.items():
        assert float(loss.removesuffix(" nats")) == pytest.approx(float(rows[way]), abs=0.006), way


def _gains(loss: np.ndarray, accuracy: np.ndarray) -> Gains:
    return Gains(loss, accuracy, np.zeros((*loss.shape, 2)))


def test_claims_follow_the_gains() -> None:
    """Losses that fall more with noise and less with rows; accuracy that one case costs."""
    rng = np.random.default_rng(0)
    seeds = rng.normal(0, 0.01, size=(len(CASES), 10))
    loss = (
        np.array([case.noise if case in GRID else 100.0 / case.rows for case in CASES])[:, None]
        + seeds
    )
    accuracy = 1.0 + seeds
    worst = CASES.index(Case("spirals", 0.2, 100))
    accuracy[worst] -= 3
    *noisier, everywhere, costless, fewer = case_claims(_gains(loss, accuracy))
    assert [claim.verdict for claim in noisier] == ["holds"] * len(PROBLEMS)
    assert everywhere.verdict == "holds"
    assert "20 gain and 0 lose" in everywhere.measured
    assert costless.verdict == "does not hold here"
    assert "decided by spirals with noise 0.2" in costless.measured
    assert "19 gain and 1 lose" in costless.measured
    assert fewer.verdict == "holds"
    assert fewer.interval is not None
    assert fewer.interval.estimate == pytest.approx(0.95, abs=0.02)


def test_one_certain_loss_decides_though_another_case_has_a_lower_mean() -> None:
    seeds = np.random.default_rng(2).normal(0, 0.01, size=(len(CASES), 10))
    accuracy = 1.0 + seeds
    accuracy[CASES.index(Case("spirals", 0.2, 100))] -= 1.5  # a small loss, the same every time
    wild = CASES.index(Case("moons", 0.1, 100))
    accuracy[wild] = np.linspace(-30, 20, 10)  # a lower mean that says nothing
    *_, costless, _ = case_claims(_gains(1.0 + seeds, accuracy))
    assert costless.verdict == "does not hold here"
    assert "decided by spirals with noise 0.2" in costless.measured
    accuracy[CASES.index(Case("spirals", 0.2, 100))] += 1.5
    *_, costless, _ = case_claims(_gains(1.0 + seeds, accuracy))
    assert costless.verdict == "not decided here"
    assert "decided by moons with noise 0.1" in costless.measured


def test_claims_that_are_wrong_do_not_hold() -> None:
    rng = np.random.default_rng(1)
    seeds = rng.normal(0, 0.01, size=(len(CASES), 10))
    loss = np.array([-case.noise - 1 / case.rows for case in CASES])[:, None] + seeds
    claims = case_claims(_gains(loss, seeds))
    assert [claim.verdict for claim in claims[: len(PROBLEMS)]] == ["does not hold here"] * 4
    assert claims[len(PROBLEMS)].verdict == "does not hold here"
