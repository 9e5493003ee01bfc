"""Going on with a study: only what is missing is trained, and nothing shows where it stopped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage import L1, L2, Network, Study, Trial
from shrinkage.archive import StudyFile, open_study
from shrinkage.archive.kept_data import changed
from shrinkage.archive.records import AbsentNetwork
from shrinkage.engine.pool import run_trial, train
from shrinkage.errors import SettingError
from shrinkage.tune import Search


@pytest.fixture
def automatic(plan):
    """A plan that finds λ by itself, refines, and relaxes."""
    return replace(
        plan,
        lambdas=None,
        points=4,
        refinements=1,
        refits=2,
        penalties=(L1(), L2()),
        training=replace(plan.training, epochs=10),
    )


def test_a_whole_plan_is_trained_once(complete, data, plan, uninterrupted, same):
    assert complete.run(data, plan) == []
    same(complete.study, uninterrupted(data, plan))


@pytest.mark.parametrize("most", [1, 2, 5, 8])
def test_going_on_is_as_if_it_had_not_stopped(keeper, data, plan, uninterrupted, same, most):
    first = keeper.run(data, plan, most=most)
    assert len(first) == most
    second = keeper.run(data, plan)
    whole = uninterrupted(data, plan)
    assert not set(first) & set(second)
    assert {*first, *second} == set(whole.trials)
    same(keeper.study, whole)


def test_an_automatic_path_goes_on_too(keeper, data, automatic, uninterrupted, same):
    trained = []
    while True:
        some = keeper.run(data, automatic, most=13)
        trained += some
        if len(some) < 13:
            break
    whole = uninterrupted(data, automatic)
    assert len(trained) == len(set(trained)) == len(whole.fits) > 30
    keeper.run(data, automatic)
    same(keeper.study, whole)


def test_extending_trains_only_what_is_new(complete, data, plan, wider, uninterrupted, same):
    before = {fit.trial for fit in complete.study.fits}
    new = complete.run(data, wider(plan))
    whole = uninterrupted(data, wider(plan))
    assert set(new) == set(whole.trials) - before
    assert {(trial.penalty, trial.lam) for trial in new if trial.fold is not None} == {
        (L1(), 0.1),
        *((L2(), lam) for lam in (0.001, 0.01, 0.1)),
    }
    same(complete.study, whole)


def test_more_repeats_keep_the_first_ones(complete, moons, plan, uninterrupted, same):
    more = moons(repeats=3)
    before = {fit.trial for fit in complete.study.fits}
    new = complete.run(more, plan)
    assert {trial.fold for trial in new if trial.fold is not None} == {2, 3, 4, 5}
    whole = uninterrupted(more, plan)
    assert set(new) == set(whole.trials) - before
    same(complete.study, whole)


def test_other_folds_are_other_questions(complete, moons, plan, uninterrupted, same):
    more = moons(folds=3)
    before = {fit.trial for fit in complete.study.fits if fit.trial.fold is None}
    new = complete.run(more, plan)
    whole = uninterrupted(more, plan)
    # A fold's number says nothing about its rows; refits are on the same rows as before.
    assert {trial.fold for trial in new if trial.fold is not None} == {0, 1, 2}
    assert before
    assert set(new) == set(whole.trials) - before
    same(complete.study, whole)


def test_a_whole_number_is_the_same_setting(keeper, data, plan, same):
    whole = replace(plan, training=replace(plan.training, dropout=0), lambdas=(0.001, 1))
    assert keeper.run(data, whole)
    real = replace(plan, lambdas=(0.001, 1.0))
    assert keeper.run(data, real) == []
    assert not keeper.study.missing
    new = keeper.run(data, replace(real, lambdas=(0.001, 0.01, 1.0)))
    assert {trial.lam for trial in new if trial.fold is not None} == {0.01}
    assert not keeper.study.missing


def test_going_back_to_the_first_plan(complete, data, plan, wider, uninterrupted, same):
    complete.run(data, wider(plan))
    assert complete.run(data, plan) == []
    same(complete.study, uninterrupted(data, plan))
    assert complete.run(data, wider(plan)) == []
    same(complete.study, uninterrupted(data, wider(plan)))


def test_a_plan_that_is_given_up_at_once_keeps_the_old_one(
    complete, data, plan, wider, run_of, same
):
    before = complete.study
    with StudyFile(complete.path) as file:
        search = Search(data, wider(plan), threads=1, done=file.done(data))
        file.begin(data, run_of(wider(plan)))
        assert search.before == 9
    same(complete.study, before)


def test_other_rows_are_named(complete, moons):
    with StudyFile(complete.path) as file:
        assert changed(file.connection, moons()) == []
        assert changed(file.connection, moons(repeats=4)) == []
        assert changed(file.connection, moons(seed=1)) == [
            "the same rows, others of them set aside for the test"
        ]
        renamed = replace(moons(seed=1).description, rows=41, target="y")
        other = replace(moons(seed=1), description=renamed)
        assert changed(file.connection, other) == ["rows 40, now 41", "the target was class, now y"]
    with pytest.raises(SettingError, match="not those of the study: the same rows, others"):
        open_study(complete.path, data=moons(seed=1))


def test_data_too_large_for_the_file_are_read_again(
    keeper, data, plan, monkeypatch, run_of, same, tmp_path
):
    monkeypatch.setattr("shrinkage.archive.kept_data.LARGEST", 100)
    fit = run_trial(Trial(plan.network, plan.training, None, 0.0, 0, 0), data.part(0))

    def write(source):
        with StudyFile(keeper.path) as file:
            file.begin(data, run_of(plan, source=source))
            file.add(fit, [fit.trial])
            file.finish(complete=True)

    write(None)
    with pytest.raises(SettingError, match="do not lie in the study file: they are too la"):
        open_study(keeper.path)
    same(open_study(keeper.path, data=data), Study.of(data, [fit.trial], [fit], {}))
    opened = {"source": "moons", "target": ["class"], "samples": 40, "noise": None, "seed": 0}
    prepared = {"task": "auto", "folds": 2, "repeats": 1, "seed": 0, "image": None}
    write({"open": opened, "prepare": prepared})
    same(open_study(keeper.path), Study.of(data, [fit.trial], [fit], {}))
    write({"open": opened | {"samples": 41}, "prepare": prepared})
    with pytest.raises(SettingError, match="not those of the study: rows 40, now 41"):
        open_study(keeper.path)
    for strange in ("/dev/zero", str(tmp_path), "gone.csv"):
        write({"open": opened | {"source": strange, "samples": None}, "prepare": prepared})
        with pytest.raises(SettingError, match="cannot be read again: there is no file"):
            open_study(keeper.path)
    write({"open": {"command": "ls"}, "prepare": {}})
    with pytest.raises(SettingError, match="cannot be read again"):
        open_study(keeper.path)


def test_a_network_of_ones_own_needs_its_module(keeper, data, plan, run_of, same):
    """A file holds where its parameters lie, and their values; what it computes it cannot know."""
    perceptron = plan.network
    own = _Own("Mine", 2, 1, perceptron.places, 17)
    fit = run_trial(Trial(perceptron, plan.training, L1(), 0.1, None, 0), data.full)
    # Another engine's losses are of another precision, and come back as they were.
    losses = fit.train_loss.astype(np.float32)
    fit = replace(fit, trial=replace(fit.trial, network=own), train_loss=losses)
    with StudyFile(keeper.path) as file:
        file.begin(data, run_of(replace(plan, network=own)))
        file.add(fit, [fit.trial])
        file.finish(complete=True)
    (blind,) = keeper.study.fits
    assert isinstance(blind.trial.network, AbsentNetwork)
    assert blind.parameters.tobytes() == fit.parameters.tobytes()
    assert blind.sparsity == fit.sparsity
    with pytest.raises(SettingError, match=r"Study.open\(path, network=…\)"):
        list(train([blind.trial], data))
    same(open_study(keeper.path, network=own), Study.of(data, [fit.trial], [fit], {}))
    with StudyFile(keeper.path) as file:
        assert list(file.done(data, own)) == [fit.trial]


class _Own(AbsentNetwork):
    """Its equals are itself alone, as any network of the user's own."""


def test_a_network_of_other_size_is_no_answer(keeper, data, plan, run_of):
    """The kernels trust that a network and its parameters agree."""
    fit = run_trial(Trial(plan.network, plan.training, L1(), 0.1, None, 0), data.full)
    other = replace(fit, trial=replace(fit.trial, network=Network(2, (5,))))
    with StudyFile(keeper.path) as file:
        file.begin(data, run_of(plan))
        file.add(other, [other.trial])
        file.finish(complete=True)
    with pytest.raises(SettingError, match="is damaged"):
        open_study(keeper.path)
