"""Cores are not used twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from numpy.typing import NDArray

from shrinkage import ShrinkageClassifier
from shrinkage.engine.pool import available_threads
from shrinkage.errors import SettingError
from shrinkage.estimators import single
from shrinkage.estimators.threads import threads_for

Rows = tuple[NDArray[np.float64], NDArray[Any]]


def test_alone_it_is_every_core() -> None:
    assert threads_for(None) == threads_for(-1) == available_threads()
    assert threads_for(-available_threads() - 5) == 1
    assert threads_for(7) == 7


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_worker_of_somebody_else_has_one(backend: str) -> None:
    outer = Parallel(n_jobs=2, backend=backend)
    assert outer(delayed(threads_for)(given) for given in (None, None, 3)) == [1, 1, 3]


@pytest.mark.slow
def test_a_share_that_joblib_leaves_is_used() -> None:
    with parallel_config(backend="loky", inner_max_num_threads=available_threads()):
        found = Parallel(n_jobs=2)(delayed(threads_for)(None) for _ in range(2))
    assert found == [available_threads()] * 2


def test_joblib_can_be_told() -> None:
    with parallel_config(n_jobs=3):
        assert threads_for(None) == 3


def test_the_engine_hears_of_it(
    cancer: Rows, small: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    train = single.train

    def spied(*arguments: Any, threads: int, **named: Any) -> Any:
        seen.append(threads)
        return train(*arguments, threads=threads, **named)

    monkeypatch.setattr(single, "train", spied)
    outer = Parallel(n_jobs=2, backend="threading")
    outer(delayed(ShrinkageClassifier(**small).fit)(*cancer) for _ in range(2))
    ShrinkageClassifier(**small).fit(*cancer)
    assert seen == [1, 1, available_threads()]


@pytest.mark.parametrize("given", [0, 1.5, True, "all"])
def test_no_number_of_threads(given: Any) -> None:
    with pytest.raises(SettingError, match="n_jobs is"):
        threads_for(given)
