"""What a diagnosis holds: the verdict, its numbers and its two sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shrinkage.intervals import Interval
from shrinkage.scores import Failures

Verdict = Literal["overfits", "underfits", "balanced"]

MATERIAL_GAP = 0.05
"""A gap whose interval ends below this share of the null loss is called small."""
FALLING = 0.02
"""The least fall over the last quarter of the epochs that counts, as a share of the null loss."""


@dataclass(frozen=True)
class Diagnosis:
    """What the unpenalized network does, and what would help it.

    All losses are penalty-free, in :attr:`unit`; gains are positive where something validates
    better than the unpenalized network at its last epoch.

    Parameters
    ----------
    verdict : str
        ``"overfits"``, ``"underfits"`` or ``"balanced"``.
    loss_name : str
        ``"log loss"``, ``"class-weighted log loss"`` or ``"mean squared error"``.
    unit : str
        ``"nats"``, or ``"target variances"`` for the mean squared error of a standardized target.
    train_loss, validation_loss : float
        Means over the folds, of the final parameters.
    null_loss : float
        Of the best constant prediction on the training rows: the class shares, or the mean.
    gap : Interval
        Validation loss − training loss.
    fall : Interval or None
        By how much the validation loss fell over the last quarter of the epochs; None when it was
        not recorded there.
    penalty_gain : Interval or None
        By how much the best penalized point validates better. The point is chosen without the
        fold on which its gain is measured, so trying many λ does not flatter it. None when no
        penalty was tried.
    best : str
        Label of the point of the path with the least mean validation loss, which may be
        ``"no penalty"``.
    best_penalized : str or None
        Label of the best point with a penalty; None when none was tried.
    early_gain : Interval or None
        By how much an earlier epoch validates better, the epoch chosen in the same way. None when
        the losses were recorded at the last epoch only.
    early_epoch : int or None
        Epoch with the least mean validation loss over all folds, the last one when no earlier
        one is better; None as above.
    epochs : int
        Last epoch of the training.
    folds : int
        Fits without penalty that the numbers rest on (folds × repeats that finished).
    failures : Failures
        Fits that diverged, ran out of time or were lost, which are left out.
    missing : int
        Planned trials without a fit, after an interruption.
    hidden_layers : int
        Of the network.
    recipes : bool
        Whether what was tried differs in more than its penalty and λ.
    sentence : str
        The verdict in one sentence, with its numbers.
    prescription : str
        What to do, in one sentence.
    """

    verdict: Verdict
    loss_name: str
    unit: str
    train_loss: float
    validation_loss: float
    null_loss: float
    gap: Interval
    fall: Interval | None
    penalty_gain: Interval | None
    best: str
    best_penalized: str | None
    early_gain: Interval | None
    early_epoch: int | None
    epochs: int
    folds: int
    failures: Failures
    missing: int
    hidden_layers: int
    recipes: bool
    sentence: str
    prescription: str

    @property
    def diverged(self) -> int:
        """Fits that ended without a finite loss."""
        return self.failures.diverged

    @property
    def relative_gap(self) -> float:
        """The gap as a share of the null loss."""
        return self.gap.estimate / self.null_loss if self.null_loss > 0 else 0.0

    @property
    def explained(self) -> float:
        """1 − training loss / null loss: 0 like a constant prediction, 1 perfect."""
        return 1.0 - self.train_loss / self.null_loss if self.null_loss > 0 else 1.0

    @property
    def one_fold(self) -> bool:
        """Whether all rests on one fold, which cannot tell noise from effect."""
        return self.folds == 1

    @property
    def gap_is_material(self) -> bool:
        """Whether the gap is beyond noise (which one fold cannot tell) and not small."""
        beyond_noise = self.gap.low > 0 or self.one_fold
        return beyond_noise and self.relative_gap >= MATERIAL_GAP

    @property
    def gap_is_unclear(self) -> bool:
        """Whether the gap's interval leaves open if it is material: neither shown nor small."""
        return not self.gap_is_material and self.gap.high > MATERIAL_GAP * self.null_loss

    @property
    def heading(self) -> str:
        """The verdict in one word: ``"unclear"`` where balanced cannot be told from overfitting."""
        return "unclear" if self.verdict == "balanced" and self.gap_is_unclear else self.verdict

    @property
    def not_trained(self) -> bool:
        """Whether even the training loss is worse than a constant prediction's."""
        return self.explained < 0

    @property
    def not_generalizing(self) -> bool:
        """Whether the training loss is better than a constant prediction's, validation worse."""
        return self.train_loss < self.null_loss < self.validation_loss

    @property
    def penalty_helps(self) -> bool:
        """Whether a penalty validates better beyond noise."""
        return self.penalty_gain is not None and self.penalty_gain.low > 0

    @property
    def stopping_helps(self) -> bool:
        """Whether an earlier epoch validates better beyond noise."""
        return self.early_gain is not None and self.early_gain.low > 0

    @property
    def still_falling(self) -> bool:
        """Whether the validation loss was still falling, by an amount that counts, at the end."""
        if self.fall is None or self.fall.low <= 0:
            return False
        return self.fall.estimate >= FALLING * self.null_loss
