"""A small table and a short plan for it."""

import pytest

from shrinkage.data import bundled, prepare
from shrinkage.network import Network
from shrinkage.tune import default_training, plan


@pytest.fixture(scope="module")
def data():
    table, target = bundled("moons", samples=150)
    return prepare(table, target, name="moons", folds=3, repeats=1)


def short_plan(data, **settings):
    training = default_training(data, epochs=150, batch_size=32, learning_rate=0.01)
    network = Network(data.full.n_inputs, (16, 16), data.n_outputs)
    return plan(data, network=network, training=training, **settings)


@pytest.fixture(name="short_plan", scope="module")
def short_plan_fixture():
    return short_plan
