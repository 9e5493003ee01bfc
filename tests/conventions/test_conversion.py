"""There and back exactly, and a sentence where there is no way."""

from __future__ import annotations

import importlib.util
import itertools
import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shrinkage.conventions import (
    KERAS_L2,
    SETTINGS,
    SKLEARN_ALPHA,
    TORCH_ADAMW_WEIGHT_DECAY,
    Circumstances,
    Setting,
    convert,
    find,
    obstacle,
)
from shrinkage.conventions.wording import from_ours, shown, to_ours
from shrinkage.errors import SettingError

PAIRS = list(itertools.product(SETTINGS, SETTINGS))
WAYS = [pair for pair in PAIRS if obstacle(*pair) is None]
NO_WAYS = [pair for pair in PAIRS if obstacle(*pair) is not None]

sizes = st.floats(1e-9, 1e9)
shares = st.floats(0, 1).filter(lambda share: share == 0 or share > 1e-9)


@st.composite
def arounds(draw: st.DrawFn) -> dict[str, Any]:
    """Everything that a conversion may depend on."""
    rows = draw(st.integers(1, 10**7))
    return {
        "rows": rows,
        "batch_size": draw(st.integers(1, rows)),
        "learning_rate": draw(sizes),
        "to_learning_rate": draw(sizes),
        "momentum": draw(st.floats(0, 0.999)),
    }


def swapped(around: dict[str, Any]) -> dict[str, Any]:
    """The circumstances of the way back."""
    rates = {"learning_rate": "to_learning_rate", "to_learning_rate": "learning_rate"}
    return {name: around[rates.get(name, name)] for name in around}


def numbers(draw: Any, source: Setting, target: Setting) -> tuple[float, ...]:
    """Some for the source that the target can express."""
    first = draw(sizes)
    if source.mixes:
        both = target.l1 is not None and target.l2 is not None
        return first, draw(shares) if both else float(target.l1 is not None)
    if len(source.arguments) == 2:
        return (
            first if target.l1 is not None else 0.0,
            draw(sizes) if target.l2 is not None else 0.0,
        )
    return (first,)


def targets_of(draw: Any, *pair: Setting) -> int | None:
    if any(setting.loss == "classification" for setting in pair):
        return None
    if any(setting.loss == "regression" for setting in pair):
        several = [None, 1, 2, 3]
    else:
        several = [None, 0, 1, 2, 3]
    one = any(setting.one_target for setting in pair)
    return draw(st.sampled_from([each for each in several if not (one and (each or 0) > 1)]))


@settings(max_examples=300)
@given(st.data(), st.sampled_from(WAYS), arounds())
def test_there_and_back_is_exact(
    data: st.DataObject, pair: tuple[Setting, Setting], around: dict[str, Any]
) -> None:
    source, target = pair
    value = numbers(data.draw, source, target)
    around["targets"] = targets_of(data.draw, source, target)
    there = convert(value, source.name, target.name, **around)
    assert there.given == tuple(map(Fraction, value))
    back = convert(there.exact, target.name, source.name, **swapped(around))
    assert back.exact == there.given
    assert tuple(back.values.values()) == value


ALONE = [pair for pair in WAYS if all(len(setting.arguments) == 1 for setting in pair)]


@settings(max_examples=300)
@given(st.data(), st.sampled_from(ALONE), arounds(), sizes)
def test_rounded_there_and_back_is_the_same_float_or_its_neighbour(
    data: st.DataObject, pair: tuple[Setting, Setting], around: dict[str, Any], value: float
) -> None:
    source, target = pair
    around["targets"] = targets_of(data.draw, source, target)
    there = convert(value, source.name, target.name, **around)
    assert there.value == float(there.exact[0])
    back = convert(there.value, target.name, source.name, **swapped(around)).value
    assert math.nextafter(value, 0) <= back <= math.nextafter(value, math.inf)


each_setting = pytest.mark.parametrize("source", SETTINGS, ids=lambda each: each.name)


@each_setting
def test_every_way_leads_through_our_lambda(source: Setting) -> None:
    """From one to another is from one to ours and from ours to the other."""
    around: dict[str, Any] = {"rows": 800, "batch_size": 32, "learning_rate": 0.1, "momentum": 0.5}
    middle = "shrinkage.l2.decoupled" if source.decoupled else "shrinkage.elastic_net"
    for _, target in (pair for pair in WAYS if pair[0] is source):
        several = 1 if source.one_target or target.one_target else 3
        around["targets"] = several if "regression" in (source.loss, target.loss) else 0
        first, second = target.l1 is not None, target.l2 is not None
        value: tuple[float, ...] = (0.25,)
        if source.mixes:
            value = (0.25, first / (first + second))
        elif len(source.arguments) == 2:
            value = (0.25 * first, 0.75 * second)
        direct = convert(value, source.name, target.name, **around)
        ours = convert(value, source.name, middle, **around)
        assert convert(ours.exact, middle, target.name, **around).exact == direct.exact


