"""Findings of real, short searches: complete, interrupted, and as JSON."""

import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import ShrinkageError
from shrinkage.findings import as_dict, find
from shrinkage.intervals import Interval
from shrinkage.network import Network
from shrinkage.penalties import L1, L2
from shrinkage.study import Status, Study
from shrinkage.tune import Search, default_training, plan


def search_of(name, **options):
    table, target = bundled(name, **options)
    data = prepare(table, target, name=name, folds=3, repeats=1)
    training = default_training(data, epochs=30, learning_rate=0.01)
    chosen = plan(data, training=training, lambdas=(0.001, 0.1), penalties=(L1(), L2()))
    return Search(data, chosen)


@pytest.fixture(scope="module")
def moons():
    search = search_of("moons", samples=120)
    list(search)
    return search


@pytest.mark.parametrize(("name", "options"), [("wine", {}), ("diabetes", {})])
def test_findings_for_every_task(name, options):
    search = search_of(name, **options)
    list(search)
    found = find(search.study, search.plan)
    headings = [heading for heading, _ in found.sentences]
    assert headings == ["Diagnosis", "Best penalty", "Held-out data", "Weights", "Simplicity"]
    assert all(len(sentence) > 40 for _, sentence in found.sentences)
    assert found.notes == ()
    plain = as_dict(found)
    json.dumps(plain, allow_nan=False)
    measures = plain["simplicity"]["measures"]
    assert {"jacobian_norm", "lipschitz", "path_norm"} <= set(measures)
    classified = name == "wine"
    assert ("expected_error" in measures) is classified
    assert (plain["simplicity"]["calibration"] is not None) is classified


