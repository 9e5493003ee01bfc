"""Records as JSON and back; nothing else is made of a file's JSON."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shrinkage import L1, L2, ElasticNet, GroupLasso, Network, Training
from shrinkage.archive.differences import differences
from shrinkage.archive.records import (
    AbsentNetwork,
    Unreadable,
    canonical,
    parsed,
    told,
    told_fields,
    untold,
)
from shrinkage.errors import SettingError
from shrinkage.network import Block, Layout
from shrinkage.training import Augmentation
from shrinkage.tune import Plan

PLACES = Layout((Block(1, "hidden kernel", 0, (2, 3), label="0.weight"),), reach=6)
OWN = AbsentNetwork("Mine", 2, 1, PLACES, 6)
RECORDS = (
    *(L1(), L2(), ElasticNet(0.25), GroupLasso("inputs"), GroupLasso("units")),
    *(Network(3, (), 2), Network(2, (5, 4), activation="gelu", initialization="lecun")),
    Training("cross_entropy", patience=3, epochs=9, max_norm=2.5, learning_rate=1e-7),
    Training("mean_squared_error", augmentation=Augmentation((8, 8), rotate=3.0, flip=True)),
)


@pytest.mark.parametrize("record", RECORDS, ids=repr)
def test_records_come_back_equal(record):
    again = untold(parsed(canonical(told(record))))
    assert again == record
    assert type(again) is type(record)


@given(
    st.floats(allow_nan=False, min_value=1e-300, max_value=1e300),
    st.lists(st.integers(1, 2**40), max_size=3).map(tuple),
)
def test_numbers_come_back_to_the_bit(rate, hidden):
    training, network = Training("cross_entropy", learning_rate=rate), Network(1, hidden)
    assert untold(parsed(canonical(told(training)))).learning_rate == rate
    assert untold(parsed(canonical(told(network)))) == network


def test_what_is_not_finite_comes_back():
    again = untold(parsed(canonical(told((float("inf"), float("-inf"), float("nan"))))))
    assert again[:2] == (float("inf"), float("-inf"))
    assert np.isnan(again[2])


def test_a_network_of_ones_own_is_told_by_name_and_layout():
    again = untold(parsed(canonical(told(OWN))))
    assert isinstance(again, AbsentNetwork)
    assert (again.name, again.places) == ("Mine", PLACES)
    for ask in (lambda: again.train([], None), lambda: again.logits(None, None)):
        with pytest.raises(SettingError, match="holds its parameters and where they lie, not the"):
            ask()


def test_the_network_at_hand_stands_for_what_is_told_of_it():
    other = AbsentNetwork("Mine", 2, 1, PLACES, 7)
    assert untold(told(OWN), own=OWN) is OWN
    assert untold(told(OWN), own=other) is not other


@dataclass(frozen=True)
class Foreign:
    """A penalty of another program."""

    label: str = "mine"


@pytest.mark.parametrize("value", [Foreign(), [1], {"a": 1}, object(), L1, np.float64(1.0)])
def test_what_cannot_be_read_again_is_refused(value):
    with pytest.raises(SettingError, match="cannot hold"):
        told(value)


@pytest.mark.parametrize(
    "said",
    [
        {"record": "Popen", "fields": {"args": "ls"}},
        {"record": "Foreign", "fields": {}},
        {"record": "__class__", "fields": {}},
        {"record": ["L1"], "fields": {}},
        {"record": "L1"},
        {"record": "L1", "fields": {"x": 1}},
        {"record": "L1", "fields": []},
        {"record": "Network", "fields": {"inputs": "2"}},
        {"record": "Network", "fields": {"inputs": True}},
        {"record": "Network", "fields": {"inputs": 2.5}},
        {"record": "Network", "fields": {"inputs": 0}},
        {"record": "Network", "fields": {"inputs": 2, "hidden": {"tuple": [-1]}}},
        {"record": "Network", "fields": {"inputs": 2, "hidden": {"tuple": [3.0]}}},
        {"record": "Network", "fields": {"inputs": 2, "activation": "os.system"}},
        {"record": "Training", "fields": {"loss": "none"}},
        {"record": "Training", "fields": {"loss": "cross_entropy", "epochs": 1e9}},
        {"record": "Training", "fields": {"loss": "cross_entropy", "learning_rate": None}},
        {"record": "ElasticNet", "fields": {"l1_ratio": {"float": "ten"}}},
        {"record": "OwnNetwork", "fields": {"name": "Mine"}},
        {"float": []},
        {"tuple": 3},
        {"array": "0"},
        {"eval": "1"},
        {},
        [],
        [1],
    ],
)
def test_nonsense_is_unreadable(said):
    with pytest.raises(Unreadable):
        untold(said)


def test_deep_nesting_is_unreadable():
    deep = '{"tuple":[' * 50_000 + "]}" * 50_000
    with pytest.raises(Unreadable):
        untold(parsed(deep))


@pytest.mark.parametrize(
    "text", ["", "{", "nul", "NaN", "[1e999]", b"\xff\xfe\x00", None, 3, pickle.dumps({"a": 1})]
)
def test_what_is_no_json_is_unreadable(text):
    with pytest.raises(Unreadable):
        parsed(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ElasticNet(1), ElasticNet(1.0)),
        (Training("cross_entropy", dropout=0), Training("cross_entropy", dropout=0.0)),
        (Training("cross_entropy", max_norm=2), Training("cross_entropy", max_norm=2.0)),
    ],
    ids=["l1_ratio", "dropout", "max_norm"],
)
def test_equal_records_are_one_text(one, other):
    """A record is found by its text, and a trial by its records."""
    assert one == other
    assert canonical(told(one)) == canonical(told(other))
    assert "1.0" in canonical(told(ElasticNet(1)))
    assert '"epochs":9' in canonical(told(Training("cross_entropy", epochs=9)))


def test_equal_values_are_one_text():
    assert (
        canonical({"b": 1, "a": (1.5,)}) == canonical({"a": [1.5], "b": 1}) == ('{"a":[1.5],"b":1}')
    )
    assert json.loads(canonical({"λ": "é"})) == {"λ": "é"}


def test_differences_name_every_field():
    plan = Plan(Network(2, (4,)), Training("cross_entropy", epochs=5), lambdas=(0.1,))
    other = Plan(Network(2, (4, 4)), Training("cross_entropy", epochs=7, patience=2), seed=3)
    before, now = told_fields(plan), told_fields(other)
    assert differences(before, now) == [
        "hidden units 4, now 4,4",
        "epochs 5, now 7",
        "patience none, now 2",
        "seed 0, now 3",
    ]
    assert differences(before, now, ("lambdas",)) == ["λ 0.1, now none"]
    assert differences(before, before, tuple(before)) == []
