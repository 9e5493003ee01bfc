"""Plans and their defaults."""

import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import SettingError
from shrinkage.network import Network
from shrinkage.penalties import ElasticNet
from shrinkage.training import Training
from shrinkage.tune import Plan, default_training, plan


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
        ({"refinements": -1}, "refinements is -1"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_impossible_plans_are_refused(settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        Plan(Network(2), Training("cross_entropy"), **settings)


def test_a_plan_follows_from_the_data(data):
    planned = plan(data)
    assert planned.network == Network(2)
    assert planned.metric == "log_loss"
    assert ElasticNet() in planned.penalties
    with pytest.raises(SettingError, match="does not fit a classification"):
        plan(data, metric="r2")
