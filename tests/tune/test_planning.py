"""Plans and their defaults."""

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import SettingError
from shrinkage.network import Network
from shrinkage.penalties import L1, ElasticNet
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
        ({"seed": None}, "seed is None; it must be a whole number"),
        ({"refits": "2"}, "refits is '2'; it must be a whole number"),
        ({"points": 2.5}, r"points is 2\.5; it must be a whole number"),
        ({"refinements": True}, "refinements is True; it must be a whole number"),
        ({"rule": 3}, "rule is 3; it must be a name"),
        ({"metric": 3}, "metric is 3; it must be a name"),
        ({"lambdas": 0.1}, r"lambdas is 0\.1; give a tuple, as \(0\.1,\)"),
        ({"lambdas": ("a",)}, "λ is 'a'; it must be a number"),
        ({"penalties": L1()}, r"penalties is L1\(\); give a tuple"),
        ({"penalties": (L1,)}, "L1'> is not a penalty"),
        ({"penalties": ("l1",)}, r"'l1' is not a penalty; give L1\(\)"),
    ],
)
def test_impossible_plans_are_refused(settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        Plan(Network(2), Training("cross_entropy"), **settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"lr": 0.1}, "unknown training setting 'lr'; did you mean 'learning_rate'"),
        ({"epohcs": 3}, "unknown training setting 'epohcs'; did you mean 'epochs'"),
        ({"epochs": "3"}, "epochs is '3'; it must be a whole number"),
        ({"epochs": 2.5}, r"epochs is 2\.5; it must be a whole number"),
        ({"batch_size": True}, "batch_size is True; it must be a whole number"),
        ({"learning_rate": "a"}, "learning_rate is 'a'; it must be a number"),
        ({"patience": "3"}, "patience is '3'; it must be a whole number"),
        ({"max_norm": "3"}, "max_norm is '3'; it must be a number"),
        ({"optimizer": 3}, "optimizer is 3; it must be a name"),
    ],
)
def test_what_is_no_setting_of_a_training(data, settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        default_training(data, **settings)


def test_numbers_of_numpy_are_settings_and_none_is_the_default(data):
    given = {"epochs": np.int64(7), "learning_rate": np.float32(0.5), "patience": None}
    assert default_training(data, **given) == default_training(data, epochs=7, learning_rate=0.5)
    assert default_training(data, learning_rate=1).learning_rate == 1
    planned = plan(data, refits=np.int32(2), lambdas=(np.float64(0.1), 1))
    assert (planned.refits, planned.lambdas) == (2, (0.1, 1))


def test_a_plan_follows_from_the_data(data):
    planned = plan(data)
    assert planned.network == Network(2)
    assert planned.metric == "log_loss"
    assert ElasticNet() in planned.penalties
    with pytest.raises(SettingError, match="does not fit a classification"):
        plan(data, metric="r2")
    with pytest.raises(SettingError, match="metric is 3; it must be a name"):
        plan(data, metric=3)
    with pytest.raises(SettingError, match="unknown plan setting 'refit'; did you mean 'ref"):
        plan(data, refit=3)
