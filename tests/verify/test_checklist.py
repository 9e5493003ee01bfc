from __future__ import annotations

import pytest

from shrinkage.detect import diagnose
from shrinkage.penalties import L1, L2
from shrinkage.verify.boundary import boundary_along
from shrinkage.verify.checklist import nine_points
from shrinkage.verify.weights import compare_weights

TEXTS = [
    "Identify overfitting through train/test performance gap",
    "Add regularization to all hidden layers",
    "Do NOT regularize the output layer",
    "Do NOT regularize bias terms",
    "Start with L2 regularization and λ = 0.01",
    "Monitor both training and validation loss",
    "Visualize decision boundaries (for 2D problems)",
    "Compare weight distributions before/after",
    "Tune λ based on results",
]
CHOSEN = (L2(), 0.012)
GRID = [(L2(), 0.001), CHOSEN, (L2(), 0.1)]


@pytest.fixture
def points(make_data, make_study):
    """The nine points of a study, by number."""

    def build(selected=CHOSEN, grid=GRID, hidden=(128, 128), **changes):
        data = make_data()
        study = make_study(data, grid, hidden=hidden)
        refits = {(f.trial.penalty, f.trial.lam): f for f in study.refits if f.trial.seed == 0}
        given = {
            "weights": compare_weights(refits[None, 0.0], refits[selected]),
            "boundary": boundary_along([refits[None, 0.0]], ["no penalty"], data),
        }
        found = nine_points(study, diagnose(study), selected, **(given | changes))
        assert [point.text for point in found] == TEXTS
        return dict(enumerate(found, start=1))

    return build


def test_the_lessons_network_ticks_every_point(points):
    found = points()
    assert all(point.passed for point in found.values())
    assert all(point.evidence.endswith(".") for point in found.values())
    assert "over 3 folds: the network overfits." in found[1].evidence
    assert found[2].evidence == (
        "L2, λ = 0.012 acts on 16,640 of 17,025 parameters: the kernels of hidden layers 1 and 2."
    )
    assert found[3].evidence == "The penalty acts on 0 of the 129 output parameters."
    assert found[4].evidence == "The penalty acts on 0 of 257 biases."
    assert found[5].evidence == (
        "The L2 λ tried nearest to 0.01 is 0.012: validation log loss 0.400, against 0.500 "
        "without a penalty and 0.400 at the best point."
    )
    assert "at 3 epochs in 12 of 12 fits" in found[6].evidence
    assert "lowest at epoch 20 of 30" in found[6].evidence
    assert "over the two inputs at 14,400 points for 1 fit" in found[7].evidence
    assert found[8].evidence.startswith("All hidden kernels: range [")
    assert "3 values of λ from 0.001 to 0.1 were tried for L2" in found[9].evidence


def test_a_study_without_l2_crosses_the_usual_start(points):
    grid = [(L1(), lam) for lam in (0.001, 0.01, 0.1)]
    found = points((L1(), 0.01), grid)
    assert found[5].passed is False
    assert found[5].evidence == "L2 has no finished fit in this study."


def test_an_l2_far_from_the_usual_start_crosses_it(points):
    grid = [(L2(), lam) for lam in (1.0, 2.0, 3.0)]
    assert points((L2(), 2.0), grid)[5].passed is False


def test_a_choice_at_the_end_of_the_range_is_not_tuned(points):
    found = points((L2(), 0.1))
    assert found[9].passed is False
    assert found[9].evidence.endswith("at the end of the range tried; widen it.")


def test_one_lambda_is_not_tuned(points):
    assert points((L2(), 0.01), [(L2(), 0.01)])[9].passed is False


def test_without_a_selected_penalty_some_points_do_not_apply(points):
    found = points((None, 0.0))
    assert found[2].passed is None
    assert found[8].passed is None
    assert found[9].passed is True
    assert "no penalty was selected" in found[9].evidence


def test_a_linear_model_says_that_its_only_kernel_is_penalized(points):
    found = points(hidden=())
    assert found[2].passed is None
    assert found[3].passed is None
    assert "acts on 2 of the 3 output parameters" in found[3].evidence
    assert "0 of 1 bias." in found[4].evidence


def test_nothing_drawn_is_said(points):
    found = points(boundary=None, weights=())
    assert found[7].passed is None
    assert found[8].passed is None
