"""Published figures beside modelled ones."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path

from pimsim import __version__
from pimsim.circuits.arrays import drawn_energy
from pimsim.circuits.sense_amplifier import sampled_noise
from pimsim.circuits.word_line import charging_energy
from pimsim.config import bundled_names, find_config, read_yaml, validate
from pimsim.config.validation import (
    UNITS,
    Basis,
    Columns,
    Figure,
    Hierarchy,
    Level,
    Macro,
    PublishedRun,
    SampledNoise,
    ValidationCase,
)
from pimsim.errors import ConfigError, Place, nearest
from pimsim.report.documents import Origin, ValidationDocument
from pimsim.report.documents.validation import FigureFacts, KindFacts, PredictionFacts
from pimsim.studies.origin import origin
from pimsim.studies.published import PublishedRuns

# kinds of figure, by what their names begin with
KINDS = {
    "energy": ("energy", "operations_per_joule"),
    "latency": ("latency", "cycle_time"),
    "area": ("area", "cells_per_area"),
    "accuracy": ("accuracy",),
}
# a multiplication and an addition
OPERATIONS_PER_MAC = 2


@dataclass(frozen=True)
class Finding:
    """One figure: published and modelled, in the published unit."""

    case: str
    figure: Figure
    modelled: float
    run: PublishedRun | None = None

    @property
    def error(self) -> float:
        """Relative error, as a fraction of the published value."""
        return self.modelled / self.figure.published - 1

    @property
    def factor(self) -> float:
        """Modelled over published or the other way round, whichever is above 1."""
        ratio = self.modelled / self.figure.published
        return max(ratio, 1 / ratio) if ratio > 0 else math.inf

    @property
    def is_independent(self) -> bool:
        """Whether it counts as a prediction of its own."""
        return self.figure.basis is Basis.PREDICTED and self.figure.same_as is None

    @property
    def passes(self) -> bool:
        """Whether the error is within its bound."""
        if self.figure.factor is not None:
            return 1 / self.figure.factor <= self.error + 1 <= self.figure.factor
        return abs(self.error) <= (self.figure.tolerance or 0.0)


def validate_cases(names: list[str]) -> list[Finding]:
    """Findings of the named cases, or of all that come with pimsim.

    Raises
    ------
    ConfigError
        If a case is missing or damaged, or asks for a figure that its model does not give.
    """
    paths = [
        find_config(name, "validation", Place("NAME"))
        for name in names or bundled_names("validation")
    ]
    runs = PublishedRuns()
    return [finding for path in paths for finding in _findings(path, runs)]


def validation_document(findings: Sequence[Finding]) -> ValidationDocument:
    """Findings as a document."""
    figures = [
        FigureFacts(
            case=found.case,
            modelled=found.modelled,
            error=found.error,
            passes=found.passes,
            factor_off=found.factor if math.isfinite(found.factor) else None,
            is_independent=found.is_independent,
            chip=found.run.file if found.run else None,
            from_the_chip=found.run.from_the_chip if found.run else [],
            fitted=found.run.fitted if found.run else [],
            **found.figure.model_dump(mode="json"),
        )
        for found in findings
    ]
    return ValidationDocument(
        pimsim=__version__,
        predictions=_predictions(findings),
        figures=figures,
        provenance=Origin(**origin()),
    )


def _predictions(findings: Sequence[Finding]) -> PredictionFacts | None:
    """Independent predictions together; None where there is none."""
    counted = [found for found in findings if found.is_independent]
    if not counted:
        return None
    factors = sorted(found.factor for found in counted)
    worst = max(counted, key=lambda found: found.factor)
    return PredictionFacts(
        n=len(counted),
        n_within=sum(found.passes for found in counted),
        cases=len({found.case for found in counted}),
        median_factor=statistics.median(factors),
        worst_factor=worst.factor,
        worst=f"{worst.figure.quantity} of {worst.case}",
        kinds=[
            KindFacts(kind=kind, n=len(of_kind), median_factor=statistics.median(of_kind))
            for kind, names in KINDS.items()
            if (of_kind := [f.factor for f in counted if f.figure.quantity.startswith(names)])
        ],
    )


def _findings(path: Path, runs: PublishedRuns) -> list[Finding]:
    source = read_yaml(path)
    case = validate(source, ValidationCase)
    entered, found = case.entered, []
    run = entered if isinstance(entered, PublishedRun) else None
    for index, figure in enumerate(case.figures):
        if run is None:
            modelled = figures_of(entered)
        else:
            modelled = runs.figures(run.file, figure.settings, run.over, path.parent)
        if figure.quantity not in modelled:
            raise ConfigError(
                f"asks for '{figure.quantity}', which the model does not give",
                place=source.place(("figures", index, "quantity")),
                remedy=nearest(figure.quantity, modelled),
            )
        value = modelled[figure.quantity] / UNITS[figure.unit]
        found.append(Finding(case.name, figure, value, run))
    return found


@singledispatch
def figures_of(entered: object) -> dict[str, float]:
    """All modelled figures by name, in SI units."""
    raise TypeError(type(entered))


@figures_of.register
def _(entered: Hierarchy) -> dict[str, float]:
    """Sums over parts and levels; throughput and storage of the crossbars.

    Notes
    -----
    A crossbar multiplies `rows` inputs with `columns` cell_bits / weight_bits weights in
    input_bits / dac_bits cycles, and converts each column once a cycle.
    """
    found: dict[str, float] = {}
    power = area = 0.0
    first_levels = 1
    parts: dict[str, tuple[float, float]] = {}
    for index, (name, level) in enumerate(entered.levels.items()):
        if index:
            first_levels *= level.holds
        parts = {k: (level.holds * p, level.holds * a) for k, (p, a) in parts.items()}
        power, area = level.holds * power, level.holds * area
        for item, (of_power, of_area) in _items(level).items():
            found[f"{name}.{item}.power"], found[f"{name}.{item}.area"] = of_power, of_area
            old = parts.get(item, (0.0, 0.0))
            parts[item] = (old[0] + of_power, old[1] + of_area)
            power, area = power + of_power, area + of_area
        found[f"{name}.power"], found[f"{name}.area"] = power, area
        for item, (of_power, of_area) in parts.items():
            found[f"{name}.{item}.power_share"] = of_power / power
            found[f"{name}.{item}.area_share"] = of_area / area
            found[f"{name}.{item}.total_power"] = of_power
    arrays = entered.arrays
    crossbars = first_levels * arrays.per_first_level
    cycles = -(-arrays.input_bits // arrays.dac_bits)
    cells_per_weight = -(-arrays.weight_bits // arrays.cell_bits)
    macs = arrays.rows * (arrays.columns // cells_per_weight)
    operations = crossbars * OPERATIONS_PER_MAC * macs / (cycles * arrays.cycle)
    found |= {
        "operations": operations,
        "operations_per_joule": operations / power,
        "operations_per_area": operations / area,
        "conversions_per_mac": arrays.columns * cycles / macs,
        "storage_per_area": crossbars * arrays.rows * arrays.columns * arrays.cell_bits / area,
    }
    return found | _ratios(entered)


def _items(level: Level) -> dict[str, tuple[float, float]]:
    return {
        name: (item.count * item.power / item.shared_by, item.count * item.area / item.shared_by)
        for name, item in level.items.items()
    }


def _ratios(entered: Hierarchy) -> dict[str, float]:
    """Ratios of one ADC to one crossbar: the first level's `adc` and `array`."""
    items = next(iter(entered.levels.values())).items
    if not {"adc", "array"} <= items.keys():
        return {}
    adc, array = items["adc"], items["array"]
    return {
        "adc_over_array.area": adc.area / array.area,
        "adc_over_array.power": adc.power / array.power,
    }


