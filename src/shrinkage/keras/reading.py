"""What the losses of one training say: overfits, underfits or balanced, on one split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from shrinkage.detect.diagnosis import MATERIAL_GAP, Verdict
from shrinkage.detect.judge import verdict_by
from shrinkage.intervals import Interval
from shrinkage.keras.reading_text import worded


@dataclass(frozen=True)
class Reading:
    """What one training on one split says.

    Parameters
    ----------
    verdict : str
        ``"overfits"``, ``"underfits"`` or ``"balanced"``.
    loss_name, unit : str
        Of the losses below, which are free of any penalty.
    train_loss, validation_loss : float
        Means over rows, at the last epoch that was measured.
    null_loss : float or None
        Of the best constant answer; None where it is not known.
    gap : Interval
        Validation loss − training loss. The interval is about the rows; its ends are unbounded
        where losses are not known row by row.
    trend : Interval or None
        Change of the gap per epoch, over the last `recent` epochs.
    recent : int
        Epochs that the trend is about.
    epoch : int
        That the losses are of, from 1.
    best_epoch : int
        With the least validation loss.
    early_gain : Interval or None
        By how much an earlier epoch validates better, chosen on one half of the rows and measured
        on the other, both ways; None where losses are not known row by row.
    falling : bool
        Whether the validation loss still fell over the last quarter, by an amount that counts.
    rows : (int, int) or None
        Training and validation rows that were measured row by row.
    sentence : str
        The verdict with its numbers.
    advice : str
        What to do.
    """

    verdict: Verdict
    loss_name: str
    unit: str
    train_loss: float
    validation_loss: float
    null_loss: float | None
    gap: Interval
    trend: Interval | None
    recent: int
    epoch: int
    best_epoch: int
    early_gain: Interval | None
    falling: bool
    rows: tuple[int, int] | None
    sentence: str = ""
    advice: str = ""

    @property
    def scale(self) -> float:
        """What a gap is measured against: the constant answer's loss, or else the larger loss."""
        return self.null_loss or max(abs(self.validation_loss), abs(self.train_loss))

    @property
    def explained(self) -> float | None:
        """1 − training loss / constant answer's loss; None where that is not known."""
        return 1.0 - self.train_loss / self.null_loss if self.null_loss else None

    @property
    def diverged(self) -> bool:
        """Whether a loss is no longer finite."""
        return not (isfinite(self.train_loss) and isfinite(self.validation_loss))

    @property
    def gap_is_material(self) -> bool:
        """Whether the gap is not small, nor noise of the rows where that is known."""
        beyond = self.gap.low > 0 or not self.gap.bounded
        return beyond and self.gap.estimate >= MATERIAL_GAP * self.scale

    @property
    def gap_is_unclear(self) -> bool:
        """Whether the gap's interval leaves open if it is material: neither shown nor small."""
        beyond = self.gap.bounded and self.gap.high > MATERIAL_GAP * self.scale
        return beyond and not self.gap_is_material

    @property
    def not_generalizing(self) -> bool:
        """Whether the training loss is better than a constant answer's, validation worse."""
        return self.null_loss is not None and (
            self.train_loss < self.null_loss < self.validation_loss
        )

    @property
    def stopping_helps(self) -> bool:
        """Whether an earlier epoch validates better beyond the noise of the rows."""
        return self.early_gain is not None and self.early_gain.low > 0

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}"


def verdict_of(facts: Reading) -> Verdict:
    """By the rules of :func:`shrinkage.detect.diagnose`, but for those about penalties."""
    explained = facts.explained
    return verdict_by(
        overfits=facts.gap_is_material or facts.stopping_helps,
        not_generalizing=facts.not_generalizing,
        gap_is_shown=facts.gap.low > 0,
        explained=explained,
        falling=facts.falling,
        not_trained=facts.diverged or (explained is not None and explained < 0),
    )


def finished(**facts: Any) -> Reading:
    """A reading with its verdict and its words.

    Parameters
    ----------
    **facts
        Fields of :class:`Reading` but verdict, sentence and advice.

    Returns
    -------
    Reading
    """
    bare = Reading(verdict="balanced", **facts)
    judged = replace(bare, verdict=verdict_of(bare))
    sentence, advice = worded(judged)
    return replace(judged, sentence=sentence, advice=advice)
