"""The findings as plain numbers and strings, for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shrinkage.data import Data
from shrinkage.findings.record import Findings
from shrinkage.intervals import Interval
from shrinkage.scores import Failures, PathPoint
from shrinkage.tune import Selection
from shrinkage.verify import (
    Committee,
    Effect,
    Relaxation,
    Shrinking,
    Simplicity,
    Verification,
)


def as_dict(findings: Findings) -> dict[str, Any]:
    """The findings as plain numbers and strings, for ``--json``."""
    diagnosis, verification = findings.diagnosis, findings.verification
    return {
        "data": about_data(findings.study.data),
        "network": str(findings.plan.network),
        "fits": {
            "planned": len(findings.study.trials),
            "finished": len(findings.study.fits),
            **asdict(Failures.of(findings.study.fits)),
            "interrupted_in": findings.stage,
            "not_run": list(findings.not_run),
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
            "recommended": None if findings.recommended is None else _point(findings.recommended),
            "sentence": findings.choice,
            "minimum": _selection(findings.minimum),
            "one_standard_error": _selection(findings.one_standard_error),
        },
        "path": [_point(point) for point in findings.points],
        "test": None if verification is None else _test(verification),
        "weights": None if verification is None else _weights(verification),
        "simplicity": None
        if verification is None or verification.simplicity is None
        else _simplicity(verification.simplicity),
        "smaller": None
        if verification is None or verification.shrinking is None
        else _smaller(verification.shrinking),
        "relaxed": None
        if verification is None or verification.relaxation is None
        else _relaxed(verification.relaxation),
        "checklist": []
        if verification is None
        else [
            {"text": point.text, "passed": point.passed, "evidence": point.evidence}
            for point in verification.checklist
        ],
        "joint": None if findings.joint is None else findings.joint.as_dict(),
        "committee": None if findings.committee is None else _committee(findings.committee),
        "exhibits": {record.name: record.as_dict() for record in findings.exhibits},
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


def about_data(data: Data) -> dict[str, Any]:
    """What was understood of a table, as plain numbers and strings."""
    description = data.description
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
        "fingerprint": data.fingerprint,
    }


def _committee(committee: Committee) -> dict[str, Any]:
    return {
        "size": committee.size,
        "sentence": committee.sentence,
        "effects": {
            effect.metric: {
                "alone": _interval(effect.before),
                "together": _interval(effect.after),
                "difference": _interval(effect.difference),
            }
            for effect in committee.effects
        },
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
        "validation_standard_error": point.se_validation if point.folds.size > 1 else None,
        "score": point.mean_score,
        "zeros": point.sparsity,
    }


def _test(verification: Verification) -> dict[str, Any]:
    return {
        "rows": verification.rows,
        "before": verification.before,
        "after": verification.after,
        "sentence": verification.sentence,
        "effects": _effects(verification.effects),
    }


def _effects(effects: tuple[Effect, ...]) -> dict[str, Any]:
    return {
        effect.metric: {
            "unit": effect.unit,
            "before": _interval(effect.before),
            "after": _interval(effect.after),
            "difference": _interval(effect.difference),
            "greater_is_better": effect.greater_is_better,
        }
        for effect in effects
    }


def _simplicity(simple: Simplicity) -> dict[str, Any]:
    certainty = simple.certainty
    return {
        "sentence": simple.sentence,
        "calibration": simple.calibration_sentence or None,
        "seeds": simple.seeds,
        "training_rows": simple.rows[0],
        "test_rows": None if certainty is None else certainty.rows[0],
        "calibration_error_by_chance": None
        if certainty is None
        else {"before": certainty.by_chance.before, "after": certainty.by_chance.after},
        "measures": {
            one.name: {
                "unit": one.unit,
                "before": _interval(one.before),
                "after": _interval(one.after),
                "difference": _interval(one.difference),
                "ratio": _interval(one.ratio),
                "over": one.over,
                "outcome": one.outcome,
            }
            for one in simple.measures
        },
    }


def _smaller(small: Shrinking) -> dict[str, Any]:
    left = small.compacted
    return {
        "sentence": small.sentences,
        "parameters": {"before": left.before, "after": left.after},
        "hidden_units": [{"before": whole, "after": kept} for kept, whole in left.units],
        "inputs": list(small.inputs),
        "columns": list(small.columns),
        "largest_difference": small.difference,
        "largest_relative_difference": small.relative,
        "seconds": {
            "rows": small.timed_rows,
            "before": small.seconds[0],
            "after": small.seconds[1],
        },
    }


def _relaxed(relaxed: Relaxation) -> dict[str, Any]:
    return {
        "sentence": relaxed.sentence,
        "recommended": relaxed.recommended,
        "epochs": relaxed.epochs,
        "folds": relaxed.folds,
        "validation": {
            "before": relaxed.penalized,
            "after": relaxed.relaxed,
            "difference": _interval(relaxed.difference),
        },
        "effects": _effects(relaxed.effects),
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
