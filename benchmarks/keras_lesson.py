"""The lesson's own code on Keras, beside this package: same rows, same first weights, ten seeds.

``python -m benchmarks.keras_lesson`` trains what is not there yet and writes the page anew; each
training is stored as it finishes. Keras runs on JAX, its fastest backend here for networks this
small; ``--backend torch`` takes the other one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import keras_lesson_page
from benchmarks.keras_lesson_records import FOLDER, Key, Record, Records, flat, weights_of
from benchmarks.keras_loop import ONE_THREAD
from benchmarks.machine import cores, processor, versions
from benchmarks.measure import Effort
from benchmarks.table import Row
from benchmarks.worker import PeerError, Worker
from shrinkage.conventions import convert
from shrinkage.data import Data
from shrinkage.engine.pool import predict, train
from shrinkage.lesson.toys import TEST, VALIDATION, toy
from shrinkage.lesson.trials import lesson_trial
from shrinkage.network import Network, layout
from shrinkage.penalties import L1, L2, ElasticNet, Penalty

SEEDS, EPOCHS, RATE, BATCH = 10, 2_000, 0.01, 32
TRAIN, NOISE = 100, 0.25
NETWORK = Network(2, (128, 128), 1, "relu", "glorot")
KERAS, LOGITS = "Keras", "Keras, loss from logits"
OURS, RISING = "shrinkage", "shrinkage, λ rising"


@dataclass(frozen=True)
class Regularizer:
    """A kernel regularizer of Keras, and the penalty that is the same in this package.

    Parameters
    ----------
    name : str
        That the peer knows it by.
    label : str
        For people.
    penalty : Penalty or None
        Here.
    lam : float
        Its λ, converted from Keras' numbers.
    """

    name: str
    label: str
    penalty: Penalty | None = None
    lam: float = 0.0


def _regularizers() -> tuple[Regularizer, ...]:
    """The lesson's four, by :func:`shrinkage.conventions.convert`."""
    net = convert((0.01, 0.01), "keras.l1_l2", "shrinkage.elastic_net").values
    return (
        Regularizer("none", "none"),
        Regularizer("l2", "l2(0.01)", L2(), convert(0.01, "keras.l2", "shrinkage.l2").value),
        Regularizer("l1", "l1(0.01)", L1(), convert(0.01, "keras.l1", "shrinkage.l1").value),
        Regularizer("l1_l2", "l1_l2(0.01, 0.01)", ElasticNet(net["l1_ratio"]), net["λ"]),
    )


REGULARIZERS = _regularizers()
Rows = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Inputs and labels (0 or 1) by ``"train"``, ``"validation"`` and ``"test"``."""


def rows_of(data: Data) -> Rows:
    """The rows that Keras gets: the very numbers that are trained on here."""
    part, test = data.part(0), data.test
    labels = part.targets[:, 0]
    return {
        "train": (part.inputs[part.train], labels[part.train]),
        "validation": (part.inputs[part.validation], labels[part.validation]),
        "test": (test.inputs, test.targets[:, 0].astype(np.float32)),
    }


def mean_log_loss(parameters: NDArray[np.float32], rows: Rows) -> float:
    """Over the training rows, in nats and in double precision; free of any penalty."""
    places, (inputs, labels) = layout(NETWORK), rows["train"]
    values = inputs.astype(np.float64)
    for kernel, bias in zip(places.kernels, places.biases, strict=True):
        values = values @ kernel.of(parameters).astype(np.float64) + bias.of(parameters)
        values = values if kernel is places.kernels[-1] else np.maximum(values, 0.0)
    return float(np.mean(np.logaddexp(0.0, values[:, 0]) - labels * values[:, 0]))


def record_of(
    key: Key,
    parameters: NDArray[np.float32],
    labels: dict[str, NDArray[np.bool_]],
    rows: Rows,
    seconds: float,
    used: dict[str, str],
) -> Record:
    """Everything that is measured of one trained network."""
    (regularizer,) = (one for one in REGULARIZERS if one.name == key.regularizer)
    loss = mean_log_loss(parameters, rows)
    hidden = parameters[layout(NETWORK).penalized]
    penalty = regularizer.penalty
    cost = 0.0 if penalty is None else penalty.value(hidden.astype(np.float64), regularizer.lam)
    accuracies = {
        name: float(np.mean(labels[name].ravel() == truth)) for name, (_, truth) in rows.items()
    }
    return Record(
        key=key,
        **weights_of(parameters, NETWORK),
        **accuracies,
        loss=loss,
        objective=loss + cost,
        seconds=round(seconds, 3),
        versions=used,
        machine=f"{processor()}, {cores()} cores",
        measured=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def measure(
    records: Records, *, seeds: int, epochs: int, backend: str = "jax", again: bool = False
) -> str:
    """Train what has no record yet: Keras first, then this package from Keras' first weights.

    Returns
    -------
    str
        Why Keras could not run; empty where it could.
    """
    environment = {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"} | ONE_THREAD
    wanted = [
        (seed, regularizer)
        for seed in range(seeds)
        for regularizer in REGULARIZERS
        if again or any(key not in records for key in _keys(regularizer, seed, epochs))
    ]
    if not wanted:
        return ""
    try:
        with TemporaryDirectory() as folder, Worker("keras_lesson", environment) as worker:
            for seed, regularizer in wanted:
                for record in _trained(worker, Path(folder), regularizer, seed, epochs):
                    records.add(record)
                    print(
                        f"seed {seed}  {regularizer.label:18} {record.key.who:23} kernel 1 in "
                        f"[{record.low:.2f}, {record.high:.2f}], {record.zeros:6.1%} zeros, test "
                        f"{record.test:.3f}, {record.seconds:5.1f} s",
                        flush=True,
                    )
    except PeerError as error:
        return str(error)
    return ""


def _keys(regularizer: Regularizer, seed: int, epochs: int) -> list[Key]:
    """Keras' trainings first.

    The lesson's loss takes probabilities, which Keras clips; only without a regularizer do they
    come so near to 0 and 1 that this matters, so that is tried without clipping, too. L1 is tried
    with a λ that rises, too.
    """
    if regularizer.penalty is None:
        contestants: tuple[str, ...] = (KERAS, LOGITS, OURS)
    elif regularizer.penalty.l1_share > 0:
        contestants = (KERAS, OURS, RISING)
    else:
        contestants = (KERAS, OURS)
    return [Key(who, regularizer.name, seed, epochs) for who in contestants]


def _trained(
    worker: Worker, folder: Path, regularizer: Regularizer, seed: int, epochs: int
) -> Iterator[Record]:
    """Keras' trainings, and ours from the same first weights on the same rows."""
    data = toy("moons", seed, rows=TRAIN, noise=NOISE)
    rows = rows_of(data)
    given: dict[str, Any] = {f"{name}_inputs": inputs for name, (inputs, _) in rows.items()}
    np.savez(folder / "data.npz", **given, train_labels=rows["train"][1])
    first = np.empty(0, dtype=np.float32)
    for key in _keys(regularizer, seed, epochs):
        if key.who in (KERAS, LOGITS):
            first, record = _theirs(worker, folder, key, rows)
        else:
            record = _ours(key, regularizer, first, data)
        yield record


