import pytest

from shrinkage.errors import DataError, SettingError, ShrinkageError, require_known, suggestion


def test_a_close_name_is_suggested_whatever_its_case():
    assert suggestion("Adma", ["adam", "sgd"]) == "did you mean 'adam'?"
    assert suggestion("AGE", ["age", "sex"]) == "did you mean 'age'?"


def test_without_a_close_name_the_known_ones_are_listed():
    assert suggestion("zzz", ["adam", "sgd"]) == "choose one of: adam, sgd"
    assert suggestion("zzz", [f"column{i}" for i in range(30)]).endswith("column11, …")


def test_one_family():
    assert issubclass(SettingError, ShrinkageError)
    assert issubclass(DataError, ShrinkageError)
    assert issubclass(ShrinkageError, ValueError)
    require_known("optimizer", "adam", ["adam"])
    with pytest.raises(SettingError, match="unknown optimizer 'sdg'; did you mean 'sgd'"):
        require_known("optimizer", "sdg", ["adam", "sgd"])


def test_a_name_that_is_not_close_is_not_suggested():
    assert suggestion("iris", ["moons", "digits"]) == "choose one of: moons, digits"
    assert suggestion("class", ["ash", "alcohol"]) == "choose one of: ash, alcohol"


def test_the_beginning_of_one_name_is_close():
    assert suggestion("min", ["minimum", "one_standard_error"]) == "did you mean 'minimum'?"
    assert suggestion("pen", ["penalty_a", "penalty_b"]).startswith("choose one of")
