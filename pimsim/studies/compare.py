"""Several chips, devices or networks side by side, from their reports."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from pimsim import __version__
from pimsim.errors import ConfigError, Place
from pimsim.files import is_folder, read_json, whole_path
from pimsim.report.documents import ComparisonDocument, RunDocument, parse
from pimsim.report.documents.comparison import CaseFacts, DifferenceFacts
from pimsim.studies.document import run_document
from pimsim.studies.options import RunOptions
from pimsim.studies.plan import plan
from pimsim.studies.prepare import Model, Part, Shared
from pimsim.studies.progress import Progress, labelled, silent
from pimsim.studies.run import measure, price
from pimsim.workload import Network

# of an energy, an area or a time in SI units
LEAST = 1e-30
# what tells cases apart, in the order in which it is named
_NAMES = ("network", "chip", "device", "data")


@dataclass(frozen=True)
class Case:
    """A run that is compared.

    Attributes
    ----------
    name : str
        From the files that it was made from.
    is_new : bool
        Whether it was run for this comparison.
    """

    name: str
    report: RunDocument
    is_new: bool


def run_cases(
    what: Sequence[Model | RunDocument],
    *,
    networks: Sequence[Part | None] = (None,),
    chips: Sequence[Part | None] = (None,),
    devices: Sequence[Part | None] = (None,),
    options: RunOptions,
    progress: Progress = silent,
) -> Iterator[Case]:
    """The runs to compare, one after the other.

    Parameters
    ----------
    what
        Models, or networks without a model file, are run with every network, on every chip and
        device; folders and files of finished runs are read; documents are taken as they are.
    options
        Of all runs; no noise source is run alone.

    Raises
    ------
    PimsimError
        If something named is missing, damaged or does not fit.
    """
    shared = Shared()
    for one in what:
        if isinstance(one, RunDocument):
            yield Case(one.run.model, one, is_new=False)
        elif not isinstance(one, Network) and _is_report(Path(one)):
            yield Case(Path(one).stem, read_report(Path(one)), is_new=False)
        else:
            for network, chip, device in product(networks, chips, devices):
                parts = (one, network, chip, device)
                name = "-".join(_short_name(part) for part in parts if part is not None)
                given: dict[str, Any] = {"chip": chip, "device": device}
                if isinstance(network, Network):
                    given["network"] = network
                chosen = replace(
                    options,
                    **{key: part for key, part in given.items() if part is not None},
                    assignments=(*options.assignments, *_network_assignment(network, shared)),
                    noise_sources=False,
                )
                planned = plan(one, chosen, shared)
                found = price(planned, measure(planned, labelled(progress, name)))
                yield Case(name, run_document(found), is_new=True)


def _is_report(path: Path) -> bool:
    """Whether a path is that of a finished run."""
    return is_folder(path) or path.suffix == ".json"


def _short_name(part: Part) -> str:
    return Path(part).stem if isinstance(part, str | Path) else part.name


def _network_assignment(network: Part | None, shared: Shared) -> list[str]:
    """Assignment of a network: a path from the working folder, or the name of a bundled one."""
    if not isinstance(network, str | Path):
        return []
    is_here = shared.files.has(Path(network))
    return [f"network={whole_path(Path(network)) if is_here else network}"]


def read_report(path: Path) -> RunDocument:
    """The report of a finished run, from its folder or its file.

    Raises
    ------
    ConfigError
        If it is none, or of another schema.
    """
    file = path / "report.json" if is_folder(path) else path
    return parse(read_json(file), RunDocument, file, "report that this pimsim can compare")


def compare_runs(reports: Sequence[RunDocument]) -> ComparisonDocument:
    """Cases side by side, and each against the first.

    Parameters
    ----------
    reports
        At least one; all on the same data.

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
        if report.metric is not first.metric:
            raise ConfigError(
                f"'{_name(report)}' is measured in {report.metric.name}, and '{_name(first)}' in "
                f"{first.metric.name}",
                place=Place("compare"),
                remedy="Compare networks of one metric",
            )
    labels = _labels(reports)
    return ComparisonDocument(
        pimsim=__version__,
        data=first.run.data,
        is_synthetic_data=first.run.is_synthetic_data,
        n_sequences=first.run.n_sequences,
        cases=[_case(label, report) for label, report in zip(labels, reports, strict=True)],
        differences=[
            _difference(label, report, labels[0], first)
            for label, report in zip(labels[1:], reports[1:], strict=True)
        ],
        provenance=[report.provenance for report in reports],
    )


