"""The search along λ, on real, short trainings."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from shrinkage.network import Network
from shrinkage.penalties import L1, L2, GroupLasso
from shrinkage.scores import path
from shrinkage.tune import Search, candidates, default_training, plan, power, select
from shrinkage.tune.search import _beyond


@pytest.fixture(scope="module")
def searched(data, short_plan):
    search = Search(data, short_plan(data, penalties=(L1(), L2())))
    stages = []
    for _ in search:
        if search.stage not in stages:
            stages.append(search.stage)
    return search, stages


def test_the_stages_follow_each_other_and_nothing_is_missing(searched):
    search, stages = searched
    relaxed = ["relax"] if select(search.study).point.sparsity > 0 else []
    assert stages == ["bracket", "path", "refine", "refits", *relaxed]
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


def test_where_inputs_are_selected_the_best_is_refined_further(data, short_plan):
    search = Search(data, short_plan(data, penalties=(GroupLasso("inputs"), L2()), refits=1))
    list(search)
    for penalty, step in ((GroupLasso("inputs"), 0.125), (L2(), 0.25)):
        points = [point for point in candidates(search.study) if point.penalty == penalty]
        best = min(range(len(points)), key=lambda i: points[i].mean_validation)
        gaps = np.diff(np.log10([point.lam for point in points]))[max(best - 1, 0) : best + 1]
        assert gaps.max() < 1.15 * step
        assert gaps.min() > 0.85 * step


def test_refits_cover_the_choice_with_every_seed_and_the_path_with_one(searched):
    search = searched[0]
    study = search.study.principal
    choice = select(study).point
    chosen = [
        f for f in study.refits if (f.trial.penalty, f.trial.lam) == (choice.penalty, choice.lam)
    ]
    free = [fit for fit in study.refits if fit.trial.penalty is None]
    assert len(chosen) == len(free) == search.plan.refits == 3
    assert {fit.trial.seed for fit in chosen} == {fit.trial.seed for fit in free}
    along = {fit.trial.lam for fit in study.refits if fit.trial.penalty == choice.penalty}
    assert along == {p.lam for p in candidates(study) if p.penalty == choice.penalty}


@pytest.fixture(scope="module")
def pruned(data, short_plan):
    search = Search(data, short_plan(data, lambdas=(0.003, 0.01), penalties=(L1(),), refits=2))
    expected = search.expected
    return search, [search.stage for _ in search], expected


def test_what_a_penalty_pruned_is_trained_once_more_without_it(pruned):
    search, stages, _ = pruned
    choice = select(search.study).point
    assert 0 < choice.sparsity < 1
    relaxed = [fit for fit in search.study.fits if fit.trial.training.relaxed_epochs]
    assert len(relaxed) == stages.count("relax") == 3 + 2
    plain = {(f.trial.fold, f.trial.seed): f for f in search.study.principal.fits
             if (f.trial.penalty, f.trial.lam) == (choice.penalty, choice.lam)}  # fmt: skip
    for fit in relaxed:
        assert (fit.trial.penalty, fit.trial.lam) == (choice.penalty, choice.lam)
        before = plain[fit.trial.fold, fit.trial.seed]
        assert fit.sparsity >= before.sparsity
        if fit.trial.fold is None:
            assert not fit.penalized_weights[before.penalized_weights == 0].any()


def test_relaxed_fits_are_announced_and_have_no_say_in_the_path(pruned):
    search, _, expected = pruned
    assert expected == search.expected == len(search.study.fits)
    folds = len(search.data.parts)
    assert [point.folds.size for point in path(search.study)] == [folds] * 3
    everything = path(search.study.principal)
    for one, other in zip(path(search.study), everything, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)


def test_a_search_that_relaxes_goes_on_where_it_stopped(data, short_plan, pruned):
    whole, stages, _ = pruned
    again = Search(data, whole.plan)
    first = iter(again)
    for _ in range(stages.index("relax") + 1):
        next(first)
    first.close()
    assert again.study.missing
    list(again)
    assert parameters(again) == parameters(whole)


@pytest.mark.parametrize("settings", [{"penalties": (L2(),)}, {"lambdas": (0.0,)}])
def test_where_nothing_is_pruned_nothing_is_relaxed(data, short_plan, settings):
    search = Search(data, short_plan(data, **{"lambdas": (0.001,), "refits": 1} | settings))
    assert "relax" not in [search.stage for _ in search]


def test_a_path_that_is_relaxed_already_is_not_relaxed_again(data, short_plan):
    plan = short_plan(data, lambdas=(0.003,), penalties=(L1(),), refits=1)
    plan = replace(plan, training=replace(plan.training, relaxed_epochs=5))
    search = Search(data, plan)
    assert search.expected == len(list(search))
    assert select(search.study).point.sparsity > 0


def test_a_search_is_reproducible_whatever_the_threads(data, short_plan):
    def run(threads):
        search = Search(data, short_plan(data, lambdas=(0.01,), refits=1), threads=threads)
        list(search)
        return [(fit.trial, fit.parameters.tobytes()) for fit in search.study.fits]

    assert run(1) == run(3)


def test_given_lambdas_are_tried_and_nothing_else(data, short_plan):
    search = Search(data, short_plan(data, lambdas=(0.1, 0.0, 0.001, 0.1), penalties=(L2(),)))
    list(search)
    assert [point.lam for point in path(search.study)] == [0.0, 0.001, 0.1]
    assert search.expected == len(search.study.trials)


def test_an_interrupted_search_chooses_among_points_on_the_same_folds(data, short_plan):
    search = Search(data, short_plan(data, lambdas=(0.001, 0.1), penalties=(L2(),)), threads=1)
    for _ in islice(search, 5):  # the first fold, and two of three points on the second
        pass
    study = search.study
    assert len(study.fits) == 5
    assert study.missing
    assert {tuple(point.folds) for point in candidates(study)} == {(0,)}
    assert select(study).point.folds.tolist() == [0]


def parameters(search):
    return [
        (fit.trial, fit.parameters.tobytes(), fit.outputs.tobytes()) for fit in search.study.fits
    ]


@pytest.fixture(scope="module")
def small(data):
    training = default_training(data, epochs=20, batch_size=32, learning_rate=0.02)
    chosen = plan(
        data,
        network=Network(data.full.n_inputs, (4,), data.n_outputs),
        training=training,
        penalties=(L1(), L2()),
        refits=1,
    )
    whole = Search(data, chosen, threads=1)
    stages = [whole.stage for _ in whole]
    return chosen, whole, stages


@pytest.mark.parametrize("stage", ["bracket", "path", "refine", "refits"])
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_search_that_was_given_up_goes_on_where_it_stopped(data, small, stage, place):
    chosen, whole, stages = small
    again = Search(data, chosen, threads=1)
    first = iter(again)
    stop = stages.index(stage) + 1 if place == "first" else len(stages) - stages[::-1].index(stage)
    before = [next(first) for _ in range(stop)]
    first.close()
    assert again.stage == stage
    after = list(again)
    assert len(before) + len(after) == len(stages)
    assert not again.study.missing
    assert parameters(again) == parameters(whole)
    assert list(again) == []


def test_a_power_of_ten_that_diverges_ends_the_bracket(data, monkeypatch):
    # Never far enough, until SGD flies apart, which it does once rate · λ exceeds 4.
    monkeypatch.setattr("shrinkage.tune.search._CONSTANT", -1e9)
    monkeypatch.setattr("shrinkage.tune.search._STUCK", -1.0)
    further, calls = Search._further, []

    def counted(self, penalty):
        calls.append(penalty)
        assert len(calls) < 20, "the bracket goes on for ever"
        return further(self, penalty)

    monkeypatch.setattr(Search, "_further", counted)
    training = default_training(data, optimizer="sgd", epochs=60, learning_rate=0.1)
    network = Network(data.full.n_inputs, (4,), data.n_outputs)
    search = Search(
        data, plan(data, network=network, training=training, penalties=(L2(),), refits=1)
    )
    list(search)
    assert any(fit.trial.lam == 100 for fit in search.study.diverged)
    assert calls


def test_without_a_penalty_to_try_the_guess_is_right(data, short_plan):
    search = Search(data, short_plan(data, lambdas=(0.0,)))
    expected = search.expected
    assert len(list(search)) == expected == 3 + 3


def test_lambda_is_readable():
    assert [power(e) for e in (-2, -1.5, -1.25, 0, 0.5)] == [0.01, 0.0316, 0.0562, 1.0, 3.16]


def test_without_a_bracket_the_usual_path_is_refined_and_goes_on_beyond_its_end(data, short_plan):
    short = short_plan(
        data, penalties=(L2(),), bracket=False, refinements=2, points=3, refits=1, along=False
    )
    search = Search(data, replace(short, training=replace(short.training, epochs=20)))
    stages = []
    for _ in search:
        stages.append(search.stage)
        assert len(stages) <= search.expected
    assert list(dict.fromkeys(stages)) == ["path", "refine", "refits"]
    first = [1e-4, power(-1.5), 10.0]
    tried = list(
        dict.fromkeys(t.lam for t in search.study.trials if t.penalty and t.fold is not None)
    )
    assert tried[:3] == first
    losses = {point.lam: point.mean_validation for point in path(search.study) if point.penalty}
    best = min(first, key=lambda lam: losses[lam])
    added = sorted(tried[3:5])
    if best == 1e-4:
        assert added == [power(-6.5), power(-2.75)]
    elif best == 10.0:
        assert added == [power(-0.25), power(3.5)]
    else:
        assert added == [power(-2.75), power(-0.25)]


@pytest.mark.parametrize(("lambdas", "more"), [((1e-4, 1e-3), -1), ((1.0, 10.0), 1)])
def test_an_end_that_is_best_is_not_the_last_word(lambdas, more):
    exponents = [float(e) for e in np.log10(lambdas)]
    best = 0 if more < 0 else 1
    expected = power(exponents[best] + more)
    assert _beyond(exponents, best) == [expected]
    assert _beyond([*exponents, exponents[-1] + 1], 1) == []


def test_only_what_is_asked_for_is_refitted(data, short_plan):
    lambdas = (0.001, 0.003, 0.01)
    search = Search(
        data,
        short_plan(data, penalties=(L1(),), lambdas=lambdas, refits=1, along=False, relax=False),
    )
    stages = {search.stage for _ in search}
    assert stages == {"path", "refits"}
    choice = select(search.study).point
    assert choice.sparsity > 0
    assert {(f.trial.penalty, f.trial.lam) for f in search.study.refits} == {
        (None, 0.0),
        (choice.penalty, choice.lam),
    }
    assert search.expected == len(search.study.fits)
