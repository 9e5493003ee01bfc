"""Findings of real, short searches: complete, interrupted, and as JSON."""

import json
from dataclasses import replace
from itertools import islice

import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import ShrinkageError
from shrinkage.findings import as_dict, find
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
def test_four_findings_for_every_task(name, options):
    search = search_of(name, **options)
    list(search)
    found = find(search.study, search.plan)
    headings = [heading for heading, _ in found.sentences]
    assert headings == ["Diagnosis", "Best penalty", "Held-out data", "Weights"]
    assert all(len(sentence) > 40 for _, sentence in found.sentences)
    assert found.notes == ()
    json.dumps(as_dict(found), allow_nan=False)


def test_json_holds_the_numbers_of_the_sentences(moons):
    found = find(moons.study, moons.plan)
    said = as_dict(found)
    assert said["selection"]["minimum"]["lambda"] == found.minimum.point.lam
    assert said["diagnosis"]["gap"]["estimate"] == pytest.approx(
        said["diagnosis"]["validation_loss"] - said["diagnosis"]["train_loss"]
    )
    assert said["fits"] == {"planned": 22, "finished": 22, "diverged": 0}
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
    found = find(search.study, search.plan)
    assert found.verification is None
    assert [heading for heading, _ in found.sentences] == ["Diagnosis", "Best penalty"]
    interrupted, unverified = found.notes
    assert "12 of 15 planned fits are finished and 3 are missing" in interrupted
    assert unverified.startswith("Not verified: the refit on every training row")
    assert as_dict(found)["test"] is None


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
