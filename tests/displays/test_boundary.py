from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from shrinkage.displays import DecisionBoundaryDisplay
from shrinkage.errors import DataError, SettingError
from shrinkage.figures.surface import surface_figure
from shrinkage.findings import Findings


@pytest.mark.parametrize("name", ["moons", "wine", "diabetes"])
def test_the_numbers_are_those_of_the_report(name: str, request, same) -> None:
    found: Findings = request.getfixturevalue(name)
    same(DecisionBoundaryDisplay.from_study(found.study).surface, surface_figure(found))


def test_the_chosen_surface_is_drawn_and_any_other_on_demand(moons: Findings) -> None:
    display = DecisionBoundaryDisplay.from_study(moons.study)
    frames, selected = display.surface.frames, display.surface.selected
    assert display.ax_.get_title() == frames[selected].label == moons.selection.point.label
    other = DecisionBoundaryDisplay.from_study(moons.study, lam=0)
    assert other.ax_.get_title() == "no penalty"
    assert other.surface_ is not None
    np.testing.assert_allclose(other.surface_.get_array(), frames[0].codes / 255)
    np.testing.assert_array_equal(other.lines_[0].get_xdata(), frames[0].contour_x)
    with pytest.raises(SettingError, match=r"no network with λ = 0\.5; choose one of: 0, "):
        display.plot(lam=0.5)


def test_rows_lie_where_they_are_with_the_shape_of_their_class(moons: Findings) -> None:
    display = DecisionBoundaryDisplay.from_study(moons.study)
    plane = display.surface.plane
    assert [points.get_label() for points in display.points_] == list(display.surface.classes)
    for index, points in enumerate(display.points_):
        own = plane.points[plane.point_targets == index]
        np.testing.assert_array_equal(points.get_offsets(), own)
    shapes = [points.get_paths()[0].vertices.shape for points in display.points_]
    assert shapes[0] != shapes[1]
    assert display.colorbar_ is not None
    assert display.colorbar_.ax.get_ylabel() == f"probability of {display.surface.classes[1]}"
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("x1", "x2")


def test_a_slice_of_a_study_is_along_named_inputs(diabetes: Findings) -> None:
    columns = diabetes.study.data.full.columns
    display = DecisionBoundaryDisplay.from_study(diabetes.study, features=(columns[2], 0))
    assert display.ax_.get_xlabel() == columns[2]
    assert display.ax_.get_ylabel() == columns[0]
    assert "at their medians" in display.surface.plane.sentence
    line = DecisionBoundaryDisplay.from_study(diabetes.study, features=(columns[2],))
    assert line.surface_ is None
    assert line.ax_.get_ylabel() == "progression"


def test_an_estimator_answers_in_the_units_of_the_table(estimator, rows) -> None:
    inputs, labels = rows
    display = DecisionBoundaryDisplay.from_estimator(estimator, inputs, labels, grid_resolution=40)
    plane = display.surface.plane
    assert display.surface_ is not None
    shown = display.surface_.get_array()
    for row, column in ((0, 0), (11, 35)):
        place = [[plane.x[column], plane.y[row]]]
        expected = estimator.predict_proba(place)[0, 1]
        assert shown[row, column] == pytest.approx(expected, abs=1 / 255)
    assert display.surface.classes == ("lower", "upper")
    shown_rows = np.concatenate([points.get_offsets() for points in display.points_])
    np.testing.assert_allclose(np.sort(shown_rows[:, 0]), np.sort(inputs[:, 0]), atol=1e-6)
    assert not DecisionBoundaryDisplay.from_estimator(estimator, inputs).points_


def test_an_estimator_and_its_study_draw_one_surface(estimator, rows) -> None:
    own = DecisionBoundaryDisplay.from_estimator(estimator, *rows).surface
    study = DecisionBoundaryDisplay.from_study(estimator.study_).surface
    np.testing.assert_allclose(own.plane.x, study.plane.x, atol=1e-5)
    codes = own.frames[0].codes.astype(int) - study.frames[study.selected].codes
    assert np.abs(codes).max() <= 1


