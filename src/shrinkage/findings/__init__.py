"""All that a study says, as sentences and numbers, for every view."""

from shrinkage.findings.plain import about_data, as_dict
from shrinkage.findings.record import Findings, find

__all__ = ["Findings", "about_data", "as_dict", "find"]
