from __future__ import annotations

from dataclasses import replace

import numpy as np

from shrinkage.figures.weights import density_figure, weights_figure
from shrinkage.findings import Findings


def test_boxes_compare_what_was_verified(moons: Findings) -> None:
    figure = weights_figure(moons)
    assert figure is not None
    assert moons.verification is not None
    assert figure.comparisons == moons.verification.weights
    assert len(figure.scales) == len(figure.comparisons)


def test_a_linear_axis_holds_every_peak(moons: Findings) -> None:
    figure = weights_figure(moons)
    assert figure is not None
    for scale, one in zip(figure.scales, figure.comparisons, strict=True):
        peaks = [one.before.density.max(), one.after.density.max()]
        assert max(peaks) < scale.high


def test_a_spike_makes_the_axis_logarithmic(moons: Findings) -> None:
    assert moons.verification is not None
    first, *rest = moons.verification.weights
    spike = replace(first.after, density=first.before.density * np.float32(50))
    weights = (replace(first, after=spike), *rest)
    figure = weights_figure(
        replace(moons, verification=replace(moons.verification, weights=weights))
    )
    assert figure is not None
    scale = figure.scales[0]
    assert scale.kind == "log"
    assert 0 < scale.low < first.before.density.max() < spike.density.max() < scale.high


def test_densities_share_their_axes(moons: Findings) -> None:
    figure = density_figure(moons)
    assert figure is not None
    assert all(summary.x.shape == figure.x.shape for summary in figure.summaries)
    assert max(summary.density.max() for summary in figure.summaries) < figure.scale.high


def test_nothing_without_a_verification(moons: Findings) -> None:
    bare = replace(moons, verification=None)
    assert weights_figure(bare) is None
    assert density_figure(bare) is None
