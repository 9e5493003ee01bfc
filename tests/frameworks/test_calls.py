"""A call as the line that makes it again."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from shrinkage.frameworks.calls import call_of
from shrinkage.penalties import L1, ElasticNet


def path(factory, train_data, val_data=None, penalties="l1", lambdas=None, *, verbose=1, **more):
    return call_of(path, locals())


path.__module__ = "shrinkage.torch.path"


def make():
    return None


def of(*given, **settings):
    head, _, line = path(*given, **settings).partition("\n")
    assert head == "from shrinkage.torch import path"
    return line


def test_defaults_and_what_decides_nothing_are_left_out():
    assert of(make, (1, 2), None, "l1", verbose=0) == "path(make, train_data)"


def test_what_was_given_stands_there():
    line = of(make, 1, 2, [L1(), "l2"], np.array([0.1]), epochs=3)
    assert line.replace("\n   ", "").replace(",\n)", ")").replace("( ", "(") == (
        "path(make, train_data, val_data=val_data, penalties=[L1(), 'l2'], lambdas=[0.1], epochs=3)"
    )


def test_a_long_line_is_broken_and_still_python():
    line = of(make, 1, 2, [L1(), ElasticNet(0.3)], [0.001, 0.01, 0.1], epochs=30, batch_size=16)
    compile(line, "call", "eval")
    assert line.splitlines()[1] == "    make,"
    assert max(map(len, line.splitlines())) < 100


@pytest.mark.parametrize(
    "factory", [lambda: None, object(), partial(make)], ids=["lambda", "object", "partial"]
)
def test_what_has_no_short_form_has_the_name_of_its_argument(factory):
    assert of(factory, 1) == "path(factory, train_data)"


def test_a_call_makes_itself_again():
    given = {"penalties": [L1(), ElasticNet(0.25)], "lambdas": (0.1, 0.2), "epochs": 7}
    seen = {}

    def again(*rows, **settings):
        seen.update(settings)

    names = {"path": again, "make": make, "train_data": 1, "L1": L1, "ElasticNet": ElasticNet}
    eval(of(make, 1, **given), names)
    assert seen == given | {"lambdas": [0.1, 0.2]}
