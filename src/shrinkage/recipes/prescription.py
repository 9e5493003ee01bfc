"""What a program has to say, whatever the framework it is written for."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from shrinkage.data import Data, Task
from shrinkage.findings import Findings
from shrinkage.network import Network, perceptron_of
from shrinkage.penalties import L2, Penalty, describe
from shrinkage.training import Training
from shrinkage.tune import badness, candidates
from shrinkage.tune.joint import Candidate, Joint


@dataclass(frozen=True)
class Prescription:
    """The network, its training and the penalty to write down.

    Parameters
    ----------
    network, training, task
        As measured.
    rows : int
        Training rows, which bound a batch.
    penalty : Penalty or None
        None for no penalty; then `lam` is 0.
    lam : float
        λ in the package's convention.
    stop : int or None, default None
        The epoch to stop at, when that is what the diagnosis prescribes.
    best_l2 : float or None, default None
        λ of the best coupled L2 of the same path, for a framework that has nothing else.
    weighted : bool, default False
        Whether the rows had weights of their own.
    remark : str, default ""
        A sentence about the choice, for a comment.
    why : str, default "none that was tried validates better"
        Why there is no penalty, when there is none and nothing else instead.
    frozen : bool, default False
        Whether weights that are exactly zero stay so.
    """

    network: Network
    training: Training
    task: Task
    rows: int
    penalty: Penalty | None
    lam: float
    stop: int | None = None
    best_l2: float | None = None
    weighted: bool = False
    remark: str = ""
    why: str = "none that was tried validates better"
    frozen: bool = False

    @property
    def relaxed(self) -> Prescription | None:
        """The second training, if there is one: without penalty, and zeros stay zero."""
        training = self.training
        if not training.relaxed_epochs:
            return None
        epochs = training.relaxed_epochs
        patience = training.patience and min(training.patience, epochs)
        second = replace(training, epochs=epochs, patience=patience, relaxed_epochs=0)
        return replace(
            self, training=second, penalty=None, lam=0.0, stop=None, frozen=self.makes_zeros
        )

    @property
    def lambda1(self) -> float:
        """λ₁."""
        return self.lam * self.penalty.l1_share if self.penalty else 0.0

    @property
    def lambda2(self) -> float:
        """λ₂."""
        return self.lam * self.penalty.l2_share if self.penalty else 0.0

    @property
    def group(self) -> float:
        """λ of the group lasso."""
        return self.lam * self.penalty.group_share if self.penalty else 0.0

    @property
    def makes_zeros(self) -> bool:
        """Whether the engine's training makes weights exactly zero."""
        return self.lambda1 > 0 or self.group > 0

    @property
    def ramps(self) -> bool:
        """Whether a penalty rises from 0."""
        return self.training.lam_schedule != "constant" and self.lam > 0

    @property
    def decoupled(self) -> bool:
        """Whether λ₂ multiplies the weights instead of joining the gradient."""
        chosen = self.penalty is not None and self.penalty.decoupled
        return self.lambda2 > 0 and (chosen or self.training.optimizer == "adamw")

    @property
    def batch(self) -> int:
        """Rows in a full batch."""
        stopping = self.training.patience is not None
        held = max(1, round(self.training.stopping_share * self.rows)) if stopping else 0
        return min(self.training.batch_size, max(1, self.rows - held))

    @property
    def targets(self) -> int:
        """Columns of the target of a regression, else 0."""
        return self.network.outputs if self.task == "regression" else 0

    @property
    def has_weights(self) -> bool:
        """Whether rows or classes weigh differently."""
        return self.weighted or self.training.class_weight == "balanced"

    @property
    def opening(self) -> list[str]:
        """Comments that every program begins with."""
        choice = describe(self.penalty, self.lam)
        choice = choice[0].upper() + choice[1:]
        if self.penalty is not None:
            choice += f", on {self._where()}: {self._formula()}{self._rise()}."
        elif self.stop is not None:
            choice += f": stop at epoch {self.stop} of {self.training.epochs} instead."
        else:
            choice += f": {self.why}."
        return [
            *comment(choice),
            *comment(self.remark),
            *self._inputs(),
            f"# y_train: {self._targets()}.",
            *(["# w_train: a weight for each row, with mean 1."] if self.weighted else []),
        ]

    def _where(self) -> str:
        if self.penalty is not None and self.penalty.groups == "inputs":
            return "the first kernel" if self.network.hidden else "the only kernel"
        return "the hidden kernels" if self.network.hidden else "the only kernel"

    def _rise(self) -> str:
        if not self.ramps:
            return ""
        how = "linearly" if self.training.lam_schedule == "linear" else "along a cosine"
        return f", λ rising {how} over the first {100 * self.training.lam_ramp:.3g}% of the steps"

    def _inputs(self) -> list[str]:
        if self.training.augmentation is None:
            given = "numbers in a NumPy array, each column standardized (mean 0, deviation 1)"
            return [f"# X_train: {given}."]
        height, width = self.training.augmentation.shape
        return comment(
            f"X_train: images of {height}x{width} in a NumPy array, each a row of {height * width} "
            "pixels that are not standardized; predict from standardized(pixels)."
        )

    def _formula(self) -> str:
        if self.group:
            which = (
                "into a unit" if self.penalty and self.penalty.groups == "units" else "of an input"
            )
            return f"loss + λ Σ √p ‖w‖, over the p weights w {which}"
        if self.decoupled and not self.lambda1:
            return "w shrinks by learning rate · λ · w"
        if not self.lambda1:
            return "loss + λ/2 Σw²"
        if not self.lambda2:
            return "loss + λ Σ|w|"
        return f"loss + {number(self.lambda1)} Σ|w| + {number(self.lambda2)}/2 Σw²"

    def _targets(self) -> str:
        if self.task == "binary":
            return "0 or 1 for each row"
        if self.task == "multiclass":
            return f"the number of each row's class, 0 to {self.network.outputs - 1}"
        if self.network.outputs > 1:
            return f"{self.network.outputs} columns, each standardized too"
        return "one number for each row, standardized too"

    @property
    def last_epoch(self) -> str:
        """Source of the last epoch's number."""
        return "EPOCHS" if self.stop is None else str(self.stop)

    @property
    def about_stop(self) -> list[str]:
        """A comment where the schedule is longer than the training."""
        if self.stop is None or self.training.schedule != "cosine":
            return []
        return ["# Stopped early, while the learning rate falls as it would over all EPOCHS."]

    @property
    def class_weights(self) -> list[str]:
        """Lines that make ``w_train`` weigh every class the same, if that was asked for."""
        if self.training.class_weight != "balanced":
            return []
        return [
            "counts = np.bincount(y_train)",
            "balanced = len(y_train) / (len(counts) * counts)  # every class weighs the same",
            "w_train = w_train * balanced[y_train]"
            if self.weighted
            else "w_train = balanced[y_train]",
        ]


