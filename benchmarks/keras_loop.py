"""The same fits as a loop over ``model.fit`` of Keras on its JAX backend."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import cores
from benchmarks.measure import Effort, interleaved, of_times, seconds
from benchmarks.problems import problem, save
from benchmarks.table import Median, Row
from benchmarks.worker import PeerError, Worker
from shrinkage.data import Data
from shrinkage.engine.pool import evaluation_interval, train
from shrinkage.network import Network
from shrinkage.penalties import L2
from shrinkage.study import Trial
from shrinkage.training import Training

HIDDEN, BATCH, RATE, LAM = (128, 128), 32, 0.001, 0.003
BAR = 40.0
NAME = "Keras (JAX) time of a fit / ours"
BACKEND = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
}

Setting = tuple[str, dict[str, str], int]
"""Name, environment, steps per execution."""


def rows(effort: Effort) -> list[Row]:
    """The loop with a new model for each fit, with one that is set back, and in parallel."""
    data = problem("moons")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        save(data, path)
        request = _request(data, path, effort)
        try:
            return _compare(data, request, effort)
        except PeerError as error:
            return [Row(NAME, None, "×", BAR, detail=f"the peer cannot run: {error}")]


def _request(data: Data, path: Path, effort: Effort) -> dict[str, Any]:
    return {
        "data": str(path),
        "folds": len(data.parts),
        "hidden": HIDDEN,
        "batch_size": BATCH,
        "learning_rate": RATE,
        "lam": LAM,
        "epochs": effort.size(100, 4),
        "fits": 2,
        "fresh": False,
        "evaluate": False,
        "steps_per_execution": 1,
        "validation_freq": evaluation_interval(
            Training(data.loss, epochs=effort.size(100, 4), batch_size=BATCH),
            data.parts[0].train.size,
            data.parts[0].validation.size,
        ),
    }


def _settings(data: Data) -> list[Setting]:
    steps = -(-data.parts[0].train.size // BATCH)
    return [
        (f"{threads}, steps_per_execution={many}", BACKEND | environment, many)
        for threads, environment in (("XLA on all cores", {}), ("XLA on one core", ONE_THREAD))
        for many in (1, steps)
    ]


def _fastest(data: Data, request: dict[str, Any]) -> Setting:
    times = []
    short = request | {"epochs": max(2, request["epochs"] // 5)}
    for setting in _settings(data):
        with Worker("keras_jax", setting[1]) as worker:
            answers = [worker.ask(**(short | {"steps_per_execution": setting[2]})) for _ in "12"]
            times.append((min(answer["each"] for answer in answers), setting))
    return min(times, key=lambda each: each[0])[1]


def _ours(data: Data, request: dict[str, Any]) -> list[Trial]:
    training = Training(
        data.loss, learning_rate=RATE, schedule="constant", epochs=request["epochs"],
        batch_size=BATCH,
    )  # fmt: skip
    network = Network(data.full.n_inputs, HIDDEN)
    return [
        Trial(network, training, L2(), LAM, fold, seed)
        for seed in range(8)
        for fold in range(len(data.parts))
    ]


def _compare(data: Data, request: dict[str, Any], effort: Effort) -> list[Row]:
    setting = _fastest(data, request)
    trials = _ours(data, request)
    fits = list(train(trials, data))  # compiles
    many = {"steps_per_execution": setting[2]}
    with ExitStack() as stack:
        plain = stack.enter_context(Worker("keras_jax", BACKEND))
        tuned = stack.enter_context(Worker("keras_jax", setting[1]))
        each_core = [
            stack.enter_context(Worker("keras_jax", BACKEND | ONE_THREAD, core=core))
            for core in range(cores())
        ]
        check = tuned.ask(**(request | many | {"fits": len(data.parts), "evaluate": True}))

        def parallel() -> float:
            for worker in each_core:
                worker.send(**(request | many))
            return mean(float(worker.receive()["each"]) for worker in each_core) / len(each_core)

        times = interleaved(
            {
                "ours": lambda: seconds(lambda: list(train(trials, data))) / len(trials),
                "fresh": lambda: float(tuned.ask(**(request | many | {"fresh": True}))["each"]),
                "fresh plain": lambda: float(plain.ask(**(request | {"fresh": True}))["each"]),
                "plain": lambda: float(plain.ask(**request)["each"]),
                "tuned": lambda: float(tuned.ask(**(request | many))["each"]),
                "parallel": parallel,
            },
            effort.rounds,
        )
    work = (
        f"{data.full.n_inputs}-128-128-1, {data.parts[0].train.size} rows, Adam {RATE:g}, batch "
        f"{BATCH}, {request['epochs']} epochs with validation losses, L2; mean "
        f"final training loss, ours "
        f"{mean(fit.final_train_loss for fit in fits):.3f}, Keras {mean(check['losses']):.3f}"
    )
    # Title, bar, detail. Keras compiles λ into the model, so a loop over λ needs a model for each:
    # that row has the bar. Loops over folds and seeds at one λ can reuse a model, and are shown.
    described: dict[str, tuple[str, float | None, str]] = {
        "fresh plain": (
            f"{NAME}, a model for each",
            BAR,
            f"as such loops are written: every fit compiles; the peer's default settings; {work}",
        ),
        "fresh": (
            f"{NAME}, a model for each, tuned",
            BAR,
            f"the same with its fastest setting: {setting[0]}",
        ),
        "plain": (
            f"{NAME}, one model set back",
            None,
            "one λ only, compiling not counted; the peer's default settings",
        ),
        "tuned": (
            f"{NAME}, one model set back, tuned",
            None,
            (
                f"one λ only; first fit, with compiling, {check['first']:.2g} s; "
                f"its fastest setting: {setting[0]}"
            ),
        ),
        "parallel": (
            f"{NAME}, one model in each of {cores()} processes, tuned",
            None,
            f"one process on each core; compiling not counted; steps_per_execution={setting[2]}",
        ),
    }
    rows = []
    ours = Median("shrinkage", median(times["ours"]) * 1e3, "ms a fit")
    for kind, (title, bar, detail) in described.items():
        faster = of_times(times[kind], times["ours"])
        theirs = Median("Keras", median(times[kind]) * 1e3, "ms a fit")
        rows.append(
            Row(
                title,
                faster.value,
                "×",
                bar,
                "at least",
                (ours, theirs),
                faster.best,
                faster.spread,
                detail,
            )
        )
    return rows
