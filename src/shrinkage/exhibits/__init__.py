"""Demonstrations beside the main search: each a question, its trials and the record they give."""

from shrinkage.exhibits.exhibit import Basis, Exhibit, Record, Series, Shown, Table

__all__ = ["Basis", "Exhibit", "Record", "Series", "Shown", "Table"]
