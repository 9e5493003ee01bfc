"""A saved estimator comes back the same, and nothing else comes back at all."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.model_selection import (
    KFold,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinkage import container
from shrinkage.displays import CapacityDisplay, LambdaPathDisplay, LearningCurveDisplay
from shrinkage.errors import ShrinkageError
from shrinkage.estimators import (
    ShrinkageClassifier,
    ShrinkageClassifierCV,
    ShrinkageRegressor,
    ShrinkageRegressorCV,
)
from shrinkage.estimators.saving import load, save
from shrinkage.penalties import L1, GroupLasso

SMALL = {"hidden_layer_sizes": (4,), "max_iter": 4, "random_state": 0}
PATH = SMALL | {"cv": 3, "lambdas": [0.01, 0.1]}
X, LABELS = make_classification(90, 5, n_informative=3, n_classes=3, random_state=0)
_, NUMBERS = make_regression(90, 5, random_state=0)


def same(one, other):
    """Raise unless two values are the same, to the bit and to the type."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        if one.dtype == object:
            same(one.tolist(), other.tolist())
        else:
            assert one.tobytes() == other.tobytes()
    elif is_dataclass(one):
        for field in fields(one):
            same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, dict):
        same(list(one.items()), list(other.items()))
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other):
            same(left, right)
    elif isinstance(one, float) and np.isnan(one):
        assert np.isnan(other)
    else:
        assert one == other


def fitted(kind, y, **parameters):
    base = PATH if kind.__name__.endswith("CV") else SMALL
    return kind(**base | parameters).fit(X, y)


@pytest.fixture(scope="module")
def models():
    return {
        "classifier": fitted(ShrinkageClassifier, LABELS),
        "regressor": fitted(ShrinkageRegressor, NUMBERS),
        "two targets": fitted(ShrinkageRegressor, np.column_stack([NUMBERS, -NUMBERS])),
        "classifier path": fitted(ShrinkageClassifierCV, LABELS, penalty=["l1", "l2"]),
        "regressor path": fitted(ShrinkageRegressorCV, NUMBERS, scoring="r2"),
        "early stopping": fitted(ShrinkageClassifier, LABELS > 0, early_stopping=True),
        "linear": fitted(ShrinkageRegressor, NUMBERS, hidden_layer_sizes=(), penalty="l1"),
    }


NAMES = [
    "classifier",
    "regressor",
    "two targets",
    "classifier path",
    "regressor path",
    "early stopping",
    "linear",
]


@pytest.mark.parametrize("name", NAMES)
def test_it_comes_back_the_same(models, tmp_path, name):
    model = models[name]
    again = load(save(model, tmp_path / "model", inputs=True))
    assert type(again) is type(model)
    for method in ("predict", "predict_proba"):
        if hasattr(model, method):
            same(getattr(again, method)(X), getattr(model, method)(X))
    same(vars(again), {name: vars(model)[name] for name in vars(again)})
    assert set(vars(again)) == set(vars(model))


@pytest.mark.parametrize("name", NAMES)
def test_without_inputs_only_the_study_is_lighter(models, tmp_path, name):
    model = models[name]
    again = load(save(model, tmp_path / "model"))
    for attribute, value in vars(model).items():
        if attribute not in ("study_", "selection_"):
            same(getattr(again, attribute), value)
    same(again.study_.fits, model.study_.fits)
    before, after = model.study_.data.full, again.study_.data.full
    assert after.inputs.shape == (len(before.inputs), 0)
    same(after, replace(before, inputs=before.inputs[:, :0]))
    if hasattr(model, "selection_"):
        assert again.selection_.study is again.study_
        assert again.selection_.sentence == model.selection_.sentence
    shown = [re.sub(r"-id-\d+", "", one._repr_html_()) for one in (again, model)]
    assert shown[0] == shown[1]


def test_the_inputs_stay_at_home(models, tmp_path):
    model = models["classifier path"]
    light = save(model, tmp_path / "light").read_bytes()
    whole = save(model, tmp_path / "whole", inputs=True).read_bytes()
    part = model.study_.data.full
    for some in (model.study_.data.full, *model.study_.data.parts):
        assert some.inputs.tobytes() in whole
        assert some.inputs.tobytes() not in light
    assert part.inputs[:1].tobytes() not in light
    assert model.fit_.parameters.tobytes() in light
    assert model.study_.data.full.inputs.size  # the one that was saved is as it was


