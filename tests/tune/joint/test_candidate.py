"""One point of the joint search: what it differs in, and what it is without an ingredient."""

from dataclasses import replace

import pytest

from shrinkage.network import Network
from shrinkage.penalties import L1
from shrinkage.training import Training
from shrinkage.tune.joint import Candidate
from shrinkage.tune.joint.candidate import INGREDIENTS

BASE = Candidate(Network(4), Training("cross_entropy", epochs=100))
RICH = Candidate(
    Network(4, (64,), activation="silu"),
    Training(
        "cross_entropy",
        epochs=40,
        learning_rate=0.01,
        batch_size=64,
        dropout=0.2,
        input_dropout=0.1,
        input_noise=0.3,
        mixup=0.4,
        label_smoothing=0.1,
        averaging=0.99,
        max_norm=3.0,
    ),
    L1(),
    0.001,
)


def test_every_difference_is_named():
    found = RICH.differences(BASE)
    assert set(found) == {"penalty", "network", *INGREDIENTS}
    assert found["penalty"] == "L1, λ = 0.001"
    assert found["dropout"] == "dropout 0.2"
    assert found["epochs"] == "40 epochs"
    assert found["network"] == "hidden layers 64 (silu)"
    assert BASE.differences(BASE) == {}


@pytest.mark.parametrize("ingredient", ["penalty", "network", *INGREDIENTS])
def test_without_an_ingredient_it_differs_in_all_but_that(ingredient):
    less = RICH.without(ingredient, BASE)
    expected = {name: v for name, v in RICH.differences(BASE).items() if name != ingredient}
    assert less.differences(BASE) == expected


def test_removing_everything_leaves_the_base():
    rest = RICH
    for ingredient in RICH.differences(BASE):
        rest = rest.without(ingredient, BASE)
    assert rest == BASE


def test_a_trial_takes_the_inputs_of_its_fold():
    trial = RICH.trial(7, 2, 11)
    assert (trial.network.inputs, trial.fold, trial.seed) == (7, 2, 11)
    assert replace(trial.network, inputs=4) == RICH.network
