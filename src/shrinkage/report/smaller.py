"""The section about what a penalty leaves: the smaller network, its inputs, the relaxed refit."""

from __future__ import annotations

from typing import Any

from shrinkage.findings import Findings
from shrinkage.report.tables import effects_table
from shrinkage.verify import Relaxation, Shrinking
from shrinkage.verify.shrinking import duration


def smaller_part(findings: Findings) -> dict[str, Any] | None:
    """The section; None where the penalty leaves the network as it was."""
    verification = findings.verification
    if verification is None:
        return None
    small, relaxed = verification.shrinking, verification.relaxation
    if small is None and relaxed is None:
        return None
    return {
        "title": _title(small, relaxed),
        "network": None if small is None else _network(small),
        "relaxed": None if relaxed is None else _relaxed(relaxed),
    }


def _title(small: Shrinking | None, relaxed: Relaxation | None) -> str:
    if small is not None:
        left = small.compacted
        return f"{left.after:,} of {left.before:,} parameters answer the same"
    better = relaxed is not None and relaxed.recommended
    return "A relaxed refit is better" if better else "A relaxed refit is not better"


def _network(small: Shrinking) -> dict[str, Any]:
    left = small.compacted
    counts = [("parameters", left.before, left.after)]
    counts += [
        (f"units of hidden layer {layer}", whole, kept)
        for layer, (kept, whole) in enumerate(left.units, start=1)
    ]
    counts.append(("inputs", small.all_inputs, len(small.inputs)))
    if small.all_columns:
        counts.append(("columns of the table", small.all_columns, len(small.columns)))
    rows = [(name, f"{before:,}", f"{after:,}") for name, before, after in counts]
    before, after = map(duration, small.seconds)
    rows.append((f"predicting {small.timed_rows:,} rows", before, after))
    return {
        "sentence": small.sentence,
        "rows": rows,
        "columns": small.columns or small.inputs,
        "inputs": small.inputs if small.inputs != small.columns else (),
    }


def _relaxed(relaxed: Relaxation) -> dict[str, Any]:
    return {
        "sentence": relaxed.sentence,
        "rows": effects_table(relaxed.effects),
        "before": relaxed.label,
        "after": "relaxed",
    }
