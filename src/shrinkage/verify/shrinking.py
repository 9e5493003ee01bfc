"""What a penalty leaves of a network once its dead units and unused inputs are removed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from shrinkage.compact import Compacted, compact
from shrinkage.data import Data
from shrinkage.data.put_away import let_go
from shrinkage.engine.pool import predict
from shrinkage.network import OwnNetwork
from shrinkage.study import Fit
from shrinkage.verify.large import looked_at

_TIMED_ROWS, _FEWEST_TIMED, _ARITHMETIC = 10_000, 100, 200_000_000
"""Rows whose prediction is timed: fewer where parameters times rows would pass the last number."""
_ROWS_AT_ONCE = 1 << 14
"""Rows that are compared at once."""
_ROUNDS, _MOST_ROUNDS, _LONG_ENOUGH = 7, 51, 0.2
"""Repetitions of a timing: at least the first number, more while they take less than 0.2 s."""
SAME = 1e-6
"""Relative difference of outputs that rounding explains."""
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class Shrinking:
    """A network and the smaller one that answers the same.

    Parameters
    ----------
    compacted : Compacted
        The smaller network.
    inputs : tuple of str
        Encoded inputs that it still looks at.
    columns : tuple of str
        Columns of the table that these come from, each once, in the order of the inputs; empty
        where the data did not come from a table.
    all_inputs, all_columns : int
        How many there were.
    rows : int
        Rows, of training and test, on which the outputs were compared.
    difference : float
        Largest absolute difference of an output: of probabilities, or of standardized predictions.
    relative : float
        The same in shares of the largest output.
    timed_rows : int
        Rows whose prediction was timed.
    seconds : (float, float)
        Median time of that with the original network and with the smaller one, in one thread.
    """

    compacted: Compacted
    inputs: tuple[str, ...]
    columns: tuple[str, ...]
    all_inputs: int
    all_columns: int
    rows: int
    difference: float
    relative: float
    timed_rows: int
    seconds: tuple[float, float]

    @property
    def share(self) -> float:
        """Share of the parameters that are left, from 0 to 1."""
        return self.compacted.after / self.compacted.before

    @property
    def sentence(self) -> str:
        """What is left, that it answers the same, and how much faster."""
        small = self.compacted
        units = " and ".join(f"{left:,} of {whole:,}" for left, whole in small.units)
        inputs = f"{len(self.inputs):,} of {self.all_inputs:,} inputs"
        before, after = (duration(value) for value in self.seconds)
        return (
            f"Of {small.before:,} parameters {small.after:,} are left ({_percent(self.share)}): "
            + (f"{units} hidden units, " if units else "")
            + f"{inputs}. The smaller network's outputs {self._same()} on {self.rows:,} rows, and "
            f"predicting {self.timed_rows:,} rows takes {after} instead of {before}."
        )

    def _same(self) -> str:
        if self.difference == 0:
            return "are equal"
        apart = f"{self.relative:.0e}".replace("e-0", "e-")
        text = f"differ by at most {apart} of the largest"
        return text if self.relative <= SAME else f"{text}, more than rounding explains,"

    @property
    def columns_sentence(self) -> str:
        """Which columns of the table the network still needs; empty when it needs all."""
        if len(self.columns) == self.all_columns:
            return ""
        shown = list(self.columns[:30])
        if len(self.columns) > 30:
            shown.append(f"and {len(self.columns) - 30:,} more")
        return (
            f"It looks at {len(self.columns):,} of the table's {self.all_columns:,} columns: "
            f"{', '.join(shown)}."
        )

    @property
    def sentences(self) -> str:
        """Both."""
        return f"{self.sentence} {self.columns_sentence}".rstrip()


def shrinking(fit: Fit, data: Data) -> Shrinking | None:
    """Remove what a fit on every training row does not need, and measure that nothing is lost.

    Parameters
    ----------
    fit : Fit
        With its parameters.
    data : Data
        Whose training and test rows the outputs are compared on.

    Returns
    -------
    Shrinking or None
        None when no unit and no input can be removed, or the network is not a perceptron of this
        package.
    """
    if isinstance(fit.trial.network, OwnNetwork):
        return None
    network = fit.trial.network
    small = compact(network, fit.parameters)
    if small.after == small.before:
        return None
    part = data.full
    rows = _compared(data)
    loss = fit.trial.training.loss

    def large_answers(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return predict(network, fit.parameters, inputs, loss)

    def small_answers(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return predict(small.network, small.parameters, inputs, loss)

    largest = difference = 0.0
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        whole, left = large_answers(some).astype(np.float64), small_answers(some[:, small.inputs])
        difference = max(difference, float(np.abs(whole - left).max()))
        largest = max(largest, float(np.abs(whole).max()))
    timed = int(np.clip(_ARITHMETIC // small.before, _FEWEST_TIMED, _TIMED_ROWS))
    repeated = np.resize(rows, (timed, rows.shape[1]))
    fewer = np.ascontiguousarray(repeated[:, small.inputs])
    return Shrinking(
        compacted=small,
        inputs=tuple(part.columns[index] for index in small.inputs),
        columns=tuple(dict.fromkeys(part.sources[index] for index in small.inputs))
        if part.sources
        else (),
        all_inputs=part.n_inputs,
        all_columns=len(set(part.sources)),
        rows=len(rows),
        difference=difference,
        relative=difference / max(largest, _TINY),
        timed_rows=timed,
        seconds=_interleaved(lambda: large_answers(repeated), lambda: small_answers(fewer)),
    )


def _compared(data: Data) -> NDArray[np.float32]:
    """Training and test rows; of so many that a copy is to be avoided, some of both."""
    part, test = looked_at(data.full), data.test.inputs
    if part is data.full:
        return np.concatenate([part.inputs, test])
    rows = np.concatenate([part.inputs, test[:: -(-len(test) // len(part.inputs))]])
    let_go(test)
    return rows


def _interleaved(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of two pieces of work, turn by turn, so that a busy spell meets both."""
    times: tuple[list[float], list[float]] = ([], [])
    while len(times[0]) < _ROUNDS or (
        len(times[0]) < _MOST_ROUNDS and sum(times[0]) + sum(times[1]) < _LONG_ENOUGH
    ):
        for work, taken in zip((first, second), times, strict=True):
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
    return median(times[0]), median(times[1])


def duration(seconds: float) -> str:
    """``"0.41 ms"``, ``"5.1 ms"``, ``"120 ms"``."""
    milliseconds = 1000 * seconds
    if milliseconds >= 1000:
        return f"{seconds:.1f} s"
    return f"{milliseconds:.2g} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"


def _percent(share: float) -> str:
    """``"1.9%"``, ``"34%"``, ``"0.02%"``."""
    return f"{100 * share:.2g}%" if share < 0.995 else f"{share:.1%}"