def describe_comparison(reports: Sequence[RunDocument | Mapping[str, Any]]) -> dict[str, Any]:
    """Comparison as plain data, from report documents or the content of their JSON."""
    typed = [
        report if isinstance(report, RunDocument) else parse(report, RunDocument, "report")
        for report in reports
    ]
    return compare_runs(typed).as_dict()


def _data_of(report: RunDocument) -> str:
    return report.provenance.data.sha256


def _names(report: RunDocument) -> dict[str, str]:
    return {key: str(getattr(report.run, key)) for key in _NAMES}


def _name(report: RunDocument) -> str:
    return ", ".join(_names(report).values())


def _labels(reports: Sequence[RunDocument]) -> list[str]:
    """Names of the cases: the settings that differ between them, or a number."""
    names = [_names(report) for report in reports]
    differing = [key for key in _NAMES if len({name[key] for name in names}) > 1] or ["device"]
    labels = [", ".join(name[key] for key in differing) for name in names]
    changes = [
        " ".join(text for text in report.provenance.overrides if not _is_of_network(text))
        for report in reports
    ]
    if len(set(changes)) > 1:
        labels = [f"{a} {b}".strip() for a, b in zip(labels, changes, strict=True)]
    if len(set(labels)) < len(labels):
        labels = [f"{label} #{index}" for index, label in enumerate(labels, start=1)]
    return labels


def _is_of_network(assignment: str) -> bool:
    """Whether a replaced key is one that `_NAMES` tells already."""
    return assignment.partition("=")[0].strip() in ("network", "networks.levels")


def _case(label: str, report: RunDocument) -> CaseFacts:
    run, latency, efficiency = report.run, report.latency, report.efficiency
    return CaseFacts(
        case=label,
        network=run.network,
        chip=run.chip,
        device=run.device,
        n_chips=run.n_chips,
        seed=run.seed,
        **{report.metric.key: report.measured},
        energy_per_inference_j=report.energy.per_inference_j,
        energy_by_component_j=report.energy.by_component_j,
        area_m2=report.area.total_m2,
        area_by_component_m2=report.area.by_component_m2,
        interval_s=latency.interval_s,
        after_last_input_s=latency.after_last_input_s,
        tops_per_w=efficiency.tops_per_w,
        tops_per_mm2=efficiency.tops_per_mm2,
        doubtful=report.doubtful,
    )


def _difference(
    label: str, report: RunDocument, first_label: str, first: RunDocument
) -> DifferenceFacts:
    p_value, is_paired = significance(report, first)
    energy, area, latency = first.energy, first.area, first.latency
    metric = first.metric
    change: Any = metric.factor * (report.measured.mean - first.measured.mean)
    return DifferenceFacts(
        case=label,
        from_=first_label,
        **{metric.difference_key: change},
        p_value=p_value,
        is_paired=is_paired,
        energy_per_inference_percent=_more(report.energy.per_inference_j, energy.per_inference_j),
        area_percent=_more(report.area.total_m2, area.total_m2),
        interval_percent=_more(report.latency.interval_s, latency.interval_s),
        after_last_input_percent=_more(
            report.latency.after_last_input_s, latency.after_last_input_s
        ),
    )


def _more(value: float, base: float) -> float:
    """Increase relative to a base, in per cent.

    Raises
    ------
    ConfigError
        If the base is nothing, or next to it, of which no figure of a chip is a multiple.
    """
    if abs(base) < LEAST:
        raise ConfigError(
            f"the first case has a figure of {base:g}, to which others have no ratio",
            place=Place("compare"),
            remedy="Name another case first",
        )
    return 100 * (value / base - 1)


def significance(one: RunDocument, other: RunDocument) -> tuple[float | None, bool]:
    """Probability of such a difference of the means by the draw of chips alone.

    Returns
    -------
    p_value : float or None
        Student's t over the chips: of their differences where both runs drew the same chips
        (one seed, as many), Welch's otherwise; None where one of them drew a single chip.
    is_paired : bool

    Notes
    -----
    It does not cover other sequences.
    """
    from scipy.stats import ttest_ind, ttest_rel

    a, b = (np.array(report.measured.per_chip) for report in (one, other))
    if min(len(a), len(b)) < 2:
        return None, False
    is_paired = len(a) == len(b) and one.run.seed == other.run.seed
    if is_paired and np.ptp(a - b) == 0:
        return (1.0 if a[0] == b[0] else 0.0), True
    found = ttest_rel(a, b) if is_paired else ttest_ind(a, b, equal_var=False)
    p_value = float(found.pvalue)
    return (1.0 if math.isnan(p_value) else p_value), is_paired
