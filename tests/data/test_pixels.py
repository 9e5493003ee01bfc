"""Tables whose rows are images."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shrinkage.data import Data, bundled, prepare
from shrinkage.errors import ShrinkageError


def digits(image: tuple[int, int] | None = (8, 8)) -> Data:
    table, target = bundled("digits")
    return prepare(table.iloc[:300], target, folds=2, repeats=1, image=image)


def test_every_pixel_stays_in_its_place() -> None:
    data = digits()
    pixels = bundled("digits")[0].iloc[:300, :64].to_numpy(dtype=np.float64)
    assert (pixels.min(axis=0) == pixels.max(axis=0)).any()  # the corners are always black
    for part in (*data.parts, data.full):
        assert part.n_inputs == 64
        constant = ~part.inputs.any(axis=0)
        assert 0 < constant.sum() < 32
        back = part.inputs * part.scale + part.center
        expected = pixels[data.train_rows]
        np.testing.assert_allclose(back[:, ~constant], expected[:, ~constant], atol=1e-4)
    assert digits(image=None).full.n_inputs < 64


def test_all_pixels_have_one_scale() -> None:
    for part in digits().parts:
        learnt = part.inputs.any(axis=0)
        assert np.unique(part.scale[learnt]).size == 1
        fitted = part.inputs[part.train][:, learnt].astype(np.float64)
        np.testing.assert_allclose(fitted.mean(axis=0), 0, atol=1e-5)
        assert fitted.var(axis=0).mean() == pytest.approx(1, rel=1e-5)


def images() -> pd.DataFrame:
    """Forty images of 2×3, and two classes."""
    values = np.random.default_rng(0).integers(0, 255, (40, 6))
    table = pd.DataFrame(values, columns=[f"pixel{place}" for place in range(6)])
    table["y"] = np.arange(40) % 2
    return table


WRONG = {
    "shape": (images(), r"6 input columns, but an image of 3x3 has 9 pixels; .* product is 6"),
    "categories": (images().assign(pixel3=list("abcd") * 10), r"'pixel3' is no pixel .*categories"),
    "text": (images().assign(pixel3=[f"word {k} {k + 1}" for k in range(40)]), "'pixel3'.*text"),
    "gaps": (images().replace({"pixel2": {images()["pixel2"][0]: np.nan}}), r"'pixel2'.*missing v"),
    "nothing": (images().assign(pixel1=np.nan), r"'pixel1'.*all values are missing"),
    "dates": (images().assign(when=pd.date_range("2020", periods=40)), r"'when' is .*dates"),
}


@pytest.mark.parametrize("name", WRONG)
def test_rows_that_are_no_images_are_refused(name: str) -> None:
    table, complaint = WRONG[name]
    with pytest.raises(ShrinkageError, match=complaint):
        prepare(table, "y", folds=2, repeats=1, image=(3, 3) if name == "shape" else (2, 3))


def test_columns_of_an_image_that_look_like_identifiers_are_pixels() -> None:
    rising = images().assign(pixel0=range(40))
    data = prepare(rising, "y", folds=2, repeats=1, image=(2, 3))
    assert not data.description.warnings
    assert prepare(rising, "y", folds=2, repeats=1).description.warnings