@pytest.mark.parametrize(
    "labels",
    [
        np.array([False, True]),
        np.array([-3, 7]),
        np.array([-1.0, 2.0, 3.0]),
        np.array(["no", "ja, ß"]),
        np.array(["a", "b", "c"], dtype=object),
        np.array([3, 250], dtype=np.uint8),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [ShrinkageClassifier, ShrinkageClassifierCV])
def test_classes_of_every_type(tmp_path, kind, labels):
    model = fitted(kind, labels[LABELS % len(labels)])
    again = load(save(model, tmp_path / "model"))
    same(again.classes_, model.classes_)
    same(again.predict(X), model.predict(X))


def test_names_of_columns(tmp_path):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d", "ß"])
    model = ShrinkageClassifier(**SMALL).fit(frame, LABELS)
    again = load(save(model, tmp_path / "model"))
    same(again.feature_names_in_, model.feature_names_in_)
    same(again.predict_proba(frame), model.predict_proba(frame))
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame.rename(columns={"a": "z"}))


@pytest.mark.parametrize(
    "parameters",
    [
        {"penalty": L1(), "lambdas": np.array([0.1, 1.0])},
        {"penalty": ["l2", GroupLasso("inputs")], "cv": KFold(4, shuffle=True, random_state=3)},
        {"max_iter": 3, "cv": RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0)},
        {"shuffle": False, "cv": StratifiedShuffleSplit(2, test_size=0.3, random_state=1)},
        {"cv": [(np.arange(60), np.arange(60, 90)), (np.arange(30, 90), np.arange(30))]},
        {"random_state": np.random.RandomState(5)},
        {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
        {"hidden_layer_sizes": [3, 2], "max_norm": np.float32(2.0), "n_jobs": 1},
    ],
    ids=", ".join,
)
def test_parameters(tmp_path, parameters):
    model = fitted(ShrinkageClassifierCV, LABELS, **parameters)
    again = load(save(model, tmp_path / "model"))
    for name, value in model.get_params().items():
        found = again.get_params()[name]
        assert type(found) is type(value)
        if not np.iterable(value):
            assert repr(found) == repr(value) or name == "random_state"
    # Both go on from here alike, a generator of seeds too.
    same(clone(again).fit(X, LABELS).coefs_, clone(model).fit(X, LABELS).coefs_)


def test_it_can_be_fitted_again_and_saved_again(models, tmp_path):
    model = models["classifier"]
    path = save(model, tmp_path / "model")
    again = load(path)
    assert save(again, tmp_path / "again").read_bytes() == path.read_bytes()
    before = [kernel.copy() for kernel in model.coefs_]
    same(again.fit(X, LABELS).coefs_, before)


@pytest.mark.parametrize("kind", [ShrinkageClassifier, ShrinkageRegressor])
def test_training_goes_on(tmp_path, kind):
    y = LABELS if kind is ShrinkageClassifier else NUMBERS
    model = fitted(kind, y, warm_start=True)
    path = save(model, tmp_path / "model")
    same(load(path).fit(X, y).coefs_, model.fit(X, y).coefs_)
    path = save(model, tmp_path / "model")
    same(load(path).partial_fit(X, y).coefs_, model.partial_fit(X, y).coefs_)


def test_coefs_are_views_of_one_network(models, tmp_path):
    again = load(save(models["classifier"], tmp_path / "model"))
    assert np.shares_memory(again.coefs_[0], again.predictor_.parameters)
    assert again.fit_.parameters is again.predictor_.parameters


class Own3Fold(KFold):
    """A splitter of the user's."""

    def __init__(self):
        super().__init__(3)


@dataclass(frozen=True)
class Own(L1):
    """A penalty of the user's."""


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("cv", Own3Fold(), "Own3Fold"),
        ("cv", PredefinedSplit(np.arange(90) % 3), "PredefinedSplit"),
        ("penalty", Own(), "Own"),
    ],
)
def test_what_a_file_cannot_hold(tmp_path, name, value, what):
    model = fitted(ShrinkageClassifierCV, LABELS, **{name: value})
    with pytest.raises(ShrinkageError, match=rf"cannot save {name}: .* cannot hold a {what}; set"):
        save(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_what_is_no_fitted_estimator(tmp_path):
    with pytest.raises(ShrinkageError, match="this ShrinkageRegressor is not fitted"):
        save(ShrinkageRegressor(), tmp_path / "model")
    pipeline = make_pipeline(StandardScaler(), ShrinkageClassifier(**SMALL)).fit(X, LABELS)
    with pytest.raises(ShrinkageError, match="got Pipeline; save the last step"):
        save(pipeline, tmp_path / "model")


def test_a_file_of_another_kind(tmp_path):
    path = container.write(tmp_path / "model", "study", {}, {})
    with pytest.raises(ShrinkageError, match="holds a study, and an estimator was asked for"):
        load(path)


@pytest.fixture(scope="module")
def content(models, tmp_path_factory):
    """A small file, its bytes and what it holds."""
    path = save(models["early stopping"], tmp_path_factory.mktemp("saved") / "model")
    return path.read_bytes(), container.read(path, "estimator")


@given(st.data())
def test_a_truncated_file_is_refused(tmp_path_factory, content, data):
    whole, _ = content
    path = tmp_path_factory.mktemp("truncated") / "model"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ShrinkageError, match=r"truncated|empty"):
        load(path)


