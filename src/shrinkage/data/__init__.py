"""A table or a toy problem → arrays, folds, and a test set that nobody touches before verify."""

from shrinkage.data.arrays import Data, Part, Task, TestSet
from shrinkage.data.description import Description
from shrinkage.data.prepare import MINIMUM_ROWS, prepare
from shrinkage.data.problems import BUNDLED, REAL_PROBLEMS, TOY_PROBLEMS, bundled
from shrinkage.data.splits import default_folds
from shrinkage.data.table import load_table, open_source
from shrinkage.data.target import TASKS

__all__ = [
    "BUNDLED",
    "MINIMUM_ROWS",
    "REAL_PROBLEMS",
    "TASKS",
    "TOY_PROBLEMS",
    "Data",
    "Description",
    "Part",
    "Task",
    "TestSet",
    "bundled",
    "default_folds",
    "load_table",
    "open_source",
    "prepare",
]
