"""The scikit-learn program, and what it says about what it cannot do."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from shrinkage.penalties import L1, L2, ElasticNet
from shrinkage.recipes.scikit_learn import recipe


def model_of(source: str, rows: Any, run: Any, **names: Any) -> Any:
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        return run(source, rows, **names)["model"]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
@pytest.mark.parametrize("penalty", [None, L1(), L2(), ElasticNet()])
def test_it_runs_to_the_last_epoch(
    task: Any, optimizer: str, penalty: Any, finding: Any, rows: Any, run: Any
) -> None:
    told = finding(task, penalty, 0.01 if penalty else 0.0, optimizer=optimizer, batch_size=16)
    model = model_of(recipe(told), rows(told), run)
    assert model.n_iter_ == 3
    assert [coefficient.shape for coefficient in model.coefs_][:2] == [(3, 6), (6, 5)]


def comments(source: str) -> str:
    lines = [line[2:] for line in source.splitlines() if line.startswith("# ")]
    return " ".join(lines)


@pytest.mark.parametrize(
    ("penalty", "best_l2", "alpha", "said"),
    [
        (None, 0.5, 0.0, "No penalty"),
        (L2(), 0.5, 0.01 * 40, "L2, λ = 0.01"),
        (L1(), 0.5, 0.5 * 40, "L1 cannot be expressed here; alpha is the best L2 of the same run"),
        (L1(), None, 0.0, "no L2 was tried"),
        (
            ElasticNet(),
            None,
            0.005 * 40,
            "Elastic net cannot be expressed here; alpha is its L2 part",
        ),
        (L2(decoupled=True), 0.5, 0.0, "Decoupled decay has no equal"),
    ],
    ids=["none", "l2", "l1 and l2", "l1", "elastic net", "decoupled"],
)
def test_alpha_is_right_or_its_absence_explained(
    penalty: Any, best_l2: Any, alpha: float, said: str, finding: Any, rows: Any, run: Any
) -> None:
    told = finding("binary", penalty, 0.01 if penalty else 0.0, best_l2=best_l2)
    source = recipe(told)
    assert model_of(source, rows(told), run).alpha == pytest.approx(alpha)
    assert said in comments(source)


def test_it_says_what_differs(finding: Any) -> None:
    source = recipe(finding("binary", activation="gelu", optimizer="rmsprop", schedule="cosine"))
    assert (
        "scikit-learn starts from uniform Glorot weights, has no gelu (relu here), has no rmsprop "
        "(adam here), keeps the learning rate constant and penalizes the output kernel too."
    ) in comments(source)
    ast.parse(source)


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_sgd_on_a_squared_error_takes_the_steps_of_ours(
    outputs: int, finding: Any, rows: Any, run: Any
) -> None:
    """Its loss is targets/2 times ours, so rate and alpha both have to make up for it."""
    settings = {"optimizer": "sgd", "momentum": 0.0, "hidden": (), "outputs": outputs, "epochs": 1}
    told = finding("regression", L2(), 0.3, **settings)
    inputs, targets = rows(told)
    after = []
    for rate in (0.01, 0.02):
        source = recipe(finding("regression", L2(), 0.3, **settings, learning_rate=rate))
        after.append(seeded(source, (inputs, targets), run).coefs_[0])
    before, step = 2 * after[0] - after[1], after[0] - after[1]
    model = seeded(recipe(told), (inputs, targets), run)
    bias = (
        2 * model.intercepts_[0]
        - seeded(
            recipe(finding("regression", L2(), 0.3, **settings, learning_rate=0.02)),
            (inputs, targets),
            run,
        ).intercepts_[0]
    )
    errors = inputs @ before + bias - targets.reshape(len(inputs), -1)
    gradient = 2 * inputs.T @ errors / errors.size + 0.3 * before
    np.testing.assert_allclose(step, 0.01 * gradient, rtol=1e-3, atol=1e-7)


def seeded(source: str, rows: Any, run: Any) -> Any:
    return model_of(source.replace("\n)\n", "\n    random_state=0,\n)\n"), rows, run)