@figures_of.register
def _(entered: Columns) -> dict[str, float]:
    column = entered.array_energy + entered.converter_energy
    operations = OPERATIONS_PER_MAC * entered.rows * entered.columns
    return {
        "energy": column * entered.columns,
        "operations_per_joule": operations / (column * entered.columns),
        "converter_share": entered.converter_energy / column,
    }


@figures_of.register
def _(entered: Macro) -> dict[str, float]:
    """Energy of one array as in `pimsim.cost.energy`, from its lines, cells and read-out."""
    lines, cells = entered.lines, entered.cells
    capacitance = lines.driver_capacitance + lines.capacitance_per_cell * lines.cells
    of_lines = charging_energy(capacitance, lines.swing, lines.supply) * lines.count * lines.raised
    of_cell = drawn_energy(cells.current, cells.pulse, cells.supply)
    of_cells = of_cell * cells.count * cells.conducting
    of_read_out = entered.read_out.energy * entered.read_out.count
    energy = of_lines + of_cells + of_read_out
    return {
        "lines.energy": of_lines,
        "cells.energy": of_cells,
        "read_out.energy": of_read_out,
        "energy": energy,
        "energy_per_output": energy / entered.outputs,
        "operations_per_joule": OPERATIONS_PER_MAC * entered.inputs * entered.outputs / energy,
    }


@figures_of.register
def _(entered: SampledNoise) -> dict[str, float]:
    sigma = sampled_noise(entered.capacitance, entered.temperature, 1.0)
    return {"sigma": sigma, "sigma_units": sigma / entered.volts_per_unit}
