"""Targets: found, understood, or refused with the remedy."""

import numpy as np
import pandas as pd
import pytest

from shrinkage.data.target import Target, find_target, read_target
from shrinkage.errors import DataError, SettingError


def _read(values: object, task: str = "auto") -> Target:
    table = pd.DataFrame({"y": values})
    return read_target(table, ("y",), task, np.arange(1, len(table) + 1))


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["yes", "no"] * 10, "binary", ("no", "yes")),
        ([True, False] * 10, "binary", ("False", "True")),
        (pd.array([True, False] * 10, dtype="boolean"), "binary", ("False", "True")),
        ([1, 0] * 10, "binary", ("0", "1")),
        ([2.0, -1.0] * 10, "binary", ("-1", "2")),
        (["10", "9"] * 10, "binary", ("9", "10")),
        (["a", "a ", "b"] * 10, "binary", ("a", "b")),
        (pd.Categorical(["lo", "hi"] * 10, categories=["lo", "mid", "hi"]), "binary", ("lo", "hi")),
        (["a", "b", "c"] * 5, "multiclass", ("a", "b", "c")),
        (list(range(10)) * 5, "multiclass", tuple("0123456789")),
        ([0.5, 1.0, 1.5] * 10, "multiclass", ("0.5", "1", "1.5")),
        (np.linspace(0, 1, 50), "regression", ()),
        ([f"{place / 7:.3f}" for place in range(50)], "regression", ()),
        (list(range(30)) * 5, "regression", ()),
    ],
)
def test_the_task_is_found(values: object, task: str, classes: tuple[str, ...]) -> None:
    target = _read(values)
    assert (target.task, target.classes) == (task, classes)


def test_classes_are_indexed_by_their_place() -> None:
    target = _read(["b", "a", "c", "a"] * 3)
    assert target.values[:4, 0].tolist() == [1, 0, 2, 0]
    assert target.strata.tolist() == target.values[:, 0].tolist()


def test_few_numbers_are_classes_and_it_says_so() -> None:
    target = _read([3, 4, 5] * 20)
    assert target.task == "multiclass"
    (said,) = target.warnings
    assert said.startswith("Target 'y' looks numeric but has only 3 different values, so they were")
    assert said.endswith("say regression (--task regression) to predict the number.")
    assert _read([3, 4, 5] * 20, "classification").warnings == ()
    assert _read([3, 4, 5] * 20, "regression").task == "regression"


def test_many_numbers_can_be_classes_when_said() -> None:
    target = _read(np.arange(90) // 3, "classification")
    assert (target.task, len(target.classes)) == ("multiclass", 30)


def test_a_lone_row_of_a_class_is_told_of() -> None:
    target = _read(["a"] * 9 + ["b"] * 9 + ["rare"])
    assert "Class 'rare' of target 'y' has a single row" in target.warnings[0]


def test_several_targets_are_a_regression_of_all() -> None:
    table = pd.DataFrame({"u": np.arange(12.0), "v": np.arange(12)[::-1] ** 2, "x": 1})
    target = read_target(table, ("u", "v"), "auto", np.arange(1, 13))
    assert target.task == "regression"
    assert np.array_equal(target.values, table[["u", "v"]])
    with pytest.raises(SettingError, match="2 targets were given for classification"):
        read_target(table, ("u", "v"), "classification", np.arange(1, 13))


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        (["a"] * 12, "auto", "target 'y' has only one class, 'a'; .* at least 2"),
        ([1] * 12, "auto", "target 'y' has only one class, '1'"),
        ([1.5] * 12, "regression", "target 'y' is 1.5 in every row; there is nothing to predict"),
        ([f"name {place}" for place in range(12)], "auto", "12 different values in 12 rows, too"),
        (np.linspace(0, 1, 12), "classification", "too many to be classes; choose regression"),
        ([*map(str, range(11)), "n.a."], "auto", "correct what is no number, such as 'n.a.'"),
        (["yes", "no"] * 6, "regression", "holds values such as 'yes'; regression needs numbers"),
        ([0.5, np.inf] * 6, "auto", r"column 'y' has 6 infinite values \(rows 2, 4, 6, …\)"),
        (pd.date_range("2024", periods=12), "regression", "regression needs numbers"),
        (np.arange(12) * 1j, "auto", "target 'y' has complex numbers"),
    ],
)
def test_targets_that_cannot_be_predicted_are_refused(
    values: object, task: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        _read(values, task)


def test_an_unknown_task_gets_a_suggestion() -> None:
    with pytest.raises(SettingError, match="unknown task 'regresion'; did you mean 'regression'"):
        _read([1, 2] * 6, "regresion")


@pytest.mark.parametrize("name", ["target", "label", "class", "y", "Target"])
def test_a_usual_name_is_taken_when_none_is_said(name: str) -> None:
    assert find_target(["a", name, "b"], None) == (name,)


def test_without_one_usual_name_the_columns_are_listed() -> None:
    with pytest.raises(DataError, match="none was given; name it with --target, one of: a, b"):
        find_target(["a", "b"], None)
    with pytest.raises(DataError, match=r"several columns could be it \(y, label\)"):
        find_target(["y", "label"], None)


def test_an_unknown_target_gets_a_suggestion() -> None:
    with pytest.raises(DataError, match="no column 'outcom'; did you mean 'outcome'"):
        find_target(["age", "outcome"], "outcom")
    with pytest.raises(DataError, match="no column 'z'"):
        find_target(["age", "outcome"], ["age", "z"])


@pytest.mark.parametrize("wanted", [[], ["a", "a"]])
def test_targets_are_named_once(wanted: list[str]) -> None:
    with pytest.raises(SettingError, match="name at least one column, each once"):
        find_target(["a", "b"], wanted)
