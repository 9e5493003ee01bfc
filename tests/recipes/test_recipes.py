"""From findings to programs that run, for every task and penalty."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from shrinkage.data import prepare
from shrinkage.findings import Findings, find
from shrinkage.intervals import Interval
from shrinkage.network import Network
from shrinkage.penalties import L1, L2, ElasticNet, Penalty
from shrinkage.recipes import prescribe, recipes
from shrinkage.tune import Search, default_training, plan
from shrinkage.tune.joint import Budget, Candidate, Joint, Tried
from shrinkage.verify import Relaxation

PENALTIES: dict[str, Penalty | None] = {
    "none": None,
    "L1": L1(),
    "L2": L2(),
    "elastic net": ElasticNet(),
}
TASKS = {"binary": 2, "multiclass": 3, "regression": 0}


@pytest.fixture(scope="module", params=TASKS)
def found(request: pytest.FixtureRequest) -> Findings:
    """Findings of a little run: two epochs, two folds, one λ for each penalty."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((60, 3)), columns=["a", "b", "c"])
    score = table["a"] + 0.3 * rng.standard_normal(60)
    classes = TASKS[request.param]
    table["y"] = pd.qcut(score, classes, labels=list("pqr")[:classes]) if classes else score
    data = prepare(table, "y", folds=2, repeats=1)
    assert data.task == request.param
    network = Network(data.full.n_inputs, (5, 4), data.n_outputs)
    training = default_training(data, epochs=2)
    search = Search(
        data, plan(data, network=network, training=training, lambdas=(0.02,), refits=1), threads=1
    )
    assert list(search)
    return find(search.study, search.plan)


@pytest.fixture
def choose(found: Findings) -> Callable[[Penalty | None], Findings]:
    """The same findings, with the choice fallen on this penalty, which helps."""

    def choice(penalty: Penalty | None) -> Findings:
        point = next(point for point in found.points if point.penalty == penalty)
        chosen = replace(found, selection=replace(found.selection, point=point))
        return gains(chosen, penalty=0 if penalty is None else 2, early=0)

    return choice


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("framework", ["Keras", "PyTorch", "scikit-learn"])
def test_every_program_runs(
    framework: str, penalty: str, choose: Callable[[Penalty | None], Findings], run: Any
) -> None:
    chosen = choose(PENALTIES[penalty])
    source = recipes(chosen)[framework]
    assert "shrinkage" not in source
    assert ("# No penalty" in source) == (penalty == "none")
    assert max(map(len, source.splitlines())) <= 100
    data = chosen.study.data
    targets = data.full.targets
    if data.task != "regression":
        targets = targets.astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = run(source, (data.full.inputs, targets[:, 0]))["model"]
    if framework == "scikit-learn":
        assert model.n_iter_ == 2
        assert model.score(data.full.inputs, targets[:, 0]) <= 1


def test_the_three_programs_have_names_that_people_know(found: Findings) -> None:
    assert list(recipes(found)) == ["Keras", "PyTorch", "scikit-learn"]


def gains(findings: Findings, penalty: float, early: float) -> Findings:
    """Findings of an overfitting network, whose gains were measured as these, each within ±1."""
    diagnosis = replace(
        findings.diagnosis,
        verdict="overfits",
        penalty_gain=Interval(penalty, penalty - 1, penalty + 1),
        early_gain=Interval(early, early - 1, early + 1),
        early_epoch=1,
    )
    return replace(findings, diagnosis=diagnosis)