@pytest.fixture(scope="module")
def pruned():
    """Two inputs that matter and eight that do not, under L1."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(150, 10)), columns=[f"x{i}" for i in range(10)])
    noise = rng.normal(size=150)
    table["y"] = np.where(table["x0"] + table["x1"] + 0.7 * noise > 0, "yes", "no")
    data = prepare(table, "y", name="two of ten", folds=3, repeats=1)
    training = default_training(data, epochs=60, learning_rate=0.01)
    network = Network(10, (16,))
    chosen = plan(
        data, network=network, training=training, lambdas=(0.01,), penalties=(L1(),), refits=2
    )
    search = Search(data, chosen)
    list(search)
    return search


def test_what_a_penalty_pruned_is_shown_smaller_and_relaxed(pruned):
    found = find(pruned.study, pruned.plan)
    assert found.selection.point.penalty == L1()
    headings = [heading for heading, _ in found.sentences]
    assert headings[-2:] == ["Smaller network", "Relaxed refit"]
    small, relaxed = found.verification.shrinking, found.verification.relaxation
    assert small.compacted.after < small.compacted.before
    assert small.relative <= 1e-6
    assert set(small.columns) <= set(pruned.data.full.sources)
    assert (relaxed.folds, relaxed.seeds, relaxed.epochs) == (3, 2, 60)
    assert found.notes == ()
    said = json.loads(json.dumps(as_dict(found), allow_nan=False))
    assert said["smaller"]["parameters"]["after"] == small.compacted.after
    assert said["smaller"]["columns"] == list(small.columns)
    assert said["relaxed"]["validation"]["difference"]["estimate"] == relaxed.difference.estimate


def test_an_interruption_in_the_relaxed_refits_is_told(pruned):
    search = Search(pruned.data, pruned.plan)
    for _ in search:
        if search.stage == "relax":
            break
    found = find(search.study, search.plan, stage=search.stage)
    assert "interrupted while training once more what the penalty left" in found.notes[0]
    assert "did not run" not in found.notes[0]


def test_json_holds_the_numbers_of_the_sentences(moons):
    found = find(moons.study, moons.plan)
    said = as_dict(found)
    assert said["selection"]["minimum"]["lambda"] == found.minimum.point.lam
    assert said["diagnosis"]["gap"]["estimate"] == pytest.approx(
        said["diagnosis"]["validation_loss"] - said["diagnosis"]["train_loss"]
    )
    counts = {"planned": 22, "finished": 22, "diverged": 0, "out_of_time": 0, "lost": 0}
    assert said["fits"] == counts | {"interrupted_in": None, "not_run": []}
    effect = said["test"]["effects"]["log_loss"]
    assert effect["difference"]["estimate"] == pytest.approx(
        effect["after"]["estimate"] - effect["before"]["estimate"]
    )
    assert len(said["checklist"]) == 9


def test_the_rule_decides_what_is_verified(moons):
    strict = replace(moons.plan, rule="one_standard_error")
    search = Search(moons.data, strict)
    list(search)
    found = find(search.study, strict)
    assert found.selection is found.one_standard_error
    assert found.verification.after == found.one_standard_error.point.label


def test_an_interrupted_run_says_what_is_missing():
    search = search_of("moons", samples=120)
    for _ in islice(search, 12):
        pass
    found = find(search.study, search.plan, stage=search.stage)
    assert found.verification is None
    assert [heading for heading, _ in found.sentences] == ["Diagnosis", "Best penalty"]
    interrupted, unverified = found.notes
    assert interrupted == (
        "The run was interrupted while training along λ: 12 fits are finished, 3 that had been "
        "planned so far are missing; the refits on every training row did not run. All numbers "
        "rest on the finished fits."
    )
    assert unverified.startswith("Not verified: the refit on every training row")
    said = as_dict(found)
    assert said["test"] is said["smaller"] is said["relaxed"] is None


def test_an_interruption_between_stages_is_told_too():
    search = search_of("moons", samples=120)
    fits = iter(search)
    for _ in range(15):
        next(fits)
    fits.close()
    assert not search.study.missing
    found = find(search.study, search.plan, stage=search.stage)
    assert found.notes[0] == (
        "The run was interrupted while training along λ: 15 fits are finished; the refits on "
        "every training row did not run. All numbers rest on the finished fits."
    )
    said = as_dict(found)["fits"]
    assert said["interrupted_in"] == "path"
    assert said["not_run"] == ["the refits on every training row"]
    automatic = replace(found, plan=replace(found.plan, lambdas=None))
    assert len(automatic.not_run) == 2


def test_a_signal_after_the_last_fit_left_nothing_out(moons):
    found = find(moons.study, moons.plan, stage="refits")
    assert (found.notes, found.stage) == ((), None)


def judged(found, verdict, gain, early=None):
    """Findings with L1 selected, whose diagnosis measured this gain, within ±1."""
    point = next(point for point in found.points if point.penalty == L1())
    diagnosis = replace(
        found.diagnosis,
        verdict=verdict,
        penalty_gain=Interval(gain, gain - 1, gain + 1),
        early_gain=None if early is None else Interval(early, early - 1, early + 1),
    )
    chosen = replace(found.selection, point=point)
    return replace(found, diagnosis=diagnosis, selection=chosen)


@pytest.mark.parametrize(
    ("verdict", "gain", "early", "recommended"),
    [
        ("balanced", 0.5, None, False),
        ("underfits", 0.5, None, False),
        ("overfits", 0.5, None, True),
        ("overfits", 0.5, 2, False),
        ("overfits", 2, 2, True),
    ],
)
def test_a_penalty_is_recommended_where_the_diagnosis_allows(
    moons, verdict, gain, early, recommended
):
    found = judged(find(moons.study, moons.plan), verdict, gain, early)
    assert (found.recommended is not None) == recommended
    said = dict(found.sentences)["Best penalty"]
    assert (as_dict(found)["selection"]["recommended"] is not None) == recommended
    if not recommended:
        assert said.startswith("Least validation log loss: L1, λ = ")
        instead = "stopping early" if early else "no penalty"
        assert said.endswith(f"— not beyond noise, so {instead} is recommended.")


def test_a_choice_that_the_test_rows_contradict_is_not_passed_over(moons):
    found = judged(find(moons.study, moons.plan), "overfits", 2)
    worse = replace(found.verification.effects[0], difference=Interval(0.2, 0.1, 0.3))
    verified = replace(found.verification, effects=(worse, *found.verification.effects[1:]))
    said = dict(replace(found, verification=verified).sentences)["Held-out data"]
    assert said.endswith("This contradicts the choice: do not rely on this penalty.")


def test_losses_that_are_not_finite_are_told_as_diverged(moons):
    study = moons.study
    fits = [
        replace(fit, validation_loss=fit.validation_loss * float("inf"))
        if fit.trial.lam == 0.1 and fit.trial.fold == 1
        else fit
        for fit in study.fits
    ]
    found = find(Study(study.data, study.trials, tuple(fits)), moons.plan)
    assert found.notes[0].startswith("2 of 22 fits diverged and are left out; the first diverged:")


def test_diverged_fits_are_told(moons):
    study = moons.study
    fits = [
        replace(fit, status=Status.DIVERGED, stopped_at=3)
        if fit.trial.lam == 0.1 and fit.trial.fold == 1
        else fit
        for fit in study.fits
    ]
    found = find(Study(study.data, study.trials, tuple(fits)), moons.plan)
    assert found.notes[0].startswith(
        "2 of 22 fits diverged and are left out; the first diverged at"
    )


def test_without_any_unpenalized_fit_there_is_nothing_to_say(moons):
    study = moons.study
    fits = tuple(fit for fit in study.fits if fit.trial.penalty is not None)
    with pytest.raises(ShrinkageError, match="without a penalty"):
        find(Study(study.data, study.trials, fits), moons.plan)
