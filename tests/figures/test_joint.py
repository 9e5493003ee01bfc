"""The joint search's figures: the numbers of its record, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.figures.joint import ablation_figure, history_figure
from shrinkage.figures.screen import Stage
from shrinkage.figures.screen.joint import draw_ablation, draw_history
from shrinkage.intervals import Interval
from shrinkage.network import Network
from shrinkage.penalties import L1, L2
from shrinkage.tune import default_training
from shrinkage.tune.joint import Ablation, Budget, Candidate, Joint, Tried


@pytest.fixture(name="joint", scope="module")
def joint_fixture():
    table, target = bundled("moons", samples=60)
    data = prepare(table, target, name="moons", folds=3, repeats=1)
    base = Candidate(Network(2, (8,)), default_training(data, epochs=4))
    recipes = [
        (Candidate(base.network, replace(base.training, dropout=0.2), L2(), 0.01), [0.5, 0.4, 0.3]),
        (Candidate(base.network, base.training, L1(), 0.02), [9.0, np.nan, np.nan]),
        (Candidate(base.network, base.training, L1(), 0.001), [0.3, 0.2, 0.1]),
        (Candidate(base.network, base.training, L2(), 0.1), [0.6, 0.5, 0.7]),
    ]
    tried = tuple(
        Tried(i, one, np.array(scores), complete=bool(np.isfinite(scores).all()))
        for i, (one, scores) in enumerate(recipes)
    )
    return Joint(
        data=data,
        metric="log_loss",
        base=base,
        base_scores=np.array([0.7, 0.6, 0.8]),
        tried=tried,
        best=tried[2],
        pruned_on=1,
        ablations=(
            Ablation("penalty", "L1, λ = 0.001", Interval(0.3, 0.1, 0.5), 3),
            Ablation("epochs", "4 epochs", Interval(-0.1, -0.6, 0.4), 3),
        ),
        members=(),
        fits=20,
        seconds=1.0,
        budget=Budget(fits=20),
    )


def test_the_history_leads_with_complete_recipes_alone(joint):
    figure = history_figure(joint)
    np.testing.assert_allclose(figure.score, [0.4, 9.0, 0.2, 0.6])
    np.testing.assert_array_equal(figure.complete, [True, False, True, True])
    np.testing.assert_allclose(figure.leader, [0.4, 0.4, 0.2, 0.2])
    assert figure.base == pytest.approx(0.7)
    assert figure.best == 2
    assert figure.range[0] < 0.2
    assert 0.7 < figure.range[1] < 9.0, "one that fails altogether does not squeeze the others"
    assert figure.scale == "log"


def test_scores_to_be_raised_lead_upwards_on_a_linear_axis(joint):
    raised = replace(joint, metric="accuracy")
    figure = history_figure(raised)
    np.testing.assert_allclose(figure.leader, [0.4, 0.4, 0.4, 0.6])
    assert figure.scale == "linear"


def test_nothing_tried_is_no_figure(joint):
    assert history_figure(replace(joint, tried=(), best=None)) is None
    assert ablation_figure(replace(joint, ablations=())) is None


def test_the_ablation_is_drawn_from_the_least_helpful_up(joint):
    figure = ablation_figure(joint)
    assert [bar.ingredient for bar in figure.bars] == ["epochs", "penalty"]
    assert figure.reach == pytest.approx(0.6)


def test_drawings_say_in_words_what_they_show(joint):
    stage = Stage()
    names = [
        draw_history(stage, history_figure(joint)),
        draw_ablation(stage, ablation_figure(joint)),
    ]
    told = [stage.drawings[name].alternative for name in names]
    assert "4 recipes, of which 3 were trained on every fold" in told[0]
    assert "number 3, has 0.2" in told[0]
    assert "L1, λ = 0.001 helps (0.300 [0.100, 0.500])" in told[1]
    assert "4 epochs unclear" in told[1]
