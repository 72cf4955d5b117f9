"""Writing a network into the chip of a finished run, as its document has it."""

from __future__ import annotations

from pimsim.cost.area import total_area
from pimsim.cost.programming import TileWriting, Writing, missing_blocks, writing
from pimsim.errors import ConfigError
from pimsim.report.documents.costs import LayerWritingFacts, ProgrammingFacts, WritingFacts
from pimsim.studies.run import RunResult


def programming_facts(result: RunResult) -> ProgrammingFacts:
    """Energy, time and pulses of writing, shared among the inferences of a lifetime."""
    run, device = result.prepared.setup.run, result.chip.device
    missing, once = missing_blocks(result.chip), None
    if not missing:
        try:
            once = writing(result.chip)
        except ConfigError as error:
            missing = f"the programming of the device file {error.message}"
    inferences = run.lifetime / result.timing.interval_s
    endurance = None if device.endurance is None else device.endurance.cycles
    known = endurance is not None and once is not None
    disturb = device.read_disturb
    of_device = not result.chip.layout.cells.without_device
    return ProgrammingFacts(
        missing=missing,
        area_m2=total_area([p for p in result.area if p.component == "programming_periphery"]),
        lifetime_s=run.lifetime,
        writes=run.writes,
        inferences=inferences,
        once=None if once is None else _once(once),
        per_inference_j=None if once is None else run.writes * once.total("energy") / inferences,
        endurance_cycles=endurance if of_device else None,
        writes_borne=endurance / once.cycles if known and endurance and once else None,
        reads=_reads(result) * inferences,
        reads_tested=disturb.reads if disturb is not None and of_device else None,
        reads_tested_v=disturb.voltage if disturb is not None and of_device else None,
    )


def _once(found: Writing) -> WritingFacts:
    return WritingFacts(
        cells=round(found.total("n_cells")),
        bits=found.total("bits"),
        pulses=found.total("pulses"),
        pulse_energy_j=found.total("pulse_energy"),
        check_energy_j=found.total("check_energy"),
        energy_j=found.total("energy"),
        time_s=found.total("time"),
        cycles=found.cycles,
        layers=[_layer(tile) for tile in found.tiles],
    )


def _layer(tile: TileWriting) -> LayerWritingFacts:
    return LayerWritingFacts(
        layer=tile.name,
        cells=tile.n_cells,
        levels=tile.n_levels,
        pulses_each=tile.pulses / tile.n_cells,
        pulses_most=tile.most,
        energy_j=tile.energy,
        time_s=tile.time,
    )


def _reads(result: RunResult) -> float:
    """Reads of the array that is read most, in an inference."""
    counts, n = result.chips.counts, result.measured.n_inferences
    return max(
        (
            counts.get("array", "reads", tile.name) / n / tile.placement.n_arrays
            for tile in result.chip.tiles
        ),
        default=0.0,
    )
