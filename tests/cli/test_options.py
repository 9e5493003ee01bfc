"""What the options mean."""

from __future__ import annotations

from typing import Any

import pytest

from shrinkage.cli.options import read_options
from shrinkage.errors import SettingError
from shrinkage.penalties import L1, L2, ElasticNet

RAW: dict[str, Any] = {
    **dict.fromkeys(
        ("target", "folds", "repeats", "samples", "noise", "initialization", "epochs",
         "batch_size", "learning_rate", "momentum", "threads", "lambdas", "metric", "output")
    ),
    "source": "moons", "task": "auto", "hidden": "128,128", "activation": "relu",
    "optimizer": "adam", "schedule": "cosine", "nesterov": False, "class_weight": "none",
    "seed": 0, "penalty": "l1,l2,elastic_net", "rule": "minimum", "json": False, "quiet": False,
}  # fmt: skip


def test_defaults_leave_the_choice_to_the_table() -> None:
    options = read_options(RAW, "shrinkage run moons")
    assert options.network["hidden"] == (128, 128)
    assert options.plan["penalties"] == (L1(), L2(), ElasticNet())
    assert "lambdas" not in options.plan
    assert not {"epochs", "batch_size", "learning_rate"} & set(options.training)
    assert not {"epochs", "folds", "lambdas"} & options.given
    assert options.target is None
    assert options.command == "shrinkage run moons"


@pytest.mark.parametrize(
    ("text", "hidden"), [("64", (64,)), (" 8, 4 ,2,", (8, 4, 2)), ("none", ()), ("", ())]
)
def test_hidden(text: str, hidden: tuple[int, ...]) -> None:
    assert read_options(RAW | {"hidden": text}).network["hidden"] == hidden


def test_lambdas() -> None:
    options = read_options(RAW | {"lambdas": "1e-3, 0.1,0"})
    assert options.plan["lambdas"] == (0.001, 0.1, 0.0)
    assert "lambdas" in options.given


def test_names_in_any_case_and_once() -> None:
    options = read_options(RAW | {"penalty": "L2, elastic-net,l2", "activation": "Leaky ReLU"})
    assert options.plan["penalties"] == (L2(), ElasticNet())
    assert options.network["activation"] == "leaky_relu"


def test_momentum_belongs_to_sgd() -> None:
    with pytest.raises(SettingError, match="--nesterov has no effect on rmsprop"):
        read_options(RAW | {"optimizer": "rmsprop", "nesterov": True})
    options = read_options(RAW | {"optimizer": "sgd", "nesterov": True, "momentum": 0.8})
    assert options.training["momentum"] == 0.8
