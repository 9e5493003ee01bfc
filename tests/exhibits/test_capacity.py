"""Capacity: what is trained, what is read from it, and what is said."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from shrinkage import data as tables
from shrinkage import tune
from shrinkage.engine.pool import predict
from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.exhibits import Basis, Series
from shrinkage.exhibits.capacity import CapacitySweep
from shrinkage.network import Network
from shrinkage.terminal.screen import finite

SWEEP = CapacitySweep((1, 8, 64), refits=2, longer=1)


def trained(source, sweep=SWEEP, *, epochs=3, folds=3, target=None):
    """A sweep on a bundled problem or a table."""
    name = "table"
    if isinstance(source, str):
        samples = 150 if source == "moons" else None
        source, target, name = tables.open_source(source, samples=samples)
    data = tables.prepare(source, target, name=name, folds=folds, repeats=1)
    network = Network(data.full.n_inputs, outputs=data.n_outputs)
    series = Series(sweep, Basis(data, network, tune.default_training(data, epochs=epochs)))
    list(series)
    return series.study


def test_trials_are_every_width_on_folds_and_all_rows(synthetic_basis):
    basis = synthetic_basis(folds=3)
    trials = list(CapacitySweep((5, 2, 5), layers=2, refits=4).trials(basis))
    assert [trial.network.hidden for trial in trials[:4]] == [(2, 2), (5, 5)] * 2
    assert [trial.fold for trial in trials[:8]] == [0, 0, None, None, 1, 1, None, None]
    assert len(trials) == len(set(trials)) == 2 * (3 + 4)
    assert all(trial.penalty is None for trial in trials)
    # Small tables train longer, unless it is said how long.
    assert {trial.training.epochs for trial in trials} == {400}
    exact = CapacitySweep((2, 5), longer=1).trials(basis)
    assert {trial.training.epochs for trial in exact} == {100}


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"widths": (1, 0)}, "width in --widths is 0; .* at least 1 unit"),
        ({"widths": ()}, "list of widths is empty"),
        ({"widths": (7, 7)}, "list of widths is only 7; give at least two"),
        ({"layers": 0}, "layers is 0"),
        ({"refits": 0}, "refits is 0"),
    ],
)
def test_what_cannot_be_tried(settings, complaint):
    with pytest.raises(SettingError, match=complaint):
        CapacitySweep(**settings)


def losses_of(widths, noise=0.01):
    """Losses by width, with a little noise from fold to fold."""
    rng = np.random.default_rng(0)
    return lambda trial: (
        widths[trial.network.hidden[0]][0],
        widths[trial.network.hidden[0]][1] + noise * rng.standard_normal(),
    )


NARROW_WINS = {1: (0.6, 0.6), 8: (0.4, 0.45), 64: (0.1, 0.9)}
WIDE_WINS = {1: (0.6, 0.6), 8: (0.4, 0.5), 64: (0.1, 0.2)}
LINE_WINS = {1: (0.4, 0.4), 8: (0.3, 0.6), 64: (0.1, 0.9)}
ALIKE = {1: (0.5, 0.5), 8: (0.5, 0.5), 64: (0.5, 0.5)}


@pytest.mark.parametrize(
    ("widths", "noise", "verdict", "best", "headline"),
    [
        (NARROW_WINS, 0.01, "narrower", 1, "8 units validate best; 64 units fit the training rows"),
        (WIDE_WINS, 0.01, "wider", 2, "The widest network, 64 units, validates best"),
        (LINE_WINS, 0.01, "narrower", 0, "1 unit validates best; 64 units fit the training rows"),
        (ALIKE, 0.2, "unclear", None, "No narrower network is shown to validate better than 64"),
    ],
)
def test_the_verdict_follows_the_folds(
    synthetic_basis, written_study, widths, noise, verdict, best, headline
):
    study = written_study(SWEEP, synthetic_basis(repeats=2), losses_of(widths, noise))
    found = SWEEP.read(study)
    assert found.verdict == verdict
    assert best is None or found.best == best
    assert found.headline.startswith(headline)
    assert found.table.chosen == found.best
    if widths is NARROW_WINS:
        assert found.gain.low < 0.45 < found.gain.high  # 0.9 − 0.45
        assert found.gain.estimate == pytest.approx(0.45, abs=0.02)


def test_only_complete_folds_count(synthetic_basis, written_study):
    basis = synthetic_basis()
    known = losses_of(NARROW_WINS, 0.0)

    def some(trial):
        # The last fold lacks a width, on which another's loss would change the mean.
        if trial.fold == 4:
            return None if trial.network.hidden == (64,) else (9.0, 9.0)
        return known(trial)

    found = SWEEP.read(written_study(SWEEP, basis, some))
    assert found.points[0].loss.validation.estimate == pytest.approx(0.6)
    assert found.notes[0].startswith("1 of 21 networks were not trained")


def test_a_width_that_diverges_is_left_out(synthetic_basis, written_study):
    known = losses_of(NARROW_WINS)

    def some(trial):
        return (np.nan, np.nan) if trial.network.hidden == (64,) else known(trial)

    found = SWEEP.read(written_study(SWEEP, synthetic_basis(), some))
    assert [point.width for point in found.points] == [1, 8]
    assert "every training diverged: 64 units" in found.notes[0]


def test_too_little_to_read(synthetic_basis, written_study):
    basis = synthetic_basis()
    with pytest.raises(ShrinkageError, match="no fold has networks of every width"):
        SWEEP.read(written_study(SWEEP, basis, lambda _: None))
    with pytest.raises(ShrinkageError, match="fewer than two widths"):
        SWEEP.read(written_study(SWEEP, basis, lambda _: (np.nan, np.nan)))


@pytest.fixture(scope="module")
def moons():
    study = trained("moons")
    return study, SWEEP.read(study)


def test_errors_are_those_of_the_networks(moons):
    study, found = moons
    test = study.data.test
    fits = [fit for fit in study.refits if fit.trial.network.hidden == (8,)]
    outputs = [predict(f.trial.network, f.parameters, test.inputs, study.data.loss) for f in fits]
    wrong = [np.mean((out[:, 0] > 0.5) != test.targets[:, 0]) for out in outputs]
    point = found.points[1]
    assert point.wrong.test.estimate == pytest.approx(np.mean(wrong), abs=1e-6)
    losses = [fit.final_train_loss for fit in study.fold_fits if fit.trial.network.hidden == (8,)]
    assert point.loss.train.estimate == pytest.approx(np.mean(losses))
    assert point.parameters == 2 * 8 + 8 + 8 + 1
    assert point.networks == 2


def test_share_of_wrong_training_rows(moons):
    study, found = moons
    shares = []
    for fit in study.fold_fits:
        if fit.trial.network.hidden == (64,):
            part = study.data.part(fit.trial.fold)
            inputs, truth = part.inputs[part.train], part.targets[part.train, 0]
            out = predict(fit.trial.network, fit.parameters, inputs, study.data.loss)
            shares.append(np.mean((out[:, 0] > 0.5) != truth))
    assert found.points[2].wrong.train.estimate == pytest.approx(np.mean(shares))


def test_every_width_has_its_boundary(moons):
    _, found = moons
    labels = [surface.label for surface in found.surfaces.surfaces]
    assert labels == ["1 unit", "8 units", "64 units"]
    for point in found.points:
        assert point.length.low >= 0.0
        assert point.islands.low >= 0.0
    assert "standard deviations of length" in " ".join(found.sentences)
    assert "islands" in found.table.columns


def test_plain_values_are_json(moons):
    _, found = moons
    document = json.loads(json.dumps(finite(found.as_dict()), allow_nan=False))
    assert [entry["width"] for entry in document["widths"]] == [1, 8, 64]
    assert document["widths"][0]["loss"]["test"]["estimate"] > 0
    assert document["widths"][found.best]["test_loss_against_best"] is None
    assert document["verdict"] in ("narrower", "wider", "unclear")


def test_numbers_have_no_boundary():
    found = SWEEP.read(trained("diabetes"))
    assert len(found.surfaces.surfaces) == 3  # predictions can be seen all the same
    assert all(point.wrong is None and point.length is None for point in found.points)
    assert found.sentences[-1].startswith("There is no boundary to measure: the target is a number")
    assert "islands" not in found.table.columns
    assert found.unit == "target variances"


def test_many_classes_and_inputs():
    found = SWEEP.read(trained("wine"))
    assert found.surfaces.plane.kind == "principal components"
    assert all(point.length.estimate > 0 for point in found.points)


def test_a_class_of_one_row_and_few_rows():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=14), "b": rng.normal(size=14)})
    table["y"] = ["x", "y", "z", *["x", "y"] * 5, "w"]
    found = CapacitySweep((1, 3), refits=1, longer=1).read(
        trained(table, CapacitySweep((1, 3), refits=1, longer=1), folds=2, target="y")
    )
    assert len(found.points) == 2
    assert "too few to tell" in " ".join(found.sentences)
