from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA

from shrinkage.engine.pool import predict
from shrinkage.penalties import L2
from shrinkage.verify.boundary import GRID, boundary_along, plane_through, principal


def at(fit, data, places):
    """Answer of `fit` at inputs in the table's own units."""
    part = data.full
    inputs = ((places - part.center) / part.scale).astype(np.float32)
    return predict(fit.trial.network, fit.parameters, inputs, data.loss)


def test_two_inputs_are_drawn_in_their_own_units(make_data, make_fit):
    data = make_data()
    fit = make_fit(data)
    found = boundary_along([fit], ["no penalty"], data)
    plane, (surface,) = found.plane, found.surfaces
    assert (plane.kind, plane.explained) == ("two inputs", 1.0)
    assert (plane.x_label, plane.y_label) == ("x0", "x1")
    assert plane.sentence == "Over the inputs x0 and x1."
    assert surface.values.shape == (GRID, GRID)
    assert surface.values.dtype == np.float32
    for row, column in ((0, 0), (30, 100), (GRID - 1, 7)):
        place = np.array([[plane.x[column], plane.y[row]]])
        expected = at(fit, data, place)[0, 0]
        assert surface.values[row, column] == pytest.approx(expected, abs=1e-5)
        assert surface.winners[row, column] == (expected > 0.5)


@pytest.mark.parametrize(("rows", "columns"), [(400, 6), (30, 6), (400, 2), (2_000, 90)])
def test_principal_components_are_those_of_scikit_learn(rows, columns):
    rng = np.random.default_rng(rows)
    mixed = rng.standard_normal((rows, columns)) @ rng.standard_normal((columns, columns))
    inputs = np.ascontiguousarray(mixed, dtype=np.float32)
    inputs[:, -1] = 0.5
    peer = PCA(2, random_state=0)
    expected = (peer.fit_transform(inputs), peer.mean_, peer.components_)
    for one, other in zip(
        principal(inputs), (*expected, peer.explained_variance_ratio_), strict=True
    ):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_points_are_the_training_rows_in_the_same_units(make_data):
    data = make_data()
    plane = plane_through(data)
    part = data.full
    rows = part.inputs * part.scale + part.center
    assert len(plane.points) + plane.outside == len(rows)
    np.testing.assert_allclose(plane.points[:, 1].mean(), 5.0, atol=3.0)  # x1 is 5 ± 10
    assert set(plane.point_targets) == {0.0, 1.0}
    for i, axis in enumerate((plane.x, plane.y)):
        assert axis[0] <= plane.points[:, i].min()
        assert axis[-1] >= plane.points[:, i].max()


def test_more_inputs_are_cut_by_the_plane_of_two_principal_components(make_data, make_fit):
    data = make_data(inputs=5)
    fit = make_fit(data)
    found = boundary_along([fit], ["no penalty"], data)
    plane, (surface,) = found.plane, found.surfaces
    peer = PCA(2).fit(data.full.inputs)
    share = peer.explained_variance_ratio_.sum()
    assert plane.kind == "principal components"
    assert plane.explained == pytest.approx(share, rel=1e-5)
    assert f"holds {share:.0%} of their variance" in plane.sentence
    assert "5 encoded inputs" in plane.sentence
    assert plane.x_label.startswith("principal component 1 (")
    inputs = peer.inverse_transform([[plane.x[20], plane.y[90]]]).astype(np.float32)
    expected = predict(fit.trial.network, fit.parameters, inputs, data.loss)[0, 0]
    assert surface.values[90, 20] == pytest.approx(expected, abs=1e-5)


def test_one_input_is_a_line(make_data, make_fit):
    data = make_data(inputs=1)
    fit = make_fit(data)
    found = boundary_along([fit], ["no penalty"], data)
    plane, (surface,) = found.plane, found.surfaces
    assert (plane.kind, plane.y_label, plane.y.tolist()) == ("one input", "", [0.0])
    assert surface.values.shape == (1, GRID)
    expected = at(fit, data, np.array([[plane.x[40]]]))[0, 0]
    assert surface.values[0, 40] == pytest.approx(expected, abs=1e-5)
    np.testing.assert_array_equal(plane.points[:, 1], plane.point_targets)


def test_multiclass_shows_the_winner_and_its_probability(make_data, make_fit):
    data = make_data("multiclass")
    fit = make_fit(data)
    found = boundary_along([fit], ["no penalty"], data)
    surface, plane = found.surfaces[0], found.plane
    expected = at(fit, data, np.array([[plane.x[3], plane.y[5]]]))[0]
    assert surface.winners.dtype == np.uint8
    assert surface.winners[5, 3] == expected.argmax()
    assert surface.values[5, 3] == pytest.approx(expected.max(), abs=1e-5)
    assert found.classes == data.classes


