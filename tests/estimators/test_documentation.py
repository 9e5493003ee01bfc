"""What is documented is there; that the guide runs is tested with the other pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from numpydoc.docscrape import ClassDoc

from shrinkage import (
    ShrinkageClassifier,
    ShrinkageClassifierCV,
    ShrinkageRegressor,
    ShrinkageRegressorCV,
)
from shrinkage.estimators.settings import names_of

Rows = tuple[NDArray[np.float64], NDArray[Any]]
PAGE = (Path(__file__).parents[2] / "docs" / "estimators.md").read_text(encoding="utf-8")
ESTIMATORS: list[Any] = [
    ShrinkageClassifier,
    ShrinkageClassifierCV,
    ShrinkageRegressor,
    ShrinkageRegressorCV,
]


@pytest.mark.parametrize("estimator", [ShrinkageClassifier, ShrinkageRegressor])
def test_the_table_names_every_parameter(estimator: Any) -> None:
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    named = set(re.findall(r"[a-z0-9_]+", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert set(names_of(estimator)) - named == set()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_documented_attributes_are_there(
    estimator: Any, cancer: Rows, small: dict[str, Any]
) -> None:
    some = {} if estimator in (ShrinkageClassifier, ShrinkageRegressor) else {"lambdas": [0.1]}
    model = estimator(**small | {"hidden_layer_sizes": ()}, **some).fit(*cancer)
    documented = {
        name for entry in ClassDoc(estimator)["Attributes"] for name in entry.name.split(", ")
    }
    fitted = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    assert documented - {"feature_names_in_"} == fitted
