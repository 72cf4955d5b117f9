"""Several chips, devices or networks side by side, from their reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pimsim import __version__
from pimsim.errors import ConfigError, Place
from pimsim.files import read_json

SCHEMA = "pimsim.comparison/1"
# what tells cases apart, in the order in which it is named
_NAMES = ("network", "chip", "device", "data")


def read_report(path: Path) -> dict[str, Any]:
    """The report of a finished run, from its folder or its file.

    Raises
    ------
    ConfigError
        If it is none, or of another schema.
    """
    file = path / "report.json" if path.is_dir() else path
    report = read_json(file)
    try:
        # a difference to itself asks for all that a comparison needs
        _difference(_case(_name(report), report), report, report)
        is_known = report["schema"] == 1 and bool(_labels([report])) and _data_of(report) != ""
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError):
        is_known = False
    if not is_known:
        raise ConfigError(
            "is no report that this pimsim can compare",
            place=Place(file),
            remedy="Run it again with this version",
        )
    return dict(report)


def describe_comparison(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Cases side by side, and each against the first.

    Parameters
    ----------
    reports
        Documents of `describe_run`, at least one; all on the same data.

    Raises
    ------
    ConfigError
        If they ran on different data, or on different sequences of it.
    """
    first = reports[0]
    for report in reports[1:]:
        if _data_of(report) != _data_of(first):
            raise ConfigError(
                f"'{_name(report)}' ran on other sequences than '{_name(first)}'",
                place=Place("compare"),
                remedy="Compare runs of one data set and one limit",
            )
    labels = _labels(reports)
    cases = [_case(label, report) for label, report in zip(labels, reports, strict=True)]
    return {
        "schema": SCHEMA,
        "pimsim": __version__,
        "data": first["run"]["data"],
        "is_synthetic_data": first["run"]["is_synthetic_data"],
        "n_sequences": first["run"]["n_sequences"],
        "cases": cases,
        "differences": [
            {"case": case["case"], "from": cases[0]["case"], **_difference(case, report, first)}
            for case, report in zip(cases[1:], reports[1:], strict=True)
        ],
        "provenance": [report["provenance"] for report in reports],
    }


def _data_of(report: Mapping[str, Any]) -> str:
    return str(report["provenance"]["data"]["sha256"])


def _name(report: Mapping[str, Any]) -> str:
    return ", ".join(str(report["run"][key]) for key in _NAMES)


def _labels(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the cases: what differs between them, a number where nothing does."""
    runs = [report["run"] for report in reports]
    differing = [key for key in _NAMES if len({run[key] for run in runs}) > 1] or ["device"]
    labels = [", ".join(str(run[key]) for key in differing) for run in runs]
    changes = [
        " ".join(text for text in report["provenance"]["overrides"] if not _names_network(text))
        for report in reports
    ]
    if len(set(changes)) > 1:
        labels = [f"{a} {b}".strip() for a, b in zip(labels, changes, strict=True)]
    if len(set(labels)) < len(labels):
        labels = [f"{label} #{index}" for index, label in enumerate(labels, start=1)]
    return labels


def _names_network(assignment: str) -> bool:
    """Whether a replaced key is one that `_NAMES` tells already."""
    return assignment.partition("=")[0].strip() in ("network", "networks.levels")


def _case(label: str, report: Mapping[str, Any]) -> dict[str, Any]:
    latency, energy, area = report["latency"], report["energy"], report["area"]
    return {
        "case": label,
        **{key: report["run"][key] for key in ("network", "chip", "device", "n_chips", "seed")},
        "accuracy": report["accuracy"],
        "energy_per_inference_j": energy["per_inference_j"],
        "energy_by_component_j": energy["by_component_j"],
        "area_m2": area["total_m2"],
        "area_by_component_m2": area["by_component_m2"],
        "interval_s": latency["interval_s"],
        "after_last_input_s": latency["after_last_input_s"],
        "tops_per_w": report["efficiency"]["tops_per_w"],
        "tops_per_mm2": report["efficiency"]["tops_per_mm2"],
        "doubtful": [check for check in report["plausibility"] if not check["passes"]],
    }


def _difference(
    case: Mapping[str, Any], report: Mapping[str, Any], first: Mapping[str, Any]
) -> dict[str, Any]:
    base = _case("", first)
    p_value, is_paired = significance(report, first)
    return {
        "accuracy_points": 100 * (case["accuracy"]["mean"] - base["accuracy"]["mean"]),
        "p_value": p_value,
        "is_paired": is_paired,
        **{
            key.replace("_j", "").replace("_m2", "").replace("_s", "") + "_percent": 100
            * (case[key] / base[key] - 1)
            for key in ("energy_per_inference_j", "area_m2", "interval_s", "after_last_input_s")
        },
    }


def significance(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[float | None, bool]:
    """How likely such a difference of mean accuracies is by the draw of chips alone.

    Returns
    -------
    p_value : float or None
        Student's t over the chips: of their differences where both runs drew the same chips
        (one seed, as many), Welch's otherwise; None where one of them drew a single chip.
    is_paired : bool

    Notes
    -----
    It says nothing of other sequences.
    """
    from scipy.stats import ttest_ind, ttest_rel

    a, b = (np.array(report["accuracy"]["per_chip"]) for report in (one, other))
    if min(len(a), len(b)) < 2:
        return None, False
    is_paired = len(a) == len(b) and one["run"]["seed"] == other["run"]["seed"]
    if is_paired and np.ptp(a - b) == 0:
        return (1.0 if a[0] == b[0] else 0.0), True
    found = ttest_rel(a, b) if is_paired else ttest_ind(a, b, equal_var=False)
    p_value = float(found.pvalue)
    return (1.0 if math.isnan(p_value) else p_value), is_paired