def prescribe(findings: Findings) -> Prescription:
    """What the findings come down to.

    The penalty is the recommended one, if any is. Where the diagnosis prescribes to stop early,
    because no penalty validates better beyond noise and an earlier epoch does, it is that instead:
    the two together were not measured. A relaxed refit that is better beyond noise is part of it.

    Parameters
    ----------
    findings : Findings
        Of a study.
    """
    data, plan, diagnosis = findings.study.data, findings.plan, findings.diagnosis
    joint = findings.joint
    if joint is not None and joint.best is not None and findings.recommended is not None:
        return _prescribe_recipe(findings, joint, joint.best.candidate)
    point = findings.recommended
    stop, remark = None, ""
    if diagnosis.stopping_helps and not diagnosis.penalty_helps:
        stop = diagnosis.early_epoch
    elif point is not None and findings.contradicted:
        remark = "On untouched rows its loss is worse beyond noise: do not rely on it."
    elif point is not None and not diagnosis.penalty_helps:
        remark = "The best guess: its gain over no penalty is not beyond noise."
    training, verified = plan.training, findings.verification
    relaxed = verified.relaxation if verified is not None else None
    if point is not None and relaxed is not None and relaxed.recommended:
        training = replace(training, relaxed_epochs=relaxed.epochs)
    return Prescription(
        network=perceptron_of(plan.network),
        training=training,
        task=data.task,
        rows=int(data.full.train.size),
        penalty=point.penalty if point is not None else None,
        lam=point.lam if point is not None else 0.0,
        stop=stop,
        best_l2=None if plan.training.optimizer == "adamw" else _best_l2(findings),
        weighted=_weighted(data),
        remark=remark,
        why=_why_none(findings),
    )


def _prescribe_recipe(findings: Findings, joint: Joint, best: Candidate) -> Prescription:
    """The best of a joint search, whole: without one part it would be another recipe."""
    data, gain, remark = findings.study.data, joint.gain, ""
    if findings.contradicted:
        remark = "On untouched rows its loss is worse beyond noise: do not rely on it."
    elif gain is None or gain.low <= 0:
        remark = "The best guess: its gain over no regularization is not beyond noise."
    return Prescription(
        network=best.network,
        training=best.training,
        task=data.task,
        rows=int(data.full.train.size),
        penalty=best.penalty,
        lam=best.lam,
        weighted=_weighted(data),
        remark=remark,
        why="the best recipe has none",
    )


def _weighted(data: Data) -> bool:
    """Whether rows have weights of their own."""
    return bool(np.ptp(data.full.weights[data.full.train]) > 0)


def _why_none(findings: Findings) -> str:
    """Why no penalty is written down, when none is."""
    best = findings.minimum
    if not findings.plan.tries_penalties:
        return "none was tried"
    if best.point.penalty is not None:
        most = best.title[0].lower() + best.title[1:]
        return f"the {most} was at {best.point.label}, but not beyond noise"
    return Prescription.why


def _best_l2(findings: Findings) -> float | None:
    metric = findings.plan.metric
    known = candidates(findings.study, metric)
    ridge = [point for point in known if point.penalty == L2()]
    best = min(ridge, key=lambda point: badness(point, metric), default=None)
    return None if best is None else best.lam


def comment(text: str) -> list[str]:
    """A sentence as lines of comment; none for an empty one."""
    return textwrap.wrap(text, 88, initial_indent="# ", subsequent_indent="# ")


def number(value: float) -> str:
    """A number as Python source, without the noise of binary fractions."""
    return repr(float(f"{value:.9g}")).replace("e-0", "e-")


def arguments(given: Mapping[str, object], defaults: Mapping[str, object]) -> str:
    """Keyword arguments as source, led by a comma, without the framework's own defaults."""
    shown = {name: value for name, value in given.items() if defaults.get(name) != value}
    return "".join(
        f", {name}={number(value) if isinstance(value, float) else value}"
        for name, value in shown.items()
    )


def program(lines: list[str]) -> str:
    """Lines as a program, with at most two empty ones together."""
    kept = [
        line
        for place, line in enumerate(lines)
        if line or place < 2 or lines[place - 2 : place] != ["", ""]
    ]
    return "\n".join(kept) + "\n"
