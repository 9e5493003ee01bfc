"""Feature selection: group lasso on inputs beside the network of all inputs, and beside LassoNet.

The tables are read from the folder that the environment variable SHRINKAGE_TABLES names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import cores
from benchmarks.measure import Effort, of_times, seconds
from benchmarks.outer import folder, outer
from benchmarks.table import Median, Row
from benchmarks.worker import PeerError, Worker
from shrinkage.compact import Compacted, compact
from shrinkage.data import Data
from shrinkage.engine.pool import predict, train
from shrinkage.errors import SettingError
from shrinkage.network import Network
from shrinkage.penalties import GroupLasso, Penalty
from shrinkage.scores import score
from shrinkage.study import Fit, Trial
from shrinkage.training import Training
from shrinkage.tune import default_training

HIDDEN, SEEDS, FOLDS = (64, 64), 3, 3
LAMBDAS = tuple(float(f"{lam:.3g}") for lam in np.geomspace(0.12, 0.36, 10))
SETTINGS: dict[str, Any] = {
    "batch_size": 128,
    "lam_schedule": "linear",
    "lam_ramp": 0.8,
    "max_norm": 2.0,
}
"""λ rises from 0, so that the network finds its inputs before it loses the others; the norms are
limited, so that what the penalty takes from the first layer cannot be put into the second; and what
survives is trained once more without the penalty, which shrinks the inputs that matter too."""


@dataclass(frozen=True)
class Table:
    """A table, how many inputs its network may keep, and how long it trains.

    Parameters
    ----------
    name : str
        Of the file.
    most : int
        Inputs.
    epochs, relaxed : int
        With the penalty, and without it afterwards.
    """

    name: str
    most: int
    epochs: int
    relaxed: int

    @property
    def about(self) -> str:
        """The method, for the table of results."""
        return (
            f"ours: {HIDDEN[0]}-{HIDDEN[1]}, {self.epochs} epochs in which λ rises linearly for "
            f"{SETTINGS['lam_ramp']:.0%}, hidden norms at most {SETTINGS['max_norm']:g}, then "
            f"{self.relaxed} epochs without penalty on what survives; λ from {len(LAMBDAS)} values "
            f"by accuracy on {FOLDS} inner folds, among those that keep at most {self.most} inputs "
            "there; then one refit"
        )


MADELON, MICE = Table("madelon", 40, 150, 60), Table("mice-protein", 50, 100, 30)


@dataclass(frozen=True, eq=False)
class Found:
    """What a method found on one outer split."""

    inputs: int
    accuracy: float
    seconds: float
    about: str = ""


def rows(effort: Effort) -> list[Row]:
    """Madelon beside the unregularized network; mice-protein beside that and LassoNet."""
    splits = range(effort.rounds)
    try:
        madelon = [outer(MADELON.name, split, folder()).data for split in splits]
        mice = [outer(MICE.name, split, folder()).data for split in splits]
    except SettingError as error:
        return [Row("feature selection", None, detail=str(error))]
    return [*_madelon(madelon, effort), *_mice(mice, effort)]


def _madelon(tables: list[Data], effort: Effort) -> list[Row]:
    plain = [unregularized(data, effort) for data in tables]
    found = [ours(data, MADELON, effort) for data in tables]
    gains = [100 * (f.accuracy - p.accuracy) for f, p in zip(found, plain, strict=True)]
    medians = (*_medians("group lasso on inputs", found), *_medians("unregularized", plain))
    return [
        Row("madelon: inputs left of 500", median(f.inputs for f in found), "", MADELON.most,
            "at most", medians[:1], spread=_range([f.inputs for f in found]), detail=MADELON.about),
        Row("madelon: accuracy above the unregularized network's", median(gains), "points", 15.0,
            "at least", medians, spread=_range(gains), detail=_splits(tables)),
    ]  # fmt: skip


def _mice(tables: list[Data], effort: Effort) -> list[Row]:
    plain = [unregularized(data, effort) for data in tables]
    name = "mice-protein: LassoNet's time / ours"
    found: list[Found] = []
    peers: list[Found] = []
    failed = ""
    for data in tables:  # turn by turn, so that a busy spell of the machine meets both
        found.append(ours(data, MICE, effort))
        try:
            peers.append(lassonet(data, MICE.most, effort))
        except PeerError as error:
            failed = str(error)
    losses = [100 * (p.accuracy - f.accuracy) for f, p in zip(found, plain, strict=True)]
    own = _medians("group lasso on inputs", found)
    inputs = tables[0].full.n_inputs
    rows = [
        Row(f"mice-protein: inputs left of {inputs}", median(f.inputs for f in found), "",
            MICE.most, "at most", own[:1], spread=_range([f.inputs for f in found]),
            detail=f"77 columns, and marks where some are missing; {MICE.about}"),
        Row("mice-protein: accuracy below that of all inputs", median(losses), "points", 1.0,
            "at most", (*own, *_medians("all inputs", plain)), spread=_range(losses),
            detail=_splits(tables)),
    ]  # fmt: skip
    if failed:
        return [*rows, Row(name, None, "×", 10.0, detail=f"the peer cannot run: {failed}")]
    faster = of_times([p.seconds for p in peers], [f.seconds for f in found])
    return [
        *rows,
        Row(name, faster.value, "×", 10.0, "at least", (*own, *_medians("LassoNet", peers)),
            best=faster.best, spread=faster.spread,
            detail=f"{peers[0].about}; ours with its cross-validation"),
    ]  # fmt: skip


def unregularized(data: Data, effort: Effort) -> Found:
    """The package's default network without a penalty: mean of three seeds."""
    training = default_training(data, epochs=2 if effort.quick else None)
    network = Network(data.full.n_inputs, outputs=data.n_outputs)
    trials = [Trial(network, training, None, 0.0, None, seed) for seed in range(SEEDS)]
    fits: list[Fit] = []
    taken = seconds(lambda: fits.extend(train(trials, data)))
    return Found(
        data.full.n_inputs,
        mean(_accuracy(data, compact(fit.trial.network, fit.parameters)) for fit in fits),
        taken,
    )


