"""What was understood of a table, in words for the terminal and the report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Description:
    """What was found in a table and what was done with it.

    Parameters
    ----------
    source : str
        Where the table came from: a file name or a bundled problem.
    rows : int
        Usable rows (rows without a target are not counted, and a warning tells of them).
    columns : int
        Input columns of the table, the target not counted, before any was dropped.
    inputs : int
        Encoded inputs of the network, with preprocessing fitted on every training row.
    target : str
        Target column, or several joined by commas.
    task : str
        ``"binary"``, ``"multiclass"`` or ``"regression"``.
    class_counts : tuple of (str, int)
        Rows of each class, in the order of the class indices; empty for regression.
    train_rows, test_rows : int
        Rows for cross-validation and refits, and rows set aside for verification.
    folds, repeats : int
        Of the cross-validation.
    kinds : tuple of (str, int)
        How many input columns were read as each kind, as ``(("numeric", 7), ("text", 1))``.
    missing : int
        Empty cells among the inputs that were kept.
    missing_columns : int
        Input columns that have them.
    missing_handling : str
        What was done with them, as a clause; empty when nothing is missing.
    dropped : tuple of (str, str)
        Input columns left out, each with the reason.
    warnings : tuple of str
        Sentences that a person should read before trusting the result.
    is_toy : bool
        Whether this is a generated problem such as moons.
    """

    source: str
    rows: int
    columns: int
    inputs: int
    target: str
    task: str
    class_counts: tuple[tuple[str, int], ...]
    train_rows: int
    test_rows: int
    folds: int
    repeats: int
    kinds: tuple[tuple[str, int], ...] = ()
    missing: int = 0
    missing_columns: int = 0
    missing_handling: str = ""
    dropped: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    is_toy: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """The description as sentences, the warnings last."""
        return (
            self._size_sentence(),
            self._target_sentence(),
            self._split_sentence(),
            *([self._missing_sentence()] if self.missing else []),
            *([self._dropped_sentence()] if self.dropped else []),
            *self.warnings,
        )

    def _size_sentence(self) -> str:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds)
        became = f"{counted(self.columns, 'column')} ({kinds})" if kinds else ""
        became = became or counted(self.columns, "column")
        return f"{counted(self.rows, 'row')}; {became} became {counted(self.inputs, 'input')}."

    def _target_sentence(self) -> str:
        if self.task == "regression":
            return f"Target {self.target}: regression."
        shown = [f"{name} ({count:,})" for name, count in self.class_counts[:6]]
        if len(self.class_counts) > 6:
            shown.append(f"and {len(self.class_counts) - 6} more")
        return f"Target {self.target}: {len(self.class_counts)} classes, {', '.join(shown)}."

    def _split_sentence(self) -> str:
        repeats = f", repeated {self.repeats} times" if self.repeats > 1 else ""
        return (
            f"{self.train_rows:,} rows for training in {self.folds} folds{repeats}; "
            f"{counted(self.test_rows, 'row')} set aside for the final test."
        )

    def _missing_sentence(self) -> str:
        return (
            f"{counted(self.missing, 'missing value')} in "
            f"{counted(self.missing_columns, 'column')}: {self.missing_handling}."
        )

    def _dropped_sentence(self) -> str:
        shown = [f"{column} ({reason})" for column, reason in self.dropped[:8]]
        if len(self.dropped) > 8:
            shown.append(f"and {len(self.dropped) - 8} more")
        return f"Left out {counted(len(self.dropped), 'column')}: {', '.join(shown)}."


def counted(number: int, noun: str) -> str:
    """``"1 row"``, ``"48,842 rows"``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
