"""A callback that tells, while a model trains and at the end, whether it overfits."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shrinkage.errors import SettingError, ShrinkageError
from shrinkage.intervals import Interval
from shrinkage.keras.gaps import early_gain_of, gap_of, is_falling
from shrinkage.keras.moments import Moment, line_of, moment_of, penalty_of, recent_of, trend_over
from shrinkage.keras.reading import Reading, finished
from shrinkage.keras.rows import Floats, RowLoss, Rows, loss_of, losses_of, mean_of, rows_of
from shrinkage.keras.values import numpy_of
from shrinkage.tune.planning import require_kind


class OverfittingMonitor(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no annotations
    """Losses free of any penalty, the gap and its trend, weights, and a verdict at the end.

    Keras adds the penalty to ``loss`` and ``val_loss``, and takes ``loss`` as a mean over an epoch
    in which weights change and dropout is on, so the two cannot be compared. With `train` and
    `validation` both are measured on rows, with layers as in evaluation; without them what Keras
    logs is used, less the penalty of its kernels, and the verdict has no interval.

    Parameters
    ----------
    train, validation : tuple of (inputs, targets) or (inputs, targets, weights), optional
        Rows as they are given to ``fit``.
    every : int, default 1
        Epochs between two measurements on rows. The last epoch is always measured.
    most_rows : int, default 1000
        So many rows of each at most, drawn once.
    loss : str, keras.losses.Loss or callable, optional
        The loss of the data where the model computes one of its own.
    patience : int, optional
        Stop once the validation loss, free of the penalty, has not improved for so many epochs,
        and go back to the best weights. None does not stop.
    least : float, default 0.0
        Improvement that counts.
    verbose : bool, optional
        Whether a line of progress and the verdict are printed. By default the verdict is, and the
        line is where ``fit`` shows none (``verbose=0``) on a terminal.

    Attributes
    ----------
    moments : list of Moment
        What was measured.
    reading : Reading
        The verdict, once the training has ended.

    Raises
    ------
    SettingError
        On a number below 1, or what is no number; in ``fit``, without validation rows.

    Notes
    -----
    What it measures joins Keras' history as ``data_loss``, ``val_data_loss`` and ``gap``.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)).astype("float32")
    >>> y = (X[:, 0] > 0).astype("float32")
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid")])
    >>> model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy")
    >>> monitor = OverfittingMonitor((X[:40], y[:40]), (X[40:], y[40:]), verbose=False)
    >>> _ = model.fit(X[:40], y[:40], epochs=2, verbose=0, callbacks=[monitor])
    >>> len(monitor.frame()), monitor.reading.rows
    (2, (40, 20))
    """

    def __init__(
        self,
        train: Any = None,
        validation: Any = None,
        *,
        every: int = 1,
        most_rows: int = 1000,
        loss: Any = None,
        patience: int | None = None,
        least: float = 0.0,
        verbose: bool | None = None,
    ) -> None:
        super().__init__()
        patient = 1 if patience is None else patience
        for name, value in (("every", every), ("most_rows", most_rows), ("patience", patient)):
            require_kind(name, value, int)
            if value < 1:
                raise SettingError(f"{name} is {value}; it must be at least 1")
        require_kind("least", least, float)
        self.train = None if train is None else rows_of(train, most=most_rows, what="train")
        self.validation = (
            None if validation is None else rows_of(validation, most=most_rows, what="validation")
        )
        self.every, self.loss, self.verbose = every, loss, verbose
        self.patience, self.least = patience, least
        self.moments: list[Moment] = []
        self.reading: Reading | None = None
        self.stopped_epoch: int | None = None
        self._by_row: list[Floats] = []
        self._last_train: Floats | None = None
        self._before = 0.0
        self._best = (np.inf, 0)
        self._weights: list[NDArray[Any]] | None = None

    # ------------------------------------------------------------------------ what Keras calls

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras' signature
        """Begin anew."""
        self.moments, self._by_row, self.reading = [], [], None
        self._best, self._weights, self.stopped_epoch = (np.inf, 0), None, None
        self._row_loss: RowLoss | None = None
        if self.train is not None or self.validation is not None:
            self._row_loss = loss_of(self.model, self.loss)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras' signature
        """Note the penalty with which the epoch begins."""
        if self.train is None:
            self._before = penalty_of(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measure, tell, and stop where it is time to."""
        last = epoch + 1 >= (self.params or {}).get("epochs", np.inf) or self.model.stop_training
        if (epoch + 1) % self.every and not last:
            return
        self._measure(epoch + 1, logs or {})
        moment = self.moments[-1]
        if logs is not None:
            logs["data_loss"], logs["val_data_loss"] = moment.train_loss, moment.validation_loss
            logs["gap"] = moment.gap
        if self._shows_line():
            sys.stdout.write(f"\r{self.line()}\x1b[K")
            sys.stdout.flush()
        self._watch(moment)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras' signature
        """Go back to the best weights where they were watched, and give the verdict."""
        if not self.moments:
            return
        self.reading = self._read()
        if self._weights is not None:
            for variable, value in zip(self.model.weights, self._weights, strict=True):
                variable.assign(value)
        if self.verbose is not False:
            below = "\n" if self._shows_line() else ""
            sys.stdout.write(f"{below}{self.summary()}\n")

    # ------------------------------------------------------------------------- what it tells

    def frame(self) -> pd.DataFrame:
        """What was measured, one line for each epoch.

        Returns
        -------
        pandas.DataFrame
            Columns as the fields of :class:`Moment`, indexed by epoch.
        """
        columns = list(Moment.__dataclass_fields__)
        return pd.DataFrame([asdict(m) for m in self.moments], columns=columns).set_index("epoch")

    def line(self) -> str:
        """The last measurement in one line.

        Returns
        -------
        str
            ``"epoch 3/10 · train 0.41 · validation 0.52 · gap +0.11"``.

        Raises
        ------
        ShrinkageError
            When nothing was measured yet.
        """
        if not self.moments:
            raise ShrinkageError("nothing was measured yet; train with this monitor as a callback")
        return line_of(self.moments, (self.params or {}).get("epochs"))

    def summary(self) -> str:
        """The verdict, with what was done about it.

        Returns
        -------
        str
            Sentences.

        Raises
        ------
        ShrinkageError
            Before the training has ended.
        """
        if self.reading is None:
            raise ShrinkageError("there is no verdict yet; train with this monitor as a callback")
        text = str(self.reading)
        if self.patience is None or self._weights is None:
            return text
        best = f"the weights of epoch {self._best[1]:,} were restored"
        if self.stopped_epoch is not None:
            return f"{text} Stopped after epoch {self.stopped_epoch:,}; {best}."
        return f"{text} {best[0].upper()}{best[1:]}."

    def to_html(self) -> str:
        """The verdict, both curves and all numbers as HTML that needs nothing else.

        Returns
        -------
        str
            A fragment, for a notebook or a page.

        Raises
        ------
        ShrinkageError
            Before the training has ended.
        """
        from shrinkage.keras.monitor_html import page_of

        return page_of(self)

    def _repr_html_(self) -> str:
        return self.to_html() if self.reading is not None else f"<p>{self!r}</p>"

    # ---------------------------------------------------------------------------- measuring

    def _measure(self, epoch: int, logs: dict[str, Any]) -> None:
        by_row = self.train is not None and self.validation is not None
        after = 0.0 if by_row else penalty_of(self.model)
        if (train := self._on_rows(self.train)) is not None:
            self._last_train, train_loss = train
        else:  # weights moved through the epoch, and the penalty in Keras' mean with them
            train_loss = _logged(logs, "loss") - 0.5 * (self._before + after)
        if (validation := self._on_rows(self.validation)) is not None:
            losses, validation_loss = validation
            self._by_row.append(losses.astype(np.float32))
        else:
            validation_loss = _logged(logs, "val_loss") - after
        self.moments.append(moment_of(self.model, epoch, train_loss, validation_loss))

    def _on_rows(self, rows: Rows | None) -> tuple[Floats, float] | None:
        """Losses row by row, and their mean."""
        if rows is None or self._row_loss is None:
            return None
        losses = losses_of(self.model, rows, self._row_loss)
        return losses, mean_of(losses, rows)

    def _watch(self, moment: Moment) -> None:
        """Remember the best weights; stop when they are too long ago."""
        if self.patience is None:
            return
        if moment.validation_loss < self._best[0] - self.least:
            self._best = (moment.validation_loss, moment.epoch)
            self._weights = [numpy_of(variable) for variable in self.model.weights]
        elif moment.epoch - self._best[1] >= self.patience:
            self.model.stop_training = True
            self.stopped_epoch = moment.epoch

    def _shows_line(self) -> bool:
        if self.verbose is None:
            return not (self.params or {}).get("verbose", 0) and sys.stdout.isatty()
        return self.verbose

    def _read(self) -> Reading:
        last, recent = self.moments[-1], recent_of(self.moments)
        loss = self._row_loss
        gap = Interval(last.gap, -np.inf, np.inf)
        rows = None
        if self._last_train is not None and self._by_row and self.train and self.validation:
            weights = (self.train.weights, self.validation.weights)
            gap = gap_of(self._last_train, self._by_row[-1].astype(np.float64), weights)
            rows = (len(self.train), len(self.validation))
        null = None if loss is None or self.train is None else loss.null(self.train)
        validation = [m.validation_loss for m in self.moments]
        scale = null or max(abs(last.validation_loss), abs(last.train_loss))
        return finished(
            loss_name="loss" if loss is None else loss.name,
            unit="" if loss is None else loss.unit,
            train_loss=last.train_loss,
            validation_loss=last.validation_loss,
            null_loss=null,
            gap=gap,
            trend=trend_over(recent),
            recent=last.epoch - recent[0].epoch + 1,
            epoch=last.epoch,
            best_epoch=self.moments[int(np.argmin(validation))].epoch,
            early_gain=early_gain_of(self._by_row) if self._by_row else None,
            falling=is_falling([m.epoch for m in self.moments], validation, self._by_row, scale),
            rows=rows,
        )


def _logged(logs: dict[str, Any], name: str) -> float:
    if name not in logs:
        raise SettingError(
            "there are no validation rows, so overfitting cannot be judged; give fit "
            "validation_data or validation_split, or the monitor train and validation"
        )
    return float(logs[name])