def test_regression_is_shown_in_original_units(make_data, make_fit):
    data = make_data("regression")
    fit = make_fit(data)
    found = boundary_along([fit], ["no penalty"], data)
    surface, plane, part = found.surfaces[0], found.plane, data.full
    expected = at(fit, data, np.array([[plane.x[3], plane.y[5]]]))[0, 0]
    expected = expected * part.target_scale[0] + part.target_center[0]
    assert surface.winners is None
    assert surface.values[5, 3] == pytest.approx(expected, rel=1e-4)
    assert plane.point_targets.mean() == pytest.approx(part.target_center[0], rel=0.05)


def test_each_lambda_has_its_surface(make_data, make_fit):
    data = make_data()
    fits = [
        make_fit(data),
        make_fit(data, penalty=L2(), lam=0.1, shrink=0.5),
        make_fit(data, penalty=L2(), lam=1.0, shrink=0.0),
    ]
    found = boundary_along(fits, ["a", "b", "c"], data).surfaces
    assert [(s.label, s.lam) for s in found] == [("a", 0.0), ("b", 0.1), ("c", 1.0)]
    assert found[0].values.std() > found[1].values.std() > found[2].values.std()
    assert found[2].values.std() < 1e-6  # all hidden weights zero: a constant


def test_nothing_to_draw_is_no_surface(make_data):
    assert boundary_along([], [], make_data()).surfaces == ()


def test_pieces_of_the_plane_fit_together(make_data, make_fit, monkeypatch):
    data = make_data(inputs=3)
    whole = boundary_along([make_fit(data)], ["a"], data).surfaces[0].values
    monkeypatch.setattr("shrinkage.verify.boundary._CELLS", 1_000)
    pieces = boundary_along([make_fit(data)], ["a"], data).surfaces[0].values
    np.testing.assert_allclose(whole, pieces, atol=1e-6)


def with_inputs(data, inputs):
    full = replace(data.full, inputs=np.ascontiguousarray(inputs, np.float32))
    return replace(data, full=full)


def test_far_outliers_do_not_squeeze_the_rest(make_data):
    data = make_data(rows=600)
    inputs = data.full.inputs.copy()
    inputs[0] = 1_000.0
    plane = plane_through(with_inputs(data, inputs))
    assert plane.outside == 1
    assert plane.sentence.endswith("1 far row lies beyond it.")
    assert np.ptp(plane.x) < 10 * data.full.scale[0]


def test_a_constant_input_has_a_range_too(make_data):
    data = make_data()
    inputs = data.full.inputs.copy()
    inputs[:, 1] = 0.0
    plane = plane_through(with_inputs(data, inputs))
    assert plane.y[-1] > plane.y[0]
    assert plane.outside == 0


def test_at_most_2000_points_are_shown_and_always_the_same(make_data):
    data = make_data(rows=3_000)
    plane, again = plane_through(data), plane_through(data)
    assert len(plane.points) == 2_000
    np.testing.assert_array_equal(plane.points, again.points)


def test_a_slice_runs_along_chosen_inputs_with_the_others_at_their_medians(make_data, make_fit):
    data = make_data(inputs=4)
    fit = make_fit(data)
    found = boundary_along([fit], ["no penalty"], data, inputs=(2, 0))
    plane, (surface,) = found.plane, found.surfaces
    assert (plane.x_label, plane.y_label) == ("x2", "x0")
    assert plane.sentence.startswith("Over the inputs x2 and x0, the other 2 at their medians.")
    part = data.full
    rows = part.inputs * part.scale + part.center
    place = np.median(rows, axis=0)
    place[[2, 0]] = plane.x[17], plane.y[90]
    expected = at(fit, data, place[None])[0, 0]
    assert surface.values[90, 17] == pytest.approx(expected, abs=1e-5)


def test_an_input_without_a_scale_changes_nothing(make_data, make_fit):
    data = make_data()
    inputs = data.full.inputs.copy()
    inputs[:, 1] = 0.0
    scale = np.array([data.full.scale[0], np.inf])
    full = replace(data.full, inputs=inputs, scale=scale, center=np.array([0.0, 7.0]))
    found = boundary_along([make_fit(data)], ["no penalty"], replace(data, full=full))
    assert set(found.plane.points[:, 1]) == {7.0}
    np.testing.assert_array_equal(found.surfaces[0].values[0], found.surfaces[0].values[-1])
