"""What becomes of an image, held against NumPy's own turning, mirroring and shifting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from shrinkage.engine.images import _moved, augmented
from shrinkage.errors import SettingError
from shrinkage.training import Augmentation

ANGLE, DOWN, RIGHT, SIZE, FLIP = range(5)


def pictures(count: int = 1, height: int = 7, width: int = 9) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((count, height, width)).astype(np.float32)


def moved(image: NDArray[np.float32], *extremes: int, **settings: Any) -> NDArray[np.float32]:
    """An image of which the named settings take their largest value, or flip."""
    draws = np.full((1, 5), 0.5)
    for place in extremes:
        draws[0, place] = 0.0 if place == FLIP else 1.0
    return _moved(image[None], Augmentation(image.shape, **settings), draws)[0]


def augment(images: NDArray[np.float32], seed: int = 0, epoch: int = 0, **settings: Any) -> Any:
    """Through the whole function, of rows that were not standardized."""
    rows = images.reshape(len(images), -1)
    shape, columns = images.shape[1:], rows.shape[1]
    settings = settings or {"rotate": 20, "shift": 0.1, "scale": 0.2, "flip": True}
    told = Augmentation(shape, **settings)
    return augmented(rows, np.zeros(columns), np.ones(columns), told, seed, epoch)


def test_a_quarter_turn() -> None:
    image = pictures(height=8, width=8)[0]
    turned = moved(image, ANGLE, rotate=90)
    np.testing.assert_allclose(turned, np.rot90(image), atol=1e-5)
    np.testing.assert_allclose(moved(image, ANGLE, rotate=180), image[::-1, ::-1], atol=1e-5)


def test_a_mirror_image() -> None:
    image = pictures()[0]
    np.testing.assert_array_equal(moved(image, FLIP, flip=True), image[:, ::-1])
    np.testing.assert_array_equal(moved(image, FLIP), image)


def test_a_shift_of_whole_pixels() -> None:
    image = pictures(height=8, width=12)[0]
    image[[0, -1]] = image[:, [0, -1]] = 0.25
    shifted = moved(image, DOWN, RIGHT, shift=0.25)
    np.testing.assert_allclose(shifted[2:, 3:], image[:-2, :-3], atol=1e-6)
    # What came in from outside is the background.
    np.testing.assert_array_equal(shifted[:2], 0.25)
    np.testing.assert_array_equal(shifted[:, :3], 0.25)


def test_all_together_is_one_affine_map_of_scipy() -> None:
    image = pictures(height=20, width=24)[0]
    image[[0, -1]] = image[:, [0, -1]] = 0.0
    told = Augmentation((20, 24), rotate=30, shift=0.1, scale=0.2)
    draws = np.array([[1.0, 1.0, 0.0, 1.0, 0.9]])
    angle = np.deg2rad(30)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / 1.2
    center = np.array([9.5, 11.5])
    offset = center - matrix @ (center + np.array([2.0, -2.4]))
    expected = ndimage.affine_transform(image, matrix, offset, order=1)
    np.testing.assert_allclose(_moved(image[None], told, draws)[0], expected, atol=1e-5)


def test_ink_is_kept_and_grows_with_the_area() -> None:
    image = np.zeros((20, 20), np.float32)
    image[8:12, 7:13] = 1
    assert moved(image, ANGLE, DOWN, rotate=33, shift=0.1).sum() == pytest.approx(24, rel=0.02)
    assert moved(image, SIZE, scale=0.5).sum() == pytest.approx(24 * 1.5**2, rel=0.02)


def test_paper_may_be_white() -> None:
    image = np.full((9, 9), 255, np.float32)
    image[3:6, 3:6] = 0
    image[0, 4] = 0  # a stroke that touches the edge
    np.testing.assert_array_equal(moved(image, DOWN, shift=2 / 9)[:2], 255)


def test_each_image_has_a_draw_of_its_own_that_nothing_else_moves() -> None:
    one = np.repeat(pictures(), 50, axis=0)
    first = augment(one, seed=3, epoch=7)
    assert len(np.unique(first, axis=0)) == 50
    np.testing.assert_array_equal(augment(one, seed=3, epoch=7), first)
    np.testing.assert_array_equal(augment(one[:20], seed=3, epoch=7), first[:20])
    for other in (augment(one, seed=4, epoch=7), augment(one, seed=3, epoch=8)):
        assert not (other == first).all(axis=1).any()


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(50)
    whole = augment(images)
    monkeypatch.setattr("shrinkage.engine.images._PIXELS_AT_ONCE", 7 * 63)
    np.testing.assert_array_equal(augment(images), whole)


def test_every_second_image_is_mirrored() -> None:
    images = pictures(400)
    flipped = (augment(images, flip=True).reshape(images.shape) == images[:, :, ::-1]).all((1, 2))
    assert 160 < flipped.sum() < 240
    # Angles, shifts and sizes lie on both sides: on average nothing moves.
    blob = np.zeros((2000, 15, 15), np.float32)
    blob[:, 7, 7] = 1
    mean = augment(blob, rotate=45, shift=0.1, scale=0.1).mean(axis=0).reshape(15, 15)
    np.testing.assert_allclose(ndimage.center_of_mass(mean), 7, atol=0.1)


def test_it_works_on_pixels_and_standardizes_again() -> None:
    images = pictures(30, 6, 6)
    rows = images.reshape(30, -1)
    center = rows.mean(axis=0, dtype=np.float64)
    scale = rows.std(axis=0, dtype=np.float64)
    inputs = ((rows - center) / scale).astype(np.float32)
    inputs[:, 5] = 0.0  # a pixel that was constant over the fitted rows
    before = inputs.copy()
    center[5], scale[5] = 0.0, 1.0
    told = Augmentation((6, 6), rotate=10, shift=0.1)
    changed = augmented(inputs, center, scale, told, 0, 0)
    pixels = images.copy()
    pixels[:, 0, 5] = 0.0
    expected = (augment(pixels, rotate=10, shift=0.1) - center) / scale
    expected[:, 5] = 0.0
    np.testing.assert_allclose(changed, expected, atol=1e-4)
    np.testing.assert_array_equal(inputs, before)
    assert changed.dtype == np.float32


def test_a_wrong_shape_is_refused() -> None:
    images = pictures(3, 8, 8)
    told = Augmentation((8, 9))
    with pytest.raises(SettingError, match="64 inputs, but images of 8x9 have 72 pixels"):
        augmented(images.reshape(3, 64), np.zeros(64), np.ones(64), told, 0, 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 2)])
def test_the_smallest_images(shape: tuple[int, int]) -> None:
    images = pictures(4, *shape)
    assert np.isfinite(augment(images)).all()


def test_pixels_that_never_change_keep_their_value_and_count_nothing() -> None:
    images = pictures(5).reshape(5, -1)
    images[:, :9] = 0.5  # the first line
    center, scale = np.zeros(63), np.ones(63)
    center[:9], scale[:9] = 0.5, np.inf
    rows = (images - center) / scale
    told = Augmentation((7, 9), rotate=20, shift=0.1)
    changed = augmented(rows.astype(np.float32), center, scale, told, 0, 0)
    whole = augmented(images, np.zeros(63), np.ones(63), told, 0, 0)
    np.testing.assert_allclose(changed[:, 9:], whole[:, 9:], atol=1e-6)
    assert (changed[:, :9] == 0).all()