@pytest.mark.parametrize("others", ["median", "mean"])
def test_a_slice_through_more_columns(others: str) -> None:
    table, target = load_wine(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, target)
    display = DecisionBoundaryDisplay.from_estimator(
        model, table, target, features=("hue", 0), others=others, grid_resolution=30
    )
    plane = display.surface.plane
    place = getattr(table, others)().to_frame().T
    place["hue"], place["alcohol"] = plane.x[4], plane.y[20]
    code = display.surface.frames[0].codes[20, 4]
    assert code // display.surface.levels == model.predict(place)[0]
    assert plane.sentence == f"Over the inputs hue and alcohol, the other 11 at their {others}s."
    assert display.colorbar_ is None
    assert [text.get_text() for text in display.legend_.get_texts()] == ["0", "1", "2"]


def test_ten_classes_have_ten_shapes() -> None:
    inputs, target = load_digits(return_X_y=True)
    model = GaussianNB().fit(inputs[:300], target[:300])
    display = DecisionBoundaryDisplay.from_estimator(
        model, inputs[:300], target[:300], features=(20, 42), grid_resolution=20
    )
    shapes = [points.get_paths()[0].vertices for points in display.points_]
    for first, second in combinations(shapes, 2):
        assert first.shape != second.shape or not np.allclose(first, second)
    assert display.legend_ is not None
    assert len(display.legend_.get_texts()) == 10


def test_the_principal_plane_of_more_columns() -> None:
    inputs, target = load_diabetes(return_X_y=True)
    model = Ridge(alpha=0.1).fit(inputs, target)
    display = DecisionBoundaryDisplay.from_estimator(model, inputs, target, grid_resolution=25)
    plane = display.surface.plane
    assert plane.kind == "principal components"
    assert display.surface_ is not None
    # A linear model is linear over any plane.
    values = display.surface_.get_array()
    low, high = display.surface.values
    second = np.diff(values, 2, axis=0)[2:-2, 2:-2]
    inside = (values > low) & (values < high)
    assert np.abs(second[inside[3:-3, 2:-2]]).max() <= 2.1 * (high - low) / 255
    centre = model.predict(inputs.mean(axis=0)[None])[0]
    middle = values[np.abs(plane.y).argmin(), np.abs(plane.x).argmin()]
    steps = np.abs(np.diff(values, axis=0)).max() + np.abs(np.diff(values, axis=1)).max()
    assert middle == pytest.approx(centre, abs=steps)


def test_columns_of_words_are_held_at_the_commonest() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.normal(40, 9, 60), "town": ["A", "B", "B"] * 20})
    table["town"] = table["town"].astype("category")
    target = (table["age"] > 40) ^ (table["town"] == "A")
    encoder = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression(max_iter=2000)).fit(table, target)
    display = DecisionBoundaryDisplay.from_estimator(model, table, target, features=["age"])
    (line,) = display.lines_
    x, y = line.get_data()
    place = pd.DataFrame({"age": x, "town": pd.Series(["B"] * len(x), dtype=table["town"].dtype)})
    np.testing.assert_allclose(y, model.predict_proba(place)[:, 1], atol=1e-6)
    with pytest.raises(SettingError, match="column 'town' is not of numbers"):
        DecisionBoundaryDisplay.from_estimator(model, table, target)


def test_a_classifier_without_probabilities_shows_its_labels(rows) -> None:
    inputs, labels = rows
    model = LinearSVC().fit(inputs, labels)
    display = DecisionBoundaryDisplay.from_estimator(model, inputs, labels)
    assert display.surface_ is not None
    assert set(np.unique(display.surface_.get_array())) == {0.0, 1.0}


def test_what_cannot_be_drawn_is_said(estimator, rows) -> None:
    inputs, labels = rows
    draw = DecisionBoundaryDisplay.from_estimator
    for features, message in (
        (("x7",), "unknown column 'x7'"),
        ((5,), "there is no column 5; there are 0 to 1"),
        ((0, 1, 0), "3 columns; name one or two"),
    ):
        with pytest.raises(SettingError, match=message):
            draw(estimator, inputs, labels, features=features)
    with pytest.raises(SettingError, match="unknown value of others"):
        draw(estimator, inputs, labels, others="mode")
    with pytest.raises(DataError, match="the label left, which the estimator does not know"):
        draw(estimator, inputs, np.full(len(inputs), "left"))
    with pytest.raises(DataError, match="X has 90 rows, but y has 3"):
        draw(estimator, inputs, labels[:3])
    with pytest.raises(DataError, match="1 dimensions"):
        draw(estimator, inputs[0], labels)
