"""Runs many trials, each by one thread from start to end, and yields fits as they finish."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from math import ceil
from numbers import Integral, Real
from operator import length_hint
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from shrinkage.data import Data, Part
from shrinkage.engine import groups, kernel, optimizers
from shrinkage.engine.images import augmented
from shrinkage.engine.layers import shape_of
from shrinkage.engine.objective import Interrupted
from shrinkage.engine.polish import mean_loss, polish
from shrinkage.engine.subsets import held_back, some_of
from shrinkage.errors import SettingError
from shrinkage.network import Network, OwnNetwork, initialize, layout
from shrinkage.study import Fit, Status, Trial
from shrinkage.training import Training

EVALUATION_SHARE = 0.15
"""Most of a training's arithmetic that evaluation on validation rows may add."""


_POLL = 0.05
"""Seconds between two looks at a deadline."""


def train(
    trials: Iterable[Trial],
    data: Data,
    *,
    executor: Executor | None = None,
    threads: int | None = None,
    expired: Callable[[], bool] | None = None,
    starts: Mapping[Trial, NDArray[np.float32]] | None = None,
    ahead: int = 2,
    limit: float | None = None,
) -> Iterator[Fit]:
    """Train every trial and yield each fit as soon as it is finished.

    A trial is computed by one thread in a fixed order, so its fit is the same to the last bit
    whatever the number of threads and the order of the trials. Only a few trials are in flight at
    a time, so memory grows with threads and not with trials. Closing the generator (or an
    exception in its consumer, Ctrl-C included) stops the running trainings within a step.

    Trials about a network of the user's own are trained by that network, where `executor`,
    `threads`, `starts`, `ahead` and `limit` mean nothing.

    Parameters
    ----------
    trials : iterable of Trial
        Taken lazily, in order.
    data : Data
        Whose parts the trials' folds index.
    executor : concurrent.futures.Executor, optional
        Where to compute; by default a pool of threads made for this call. Executors of processes,
        here or elsewhere, get the rows once for each worker and trials in batches of
        about a second; see also :class:`shrinkage.clusters.DaskExecutor`.
    threads : int, optional
        Size of that pool; by default the cores this process may use. With an `executor`, the
        number of its workers, where it does not tell itself.
    expired : callable, optional
        Asked every twentieth of a second whether the time is up; once it is, the trainings under
        way are given up and nothing more is yielded.
    starts : mapping of Trial to ndarray of float32 (P,), optional
        Initial parameters of some of the trials, see :func:`run_trial`.
    ahead : int, default 2
        Trials in flight for each thread: those under way, waiting, or finished and not taken yet.
        More keep the threads busy while the consumer of the fits is.
    limit : float, optional
        Seconds after which a training is given up; its fit says so. By default there is none.

    Yields
    ------
    Fit
        In the order of completion. A training that diverged yields a fit that says so.

    Raises
    ------
    SettingError
        If `threads` or `ahead` is below 1, `limit` is not above 0, `executor` is none or is shut
        down, or a trial does not fit the data.
    ShrinkageError
        If the processes of an executor died.

    Examples
    --------
    >>> from shrinkage.data import bundled, prepare
    >>> from shrinkage.penalties import L1
    >>> table, target = bundled("moons", samples=60)
    >>> data = prepare(table, target, name="moons")
    >>> training = Training(data.loss, epochs=5)
    >>> trials = [Trial(Network(2, (8,)), training, L1(), lam, 0, seed=0) for lam in (0.0, 10.0)]
    >>> fits = {fit.trial.lam: fit for fit in train(trials, data)}
    >>> fits[0.0].sparsity, fits[10.0].sparsity
    (0.0, 1.0)
    """
    queue = iter(trials)
    left = length_hint(queue)
    first = next(queue, None)
    if first is None:
        return
    queue = chain([first], queue)
    if isinstance(first.network, OwnNetwork):
        yield from first.network.train(queue, data.alone(), expired=expired)
        return
    workers = available_threads() if threads is None else threads
    _check(executor, workers, ahead, limit)
    if executor is not None and not isinstance(executor, ThreadPoolExecutor):
        from shrinkage.engine.batches import Rows
        from shrinkage.engine.elsewhere import Dispatch, site_of

        site = site_of(executor, threads, ahead)
        rows = Rows.of(data)
        here = isinstance(executor, ProcessPoolExecutor)
        with _open(), rows.mapped() if here else nullcontext(rows) as sent:
            asked = map(partial(_within, data), queue)
            yield from Dispatch(asked, left, sent, site, starts or {}, limit).fits(expired)
        return
    stop = np.zeros(1, dtype=np.uint8)
    pool = executor or ThreadPoolExecutor(workers, thread_name_prefix="shrinkage")
    pending: set[Future[Fit]] = set()

    def submit(trial: Trial) -> Future[Fit]:
        start = None if starts is None else starts.get(trial)
        part = data.part(trial.fold)
        with _open():
            if limit is None:
                return pool.submit(run_trial, trial, part, stop, start)
            from shrinkage.engine.limits import run_within

            return pool.submit(
                run_within, trial, part, start, limit=limit, halted=lambda: bool(stop[0])
            )

    try:
        for trial in islice(queue, ahead * workers):
            pending.add(submit(trial))
        while pending:
            patience = None if expired is None else _POLL
            done, pending = wait(pending, timeout=patience, return_when=FIRST_COMPLETED)
            over = expired is not None and expired()
            for future in done:
                for trial in islice(queue, 0 if over else 1):
                    pending.add(submit(trial))
                yield future.result()
            if over:
                return
    finally:
        stop[0] = 1
        for future in pending:
            future.cancel()
        if executor is None:
            pool.shutdown(wait=True, cancel_futures=True)