@given(st.data())
def test_a_damaged_file_is_refused_or_the_same(tmp_path_factory, models, content, data):
    damaged = bytearray(content[0])
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "model"
    path.write_bytes(damaged)
    with suppress(ShrinkageError):
        again, model = load(path), models["early stopping"]
        same(again.predict_proba(X), model.predict_proba(X))
        same(again.get_params(), model.get_params())


def places(told, path=()):
    """Where every value lies in nested lists and dictionaries."""
    yield path
    inside = list(enumerate(told)) if isinstance(told, list) else []
    inside += told.items() if isinstance(told, dict) else []
    for key, value in inside:
        yield from places(value, (*path, key))


@settings(max_examples=200)
@given(st.data())
def test_a_forged_file_is_refused_or_harmless(tmp_path_factory, content, data):
    """Whoever writes a file anew, checksum included, still cannot do more than tell numbers."""
    _, found = content
    header = json.loads(json.dumps(found.header))
    *inside, last = data.draw(st.sampled_from([place for place in places(header) if place]))
    target = header
    for key in inside:
        target = target[key]
    forged = st.none() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({"dict": []})
    shapes = st.sampled_from([{"object": 0}, {"array": "0"}, {"splitter": "os", "settings": {}}])
    if isinstance(target, dict) and data.draw(st.booleans()):
        target[data.draw(st.sampled_from(["os", "__class__", "predict", "is"]))] = target.pop(last)
    else:
        target[last] = data.draw(forged | shapes)
    path = tmp_path_factory.mktemp("forged") / "model"
    container.write(path, "estimator", header, found.tensors)
    with suppress(ShrinkageError):
        again = load(path)
        assert type(again).__name__.startswith("Shrinkage")
        assert again.predictor_.probabilities(X).shape[0] == len(X)


@pytest.mark.parametrize(
    "told",
    [
        {"splitter": "GridSearchCV", "settings": {}},
        {"splitter": "os.system", "settings": {"command": "true"}},
        {"random_state": 3},
        {"unknown": 1},
        {"object": 10**6},
        {"status": "GONE"},
        {},
    ],
    ids=str,
)
def test_only_known_things_are_made(tmp_path, content, told):
    _, found = content
    header = json.loads(json.dumps(found.header))
    header["parameters"]["validation_fraction"] = told
    path = container.write(tmp_path / "model", "estimator", header, found.tensors)
    with pytest.raises(ShrinkageError, match="does not hold an estimator that this version"):
        load(path)


def test_a_study_without_inputs_shows_what_was_found(models, tmp_path):
    again = load(save(models["classifier path"], tmp_path / "model"))
    LambdaPathDisplay.from_estimator(again)
    LearningCurveDisplay.from_estimator(again)
    with pytest.raises(ShrinkageError, match="inputs"):
        CapacityDisplay.from_estimator(again)


def test_rows_that_are_not_there_never_reach_the_engine(tmp_path, content):
    _, found = content
    (part,) = [told for told in found.header["objects"] if told["is"] == "Part"]
    tensor = part["fields"]["train"]["array"]
    tensors = found.tensors | {tensor: found.tensors[tensor] + 1}
    path = container.write(tmp_path / "model", "estimator", found.header, tensors)
    with pytest.raises(ShrinkageError, match="does not hold an estimator"):
        load(path)


@pytest.mark.parametrize("name", ["center", "scale", "parameters"])
def test_arrays_of_another_size_never_reach_the_engine(tmp_path, content, name):
    _, found = content
    header = json.loads(json.dumps(found.header))
    place = header["attributes"]["predictor_"]["object"]
    tensor = header["objects"][place]["fields"][name]["array"]
    tensors = found.tensors | {tensor: found.tensors[tensor][:-1]}
    path = container.write(tmp_path / "model", "estimator", header, tensors)
    with pytest.raises(ShrinkageError, match="does not hold an estimator"):
        load(path)