def test_what_is_prescribed(choose: Callable[[Penalty | None], Findings]) -> None:
    chosen = choose(L2())

    sure = prescribe(gains(chosen, penalty=2, early=0))
    assert (sure.penalty, sure.lam, sure.stop, sure.remark) == (L2(), 0.02, None, "")
    assert sure.best_l2 == 0.02

    both = prescribe(gains(chosen, penalty=2, early=2))
    assert (both.penalty, both.stop) == (L2(), None)

    unsure = prescribe(gains(chosen, penalty=0.5, early=0))
    assert (unsure.penalty, unsure.stop) == (L2(), None)
    assert "not beyond noise" in unsure.remark

    unhelped = gains(chosen, penalty=0.5, early=0)
    balanced = replace(unhelped, diagnosis=replace(unhelped.diagnosis, verdict="balanced"))
    best = replace(chosen.minimum, point=chosen.selection.point)
    none = replace(balanced, minimum=best)
    assert (prescribe(none).penalty, prescribe(none).lam) == (None, 0.0)
    for source in recipes(none).values():
        said = " ".join(line.removeprefix("# ") for line in source.splitlines()[:3])
        assert said.startswith("No penalty: the least validation ")
        assert "was at L2, λ = 0.02, but not beyond noise." in said

    untried = replace(chosen, plan=replace(chosen.plan, lambdas=(0.0,)))
    free = replace(chosen.selection, point=chosen.points[0])
    said = recipes(gains(replace(untried, selection=free), 0, 0))["PyTorch"]
    assert said.startswith("# No penalty: none was tried.")

    early = prescribe(gains(chosen, penalty=0, early=2))
    assert (early.penalty, early.lam, early.stop) == (None, 0.0, 1)
    assert "# No penalty: stop at epoch 1 of 2 instead." in recipes(gains(chosen, 0, 2))["Keras"]


@pytest.mark.parametrize("better", [True, False])
def test_a_relaxed_refit_is_prescribed_where_it_is_better(
    choose: Callable[[Penalty | None], Findings], better: bool
) -> None:
    found = choose(L1())
    change = Interval(-0.2, -0.3, -0.1) if better else Interval(0.0, -0.1, 0.1)
    relaxation = Relaxation("L1", 7, "loss", "", 0.5, 0.3, change, 5, (), 12, 0)
    assert found.verification is not None
    verification = replace(found.verification, relaxation=relaxation)
    finding = prescribe(replace(found, verification=verification))
    assert finding.training.relaxed_epochs == (7 if better else 0)
    assert (finding.relaxed is not None) == better


def test_a_decoupled_path_has_no_l2_for_scikit_learn(
    choose: Callable[[Penalty | None], Findings],
) -> None:
    chosen = choose(L1())
    training = replace(chosen.plan.training, optimizer="adamw")
    assert prescribe(replace(chosen, plan=replace(chosen.plan, training=training))).best_l2 is None


def test_weights_of_rows_are_noticed(choose: Callable[[Penalty | None], Findings]) -> None:
    chosen = choose(L2())
    assert not prescribe(chosen).weighted
    data = chosen.study.data
    weights = np.linspace(0.5, 1.5, len(data.full.weights), dtype=np.float32)
    study = replace(chosen.study, data=replace(data, full=replace(data.full, weights=weights)))
    weighted = replace(chosen, study=study)
    assert prescribe(weighted).weighted
    assert all("w_train" in source for source in recipes(weighted).values())


def test_the_best_recipe_of_a_joint_search_is_prescribed_whole(
    choose: Callable[[Penalty | None], Findings],
) -> None:
    found = gains(choose(L1()), penalty=0, early=2)
    base = Candidate(found.plan.network, found.plan.training)
    best = replace(base, training=replace(base.training, dropout=0.3), penalty=L1(), lam=0.01)
    scores = np.array([0.4, 0.41])
    joint = Joint(
        data=found.study.data,
        metric=found.plan.metric,
        base=base,
        base_scores=scores,
        tried=(Tried(0, best, scores - 0.1, complete=True),),
        best=Tried(0, best, scores - 0.1, complete=True),
        pruned_on=0,
        ablations=(),
        members=(),
        fits=4,
        seconds=1.0,
        budget=Budget(fits=4),
    )
    told = prescribe(replace(found, joint=joint))
    assert (told.penalty, told.lam, told.stop) == (L1(), 0.01, None)
    assert told.training.dropout == 0.3
    source = recipes(replace(found, joint=joint))["PyTorch"]
    assert "nn.Dropout(0.3)" in source

    free = replace(best, penalty=None, lam=0.0)
    tried = Tried(0, free, scores + np.array([-0.02, 0.01]), complete=True)
    joint = replace(joint, tried=(tried,), best=tried)
    source = recipes(replace(found, joint=joint))["Keras"]
    assert source.startswith("# No penalty: the best recipe has none.\n# The best guess: its gain")
    assert "layers.Dropout(0.3)" in source

    worse = Tried(0, best, scores + 0.1, complete=True)
    told = prescribe(replace(found, joint=replace(joint, tried=(worse,), best=worse)))
    assert told.penalty is None
    assert told.training == base.training
