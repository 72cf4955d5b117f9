"""Metrics: what a network's scores are measured by; one file each."""

from pimsim.workload.metrics.accuracy import Accuracy
from pimsim.workload.metrics.base import Metric
from pimsim.workload.metrics.bits_per_character import BitsPerCharacter

ACCURACY, BITS_PER_CHARACTER = Accuracy(), BitsPerCharacter()
# metrics by the word that network files and reports use
METRICS: dict[str, Metric] = {metric.key: metric for metric in (ACCURACY, BITS_PER_CHARACTER)}

__all__ = [
    "ACCURACY",
    "BITS_PER_CHARACTER",
    "METRICS",
    "Accuracy",
    "BitsPerCharacter",
    "Metric",
]
