"""From a study to a diagnosis: whether the network overfits, underfits or does neither."""

from shrinkage.detect.diagnosis import Diagnosis, Verdict
from shrinkage.detect.judge import diagnose

__all__ = ["Diagnosis", "Verdict", "diagnose"]
