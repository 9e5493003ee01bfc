"""A study as one SQLite file: written as fits arrive, read by anyone, continued and merged."""

from shrinkage.archive.differences import differences
from shrinkage.archive.frames import frame
from shrinkage.archive.reading import open_study
from shrinkage.archive.recording import Recorded
from shrinkage.archive.records import told_fields
from shrinkage.archive.summary import Summary, summary
from shrinkage.archive.writing import Run, StudyFile

__all__ = [
    "Recorded",
    "Run",
    "StudyFile",
    "Summary",
    "differences",
    "frame",
    "open_study",
    "summary",
    "told_fields",
]
