"""Display names of the keys in documents: noise sources, components, actions, phases."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.report.documents.sweep import AgeDocument, AgePoint
from pimsim.workload.metrics import ACCURACY, BITS_PER_CHARACTER, Metric

# a noise source, as a line of a table says it
SOURCES = {
    "programming": "programming: uneven levels and programming error",
    "drift": "drift since programming",
    "rtn": "random telegraph noise",
    "read_noise": "slow read noise",
    "offset": "static errors of the read-out",
    "mismatch": "mismatch of loads and clamps",
    "dynamic": "noise of every decision: kT/C, shot, amplifier",
    "fixed_point": "fixed-point encoder and output",
    "ir_drop": "IR drop along bit and source lines",
    "temperature": "currents at the chip's temperature",
    "variation": "gradients over arrays and wafer",
    "faults": "faults of cells, lines and amplifiers",
    "sigma_eval": "sigma_eval (eq. 5)",
}
# a noise source at the head of a column
SHORT_SOURCES = {"rtn": "telegraph noise", "ir_drop": "IR drop"}
NAMES = {"adc": "ADC", "dac": "DAC", "gru_logic": "GRU logic", "macs": "MACs"}
# readings of Table 2 by their keys in a document's rows
PENALTIES = {
    "paper": "paper",
    "with_tau_relative": "ours",
    "without_tau_relative": "ours, x tau^2",
    "as_sigmoids_relative": "ours, as sigmoids",
}
# what an epoch of a training measured on the validation set, and by which metric
VALIDATIONS: dict[str, tuple[str, Metric]] = {
    "smooth": ("sigmoids", ACCURACY),
    "bits": ("bits", ACCURACY),
    "bits_average": ("bits, running mean", ACCURACY),
    "deployed": ("as deployed", ACCURACY),
    "bits_per_character": ("as deployed", BITS_PER_CHARACTER),
}
# drift compensation of a device over its ages
COMPENSATIONS = {"on": ", compensated", "off": ", not compensated", "none": ", no drift known"}

TIES = "ties by coin, nothing else"
AGAINST_TIES = (
    "paired change from ties by coin; whisker: 95 % interval. What lies within it is shown as none."
)
AGAINST_IDEAL = "whisker: standard deviation."
INTERVAL = "initiation interval (1 / throughput)"
SYNTHETIC = "Synthetic speech: these accuracies are not comparable with published ones."
ONE_CHIP = "one chip: no standard deviation is known"
ASSUMED = "~ marks values based on assumed numbers"

_LENGTHS = (("year", 31557600.0), ("day", 86400.0), ("h", 3600.0), ("min", 60.0))


def source(name: str) -> str:
    """A noise source in words."""
    return SOURCES.get(name, name)


def short_source(name: str) -> str:
    """A noise source in a word or two."""
    return SHORT_SOURCES.get(name, name.replace("_", " "))


def named(name: str) -> str:
    """A component, action or phase in words."""
    return NAMES.get(name, name.replace("_", " "))


def age(seconds: float) -> str:
    """A time in the largest unit that it fills."""
    for unit, size in _LENGTHS:
        if seconds >= size:
            count = f"{seconds / size:.4g}"
            plural = "s" if unit in ("year", "day") and count != "1" else ""
            return f"{count} {unit}{plural}"
    return f"{seconds:.4g} s"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def percent(fraction: float | None) -> str:
    """A fraction in per cent with two digits; `-` for None."""
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def age_lines(document: AgeDocument) -> dict[str, list[AgePoint]]:
    """Points of each device and compensation by their label, in ascending age."""
    lines: dict[str, list[AgePoint]] = {}
    for point in document.points:
        label = point.device + COMPENSATIONS[point.compensation]
        lines.setdefault(label, []).append(point)
    return {label: sorted(line, key=lambda p: p.age_s) for label, line in lines.items()}
