"""A committee beside one network: its scores are those of the averaged predictions."""

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.engine.pool import train
from shrinkage.network import Network
from shrinkage.study import Trial
from shrinkage.tune import default_training
from shrinkage.verify import committee_of
from shrinkage.verify.performance import predicted


def refits(name, hidden=(24,), seeds=4, **settings):
    table, target = bundled(name)
    data = prepare(table, target, name=name, folds=3, repeats=1)
    training = default_training(data, **settings)
    network = Network(data.full.n_inputs, hidden, data.n_outputs)
    trials = [Trial(network, training, None, 0.0, None, seed) for seed in range(seeds)]
    return data, list(train(trials, data))


@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
def test_the_average_is_scored_as_one_classifier(name):
    data, fits = refits(name, epochs=15)
    committee = committee_of(fits, "no penalty", data, data.test)
    assert committee is not None
    assert committee.size == 4
    truth = data.test.targets[:, 0].astype(int)
    alone = [predicted(fit, data.test.inputs) for fit in fits]
    together = np.mean(alone, axis=0)
    by_metric = {effect.metric: effect for effect in committee.effects}
    accuracy = by_metric["accuracy"]
    hits = [(p.argmax(axis=1) == truth).mean() for p in alone]
    assert accuracy.before.estimate == pytest.approx(np.mean(hits))
    assert accuracy.after.estimate == pytest.approx((together.argmax(axis=1) == truth).mean())
    loss = by_metric["log_loss"]
    rows = np.arange(truth.size)
    assert loss.after.estimate == pytest.approx(-np.log(together[rows, truth]).mean(), rel=1e-6)
    # The logarithm is concave: the average never does worse than one of them on average.
    assert loss.difference.estimate <= 1e-9
    assert "average of 4 networks" in committee.sentence


def test_a_regression_averages_its_predictions():
    data, fits = refits("diabetes", epochs=20)
    committee = committee_of(fits, "no penalty", data, data.test)
    assert committee is not None
    together = np.mean([predicted(fit, data.test.inputs) for fit in fits], axis=0)
    truth = (data.test.targets - data.full.target_center) / data.full.target_scale
    found = committee.effects[0].after.estimate
    assert found == pytest.approx(np.square(together - truth).mean(), rel=1e-6)


def test_one_network_is_no_committee():
    data, fits = refits("wine", epochs=2, seeds=1)
    assert committee_of(fits, "no penalty", data, data.test) is None