def _check(executor: object, threads: object, ahead: object, limit: object) -> None:
    """See that each is what it has to be, before anything is trained."""
    if not (executor is None or hasattr(executor, "submit")):
        raise SettingError(
            f"executor is {executor!r}; give one of concurrent.futures, such as "
            "ProcessPoolExecutor(4), or leave it out for threads"
        )
    for name, value, need in (
        ("threads", threads, "training needs at least 1"),
        ("ahead", ahead, "each thread needs at least 1 trial"),
    ):
        if not isinstance(value, Integral):
            raise SettingError(f"{name} is {value!r}; it must be a whole number")
        if value < 1:
            raise SettingError(f"{name} is {value}; {need}")
    if limit is None:
        return
    if not isinstance(limit, Real):
        raise SettingError(f"limit is {limit!r}; it must be a number of seconds")
    if not float(limit) > 0:
        raise SettingError(f"limit is {float(limit):g} seconds; a fit needs more than none")


@contextmanager
def _open() -> Iterator[None]:
    """Work for an executor that may have been shut down, as a sentence."""
    try:
        yield
    except RuntimeError as error:
        if "after shutdown" not in str(error):
            raise
        raise SettingError(
            "the executor is shut down, so it takes no more trainings; make a new one, and train "
            "inside its with block"
        ) from error


def _within(data: Data, trial: Trial) -> Trial:
    """The trial, whose fold there is; said here rather than by a worker."""
    data.part(trial.fold)
    return trial


def warm_up(data: Data, network: Network, training: Training) -> None:
    """Load or compile the kernels: one step and one prediction with arrays of all the usual types.

    Parameters
    ----------
    data : Data
        Of whose first fold a few rows are used.
    network, training
        To be used afterwards.
    """
    part = data.part(0)
    few = replace(part, train=part.train[:2].copy(), validation=part.validation[:2].copy())
    network = replace(network, inputs=part.n_inputs)
    once = replace(
        training,
        epochs=1,
        patience=training.patience and 1,
        relaxed_epochs=0,
        polish=min(training.polish, 1),
    )
    fit = run_trial(Trial(network, once, None, 0.0, 0, 0), few)
    predict(network, fit.parameters, part.inputs[:2], training.loss)


