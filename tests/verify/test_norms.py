from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from shrinkage.network import layout
from shrinkage.verify.derivatives import logits
from shrinkage.verify.norms import path_norm, spectral_product, weight_norm


def kernels_of(fit):
    return [block.of(fit.parameters).astype(float) for block in layout(fit.trial.network).kernels]


@pytest.mark.parametrize("hidden", [(), (5,), (5, 3), (40, 7)])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_product_of_largest_singular_values(make_data, make_fit, hidden, task):
    fit = make_fit(make_data(task), hidden=hidden)
    expected = np.prod([np.linalg.svd(k, compute_uv=False)[0] for k in kernels_of(fit)])
    assert spectral_product(fit) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)])
def test_the_path_norm_by_walking_every_path(make_data, make_fit, hidden):
    fit = make_fit(make_data("multiclass"), hidden=hidden)
    kernels = kernels_of(fit)
    total = 0.0
    for path in product(*(range(size) for size in fit.trial.network.sizes)):
        steps = zip(kernels, path[:-1], path[1:], strict=True)
        total += np.prod([kernel[a, b] for kernel, a, b in steps]) ** 2
    assert path_norm(fit) == pytest.approx(np.sqrt(total), rel=1e-10)


def test_the_path_norm_belongs_to_the_function(make_data, make_fit):
    fit = make_fit(make_data(), hidden=(5,))
    network = replace(fit.trial.network, activation="relu")
    fit = replace(fit, trial=replace(fit.trial, network=network))
    parameters = fit.parameters.copy()
    places = layout(network)
    for block, factor in ((places.kernels[0], 4.0), (places.biases[0], 4.0)):
        block.of(parameters)[...] *= factor
    places.kernels[1].of(parameters)[...] /= 4.0
    other = replace(fit, parameters=parameters)
    inputs = np.random.default_rng(0).standard_normal((20, 2))
    np.testing.assert_allclose(logits(other, inputs), logits(fit, inputs), rtol=1e-6)
    assert path_norm(other) == pytest.approx(path_norm(fit), rel=1e-6)
    assert weight_norm(other) == pytest.approx(4 * weight_norm(fit), rel=1e-6)


def test_the_weight_norm_leaves_the_output_layer_out(make_data, make_fit):
    fit = make_fit(make_data(), hidden=(5, 3))
    hidden = np.concatenate([kernel.ravel() for kernel in kernels_of(fit)[:-1]])
    assert weight_norm(fit) == pytest.approx(np.linalg.norm(hidden))
    linear = make_fit(make_data(), hidden=())
    assert weight_norm(linear) == pytest.approx(np.linalg.norm(kernels_of(linear)[0]))


def test_a_network_of_zeros_has_no_norm(make_data, make_fit):
    fit = make_fit(make_data())
    fit = replace(fit, parameters=np.zeros_like(fit.parameters))
    assert (weight_norm(fit), path_norm(fit), spectral_product(fit)) == (0.0, 0.0, 0.0)
