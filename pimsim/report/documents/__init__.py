"""Documents of results, one file for each study: typed and described content of their JSON."""

from pimsim.report.documents.base import Document, Origin, Part, parse
from pimsim.report.documents.chip import ChipDocument
from pimsim.report.documents.comparison import ComparisonDocument
from pimsim.report.documents.device import DeviceDocument
from pimsim.report.documents.reproduction import (
    ChipsDocument,
    CurvesDocument,
    DevicesDocument,
    PenaltyDocument,
    ReproductionDocument,
    SettingsDocument,
    VariantsDocument,
)
from pimsim.report.documents.run import RunDocument
from pimsim.report.documents.sensitivity import SensitivityDocument
from pimsim.report.documents.sweep import AgeDocument, SweepDocument
from pimsim.report.documents.training import TrainingDocument
from pimsim.report.documents.validation import ValidationDocument

__all__ = [
    "AgeDocument",
    "ChipDocument",
    "ChipsDocument",
    "ComparisonDocument",
    "CurvesDocument",
    "DeviceDocument",
    "DevicesDocument",
    "Document",
    "Origin",
    "Part",
    "PenaltyDocument",
    "ReproductionDocument",
    "RunDocument",
    "SensitivityDocument",
    "SettingsDocument",
    "SweepDocument",
    "TrainingDocument",
    "ValidationDocument",
    "VariantsDocument",
    "parse",
]