def available_threads() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_trial(
    trial: Trial,
    part: Part,
    stop: NDArray[np.uint8] | None = None,
    start: NDArray[np.float32] | None = None,
) -> Fit:
    """Train one trial, in this thread.

    Parameters
    ----------
    trial : Trial
        What to train.
    part : Part
        The rows of its fold.
    stop : ndarray of uint8, shape (1,), optional
        Set to 1 from another thread to give up.
    start : ndarray of float32, shape (P,), optional
        Initial parameters in the order of :func:`shrinkage.network.layout`, instead of fresh ones;
        not written to. The seed still decides the order of rows and every other draw.

    Returns
    -------
    Fit
        The answer.

    Raises
    ------
    SettingError
        If the network's inputs are not the part's columns, or `start` does not fit the network.
    Interrupted
        If `stop` was set.
    """
    begun = time.thread_time()
    network, training = trial.perceptron, trial.training
    if network.inputs != part.n_inputs:
        raise SettingError(
            f"the network takes {network.inputs} inputs, but the data have {part.n_inputs} columns "
            "after encoding; set Network.inputs to that"
        )
    if training.augmentation:  # it changes the rows themselves
        part = part.alone()
    train, validation = rows_of(trial, part)
    parameters = kernel.aligned(_initial(network, trial.seed, start))
    rows = kernel.Rows(
        part.inputs, part.targets, row_weights(part, training), part.shift, part.stretch
    )
    halt = np.zeros(1, dtype=np.uint8) if stop is None else stop
    fit = _descend(trial, training, part, rows, train, validation, parameters, halt)
    if training.relaxed_epochs and fit.ok:
        relaxed = replace(training, epochs=training.relaxed_epochs, patience=_relaxed(training))
        fit = joined(
            fit, _descend(trial, relaxed, part, rows, train, validation, parameters, halt, fit)
        )
    if training.polish and fit.ok:
        fit = _polished(fit, part, rows, train, halt)
    if part.validation.size == 0 and fit.outputs.size:
        fit = replace(fit, outputs=fit.outputs[:0])
    return replace(fit, seconds=time.thread_time() - begun)