def _theirs(
    worker: Worker, folder: Path, key: Key, rows: Rows
) -> tuple[NDArray[np.float32], Record]:
    """The first weights, and the record."""
    reply = worker.ask(
        data=str(folder / "data.npz"),
        result=str(folder / "result.npz"),
        regularizer=key.regularizer,
        from_logits=key.who == LOGITS,
        seed=key.seed,
        epochs=key.epochs,
        batch_size=BATCH,
    )
    with np.load(folder / "result.npz") as result:
        first, last = (
            flat((result[f"{when}{place}"] for place in range(6)), NETWORK)
            for when in ("first", "last")
        )
        labels = {name: result[f"{name}_labels"] for name in rows}
    used = reply["versions"] | {"jax": versions()["jax"]}
    return first, record_of(key, last, labels, rows, reply["seconds"], used)


def _ours(key: Key, regularizer: Regularizer, first: NDArray[np.float32], data: Data) -> Record:
    trial = lesson_trial(
        data,
        key.seed,
        regularizer.penalty,
        regularizer.lam,
        epochs=key.epochs,
        lam_schedule="linear" if key.who == RISING else "constant",
    )
    rows = rows_of(data)
    begin = time.perf_counter()
    (fit,) = train([trial], data, threads=1, starts={trial: first})
    seconds = time.perf_counter() - begin
    labels = {
        name: predict(NETWORK, fit.parameters, inputs, data.loss) > 0.5
        for name, (inputs, _) in rows.items()
    }
    own = {name: versions()[name] for name in ("shrinkage", "numba", "numpy")}
    return record_of(key, fit.parameters, labels, rows, seconds, own)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keras_lesson", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"(default {SEEDS})")
    parser.add_argument(
        "--backend", choices=("jax", "torch"), default="jax", help="of Keras (default jax)"
    )
    parser.add_argument("--again", action="store_true", help="train what is there already, too")
    chosen = parser.parse_args(arguments)
    if chosen.seeds < 2:
        parser.error(f"seeds is {chosen.seeds}; a spread needs at least 2")
    return chosen


def main(arguments: list[str] | None = None) -> int:
    """Measure what is missing and write the page; 1 if a bar is missed."""
    chosen = parse(arguments)
    records = Records(FOLDER)
    reason = measure(
        records, seeds=chosen.seeds, epochs=EPOCHS, backend=chosen.backend, again=chosen.again
    )
    if reason:
        print(f"Keras was not run: {reason}")
    labels = {one.name: (one.label, one.lam) for one in REGULARIZERS}
    text = keras_lesson_page.page(records, labels, EPOCHS, about())
    (FOLDER / "README.md").write_text(text)
    print(text)
    bars = keras_lesson_page.bars(records, EPOCHS, reason)
    return 0 if all(bar.passed for bar in bars) else 1


def about() -> str:
    """What is trained, for the page."""
    return (
        f"Two moons with noise {NOISE:g}, those of `shrinkage lesson`: {TRAIN} rows to train on, "
        f"{VALIDATION:,} to validate and {TEST:,} to test, drawn anew for each seed, not "
        f"standardized. {NETWORK}, sigmoid output, {EPOCHS:,} epochs of Adam with learning rate "
        f"{RATE:g} and batches of {BATCH}. Both sides start from the first weights that Keras "
        "draws; the order of the rows in each epoch is each side's own."
    )


def rows(effort: Effort) -> list[Row]:
    """The bars, for the common table: trains what is missing first."""
    records = Records(None if effort.quick else FOLDER)
    epochs = effort.size(EPOCHS, 3)
    reason = measure(records, seeds=effort.size(SEEDS, 2), epochs=epochs)
    return keras_lesson_page.bars(records, epochs, reason)


if __name__ == "__main__":
    sys.exit(main())
