from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.network import Network
from shrinkage.penalties import L1, L2, ElasticNet
from shrinkage.scores import path
from shrinkage.study import Study
from shrinkage.training import Training
from shrinkage.tune import Plan, Search, candidates, default_training, plan, power, select


@pytest.fixture(scope="module")
def data():
    table, target = bundled("moons", samples=150)
    return prepare(table, target, name="moons", folds=3, repeats=1)


def short_plan(data, **settings):
    training = default_training(data, epochs=150, batch_size=32, learning_rate=0.01)
    network = Network(data.full.n_inputs, (16, 16), data.n_outputs)
    return plan(data, network=network, training=training, **settings)


@pytest.fixture(scope="module")
def searched(data):
    search = Search(data, short_plan(data, penalties=(L1(), L2())))
    stages = []
    for _ in search:
        if search.stage not in stages:
            stages.append(search.stage)
    return search, stages


def test_the_stages_follow_each_other_and_nothing_is_missing(searched):
    search, stages = searched
    assert stages == ["bracket", "path", "refine", "refits"]
    assert not search.study.missing
    assert search.expected == len(search.study.fits) == len(search.study.trials)


@pytest.mark.parametrize("penalty", [L1(), L2()])
def test_the_path_reaches_from_almost_no_effect_to_a_constant(searched, penalty):
    study = searched[0].study
    points = [point for point in candidates(study) if point.penalty == penalty]
    (free,) = [point for point in candidates(study) if point.penalty is None]
    null = np.log(2)
    # On the fold that the bracket was found on; others may need a little more or less.
    free_loss = free.train_losses[0]
    learned = [(null - point.train_losses[0]) / (null - free_loss) for point in points]
    assert learned[0] > 0.9
    assert learned[-1] < 0.05
    assert len(points) >= 5


def test_every_point_is_paired_with_every_other(searched):
    study = searched[0].study
    folds = range(len(study.data.parts))
    for fold in folds:
        seeds = {fit.trial.seed for fit in study.fold_fits if fit.trial.fold == fold}
        assert len(seeds) == 1
    assert all(point.folds.tolist() == list(folds) for point in candidates(study))


def test_refinement_adds_points_beside_the_best(searched):
    study = searched[0].study
    points = [point for point in candidates(study) if point.penalty == L2()]
    exponents = np.log10([point.lam for point in points])
    assert np.diff(exponents).min() < 0.3


def test_refits_cover_the_choice_with_every_seed_and_the_path_with_one(searched):
    search = searched[0]
    study = search.study
    choice = select(study).point
    chosen = [
        f for f in study.refits if (f.trial.penalty, f.trial.lam) == (choice.penalty, choice.lam)
    ]
    free = [fit for fit in study.refits if fit.trial.penalty is None]
    assert len(chosen) == len(free) == search.plan.refits == 3
    assert {fit.trial.seed for fit in chosen} == {fit.trial.seed for fit in free}
    along = {fit.trial.lam for fit in study.refits if fit.trial.penalty == choice.penalty}
    assert along == {p.lam for p in candidates(study) if p.penalty == choice.penalty}


def test_a_search_is_reproducible_whatever_the_threads(data):
    def run(threads):
        search = Search(data, short_plan(data, lambdas=(0.01,), refits=1), threads=threads)
        list(search)
        return [(fit.trial, fit.parameters.tobytes()) for fit in search.study.fits]

    assert run(1) == run(3)


def test_given_lambdas_are_tried_and_nothing_else(data):
    search = Search(data, short_plan(data, lambdas=(0.1, 0.0, 0.001, 0.1), penalties=(L2(),)))
    list(search)
    assert [point.lam for point in path(search.study)] == [0.0, 0.001, 0.1]
    assert search.expected == len(search.study.trials)


def test_an_interrupted_search_chooses_among_points_on_the_same_folds(data):
    search = Search(data, short_plan(data, lambdas=(0.001, 0.1), penalties=(L2(),)), threads=1)
    for _ in islice(search, 5):  # the first fold, and two of three points on the second
        pass
    study = search.study
    assert len(study.fits) == 5
    assert study.missing
    assert {tuple(point.folds) for point in candidates(study)} == {(0,)}
    assert select(study).point in candidates(study) or select(study).point.folds.tolist() == [0]


def with_losses(study, losses):
    """The study with the validation losses of its points replaced, fold by fold."""
    fits = tuple(
        replace(
            fit,
            validation_loss=np.array([losses[fit.trial.lam][fit.trial.fold]]),
            epochs=np.array([1]),
            train_loss=np.array([0.1]),
        )
        for fit in study.fold_fits
        if fit.trial.lam in losses
    )
    return Study(study.data, tuple(fit.trial for fit in fits), fits)


@pytest.fixture(scope="module")
def grid(data):
    search = Search(data, short_plan(data, lambdas=(0.01, 0.1, 1.0), penalties=(L2(),)))
    list(search)
    return search.study


def test_the_two_rules(grid):
    study = with_losses(
        grid, {0.0: [3, 3, 3], 0.01: [1.0, 1.2, 1.4], 0.1: [1.1, 1.3, 1.5], 1.0: [2, 2, 2]}
    )
    assert select(study, "minimum").point.lam == 0.01
    # 0.1 lies 0.1 above the minimum, whose standard error is 0.2/√3 = 0.115.
    assert select(study, "one_standard_error").point.lam == 0.1
    assert "against 3 without a penalty" in select(study).sentence


def test_no_penalty_is_a_candidate(grid):
    study = with_losses(grid, {0.0: [1, 1, 1], 0.01: [2, 2, 2], 1.0: [3, 3, 3]})
    choice = select(study)
    assert choice.point.penalty is None
    assert choice.runner_up == L2()
    assert choice.sentence.startswith("No penalty")


def test_a_metric_of_which_more_is_better(grid):
    best = select(grid, metric="accuracy").point
    assert best.mean_score == max(point.mean_score for point in candidates(grid, "accuracy"))


def test_nothing_finished(grid):
    with pytest.raises(ShrinkageError, match="nothing to choose from"):
        select(Study(grid.data, grid.trials, ()))


def test_defaults_follow_the_size(data):
    training = default_training(data)
    assert (training.batch_size, training.epochs) == (32, 300)
    table, target = bundled("moons", samples=20_000)
    large = default_training(prepare(table, target))
    assert large.batch_size > 32
    steps = large.epochs * 12_800 / large.batch_size
    assert 2_500 < steps < 3_500
    assert default_training(data, epochs=7).epochs == 7


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"lambdas": (-0.1,)}, "λ is -0.1"),
        ({"lambdas": (float("nan"),)}, "λ is nan"),
        ({"lambdas": ()}, "list of λ is empty"),
        ({"penalties": ()}, "no penalty to try"),
        ({"rule": "min"}, "did you mean 'minimum'"),
        ({"refits": 0}, "refits is 0"),
        ({"points": 1}, "points is 1"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_impossible_plans_are_refused(settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        Plan(Network(2), Training("cross_entropy"), **settings)


def test_lambda_is_readable():
    assert [power(e) for e in (-2, -1.5, -1.25, 0, 0.5)] == [0.01, 0.0316, 0.0562, 1.0, 3.16]
    assert ElasticNet() in Plan(Network(2), Training("cross_entropy")).penalties
