"""The findings as one HTML file that opens without a network, and that a person can send."""

from shrinkage.report.run import RunInfo
from shrinkage.report.write import render, write

__all__ = ["RunInfo", "render", "write"]
