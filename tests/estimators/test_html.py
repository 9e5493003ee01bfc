from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import estimator_html_repr

from shrinkage.detect.gains import over_folds
from shrinkage.estimators import (
    ShrinkageClassifier,
    ShrinkageClassifierCV,
    ShrinkageRegressor,
)
from shrinkage.estimators.html import summary_html

Rows = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def rows() -> Rows:
    inputs, labels = make_moons(80, noise=0.3, random_state=0)
    return inputs, labels


@pytest.fixture(scope="module")
def chosen(rows: Rows) -> ShrinkageClassifierCV:
    """With a penalty: the strongest that is within one standard error of the best."""
    return ShrinkageClassifierCV(
        hidden_layer_sizes=(12,),
        penalty="l1",
        lambdas=(0.0001, 0.001, 0.003),
        rule="one_standard_error",
        max_iter=20,
        cv=3,
        random_state=0,
    ).fit(*rows)


def table(html: str) -> pd.DataFrame:
    """The summary, read as a browser would: a column for each network."""
    from html.parser import HTMLParser

    class Cells(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.rows: list[list[str]] = []
            self.inside = False

        def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
            if tag == "tr":
                self.rows.append([])
            if tag in ("td", "th"):
                self.inside = True
                self.rows[-1].append("")

        def handle_endtag(self, tag: str) -> None:
            self.inside = self.inside and tag not in ("td", "th")

        def handle_data(self, data: str) -> None:
            if self.inside:
                self.rows[-1][-1] += data

    cells = Cells()
    cells.feed(html)
    head, *body = cells.rows
    width = len(head)
    filled = [row + [""] * (width - len(row)) for row in body]
    return pd.DataFrame(filled, columns=["", *head[1:]]).set_index("")


def test_an_unfitted_estimator_shows_the_usual_diagram(chosen: ShrinkageClassifierCV) -> None:
    bare = clone(chosen)
    assert summary_html(bare) == ""
    assert "shrinkage-summary" not in bare._repr_html_()
    assert "Parameters" in bare._repr_html_()


def test_lambda_gap_and_sparsity_of_the_choice(chosen: ShrinkageClassifierCV) -> None:
    found = table(summary_html(chosen))
    point, diagnosis = chosen.selection_.point, chosen.diagnosis_
    assert point.penalty is not None
    assert list(found.columns) == [point.label, "no penalty"]
    for name, own, free in (
        ("training", point.mean_train, diagnosis.train_loss),
        ("validation", point.mean_validation, diagnosis.validation_loss),
    ):
        shown = found.loc[f"{name} log loss (nats)"]
        assert float(shown.iloc[0]) == pytest.approx(own, abs=5e-4)
        assert float(shown.iloc[1]) == pytest.approx(free, abs=5e-4)
    gap = over_folds(point.validation_losses - point.train_losses, chosen.study_.data)
    assert list(found.loc["gap (nats)"]) == [str(gap), str(diagnosis.gap)]
    assert found.loc["exact zeros"].iloc[0] == f"{chosen.sparsity_:.1%} of 24"
    assert found.loc["diagnosis"].iloc[0] == f"{diagnosis.heading} without a penalty"
    place = [0.0001, 0.001, 0.003].index(point.lam) + 1
    assert found.loc["choice"].iloc[0] == (
        "strongest penalty within one standard error of the best over 3 folds; "
        f"number {place} of 3 λ from 0.0001 to 0.003"
    )
    assert found.loc["network"].iloc[0] == "2 – 12 – 1, relu"
    assert found.loc["training"].iloc[0] == "adam, 20 epochs"
    assert found.loc["time"].iloc[0].startswith(f"{len(chosen.study_.fits)} fits in ")


def test_one_lambda_with_and_without_validation_rows(rows: Rows) -> None:
    inputs, labels = rows
    single = ShrinkageClassifier(hidden_layer_sizes=(4,), max_iter=2, random_state=0)
    alone = table(summary_html(single.fit(inputs, labels)))
    assert list(alone.columns) == ["L2, λ = 0.01"]
    loss = float(alone.loc["training log loss (nats)"].iloc[0])
    assert loss == pytest.approx(single.loss_, rel=6e-3)  # three digits
    assert not any(name.startswith(("gap", "validation", "diagnosis")) for name in alone.index)
    single.fit(inputs[:50], labels[:50], X_val=inputs[50:], y_val=labels[50:])
    judged = table(summary_html(single))
    assert list(judged.columns) == ["L2, λ = 0.01", "no penalty"]
    gap = float(judged.loc["gap (nats)"].iloc[0])
    expected = single.fit_.final_validation_loss - single.fit_.final_train_loss
    assert gap == pytest.approx(expected, rel=5e-3)


def test_a_regression_names_its_unit(rows: Rows) -> None:
    model = ShrinkageRegressor(hidden_layer_sizes=(), lam=0, max_iter=2).fit(rows[0], rows[0][:, 1])
    found = table(summary_html(model))
    assert list(found.columns) == ["no penalty"]
    assert "training mean squared error (target variances)" in found.index
    assert found.loc["network"].iloc[0] == "2 – 1, linear"


def test_it_stands_inside_the_diagram_alone_and_in_a_pipeline(
    chosen: ShrinkageClassifierCV, rows: Rows
) -> None:
    alone = chosen._repr_html_()
    assert summary_html(chosen) in alone
    assert alone.index("shrinkage-summary") < alone.index("Parameters")
    assert summary_html(chosen) in chosen._repr_mimebundle_()["text/html"]
    piped = make_pipeline(StandardScaler(), clone(chosen)).fit(*rows)
    html = estimator_html_repr(piped)
    assert html.count('<div class="shrinkage-summary">') == 1
    assert "StandardScaler" in html
    with config_context(display="text"):
        assert not hasattr(chosen, "_repr_html_")


def test_the_parameters_are_still_a_table_of_parameters(chosen: ShrinkageClassifierCV) -> None:
    parameters = chosen._get_params_html()
    assert parameters["rule"] == "one_standard_error"
    assert "rule" in parameters.non_default


def test_what_comes_from_outside_is_escaped(chosen: ShrinkageClassifierCV) -> None:
    class Odd(type(chosen.selection_.point.penalty)):  # type: ignore[misc]
        label = "<b>odd</b>"

    from dataclasses import replace

    trial = replace(chosen.fit_.trial, penalty=Odd())
    shown = clone(chosen)
    shown.study_, shown.fit_ = chosen.study_, replace(chosen.fit_, trial=trial)
    html = summary_html(shown)
    assert "<b>odd" not in html
    assert "&lt;b&gt;odd&lt;/b&gt;, λ" in html


def test_a_browser_shows_it_in_both_schemes_without_scrolling(
    page: Any, chosen: ShrinkageClassifierCV, rows: Rows, tmp_path: Any
) -> None:
    # A step with names of features brings a button about which scikit-learn's own script complains.
    piped = make_pipeline(FunctionTransformer(), clone(chosen)).fit(*rows)
    file = tmp_path / "notebook.html"
    both = chosen._repr_html_() + piped._repr_html_()
    file.write_text(f"<html><head><meta charset='utf-8'></head>{both}</html>", encoding="utf-8")
    for scheme, width in (("light", 1000), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(file.as_uri())
        summaries = page.locator(".shrinkage-summary")
        assert summaries.first.is_visible()
        assert "exact zeros" in summaries.first.inner_text()
        assert not summaries.last.is_visible()  # a step of a pipeline is opened on demand
        page.get_by_text("ShrinkageClassifierCV", exact=True).last.click()
        summaries.last.wait_for(state="visible")
        for box in (summaries.first, summaries.last):
            assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
