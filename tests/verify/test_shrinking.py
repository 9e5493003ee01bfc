"""What is said about the smaller network is true of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shrinkage.engine.pool import predict
from shrinkage.network import layout
from shrinkage.penalties import L1
from shrinkage.verify.shrinking import shrinking


def pruned(fit, inputs, units):
    """The fit with these inputs and these units of the first layer left, the others dead."""
    network = fit.trial.network
    parameters = fit.parameters.copy()
    kernel = layout(network).kernels[0].of(parameters)
    kernel[[i for i in range(network.inputs) if i not in inputs]] = 0
    kernel[:, [j for j in range(network.hidden[0]) if j not in units]] = 0
    return replace(fit, parameters=parameters)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_record_is_about_the_network_that_is_left(make_data, make_fit, task):
    data = make_data(task, inputs=4)
    fit = pruned(make_fit(data, penalty=L1(), lam=0.1), {0, 2}, {1, 3, 4})
    found = shrinking(fit, data)
    assert found.compacted.network.sizes == (2, 3, data.n_outputs)
    assert found.inputs == found.columns == ("x0", "x2")
    assert (found.all_inputs, found.all_columns) == (4, 4)
    assert found.rows == len(data.full.inputs) + len(data.test.inputs)
    assert found.relative <= 1e-6
    rows = data.test.inputs
    small = found.compacted
    again = predict(small.network, small.parameters, rows[:, small.inputs], data.loss)
    whole = predict(fit.trial.network, fit.parameters, rows, data.loss)
    assert np.abs(whole - again).max() <= found.difference
    assert found.share == small.parameters.size / fit.parameters.size
    assert min(found.seconds) > 0


def test_the_sentences_carry_the_numbers(make_data, make_fit):
    data = make_data(inputs=4)
    found = replace(
        shrinking(pruned(make_fit(data), {0, 2}, {1, 3, 4}), data),
        seconds=(0.0051, 0.00041), difference=3.2e-8, relative=1.1e-7, timed_rows=10_000,
    )  # fmt: skip
    assert found.sentence == (
        "Of 37 parameters 13 are left (35%): 3 of 6 hidden units, 2 of 4 inputs. The smaller "
        "network's outputs differ by at most 1e-7 of the largest on 120 rows, and predicting "
        "10,000 rows takes 0.41 ms instead of 5.1 ms."
    )
    assert "outputs are equal on 120 rows" in replace(found, difference=0.0).sentence
    assert found.columns_sentence == "It looks at 2 of the table's 4 columns: x0, x2."


def test_all_columns_are_not_listed(make_data, make_fit):
    data = make_data(inputs=4)
    found = shrinking(pruned(make_fit(data), {0, 1, 2, 3}, {1, 3}), data)
    assert found.columns_sentence == ""
    many = replace(found, columns=tuple(f"c{i}" for i in range(45)), all_columns=77)
    assert many.columns_sentence.endswith("c29, and 15 more.")


def test_where_nothing_can_go_there_is_no_record(make_data, make_fit):
    data = make_data()
    assert shrinking(make_fit(data), data) is None