def ours(data: Data, table: Table, effort: Effort) -> Found:
    """The whole way from the training rows to the compacted network; then its test accuracy."""
    chosen: list[tuple[float, Compacted]] = []
    taken = seconds(lambda: chosen.append(select_inputs(data, table, effort)))
    lam, small = chosen[0]
    return Found(small.network.inputs, _accuracy(data, small), taken, f"λ = {lam:g}")


def select_inputs(data: Data, table: Table, effort: Effort) -> tuple[float, Compacted]:
    """λ by cross-validation among those that keep few enough inputs, and its refit.

    Should the refit, on more rows, keep too many, the next stronger λ takes its place.
    """
    training = Training(
        data.loss,
        epochs=effort.size(table.epochs, 3),
        relaxed_epochs=effort.size(table.relaxed, 1),
        **SETTINGS,
    )
    network = Network(data.full.n_inputs, HIDDEN, data.n_outputs)
    penalty: Penalty = GroupLasso("inputs")
    accuracy: dict[float, list[float]] = {lam: [] for lam in LAMBDAS}
    inputs: dict[float, list[int]] = {lam: [] for lam in LAMBDAS}
    trials = [
        Trial(network, training, penalty, lam, fold, fold)
        for lam in LAMBDAS
        for fold in range(FOLDS)
    ]
    for fit in train(trials, data):
        accuracy[fit.trial.lam].append(score("accuracy", fit, data))
        inputs[fit.trial.lam].append(compact(network, fit.parameters).network.inputs)
    few = [lam for lam in LAMBDAS if mean(inputs[lam]) <= table.most] or [LAMBDAS[-1]]
    best = max(few, key=lambda lam: (mean(accuracy[lam]), lam))
    for lam in LAMBDAS[LAMBDAS.index(best) :]:
        (fit,) = train([Trial(network, training, penalty, lam, None, 0)], data)
        small = compact(network, fit.parameters)
        if small.network.inputs <= table.most:
            break
    return lam, small


def lassonet(data: Data, most: int, effort: Effort) -> Found:
    """LassoNet's own path in a process of its own; the time is that of the path alone."""
    with TemporaryDirectory() as place:
        path = Path(place) / "data.npz"
        np.savez(
            path, inputs=data.full.inputs, labels=data.full.targets[:, 0].astype(np.int64),
            test_inputs=data.test.inputs, test_labels=data.test.targets[:, 0].astype(np.int64),
        )  # fmt: skip
        with Worker("lassonet") as worker:
            answer = worker.ask(
                data=str(path), most=most, cores=cores(), quick=effort.quick, seed=0
            )
    return Found(answer["inputs"], answer["accuracy"], answer["seconds"], answer["about"])


def _accuracy(data: Data, small: Compacted) -> float:
    """On the outer test rows."""
    inputs = data.test.inputs[:, small.inputs]
    outputs = predict(small.network, small.parameters, inputs, data.loss)
    labels = outputs[:, 0] > 0.5 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
    return float(np.mean(labels == data.test.targets[:, 0]))


def _medians(who: str, found: list[Found]) -> tuple[Median, ...]:
    return (
        Median(f"inputs, {who}", median(f.inputs for f in found), ""),
        Median(f"accuracy, {who}", 100 * median(f.accuracy for f in found), "%"),
        Median(f"time, {who}", median(f.seconds for f in found), "s"),
    )


def _range(values: list[float] | list[int] | NDArray[np.float64]) -> tuple[float, float]:
    return float(min(values)), float(max(values))


def _splits(tables: list[Data]) -> str:
    data = tables[0]
    return (
        f"{len(tables)} stratified splits, {data.full.train.size:,} rows to train on and "
        f"{len(data.test.targets):,} untouched ones; the other network: two layers of 128, the "
        f"package's default training, mean of {SEEDS} seeds"
    )
