"""From a document to its page of blocks, one file for each study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pimsim.errors import ConfigError, Place, shown
from pimsim.files import is_file, is_folder, read_json
from pimsim.report.blocks import Page
from pimsim.report.documents import (
    AgeDocument,
    ChipDocument,
    ChipsDocument,
    ComparisonDocument,
    CurvesDocument,
    DeviceDocument,
    DevicesDocument,
    Document,
    PenaltyDocument,
    RunDocument,
    SensitivityDocument,
    SettingsDocument,
    SweepDocument,
    TrainingDocument,
    ValidationDocument,
    VariantsDocument,
    parse,
)
from pimsim.report.documents.reproduction import KINDS
from pimsim.report.pages.age import age_page
from pimsim.report.pages.chip import chip_page
from pimsim.report.pages.comparison import comparison_page
from pimsim.report.pages.device import device_page
from pimsim.report.pages.reproduction import (
    chips_page,
    curves_page,
    devices_page,
    penalty_page,
    settings_page,
    variants_page,
)
from pimsim.report.pages.run import run_page
from pimsim.report.pages.sensitivity import sensitivity_page
from pimsim.report.pages.sweep import sweep_page
from pimsim.report.pages.training import training_page
from pimsim.report.pages.validation import validation_page

# files of results, by the folder's command
DOCUMENTS = (
    "report.json",
    "comparison.json",
    "sweep.json",
    "sensitivity.json",
    "training.json",
    "age.json",
)
# by the document's `schema`, and its `kind` where it has one
SCHEMAS: dict[object, type[Document]] = {
    1: RunDocument,
    "pimsim.comparison/1": ComparisonDocument,
    "pimsim.sweep/1": SweepDocument,
    "pimsim.age/1": AgeDocument,
    "pimsim.training/1": TrainingDocument,
    "pimsim.validated/2": ValidationDocument,
    "pimsim.sensitivity/1": SensitivityDocument,
    "pimsim.device_summary/1": DeviceDocument,
    "pimsim.chip_summary/1": ChipDocument,
    **{("pimsim.reproduction/1", kind): model for kind, model in KINDS.items()},
}
PAGES: dict[type[Document], Callable[[Any], Page]] = {
    RunDocument: run_page,
    ComparisonDocument: comparison_page,
    SweepDocument: sweep_page,
    AgeDocument: age_page,
    TrainingDocument: training_page,
    ValidationDocument: validation_page,
    SensitivityDocument: sensitivity_page,
    DeviceDocument: device_page,
    ChipDocument: chip_page,
    CurvesDocument: curves_page,
    DevicesDocument: devices_page,
    VariantsDocument: variants_page,
    PenaltyDocument: penalty_page,
    SettingsDocument: settings_page,
    ChipsDocument: chips_page,
}


def page_of(document: Document) -> Page:
    """The page of a document."""
    return PAGES[type(document)](document)


def document_of(tree: Any, place: Path | str = "document") -> Document:
    """Make a document from the content of a JSON file.

    Raises
    ------
    ConfigError
        If it is of no known schema, or not what its schema asks for; it names `place` and the
        first wrong key.
    """
    schema, kind = (tree.get("schema"), tree.get("kind")) if isinstance(tree, dict) else (None,) * 2
    known = next((s for s in SCHEMAS if s in (schema, (schema, kind))), None)
    if known is None:
        raise ConfigError(
            f"is no document that this pimsim can show: schema is {shown(schema)}",
            place=Place(place),
            remedy="Run it again with this version",
        )
    return parse(tree, SCHEMAS[known], place)


def find_document(path: Path) -> Path:
    """Path of the document in a folder of results; that of a file is its own.

    Raises
    ------
    ConfigError
        If the folder holds none, or more than one.
    """
    found = [path]
    if is_folder(path):
        found = [path / name for name in DOCUMENTS if is_file(path / name)]
        if len(found) != 1:
            raise ConfigError(
                f"holds {len(found)} documents; one is needed",
                place=Place(path),
                remedy=f"Name a file, such as {', '.join(DOCUMENTS)}",
            )
    return found[0]


def read_document(path: Path) -> Document:
    """The document in a file.

    Raises
    ------
    ConfigError
        If it cannot be read, or is damaged.
    """
    return document_of(read_json(path), path)
