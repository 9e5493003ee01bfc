"""The four findings of a run, as one record that every view shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shrinkage.detect import Diagnosis, diagnose
from shrinkage.errors import ShrinkageError
from shrinkage.intervals import Interval
from shrinkage.scores import PathPoint, path
from shrinkage.study import Study
from shrinkage.tune import Plan, Selection, select
from shrinkage.verify import Verification, verify


@dataclass(frozen=True, eq=False)
class Findings:
    """What a study says: the diagnosis, the choice, and its effect on test set and weights.

    Parameters
    ----------
    study : Study
        What everything below is a pure function of.
    plan : Plan
        What was to be tried.
    points : tuple of PathPoint
        The λ path, with the plan's metric as score.
    diagnosis : Diagnosis
        Does the unpenalized network overfit?
    minimum, one_standard_error : Selection
        The two rules.
    selection : Selection
        The one that the plan's rule recommends and that was verified.
    verification : Verification or None
        None when the refits are missing; `notes` then says why.
    notes : tuple of str
        What is missing or was left out, in sentences.
    """

    study: Study
    plan: Plan
    points: tuple[PathPoint, ...]
    diagnosis: Diagnosis
    minimum: Selection
    one_standard_error: Selection
    selection: Selection
    verification: Verification | None
    notes: tuple[str, ...]

    @property
    def sentences(self) -> tuple[tuple[str, str], ...]:
        """The four findings: (heading, sentence)."""
        four = [
            ("Diagnosis", f"{self.diagnosis.sentence} {self.diagnosis.prescription}"),
            ("Best penalty", self.selection.sentence + self._other_rule()),
        ]
        if self.verification is not None:
            four.append(("Held-out data", self.verification.sentence))
            four.append(("Weights", self.verification.weights_sentence))
        return tuple(four)

    def _other_rule(self) -> str:
        minimum, strict = self.minimum.point, self.one_standard_error.point
        if minimum.label == strict.label:
            return ""
        if self.selection is self.minimum:
            return f" The strongest within one standard error of it is {strict.label}."
        return f" The best itself is {minimum.label}."


def find(study: Study, plan: Plan) -> Findings:
    """Compute every finding of a study.

    Parameters
    ----------
    study : Study
        Complete, or what an interruption left.
    plan : Plan
        Its settings: metric and rule.

    Returns
    -------
    Findings
        With `verification` None when the study has no refits to verify.

    Raises
    ------
    ShrinkageError
        When not even the diagnosis can be made (no unpenalized fit finished, or all diverged).
    """
    diagnosis = diagnose(study)
    minimum = select(study, "minimum", plan.metric)
    one_standard_error = select(study, "one_standard_error", plan.metric)
    selection = one_standard_error if plan.rule == "one_standard_error" else minimum
    notes: list[str] = []
    if study.missing:
        notes.append(
            f"The run was interrupted: {len(study.fits)} of {len(study.trials)} planned fits are "
            f"finished and {len(study.missing)} are missing; all numbers rest on the finished ones."
        )
    if study.diverged:
        notes.append(
            f"{len(study.diverged)} of {len(study.fits)} fits diverged and are left out; the "
            f"first {study.diverged[0].message}."
        )
    verification: Verification | None = None
    try:
        verification = verify(study, selection, study.data.test, diagnosis)
    except ShrinkageError as error:
        notes.append(f"Not verified: {error}.")
    return Findings(
        study=study,
        plan=plan,
        points=path(study, plan.metric),
        diagnosis=diagnosis,
        minimum=minimum,
        one_standard_error=one_standard_error,
        selection=selection,
        verification=verification,
        notes=tuple(notes),
    )


def as_dict(findings: Findings) -> dict[str, Any]:
    """The findings as plain numbers and strings, for ``--json``."""
    diagnosis, verification = findings.diagnosis, findings.verification
    return {
        "data": _data(findings.study),
        "network": str(findings.plan.network),
        "fits": {
            "planned": len(findings.study.trials),
            "finished": len(findings.study.fits),
            "diverged": len(findings.study.diverged),
        },
        "diagnosis": {
            "verdict": diagnosis.verdict,
            "loss": diagnosis.loss_name,
            "unit": diagnosis.unit,
            "train_loss": diagnosis.train_loss,
            "validation_loss": diagnosis.validation_loss,
            "null_loss": diagnosis.null_loss,
            "gap": _interval(diagnosis.gap),
            "penalty_gain": _interval(diagnosis.penalty_gain),
            "early_gain": _interval(diagnosis.early_gain),
            "early_epoch": diagnosis.early_epoch,
            "sentence": diagnosis.sentence,
            "prescription": diagnosis.prescription,
        },
        "selection": {
            "rule": findings.selection.rule,
            "minimum": _selection(findings.minimum),
            "one_standard_error": _selection(findings.one_standard_error),
        },
        "path": [_point(point) for point in findings.points],
        "test": None if verification is None else _test(verification),
        "weights": None if verification is None else _weights(verification),
        "checklist": []
        if verification is None
        else [
            {"text": point.text, "passed": point.passed, "evidence": point.evidence}
            for point in verification.checklist
        ],
        "warnings": list(findings.study.data.description.warnings),
        "notes": list(findings.notes),
        "versions": findings.study.versions,
    }


def _interval(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    bounded = interval.bounded
    return {
        "estimate": interval.estimate,
        "low": interval.low if bounded else None,
        "high": interval.high if bounded else None,
        "level": interval.level,
    }


def _data(study: Study) -> dict[str, Any]:
    description = study.data.description
    return {
        "source": description.source,
        "rows": description.rows,
        "columns": description.columns,
        "inputs": description.inputs,
        "target": description.target,
        "task": description.task,
        "class_counts": dict(description.class_counts),
        "train_rows": description.train_rows,
        "test_rows": description.test_rows,
        "missing": description.missing,
        "dropped": [{"column": name, "reason": why} for name, why in description.dropped],
        "fingerprint": study.data.fingerprint,
    }


def _selection(selection: Selection) -> dict[str, Any]:
    return _point(selection.point) | {"sentence": selection.sentence}


def _point(point: PathPoint) -> dict[str, Any]:
    return {
        "penalty": None if point.penalty is None else point.penalty.name,
        "lambda": point.lam,
        "folds": int(point.folds.size),
        "train_loss": point.mean_train,
        "validation_loss": point.mean_validation,
        "validation_standard_error": point.se_validation,
        "score": point.mean_score,
        "zeros": point.sparsity,
    }


def _test(verification: Verification) -> dict[str, Any]:
    return {
        "rows": verification.rows,
        "before": verification.before,
        "after": verification.after,
        "sentence": verification.sentence,
        "effects": {
            effect.metric: {
                "unit": effect.unit,
                "before": _interval(effect.before),
                "after": _interval(effect.after),
                "difference": _interval(effect.difference),
                "greater_is_better": effect.greater_is_better,
            }
            for effect in verification.effects
        },
    }


def _weights(verification: Verification) -> dict[str, Any]:
    together = verification.weights[0]
    return {
        "sentence": verification.weights_sentence,
        **{
            when: {
                "minimum": summary.minimum,
                "maximum": summary.maximum,
                "std": summary.std,
                "zeros": summary.zeros,
            }
            for when, summary in (("before", together.before), ("after", together.after))
        },
    }
