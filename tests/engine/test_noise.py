"""Random draws of a training: their distribution, and the gradients of what they disturb."""

import numpy as np
import pytest
from scipy import stats

from shrinkage.engine import kernel, noise
from shrinkage.engine.pool import shape_of
from shrinkage.network import ACTIVATIONS, Network, initialize

KEY = np.uint64(0x0123_4567_89AB_CDEF)


def test_normal_noise_is_normal():
    drawn = np.zeros(200_000, np.float32)
    noise.add_normal(drawn, 1.0, KEY)
    assert stats.kstest(drawn, "norm").pvalue > 0.01
    assert 4 < np.abs(drawn).max() < 6.3
    assert abs(stats.kurtosis(drawn)) < 0.05
    other = np.zeros_like(drawn)
    noise.add_normal(other, 1.0, KEY + np.uint64(1))
    assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.01


def test_the_polynomials_are_those_of_the_quantile_function():
    bits = np.array([1000, 2**20, 2**30, 2**31, 2**32 - 2**26], np.uint32)
    found = [float(noise._normal(one)) for one in bits]
    exact = stats.norm.ppf((bits.astype(float) + 0.5) / 2**32)
    np.testing.assert_allclose(found, exact, rtol=2e-6, atol=2e-7)
    # Beyond six standard deviations the polynomial was not fitted.
    assert noise._normal(np.uint32(0)) == pytest.approx(stats.norm.ppf(0.5 / 2**32), rel=1e-3)
    assert noise._normal(np.uint32(0)) == -noise._normal(np.uint32(2**32 - 1))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean_and_says_what_it_did(share):
    h, mask = np.full(100_000, 2.0, np.float32), np.empty(100_000, np.float32)
    noise.drop(h, mask, share, KEY)
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / (1 - share))}
    np.testing.assert_array_equal(h, 2 * mask)
    assert abs((mask == 0).mean() - share) < 4 * np.sqrt(share * (1 - share) / h.size)
    unmasked = np.full(100_000, 2.0, np.float32)
    noise.drop(unmasked, mask[:0], share, KEY)
    np.testing.assert_array_equal(unmasked, h)


def test_neighbouring_units_and_steps_drop_out_independently():
    masks = np.empty((400, 64), np.float32)
    for step in range(len(masks)):
        noise.drop(np.ones(64, np.float32), masks[step], 0.5, np.uint64(noise.mix(KEY, step)))
    dropped = (masks == 0).astype(float)
    across = np.corrcoef(dropped.T)[np.triu_indices(64, 1)]
    along = np.corrcoef(dropped)[np.triu_indices(400, 1)]
    assert abs(across).max() < 5 / np.sqrt(400)
    assert abs(along).max() < 6 / np.sqrt(64)
    assert abs(across.mean()) < 0.005


def test_mixing_is_that_of_both_weighted_losses():
    rng = np.random.default_rng(0)
    h = rng.standard_normal((5, 2))
    targets, weights = rng.standard_normal((5, 1)), rng.uniform(0.5, 2, 5)
    mixed, mixed_targets, mixed_weights = h.ravel().copy(), targets.ravel().copy(), weights.copy()
    nothing = np.empty(5)
    noise.mix_rows(mixed, 2, mixed_targets, 1, mixed_weights, nothing, nothing, 5, 0.3, False)
    other = slice(None, None, -1)
    np.testing.assert_allclose(mixed.reshape(5, 2), 0.3 * h + 0.7 * h[other])
    z = 0.4  # any prediction: the squared loss differs by what does not depend on it
    losses = weights * (z - targets[:, 0]) ** 2
    both = 0.3 * losses + 0.7 * losses[other]
    w, t = mixed_weights, mixed_targets
    rest = 0.3 * weights * targets[:, 0] ** 2 + 0.7 * (weights * targets[:, 0] ** 2)[other]
    np.testing.assert_allclose(w * (z - t) ** 2, both - rest + w * t**2)


def test_norms_are_limited_column_by_column():
    kernel_weights = np.random.default_rng(0).standard_normal((6, 4))
    kernel_weights[:, 0] *= 0.01
    flat = kernel_weights.ravel().copy()
    noise.limit_norms(flat, 6, 4, 1.5, np.empty(4))
    norms = np.linalg.norm(kernel_weights, axis=0)
    expected = kernel_weights * np.minimum(1, 1.5 / norms)
    np.testing.assert_allclose(flat.reshape(6, 4), expected)


HEADS = [("binary_cross_entropy", 1), ("cross_entropy", 3), ("mean_squared_error", 2)]


@pytest.mark.slow  # compiles the kernel in double precision, unless it is on disk
@pytest.mark.parametrize(("loss", "outputs"), HEADS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_the_disturbed_loss(activation, loss, outputs):
    """All at once, against finite differences: with the same key the same draws are made."""
    network = Network(4, (9, 7), outputs, activation=activation)
    rng = np.random.default_rng(1)
    targets = rng.standard_normal((12, outputs))
    if loss != "mean_squared_error":
        targets = rng.integers(max(outputs, 2), size=(12, 1)).astype(float)
    rows = kernel.Rows(rng.standard_normal((12, 4)), targets, rng.uniform(0.5, 2, 12))
    parameters = initialize(network, 3).astype(np.float64)
    parameters += 0.1 * rng.standard_normal(parameters.size)
    smoothing = 0.0 if loss == "mean_squared_error" else 0.2
    disturbed = kernel.Noise(
        0.3, 0.2, 0.1, smoothing, 0.0, 0.0, 0, np.array([0.35]), parameters[:0], True
    )

    def loss_at(point):
        gradient = np.empty_like(point)
        shape = shape_of(network, loss)
        return kernel.loss_and_gradient(shape, point, rows, gradient, disturbed, KEY), gradient

    value, gradient = loss_at(parameters)
    directions = rng.standard_normal((8, parameters.size)) * 1e-6
    for direction in directions:
        slope = (loss_at(parameters + direction)[0] - loss_at(parameters - direction)[0]) / 2
        assert slope == pytest.approx(gradient @ direction, rel=2e-5, abs=1e-12)
    assert value != pytest.approx(
        kernel.loss_and_gradient(
            shape_of(network, loss),
            parameters,
            rows,
            gradient,
            kernel.no_noise(parameters),
            KEY,
        )
    )


@pytest.mark.slow
def test_smoothed_and_mixed_classes_are_those_of_the_soft_target():
    """Against the cross entropy with a full distribution as target, written out in NumPy."""
    network = Network(2, (), 3)
    rng = np.random.default_rng(5)
    inputs, weights = rng.standard_normal((4, 2)), rng.uniform(0.5, 2, 4)
    labels = np.array([0, 2, 1, 1])
    parameters = rng.standard_normal(9)
    rows = kernel.Rows(inputs, labels[:, None].astype(float), weights)
    own = 0.7
    disturbed = kernel.Noise(0.0, 0.0, 0.0, 0.2, 0.0, 0.0, 0, np.array([own]), parameters[:0], True)
    value = kernel.loss_and_gradient(
        shape_of(network, "cross_entropy"), parameters, rows, np.empty(9), disturbed, KEY
    )
    mixed = own * inputs + (1 - own) * inputs[::-1]
    z = mixed @ parameters[:6].reshape(2, 3) + parameters[6:]
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    soft = 0.8 * np.eye(3)[labels] + 0.2 / 3
    mass = own * weights[:, None] * soft + (1 - own) * (weights[:, None] * soft)[::-1]
    assert value == pytest.approx(-(mass * log_p).sum() / 4, rel=1e-6)
