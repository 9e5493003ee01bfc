from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.detect import diagnose
from shrinkage.intervals import Interval
from shrinkage.penalties import L1, L2
from shrinkage.study import Status, Study
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
        "The L2 λ tried nearest to 0.02, which is Keras' l2(0.01), is 0.012: validation log loss "
        "0.400, against 0.500 without a penalty and 0.400 at the best point."
    )
    assert "at 3 epochs in 12 of 12 finished fits on folds" in found[6].evidence
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
    found = points((L2(), 0.01), [(L2(), 0.01)])
    assert found[9].passed is False
    assert found[9].evidence.startswith("1 value of λ, 0.01, was tried for L2; ")


def test_the_low_end_is_enough_where_nothing_changes_any_more(make_data, make_study):
    study = make_study(make_data(), GRID)
    alike = [
        replace(fit, validation_loss=np.array([0.6, 0.3, 0.499]))
        if fit.trial.fold is not None and fit.trial.lam == 0.001
        else fit
        for fit in study.fits
    ]
    study = Study.of(study.data, study.trials, alike, {})
    found = nine_points(study, diagnose(study), (L2(), 0.001), (), None)[8]
    assert found.passed is True
    assert found.evidence.endswith(
        "at the low end of the range tried, where it nearly equals no penalty."
    )


def test_the_high_end_is_enough_where_the_network_is_a_constant(make_data, make_study):
    study = make_study(make_data(), GRID)
    facts = replace(diagnose(study), null_loss=0.401)
    found = nine_points(study, facts, (L2(), 0.1), (), None)[8]
    assert found.passed is True
    assert "where the network predicts a constant" in found.evidence


def test_diverged_fits_do_not_cross_the_monitoring(make_data, make_study):
    study = make_study(make_data(), GRID)
    fits = [
        replace(fit, status=Status.DIVERGED, validation_loss=np.full(3, np.nan))
        if fit.trial.lam == 0.1
        else fit
        for fit in study.fits
    ]
    study = Study.of(study.data, study.trials, fits, {})
    found = nine_points(study, diagnose(study), CHOSEN, (), None)[5]
    assert found.passed is True
    assert "in 9 of 9 finished fits on folds" in found.evidence


@pytest.mark.parametrize(
    ("gap", "verdict", "folds", "passed", "told"),
    [
        ((0.2, 0.1, 0.3), "overfits", 3, True, "the network overfits."),
        ((0.001, -0.01, 0.012), "balanced", 3, True, "the network does not overfit."),
        (
            (0.001, -0.2, 0.2), "balanced", 3, False,
            "the network is not shown to overfit beyond noise.",
        ),
        (
            (0.2, -0.2, 0.6), "overfits", 3, False,
            "from this alone it is not shown to overfit beyond noise, but the network overfits.",
        ),
        (
            (0.2, -0.2, 0.6), "underfits", 3, False,
            "the network underfits and is not shown to overfit beyond noise.",
        ),
        (
            (0.2, -np.inf, np.inf), "overfits", 1, False,
            "one fold alone cannot tell noise from effect; use more folds (--folds).",
        ),
    ],
)  # fmt: skip
def test_the_gap_is_told_with_what_it_can_tell(
    make_data, make_study, gap, verdict, folds, passed, told
):
    study = make_study(make_data(), GRID)
    facts = replace(diagnose(study), gap=Interval(*gap), verdict=verdict, folds=folds)
    found = nine_points(study, facts, CHOSEN, (), None)[0]
    assert found.passed is passed
    assert found.evidence.endswith(told)


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
