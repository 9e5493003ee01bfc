"""The joint search: reproducible to the bit, within its budget, and going on where it stopped."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import SettingError
from shrinkage.network import Network
from shrinkage.scores import score
from shrinkage.tune import default_training, plan, select
from shrinkage.tune.joint import PENALTIES, Budget, JointSearch
from shrinkage.tune.joint.asking import BATCH, ask
from shrinkage.tune.joint.entry import Entry

FITS = 90


@pytest.fixture(name="data", scope="module")
def data_fixture():
    table, target = bundled("moons", samples=120, noise=0.3)
    return prepare(table, target, name="moons", folds=4, repeats=1)


def search(data, fits=FITS, metric="log_loss", seed=0, **settings):
    planned = plan(
        data,
        network=Network(2, (16,)),
        training=default_training(data, epochs=6),
        metric=metric,
        penalties=PENALTIES,
        refits=2,
        seed=seed,
    )
    return JointSearch(data, planned, budget=Budget(fits=fits), committee=3, **settings)


def finish(search):
    list(search)
    return search


@pytest.fixture(name="finished", scope="module")
def finished_fixture(data):
    return finish(search(data, threads=2))


def told(joint):
    return [(one.candidate, one.scores.tobytes()) for one in joint.tried]


def test_a_budget_of_fits_gives_the_same_bits_for_any_number_of_threads(data, finished):
    other = finish(search(data, threads=5))
    assert told(other.joint) == told(finished.joint)
    assert other.best == finished.best
    assert [fit.parameters.tobytes() for fit in other.study.refits] == [
        fit.parameters.tobytes() for fit in finished.study.refits
    ]
    assert [str(one.help) for one in other.joint.ablations] == [
        str(one.help) for one in finished.joint.ablations
    ]


def test_another_seed_tries_other_recipes(data, finished):
    other = finish(search(data, seed=1)).joint
    asked = [one.candidate for one in other.tried[BATCH:]]
    assert asked != [one.candidate for one in finished.joint.tried[BATCH:]]


@pytest.mark.parametrize("fits", [10, 30, 61, FITS])
def test_no_more_fits_are_trained_than_the_budget_holds(data, fits):
    done = search(data, fits=fits)
    count = sum(1 for _ in done)
    assert count <= fits
    assert count == done.joint.fits
    assert done.joint.best is not None
    assert {fit.trial.fold for fit in done.study.refits} == {None}


def test_a_budget_too_small_for_one_comparison_says_what_it_needs(data):
    with pytest.raises(SettingError, match="--budget 10fits"):
        search(data, fits=9)


def test_a_time_too_short_says_what_it_needs(data):
    hurried = search(data)
    hurried.budget = Budget(seconds=1e-6)
    with pytest.raises(SettingError, match=r"one fit takes about .* s.*give at least --budget"):
        list(hurried)


def test_a_budget_of_time_ends_by_its_clock(data):
    ticks = iter(np.arange(0, 1e6, 0.02))
    planned = search(data).plan
    timed = JointSearch(
        data, planned, budget=Budget(seconds=20.0), committee=2, clock=lambda: float(next(ticks))
    )
    list(timed)
    assert timed.joint.best is not None
    assert timed.joint.seconds < 22


def test_poor_recipes_see_few_folds_and_the_best_sees_all(finished):
    joint = finished.joint
    assert joint.best is not None
    assert joint.best.complete
    assert {one.folds for one in joint.tried} <= {0, 1, 4}
    first = joint.tried[:BATCH]
    assert 1 <= sum(one.folds > 1 for one in first) < BATCH
    best = max(joint.complete, key=lambda one: -one.mean)
    assert joint.best.number == best.number


def test_the_scores_are_those_of_the_fits(data, finished):
    point = finished.joint.best.candidate
    fits = [fit for fit in finished.study.fold_fits if fit.trial.training == point.training]
    fits = [fit for fit in fits if (fit.trial.penalty, fit.trial.lam) == (point.penalty, point.lam)]
    found = [score("log_loss", fit, data) for fit in fits]
    np.testing.assert_array_equal(found, finished.joint.best.scores)


def test_the_path_rules_choose_the_same_recipe(finished):
    chosen = select(finished.study, "minimum", "log_loss")
    assert chosen.point.label == "the best recipe"
    assert (chosen.point.penalty, chosen.point.lam) == (
        finished.best.penalty,
        finished.best.lam,
    )
    assert chosen.baseline is not None


def test_the_ablation_removes_each_ingredient_once(finished):
    joint = finished.joint
    names = [one.ingredient for one in joint.ablations]
    assert sorted(names) == sorted(joint.best.candidate.differences(joint.base))
    helps = [one.help.estimate for one in joint.ablations]
    assert helps == sorted(helps, reverse=True)


def test_a_search_given_up_shows_what_is_finished(data):
    begun = search(data)
    fits = iter(begun)
    list(islice(fits, 30))
    fits.close()
    assert begun.joint.fits >= 30
    assert len(begun.study.fold_fits) >= 4


@pytest.mark.slow
def test_a_stored_search_goes_on_where_it_stopped(data, finished, tmp_path):
    path = str(tmp_path / "search.journal")
    begun = search(data, storage=path)
    fits = iter(begun)
    list(islice(fits, 45))
    fits.close()
    again = finish(search(data, storage=path))
    assert told(again.joint) == told(finished.joint)
    assert again.best == finished.best
    repeated = finish(search(data, storage=path))
    assert repeated.best == finished.best


def test_a_storage_of_another_study_is_refused(data, tmp_path):
    path = str(tmp_path / "search.journal")
    search(data, storage=path)
    with pytest.raises(SettingError, match="of another study: it differs in metric"):
        search(data, storage=path, metric="accuracy")
    with pytest.raises(SettingError, match="differs in seed"):
        search(data, storage=path, seed=3)


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"{}\n", b"\x00\xff\x00", b"[1, 2]\n"])
def test_a_file_that_is_no_storage_is_refused_and_kept(data, tmp_path, content):
    path = tmp_path / "notes.csv"
    path.write_bytes(content)
    with pytest.raises(SettingError, match="no storage of a joint search"):
        search(data, storage=str(path))
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_storage_needs_a_folder(data, tmp_path):
    with pytest.raises(SettingError, match="a folder that exists"):
        search(data, storage=str(tmp_path / "none" / "search.journal"))
    with pytest.raises(SettingError, match="cannot be a storage"):
        search(data, storage=str(tmp_path))


def test_a_regression_is_searched_without_label_smoothing():
    table, target = bundled("diabetes")
    data = prepare(table.iloc[:150], target, name="diabetes", folds=3, repeats=1)
    planned = plan(
        data, network=Network(data.full.n_inputs, (8,)), training=default_training(data, epochs=4)
    )
    done = finish(JointSearch(data, planned, budget=Budget(fits=40), committee=2))
    assert done.joint.best is not None
    assert not any(one.candidate.training.label_smoothing for one in done.joint.tried)


@pytest.fixture(name="twice", scope="module")
def twice_fixture():
    """Small folds, repeated: every recipe sees three of them at first."""
    table, target = bundled("moons", samples=120, noise=0.3)
    return prepare(table, target, name="moons", folds=5, repeats=2)


@pytest.mark.parametrize("fits", [100, 101, 102])
def test_a_rest_too_small_for_another_recipe_ends_the_search(twice, fits):
    done = search(twice, fits=fits)
    assert done._rungs == [3, 10]
    assert sum(1 for _ in done) <= fits
    assert done.joint.best is not None


def test_a_resumed_search_has_the_same_committee(data, finished, tmp_path):
    path = str(tmp_path / "search.journal")
    begun = search(data, storage=path)
    fits = iter(begun)
    list(islice(fits, 50))
    fits.close()
    again = finish(search(data, storage=path))
    assert again.joint.seats == finished.joint.seats
    assert [fit.parameters.tobytes() for fit in again.joint.members] == [
        fit.parameters.tobytes() for fit in finished.joint.members
    ]


@pytest.mark.parametrize("penalty", PENALTIES)
def test_one_penalty_alone_is_searched_too(data, penalty):
    planned = replace(search(data).plan, penalties=(penalty,))
    one = JointSearch(data, planned, budget=Budget(fits=60), committee=2)
    first = one.space.first()
    assert all(first.count(values) == 1 for values in first)
    list(one)
    assert len(one.joint.complete) > 1


def test_equal_recipes_share_their_fits(data):
    one = search(data)
    one._begun = 0.0
    batch = ask(one._optuna, one.space, 0, 0, 0)
    one._ledger.entries += batch
    batch[1].candidate = batch[0].candidate
    list(one._halve(batch, first=True))
    shared = batch[0].scores.keys() & batch[1].scores.keys()
    assert shared
    assert all(batch[0].scores[fold] == batch[1].scores[fold] for fold in shared)
    assert all(entry.scores for entry in batch)


def test_patience_never_exceeds_the_epochs_of_a_recipe(data):
    planned = search(data).plan
    patient = replace(planned, training=replace(planned.training, patience=6))
    done = finish(JointSearch(data, patient, budget=Budget(fits=60), committee=1))
    assert all(
        one.candidate.training.patience <= one.candidate.training.epochs for one in done.joint.tried
    )


def test_means_do_not_depend_on_the_order_of_finishing():
    scores = {0: 0.7, 1: 0.8, 2: 0.9}
    other = {2: 0.9, 1: 0.8, 0: 0.7}
    assert Entry(0, None, None, scores).mean() == Entry(0, None, None, other).mean()
    assert Entry(0, None, None, {0: 0.5, 1: float("nan")}).mean() == 0.5


def rare_class(rows):
    """Two classes, one with so few rows that some validation folds have none of it."""
    table, target = bundled("moons", samples=120, noise=0.3)
    rare = table.index[table["class"] == "lower"][rows:]
    return prepare(table.drop(index=rare), target, name="moons", folds=4, repeats=1)


def test_a_metric_that_no_fold_defines_is_refused_at_once():
    with pytest.raises(SettingError, match="roc_auc is not defined"):
        list(search(rare_class(1), metric="roc_auc"))


def test_a_metric_that_some_folds_define_is_judged_there():
    data = rare_class(3)
    done = finish(search(data, metric="roc_auc"))
    assert np.isnan(done.joint.base_scores).any()
    assert done.joint.best is not None
    assert np.isfinite(done.joint.best.mean)
