"""A finished run as its document: report.json, schema 1 (docs/report.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from pimsim import __version__
from pimsim.chip import MatrixOnChip
from pimsim.chip.read_out import AdcReadOut
from pimsim.config.load import Given
from pimsim.config.source import YamlSource
from pimsim.config.sources import block_sources
from pimsim.report.documents.costs import CheckFacts, PlacementFacts
from pimsim.report.documents.measured import MetricFacts, YieldFacts
from pimsim.report.documents.noise import (
    HalfLevelFacts,
    MatrixFacts,
    NoiseFacts,
    NoiseSourceFacts,
    TiesFacts,
)
from pimsim.report.documents.provenance import DataFacts, FileFacts, Provenance, SourceFacts
from pimsim.report.documents.run import RunDocument, RunFacts
from pimsim.report.provenance import assumed_figures
from pimsim.studies.attribution import NoiseSource, Ties
from pimsim.studies.cost_facts import area_facts, efficiency_facts, energy_facts, latency_facts
from pimsim.studies.decisions import classes_facts, sums_facts
from pimsim.studies.electrical import electrical_facts
from pimsim.studies.half_levels import HalfLevels
from pimsim.studies.layers import floorplan_facts, layer_facts, timeline_facts
from pimsim.studies.losses import loss_facts
from pimsim.studies.origin import origin
from pimsim.studies.prepare import Prepared
from pimsim.studies.programming_facts import programming_facts
from pimsim.studies.run import RunResult
from pimsim.studies.temperature import temperature_facts
from pimsim.studies.variation import variation_facts


def describe_run(result: RunResult) -> dict[str, Any]:
    """Document of a run as plain data."""
    return run_document(result).as_dict()


def run_document(result: RunResult) -> RunDocument:
    """Document of a run, with everything needed to check and repeat it; units in the key names."""
    measured: dict[str, Any] = {result.sample.metric.key: _measured(result)}
    return RunDocument(
        pimsim=__version__,
        run=_run(result),
        **measured,
        classes=classes_facts(result),
        noise=_noise(result),
        sums=sums_facts(result),
        latency=latency_facts(result),
        energy=energy_facts(result),
        area=area_facts(result),
        efficiency=efficiency_facts(result),
        programming=programming_facts(result),
        electrical=electrical_facts(result.chip, result.line_currents),
        plausibility=[
            CheckFacts(
                check=check.name,
                layer=check.tile,
                value=check.value,
                limit=check.limit,
                unit=check.unit,
                passes=check.passes,
            )
            for check in result.checks
        ],
        actions=result.chips.counts.as_dict(),
        placement=[
            PlacementFacts(
                layer=tile.name,
                n_rows=tile.placement.n_rows,
                n_pairs=tile.placement.n_lines,
                n_arrays=tile.placement.n_arrays,
                n_stacked=tile.placement.n_stacked,
                read_out=tile.read_out.kind,
                clipped_share=(
                    result.chips.counts.clipped_share(tile.name)
                    if isinstance(tile.read_out, AdcReadOut)
                    else None
                ),
            )
            for tile in result.chip.tiles
        ],
        layers=layer_facts(result),
        floorplan=floorplan_facts(result),
        timeline=timeline_facts(result),
        provenance=_provenance(result),
    )


def _run(result: RunResult) -> RunFacts:
    prepared, measured = result.prepared, result.measured
    setup, data = prepared.setup, prepared.data
    return RunFacts(
        model=setup.run.name,
        network=prepared.network.name,
        chip=setup.chip.name,
        device=setup.device.name,
        without_device=result.chip.layout.cells.without_device,
        data=data.name,
        data_description=data.description,
        is_synthetic_data=data.is_synthetic,
        n_sequences=len(data),
        n_chips=len(result.sample.per_chip),
        seed=setup.run.seed,
        kernel=result.chips.kernel,
        threads=result.chips.threads,
        batch=result.plan.options.batch,
        wall_s=measured.wall_s,
        inferences_per_s=measured.n_inferences / measured.main_s,
    )


def _measured(result: RunResult) -> MetricFacts:
    sample, target = result.sample, result.plan.setup.run.accuracy_target
    reached = None if target is None else sample.yield_at(target)
    return MetricFacts(
        ideal=sample.ideal,
        mean=sample.mean,
        std=sample.std,
        min=sample.min,
        max=sample.max,
        ci95=sample.ci95,
        until_ci95=sample.until_ci95,
        is_precise=sample.is_precise,
        n_reads=sample.per_read.shape[1],
        std_reads=sample.std_reads,
        std_chips=sample.std_chips,
        yield_=None if reached is None else YieldFacts(**vars(reached)),
        per_chip=sample.per_chip.tolist(),
    )


def _noise(result: RunResult) -> NoiseFacts:
    parts, run = result.chip.matrices, result.chips
    return NoiseFacts(
        switches=result.chip.noise,
        quantum=max(1 / part.read_out.full_scale_quanta for part in parts),
        quantum_to_smallest_noise=max(part.read_out.quantum_to_noise for part in parts),
        sigma_dynamic_units=max(part.read_out.sigma_units for part in parts),
        sigma_dynamic_mv=max(part.read_out.sigma_volts for part in parts) * 1e3,
        offset_mv=max(part.read_out.offset_volts for part in parts) * 1e3,
        clipped_cells=run.n_clipped,
        programmed_cells=run.n_cells,
        time_since_programming_s=parts[0].cell.age,
        device_temperature_k=result.prepared.setup.device.temperature,
        drift_temperature_k=getattr(result.prepared.setup.device.drift, "temperature", None),
        chip_temperature_k=result.prepared.setup.chip.temperature,
        temperature=temperature_facts(result.chip),
        variation=variation_facts(result),
        losses=loss_facts(result),
        levels="; ".join(dict.fromkeys(part.cell.choice.text for part in parts)),
        contributions=[_noise_source(entry) for entry in result.noise_sources],
        ties=_ties(result.measured.ties),
        half_levels=_half_levels(result.measured.half_levels),
        matrices=[_matrix_noise(part) for part in parts],
    )


def _noise_source(entry: NoiseSource) -> NoiseSourceFacts:
    sample, paired = entry.sample, entry.paired
    return NoiseSourceFacts(
        source=entry.source,
        is_present=entry.is_present,
        n_chips=len(sample.per_chip),
        mean=sample.mean,
        std=sample.std,
        change_from_ideal=sample.mean - sample.ideal,
        change_from_ties=None if paired is None else paired.change,
        ci95_half_width=None if paired is None else paired.half_width,
        is_significant=None if paired is None else paired.is_significant,
        flipped=entry.flipped,
        size_units=entry.sizes or {},
    )


def _ties(ties: Ties | None) -> TiesFacts | None:
    if ties is None:
        return None
    return TiesFacts(
        n_draws=len(ties.values),
        mean=ties.sample.mean,
        std=ties.sample.std,
        share=ties.share,
        flipped=ties.flipped,
        level_step_units=ties.steps,
    )


def _half_levels(saved: HalfLevels | None) -> HalfLevelFacts | None:
    return None if saved is None else HalfLevelFacts(**saved._asdict())


def _matrix_noise(part: MatrixOnChip) -> MatrixFacts:
    read_out, cell = part.read_out, part.cell
    return MatrixFacts(
        matrix=part.name,
        full_scale_quanta=read_out.full_scale_quanta,
        quantum_a=part.quantum_ampere,
        quantum_to_smallest_noise=read_out.quantum_to_noise,
        volts_per_unit=read_out.volts_per_unit,
        capacitance_ff=read_out.capacitance * 1e15,
        sigma_dynamic_mv=read_out.sigma_volts * 1e3,
        sigma_dynamic_units=read_out.sigma_units,
        offset_units=read_out.offset_units,
        level_mean_full_scale=cell.mean.tolist(),
        level_spread_full_scale=cell.sigma.tolist(),
        level_mean_clipped_full_scale=cell.clipped[0].tolist(),
        level_spread_clipped_full_scale=cell.clipped[1].tolist(),
        levels=cell.choice.text,
        level_spread_parts_full_scale={k: v.tolist() for k, v in cell.sigmas.items()},
    )


def _provenance(result: RunResult) -> Provenance:
    prepared = result.prepared
    setup = prepared.setup
    files = {"model": _file(setup.model_source)} if setup.model_source.is_file else {}
    files |= {
        "network": _network_file(prepared),
        "chip": _file(setup.chip_source),
        "technology": _file(setup.technology_source),
        "device": _file(setup.device_source),
    }
    hardware = {"device": setup.device, "chip": setup.chip, "technology": setup.technology}
    if result.chip.layout.cells.without_device:
        del hardware["device"]
    return Provenance(
        **origin(),
        overrides=list(setup.overrides),
        files=files,
        data=DataFacts(sha256=prepared.data.sha256, **prepared.data.source),
        network=prepared.network.provenance,
        sources={
            name: [SourceFacts(**entry._asdict()) for entry in block_sources(description)]
            for name, description in hardware.items()
        },
        rests_on=_rests_on(result),
    )


def _file(source: YamlSource) -> FileFacts:
    # an object has a name with any characters in it
    name = source.path.name if source.is_file else str(source.path)
    return FileFacts(name=name, sha256=source.digest)


def _network_file(prepared: Prepared) -> FileFacts:
    path = prepared.setup.network_path
    name = str(Given(prepared.network.name)) if path is None else path.name
    return FileFacts(name=name, sha256=prepared.network_digest)


def assumed_of(result: RunResult) -> list[str]:
    """Names among energy, area and latency, of figures that rest on an assumed block."""
    return list(assumed_figures(_provenance(result)))


def _rests_on(result: RunResult) -> dict[str, dict[str, list[str]]]:
    """Blocks of the hardware files behind the figure of each component."""
    graph = result.plan.graph
    phases = [*(phase for tile in graph.tiles for phase in tile.phases), graph.transfer]
    return {
        "energy": _blocks((item.component, item.rests_on) for item in result.energy),
        "area": _blocks((part.component, part.rests_on) for part in result.area),
        "latency": _blocks((phase.name, phase.rests_on) for phase in phases),
    }


def _blocks(figures: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, list[str]]:
    """Blocks by component, each once."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for name, blocks in figures:
        found[name] |= dict.fromkeys(blocks)
    return {name: list(found[name]) for name in sorted(found)}