def _initial(network: Network, seed: int, start: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Where a descent begins."""
    if start is None:
        return initialize(network, seed)
    given, size = np.asarray(start, dtype=np.float32), layout(network).size
    if given.shape != (size,):
        raise SettingError(
            f"the initial parameters have shape {given.shape}, but the network {network} takes "
            f"{size:,} numbers in one flat array; put them in the order of its layout"
        )
    if not np.isfinite(given).all():
        raise SettingError(
            f"{int((~np.isfinite(given)).sum()):,} of the initial parameters are not finite; start "
            "from a training that did not diverge"
        )
    return given


def rows_of(trial: Trial, part: Part) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on, and rows to validate on or, without any, to stop early on."""
    labels = part.targets[:, 0] if trial.training.loss != "mean_squared_error" else None
    train = part.train if trial.rows is None else some_of(part.train, labels, trial.rows)
    if trial.training.patience is None or part.validation.size:
        return train, part.validation
    return held_back(train, labels, trial.training.stopping_share, trial.seed)


def _relaxed(training: Training) -> int | None:
    """Patience of a second training, which may have fewer epochs."""
    return training.patience and min(training.patience, training.relaxed_epochs)


def _descend(
    trial: Trial,
    training: Training,
    part: Part,
    rows: kernel.Rows,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    parameters: NDArray[np.float32],
    stop: NDArray[np.uint8],
    before: Fit | None = None,
) -> Fit:
    """One descent of `parameters`, in place; the relaxed one after `before`."""
    network = trial.perceptron
    every = evaluation_interval(training, train.size, validation.size)
    entries = ceil(training.epochs / every)
    train_losses = np.empty(entries)
    validation_losses = np.empty(entries)
    outputs = np.empty((validation.size, network.outputs), dtype=np.float32)
    penalized = layout(network).penalized
    frozen = parameters[:0] if before is None else (parameters[penalized] != 0).astype(np.float32)
    descent = _descent(trial, training, every, penalize=before is None)
    noise = _noise(training, trial.seed, train.size, frozen)
    state = kernel.make_state(
        parameters, train, training.averaging > 0, training.patience is not None
    )
    source = rows
    if training.augmentation:
        source = kernel.Rows(rows.inputs.copy(), rows.targets, rows.weights)
    epoch, status, final = 0, kernel.UNFINISHED, np.nan
    while status == kernel.UNFINISHED:
        if training.augmentation:
            source.inputs[train] = augmented(
                rows.inputs[train],
                part.center,
                part.scale,
                training.augmentation,
                trial.seed,
                epoch,
            )
        status, epoch, final = kernel.train_network(
            shape_of(network, training.loss),
            descent,
            noise,
            rows,
            source,
            train,
            validation,
            parameters,
            state,
            epoch + 1 if training.augmentation else training.epochs,
            train_losses,
            validation_losses,
            outputs,
            stop,
        )
    if status == kernel.STOPPED:
        raise Interrupted
    finished = int(state.counts[2])
    if status == kernel.DIVERGED:
        finished = min(finished, (epoch - 1) // every)
        outputs[:] = np.nan
    return Fit(
        trial=trial,
        parameters=parameters,
        epochs=np.minimum(np.arange(1, finished + 1) * every, training.epochs),
        train_loss=train_losses[:finished],
        validation_loss=validation_losses[:finished],
        final_train_loss=final,
        outputs=outputs,
        status=_STATUSES[status],
        stopped_at=epoch,
        best_epoch=int(state.counts[4]) or None,
    )


_STATUSES = {
    kernel.COMPLETED: Status.COMPLETED,
    kernel.DIVERGED: Status.DIVERGED,
    kernel.STOPPED_EARLY: Status.STOPPED_EARLY,
}


def joined(first: Fit, second: Fit) -> Fit:
    """Both descents as one fit; epochs go on counting."""
    past = first.stopped_at
    return replace(
        second,
        epochs=np.concatenate([first.epochs, second.epochs + past]),
        train_loss=np.concatenate([first.train_loss, second.train_loss]),
        validation_loss=np.concatenate([first.validation_loss, second.validation_loss]),
        stopped_at=second.stopped_at + past,
        best_epoch=None if second.best_epoch is None else second.best_epoch + past,
    )


def _polished(
    fit: Fit, part: Part, rows: kernel.Rows, train: NDArray[np.int64], stop: NDArray[np.uint8]
) -> Fit:
    """A fit brought to a stationary point of its objective; one more entry in its history."""
    trial, relaxed = fit.trial, fit.trial.training.relaxed_epochs > 0
    network = trial.perceptron
    found = polish(
        network,
        trial.training.loss,
        None if relaxed else trial.penalty,
        0.0 if relaxed else trial.lam,
        _doubled(part, rows, train),
        fit.parameters,
        trial.training.polish,
        stop,
        keep_zeros=relaxed,
    )
    outputs, validation_loss = fit.outputs, np.nan
    if part.validation.size:
        held = _doubled(part, rows, part.validation)
        validation_loss = mean_loss(network, trial.training.loss, found.parameters, held)
        inputs = part.seen(part.validation)
        outputs = predict(network, found.parameters, inputs, trial.training.loss)
    return replace(
        fit,
        parameters=found.parameters,
        epochs=np.append(fit.epochs, fit.epochs[-1] + 1),
        train_loss=np.append(fit.train_loss, found.loss),
        validation_loss=np.append(fit.validation_loss, validation_loss),
        final_train_loss=found.loss,
        outputs=outputs,
        stationarity=found.stationarity,
        slope=found.slope,
        polish_iterations=found.iterations,
    )


def _doubled(part: Part, rows: kernel.Rows, chosen: NDArray[np.int64]) -> kernel.Rows:
    """Some rows as the network sees them, in double precision."""
    return kernel.Rows(
        part.seen(chosen).astype(np.float64),
        rows.targets[chosen].astype(np.float64),
        rows.weights[chosen].astype(np.float64),
    )


def evaluation_interval(training: Training, train_rows: int, validation_rows: int) -> int:
    """Epochs between two evaluations, such that they cost at most EVALUATION_SHARE of training.

    A forward pass is a third of a training step's arithmetic.
    """
    if validation_rows == 0:
        return 1
    cost = validation_rows / (3 * train_rows)
    return min(training.epochs, max(1, ceil(cost / EVALUATION_SHARE)))


def predict(
    network: Network | OwnNetwork,
    parameters: NDArray[np.float32],
    inputs: NDArray[np.float32],
    loss: str,
) -> NDArray[np.float32]:
    """Predictions of a network.

    Parameters
    ----------
    network : Network or OwnNetwork
        Its shape, or the network itself.
    parameters : ndarray of float32, shape (P,)
        Its numbers.
    inputs : ndarray of float32, shape (rows, columns)
        Encoded as for training.
    loss : str
        Decides the head; one of :data:`shrinkage.training.LOSSES`.

    Returns
    -------
    ndarray of float32, shape (rows, outputs)
        Probability of the second class, class probabilities, or (standardized) predictions.
    """
    if isinstance(network, OwnNetwork):
        answers = network.logits(parameters, np.asarray(inputs, dtype=np.float32))
        return after_head(answers, loss)
    outputs = np.empty((len(inputs), network.outputs), dtype=np.float32)
    kernel.predict_rows(
        shape_of(network, loss),
        np.ascontiguousarray(parameters, dtype=np.float32),
        np.ascontiguousarray(inputs, dtype=np.float32),
        outputs,
    )
    return outputs


def after_head(logits: NDArray[np.floating[Any]], loss: str) -> NDArray[np.float32]:
    """Probabilities, or the numbers themselves."""
    if loss == "binary_cross_entropy":
        logits = expit(logits)
    elif loss == "cross_entropy":
        logits = softmax(logits, axis=1)
    return np.asarray(logits, dtype=np.float32)


def _descent(trial: Trial, training: Training, every: int, *, penalize: bool) -> kernel.Descent:
    """A trial's training and penalty as numbers."""
    penalty = trial.penalty if penalize else None
    momentum = -training.momentum if training.nesterov else training.momentum
    settings = (momentum, training.beta1, training.beta2, training.rho, training.epsilon)
    return kernel.Descent(
        optimizer=optimizers.CODES[training.optimizer],
        schedule=kernel.SCHEDULE_CODES[training.schedule],
        settings=np.array(settings, dtype=np.float64),
        rate=float(training.learning_rate),
        penalized=layout(trial.network).penalized.stop,
        l1=float(trial.lam * penalty.l1_share) if penalty else 0.0,
        l2=float(trial.lam * penalty.l2_share) if penalty else 0.0,
        decoupled=training.optimizer == "adamw" or bool(penalty and penalty.decoupled),
        groups=groups.CODES[penalty.groups] if penalty else groups.NONE,
        group=float(trial.lam * penalty.group_share) if penalty else 0.0,
        lam_schedule=kernel.LAM_SCHEDULE_CODES[training.lam_schedule],
        lam_ramp=float(training.lam_ramp),
        epochs=training.epochs,
        batch_size=training.batch_size,
        every=every,
        seed=np.uint64(trial.seed),
        shuffles=training.shuffle,
    )


def _noise(training: Training, seed: int, rows: int, frozen: NDArray[np.float32]) -> kernel.Noise:
    """What disturbs and restrains a training, as numbers."""
    steps = training.epochs * ceil(rows / min(training.batch_size, rows)) if training.mixup else 0
    # Counter-based like all draws: a key and a length decide all of them.
    draws = np.random.Generator(np.random.Philox(key=seed))
    alpha = training.mixup or 1.0
    return kernel.Noise(
        dropout=float(training.dropout),
        input_dropout=float(training.input_dropout),
        input_noise=float(training.input_noise),
        smoothing=float(training.label_smoothing),
        averaging=float(training.averaging),
        max_norm=float(training.max_norm or 0.0),
        patience=training.patience or 0,
        mixes=draws.beta(alpha, alpha, steps).astype(np.float32),
        frozen=frozen,
        acts=any(
            (
                training.mixup,
                training.input_noise,
                training.input_dropout,
                training.label_smoothing,
            )
        ),
    )


def row_weights(part: Part, training: Training) -> NDArray[np.float32]:
    """Sample weights, times class weights when asked for; mean 1 over the training rows.

    Parameters
    ----------
    part : Part
        The rows of a fold.
    training : Training
        Says whether classes are balanced.

    Returns
    -------
    ndarray of float32, shape (rows,)
    """
    if training.class_weight == "none":
        return part.weights
    labels = part.targets[:, 0].astype(np.int64)
    counts = np.bincount(labels[part.train], minlength=int(labels.max()) + 1)
    by_class = part.train.size / (np.count_nonzero(counts) * np.maximum(counts, 1))
    weights = part.weights * by_class[labels].astype(np.float32)
    scaled: NDArray[np.float32] = (weights / weights[part.train].mean()).astype(np.float32)
    return scaled
