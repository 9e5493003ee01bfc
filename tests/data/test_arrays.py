"""The records that the rest of the package reads."""

import subprocess
import sys

import numpy as np
import pytest

from shrinkage.data import bundled, prepare
from shrinkage.errors import SettingError


def test_the_records_come_without_heavy_packages() -> None:
    code = (
        "import sys, shrinkage.data; "
        "heavy = {'pandas', 'sklearn', 'skrub', 'scipy', 'pyarrow'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("problem", "outputs", "loss"),
    [
        ("moons", 1, "binary_cross_entropy"),
        ("blobs", 3, "cross_entropy"),
        ("diabetes", 1, "mean_squared_error"),
    ],
)
def test_the_head_follows_from_the_task(problem: str, outputs: int, loss: str) -> None:
    data = prepare(*bundled(problem), name=problem)
    assert (data.n_outputs, data.loss) == (outputs, loss)


def test_parts_are_found_by_fold() -> None:
    data = prepare(*bundled("moons"), folds=3, repeats=2)
    assert data.part(None) is data.full
    assert data.part(5) is data.parts[5]
    assert data.full.validation.size == 0
    assert data.full.n_inputs == 2


@pytest.mark.parametrize("fold", [-1, 6])
def test_a_fold_that_is_not_there_is_said(fold: int) -> None:
    data = prepare(*bundled("moons"), folds=3, repeats=2)
    with pytest.raises(SettingError, match=rf"no fold {fold}; this data has folds 0 to 5"):
        data.part(fold)


def test_arrays_are_float32_and_contiguous() -> None:
    data = prepare(*bundled("breast_cancer"))
    for part in (*data.parts, data.full):
        assert part.inputs.dtype == part.targets.dtype == part.weights.dtype == np.float32
        assert part.inputs.flags.c_contiguous
        assert part.train.dtype == part.validation.dtype == np.int64
        assert part.center.dtype == part.scale.dtype == np.float64
    assert data.test.inputs.dtype == np.float32
    assert data.test.inputs.shape[1] == data.full.n_inputs
