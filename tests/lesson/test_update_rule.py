from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from shrinkage.engine.pool import run_trial
from shrinkage.lesson.decays import (
    DIFFERENT,
    EPOCHS,
    KINDS,
    LAM,
    OPTIMIZERS,
    OTHERS,
    Compared,
    decay_trials,
    epochs_of,
    followed_trials,
)
from shrinkage.lesson.exhibited import Exhibited, Setting
from shrinkage.lesson.toys import toy
from shrinkage.lesson.update_rule import UpdateRule
from shrinkage.network import initialize, layout
from shrinkage.study import Study, Trial

SETTING = Setting(seeds=3, epochs=20)


@pytest.fixture(scope="module")
def one(exhibited: Callable[..., Exhibited]) -> Exhibited:
    return exhibited(UpdateRule(), SETTING)


def _one_step(place: int) -> list[np.ndarray]:
    """Hidden weights before, and after one step over all rows of each kind."""
    data = toy(seed=2, test=10)
    trials = followed_trials(data, 2, Setting(epochs=1))[3 * place : 3 * place + 3]
    found = [initialize(trials[0].network, 2)[layout(trials[0].network).penalized]]
    for trial in trials:
        whole = replace(trial, training=replace(trial.training, batch_size=100))
        found.append(run_trial(whole, data.part(0)).penalized_weights)
    return [weights.astype(np.float64) for weights in found]


def test_one_step_of_sgd_is_the_lessons_rule_on_both_ways() -> None:
    before, none, penalty, decay = _one_step(0)
    rate = OPTIMIZERS[0].rate
    slope = (before - none) / rate
    by_hand = before * (1 - rate * LAM) - rate * slope
    np.testing.assert_allclose(penalty, by_hand, atol=2e-7)
    np.testing.assert_allclose(decay, by_hand, atol=2e-7)
    assert np.abs(none - by_hand).max() > 1e-4


def test_the_first_step_of_adam_takes_the_size_from_the_penaltys_gradient() -> None:
    """Adam's first step is α G / (|G| + ε), where the penalty is a part of G or is not."""
    before, descended, _, _ = _one_step(0)
    slope = (before - descended) / OPTIMIZERS[0].rate
    _, none, penalty, decay = _one_step(2)
    rate, epsilon = OPTIMIZERS[2].rate, 1e-7

    def step(gradient: np.ndarray) -> np.ndarray:
        moved: np.ndarray = rate * gradient / (np.abs(gradient) + epsilon)
        return moved

    whole = slope + LAM * before
    clear = (np.abs(slope) > 1e-4) & (np.abs(whole) > 1e-4)
    assert clear.mean() > 0.5
    for found, by_hand in (
        (none, before - step(slope)),
        (penalty, before - step(whole)),
        (decay, before * (1 - rate * LAM) - step(slope)),
    ):
        np.testing.assert_allclose(found[clear], by_hand[clear], atol=2e-4 * rate)
    assert np.abs(penalty - decay).max() > rate


def test_shorter_trainings_are_beginnings_of_longer_ones() -> None:
    data = toy(seed=0, validation=10, test=10)
    count = len(epochs_of(SETTING))
    trials = followed_trials(data, 0, SETTING)[:count]
    assert [trial.training.epochs for trial in trials] == epochs_of(SETTING)
    *shorter, longest = (run_trial(trial, data.part(0)) for trial in trials)
    losses = dict(zip(longest.epochs.tolist(), longest.validation_loss.tolist(), strict=True))
    common = [fit for fit in shorter if fit.stopped_at in losses]
    assert common
    for fit in common:
        assert fit.final_validation_loss == losses[fit.stopped_at]


def test_numbers_are_those_of_the_weights() -> None:
    data = toy(seed=0, test=10)
    setting = Setting(epochs=2)
    trials = (*followed_trials(data, 0, setting), *decay_trials(data, 0, setting))
    fits = [run_trial(trial, data.part(0)) for trial in trials]
    found = Compared.of(Study(data, trials, tuple(fits)), setting)
    weights = {_key(fit.trial): fit.penalized_weights.astype(np.float64) for fit in fits}
    last = setting.epochs
    for way, optimizer in enumerate(OPTIMIZERS):
        none, penalty, decay = (
            weights[optimizer.name, optimizer.momentum, last, kind, LAM if kind else 0.0]
            for kind in KINDS
        )
        assert found.apart[way, -1] == np.abs(penalty - decay).max()
        assert found.effect[way, -1] == np.abs(penalty - none).max()
    for way, place in enumerate(DIFFERENT):
        own = (OPTIMIZERS[place].name, OPTIMIZERS[place].momentum, last)
        penalty = weights[*own, KINDS[1], LAM]
        effect = np.abs(penalty - weights[*own, None, 0.0]).max()
        by_hand = [
            100 * np.abs(weights[*own, KINDS[2], lam] - penalty).max() / effect for lam in OTHERS
        ]
        np.testing.assert_allclose(found.decayed[way], by_hand)


def _key(trial: Trial) -> tuple[object, ...]:
    training = trial.training
    return (training.optimizer, training.momentum, training.epochs, trial.penalty, trial.lam)


def test_it_says_what_a_page_needs(one: Exhibited, suits_a_page: Callable[..., None]) -> None:
    suits_a_page(one)
    assert [claim.verdict for claim in one.claims] == ["holds"] * 5
    x = one.pictures[0].lines[0].x  # type: ignore[union-attr]  # it is a chart
    assert x.tolist() == [4.0 * epochs for epochs in EPOCHS if epochs <= SETTING.epochs]


def test_the_code_prints_the_shares_of_the_table(
    one: Exhibited, printed: Callable[[str], str]
) -> None:
    lines = printed(one.code).splitlines()
    assert len(lines) == len(OPTIMIZERS)
    for line, row in zip(lines, one.tables[0][1].rows, strict=True):
        label, share = line.split(": ")
        assert label == row[0]
        assert float(share.split()[0]) == pytest.approx(float(row[-1].split()[0]), rel=0.02)