@each_setting
def test_where_there_is_no_way_a_sentence_says_why(source: Setting) -> None:
    everything = {"rows": 8, "batch_size": 8, "learning_rate": 1, "momentum": 0, "l1_ratio": 0.5}
    for _, target in (pair for pair in NO_WAYS if pair[0] is source):
        with pytest.raises(SettingError) as refused:
            convert(0.1, source.name, target.name, **everything)
        said = str(refused.value)
        assert source.name in said
        assert target.name in said
        assert "\n" not in said
        if source.decoupled != target.decoupled:
            assert "decoupled decay multiplies" in said
        elif source.loss != target.loss and "any" not in (source.loss, target.loss):
            assert "log loss" in said
        else:
            assert "different penalties" in said


def test_what_has_no_way() -> None:
    """Decoupled and coupled, L1 and L2, log loss and squared error; nothing else."""
    for source, target in PAIRS:
        apart = (
            source.decoupled != target.decoupled
            or {source.loss, target.loss} == {"classification", "regression"}
            or not any(
                getattr(source, part) is not None and getattr(target, part) is not None
                for part in ("l1", "l2")
            )
        )
        assert (obstacle(source, target) is not None) == apart


# The table, worked out by hand: value → (λ₁, λ₂), at 800 rows, batches of 32, momentum 0.9.
BY_HAND: dict[str, tuple[Any, tuple[float, float]]] = {
    "shrinkage.l1": (0.01, (0.01, 0)),
    "shrinkage.l2": (0.01, (0, 0.01)),
    "lesson.l1": (16, (0.01, 0)),
    "lesson.l2": (8, (0, 0.01)),
    "lesson.update": (0.01, (0, 0.01)),
    "keras.l1": (0.01, (0.01, 0)),
    "keras.l2": (0.005, (0, 0.01)),
    "keras.l1_l2": ((0.01, 0.01), (0.01, 0.02)),
    "torch.sgd": (0.01, (0, 0.01)),
    "torch.adam": (0.01, (0, 0.01)),
    "sklearn.mlp": (0.32, (0, 0.01)),
    "sklearn.mlp.lbfgs": (8, (0, 0.01)),
    "sklearn.logistic": ((0.125, 0.25), (0.0025, 0.0075)),
    "sklearn.lasso": (0.01, (0.02, 0)),  # beside a squared error without the ½
    "sklearn.ridge": (4, (0, 0.01)),
    "sklearn.elasticnet": ((0.01, 0.25), (0.005, 0.015)),
    "glmnet": ((0.01, 0.25), (0.0025, 0.0075)),
    "fastai.wd.coupled": (0.01, (0, 0.01)),
    "optax.add_decayed_weights": (0.01, (0, 0.01)),
    "playground.l1": (0.01, (0.02, 0)),
    "playground.l2": (0.01, (0, 0.02)),
    "lassonet": (0.1, (0.01, 0)),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_table_by_hand(name: str) -> None:
    value, (l1, l2) = BY_HAND[name]
    found = convert(value, name, name, rows=800, batch_size=32, momentum=0.9).strength
    assert (float(found.l1), float(found.l2)) == pytest.approx((l1, l2), rel=1e-12)


def test_the_squared_error_of_glmnet_has_a_half_and_its_log_loss_has_none() -> None:
    assert convert(0.1, "glmnet", "keras.l1", l1_ratio=1).value == 0.1
    assert convert(0.1, "glmnet", "keras.l1", l1_ratio=1, targets=1).value == 0.2
    unsaid = convert(0.1, "glmnet", "keras.l1", l1_ratio=1)
    assert any("For classes; give targets" in note for note in unsaid.notes)
    said = convert(0.1, "glmnet", "keras.l1", l1_ratio=1, targets=0)
    assert not any("For classes; give targets" in note for note in said.notes)


def test_what_it_acts_on_is_told_where_it_differs() -> None:
    notes = " ".join(convert(0.01, "keras.l2", "torch.sgd").notes)
    assert "torch.sgd acts on every parameter" in notes
    assert "keras.l2 on the kernels it is given to" in notes
    assert "acts on" not in " ".join(convert(0.01, "keras.l1", "keras.l1_l2").notes)


REFUSED: dict[str, tuple[tuple[Any, str, str], dict[str, Any], str]] = {
    "rows": ((1, "lesson.l2", "keras.l2"), {}, "depends on the training rows; pass rows"),
    "batch": ((1, "keras.l2", "sklearn.mlp"), {}, "depends on the rows of a batch; pass batch_"),
    "rate": ((1, "torch.adamw", "fastai.wd"), {}, "decays by learning rate .*; pass learning_"),
    "ratio": ((1, "glmnet", "keras.l1_l2"), {}, "the share of L1; pass l1_ratio"),
    "momentum": ((1, "lassonet", "keras.l1"), {}, "after the momentum .*; pass momentum"),
    "negative": ((-0.1, "keras.l2", "torch.sgd"), {}, "l2 of keras.l2 is -0.1; it must be 0 or"),
    "infinite": ((math.inf, "keras.l2", "torch.sgd"), {}, "is inf; it must be a finite number"),
    "no number": ((math.nan, "keras.l2", "torch.sgd"), {}, "is nan; it must be a finite number"),
    "text": (("0.1", "keras.l2", "torch.sgd"), {}, "the value is the text '0.1'; pass a number"),
    "huge": ((10**400, "keras.l2", "torch.sgd"), {}, "too large for a floating-point number"),
    "two for one": (((1, 2), "keras.l2", "torch.sgd"), {}, "takes one number, l2, but 1, 2 came"),
    "one for two": ((1, "keras.l1_l2", "glmnet"), {}, "takes two numbers, l1 and l2, but 1 came"),
    "twice": (((1, 0.5), "glmnet", "keras.l1_l2"), {"l1_ratio": 0.5}, "given twice; leave l1_"),
    "share": ((1, "glmnet", "keras.l1_l2"), {"l1_ratio": 2}, "alpha of glmnet is 2; .*between 0"),
    "part": ((1, "glmnet", "keras.l2"), {"l1_ratio": 0.5}, "has an L1 part here, λ₁ = 0.5"),
    "no C": ((0, "keras.l2", "sklearn.logistic"), {"rows": 9}, "reciprocal .* C=inf there"),
    "C of 0": ((0, "sklearn.logistic", "glmnet"), {"rows": 9, "l1_ratio": 0}, "reciprocal"),
    "large": (
        (1e300, "keras.l2", "lesson.l2"),
        {"rows": 10**13},
        "λ would be too large",
    ),
    "small": (
        (1e-300, "lesson.l2", "keras.l2"),
        {"rows": 10**99},
        "l2 would be too small",
    ),
    "large λ": (((1e-320, 0), "sklearn.logistic", "glmnet"), {"rows": 1}, "too large"),
    "rate 0": ((1, "torch.adamw", "fastai.wd"), {"learning_rate": 0}, "learning rate is 0; it"),
    "few rows": ((1, "keras.l2", "torch.sgd"), {"rows": 0}, "rows is 0; it must be at least 1"),
    "batch 0": ((1, "keras.l2", "torch.sgd"), {"batch_size": 0}, "batch size is 0"),
    "long batch": ((1, "keras.l2", "torch.sgd"), {"rows": 8, "batch_size": 9}, "there are 8 rows"),
    "momentum 1": ((1, "lassonet", "keras.l1"), {"momentum": 1}, r"momentum is 1; .* \[0, 1\)"),
    "targets": ((1, "keras.l2", "torch.sgd"), {"targets": -1}, "targets is -1; it must be 0"),
    "group": ((0, "keras.l1", "glmnet"), {"targets": 2}, "as a group, .* convert for one target"),
    "classes": ((1, "sklearn.lasso", "keras.l1"), {"targets": 0}, "stands for classes"),
    "numbers": (
        ((1, 0), "sklearn.logistic", "keras.l2"),
        {"targets": 1, "rows": 8},
        "sklearn.logistic predicts classes; leave targets",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_converted(name: str) -> None:
    positional, around, complaint = REFUSED[name]
    with pytest.raises(SettingError) as refused:
        convert(*positional, **around)
    assert re.search(complaint, str(refused.value))
    assert "\n" not in str(refused.value)


def test_numbers_of_numpy_are_numbers() -> None:
    assert convert(np.float32(0.5), "keras.l2", "torch.sgd").value == 1.0
    both = convert(np.array([0.5, 0.25]), "keras.l1_l2", "shrinkage.elastic_net")  # type: ignore[arg-type]  # an array is no Sequence
    assert both.values == {"λ": 1.0, "l1_ratio": 0.5}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_what_is_installed_has_the_file_that_it_was_read_in(setting: Setting) -> None:
    package = setting.read_in.split("/")[0]
    if package in ("keras", "torch", "sklearn"):
        found = importlib.util.find_spec(package)
        assert found is not None
        assert found.origin is not None
        assert (Path(found.origin).parents[1] / setting.read_in).is_file()
    else:
        assert package or setting.framework in ("shrinkage", "the lesson")


NAMES = {
    "keras.l3": "did you mean 'keras.l2'|did you mean 'keras.l1'",
    "adamw": "choose one of: torch.adamw, optax.adamw",
    "Lasso": "did you mean 'sklearn.lasso'",
    "keras": "choose one of: keras.l1, keras.l2, keras.l1_l2, keras.weight_decay",
    "pytorch.sgd": "did you mean 'torch.sgd'",
    "nothing like it": "unknown setting .*--list",
}


@pytest.mark.parametrize("name", NAMES)
def test_unknown_name_is_answered_with_a_near_one(name: str) -> None:
    with pytest.raises(SettingError, match=NAMES[name]):
        find(name)


def test_names_are_found_in_any_case() -> None:
    assert find(" Keras.L1-L2 ").name == "keras.l1_l2"
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


def evaluated(formula: str, known: dict[str, float]) -> float:
    """The right side of a formula as it is shown, with numbers for its words."""
    source = formula.split(" = ", 1)[1].replace("·", "*").replace("−", "-")
    for place, word in enumerate(sorted(known, key=len, reverse=True)):
        source = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", f"x[{place}]", source)
    x = [known[word] for word in sorted(known, key=len, reverse=True)]
    return float(eval(source, {"x": x}))


@pytest.mark.parametrize("targets", [0, 1, 2, 3])
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_formulas_say_what_is_computed(setting: Setting, targets: int) -> None:
    around = Circumstances(80, 16, targets, Fraction(3, 4))
    words = {"rows": 80, "batch": 16, "targets": targets, "momentum": 0.75}
    values = (Fraction(3, 8), Fraction(1, 4))[: len(setting.arguments)]
    strength = setting.strength(values, around)
    ours = [part for part, can in zip((strength.l1, strength.l2), (setting.l1, setting.l2)) if can]
    if setting.decoupled:
        assert to_ours(setting, around) == [f"w ← (1 − lr · {setting.arguments[0]}) · w"]
        return
    named = dict(zip(setting.arguments, map(float, values)))
    shown_ours = [evaluated(each, words | named) for each in to_ours(setting, around)]
    assert shown_ours == pytest.approx([float(each) for each in ours])
    both = {"λ₁": float(strength.l1), "λ₂": float(strength.l2)}
    theirs = [evaluated(each, words | both) for each in from_ours(setting, around)]
    assert theirs == pytest.approx([float(each) for each in values])


@pytest.mark.parametrize("lam", [0.0, 0.3])
@pytest.mark.parametrize("targets", [0, 1, 3])
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_value_and_lam_are_inverse(setting: Setting, targets: int, lam: float) -> None:
    about: dict[str, Any] = {"rows": 32, "targets": targets, "decoupled": setting.decoupled}
    if len(setting.arguments) > 1 or setting.after_momentum:
        with pytest.raises(SettingError, match="use convert"):
            setting.value(lam, **about)
        return
    assert setting.lam(setting.value(lam, **about), **about) == pytest.approx(lam)


def test_value_of_a_recipe() -> None:
    assert KERAS_L2.value(0.01) == 0.005
    assert SKLEARN_ALPHA.value(0.01, rows=32, targets=3) == pytest.approx(0.48)
    assert TORCH_ADAMW_WEIGHT_DECAY.value(0.01, decoupled=True) == 0.01
    with pytest.raises(SettingError, match="depends on the rows of a batch; pass rows"):
        SKLEARN_ALPHA.value(0.01)
    with pytest.raises(SettingError, match="no exact counterpart: decoupled decay multiplies"):
        KERAS_L2.value(0.01, decoupled=True)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(1, 3), "0.333333333"),
        (0.1 + 0.2, "0.3"),
        (1e-9, "0.000000001"),
        (1.5e-10, "1.5e-10"),
        (800.0, "800"),
        (123456.789, "123456.789"),
        (3e20, "3e+20"),
        (0, "0"),
    ],
)
def test_numbers_are_shown_for_people(number: Any, text: str) -> None:
    assert shown(number) == text
