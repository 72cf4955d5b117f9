"""Time, energy, area and efficiency of a finished run, as its document has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pimsim.cost.area import leakage, leakage_asleep, total_area
from pimsim.cost.efficiency import DEFINITION
from pimsim.report.documents.costs import (
    AreaFacts,
    AreaItemFacts,
    ComponentCycles,
    EfficiencyFacts,
    EnergyFacts,
    EnergyItem,
    LatencyFacts,
    PhaseFacts,
    ScopeFacts,
)
from pimsim.studies.run import RunResult
from pimsim.studies.silicon import published_extractors, published_silicon


def latency_facts(result: RunResult) -> LatencyFacts:
    """Duration of inferences, cycles by component, and what sets the pace."""
    timing = result.timing
    return LatencyFacts(
        clock_hz=timing.clock,
        frame_interval_s=timing.frame_interval,
        first_cycles=timing.first_cycles,
        first_s=timing.first_s,
        after_last_input_cycles=timing.after_last_cycles,
        after_last_input_s=timing.after_last_s,
        cycles_per_inference=timing.interval_cycles,
        interval_s=timing.interval_s,
        inferences_per_s=1 / timing.interval_s,
        awake_s=timing.awake_s,
        asleep_s=timing.asleep_s,
        duty_cycle=timing.awake_s / timing.interval_s,
        wakes=timing.wakes,
        highest_clock_hz=timing.highest_clock,
        critical_path=timing.critical_path,
        slowest=timing.slowest,
        bottleneck=list(timing.bottleneck),
        phases=[
            PhaseFacts(phase=p.name, delay_s=p.seconds, cycles=p.cycles, repeats=p.repeats)
            for p in timing.phases
        ],
        components=[
            ComponentCycles(
                component=stage.name,
                operations=stage.operations,
                cycles_per_operation=stage.cycles_per_operation,
                busy_cycles=stage.busy,
                starved_cycles=stage.starved,
                blocked_cycles=stage.blocked,
                utilisation=stage.busy / timing.cycles,
            )
            for stage in timing.stages
        ],
    )


def energy_facts(result: RunResult) -> EnergyFacts:
    """Energy of an inference by component and action."""
    n = result.measured.n_inferences
    by_component = _sums((item.component, item.energy / n) for item in result.energy)
    outside = result.prepared.network.input.outside
    return EnergyFacts(
        per_inference_j=sum(by_component.values()),
        by_component_j=by_component,
        items=[
            EnergyItem(
                component=item.component,
                action=item.action,
                count=item.count,
                each_j=item.each,
                per_inference_j=item.energy / n,
            )
            for item in result.energy
        ],
        by_adc_account_j=_by_adc_model(result),
        not_counted=["programming"],
        outside=list(outside),
        feature_extractors=published_extractors() if outside else [],
    )


def _sums(values: Iterable[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for name, value in values:
        found[name] += value
    return dict(found)


def _by_adc_model(result: RunResult) -> dict[str, float]:
    """Energy per inference by each published cost model of the read-out, where it has several."""
    found, n = {}, result.measured.n_inferences
    prices: dict[str, tuple[str, float]] = {}
    for tile in result.chip.tiles:
        prices |= tile.read_out.other_prices()
    for model, (component, each) in prices.items():
        rest = sum(item.energy for item in result.energy if item.component != component)
        count = sum(item.count for item in result.energy if item.component == component)
        found[model] = (rest + count * each) / n
    return found


def area_facts(result: RunResult) -> AreaFacts:
    """Area and leakage by component."""
    by_component = _sums((part.component, part.count * part.area) for part in result.area)
    return AreaFacts(
        total_m2=sum(by_component.values()),
        by_component_m2=by_component,
        leakage_w=leakage(result.area),
        leakage_asleep_w=leakage_asleep(result.area),
        leakage_temperature_k=result.prepared.setup.chip.temperature,
        items=[
            AreaItemFacts(
                component=part.component,
                part=part.where,
                count=part.count,
                each_m2=part.area,
                area_m2=part.count * part.area,
                leakage_w=part.count * part.leakage,
            )
            for part in result.area
        ],
    )


def efficiency_facts(result: RunResult) -> EfficiencyFacts:
    """Operations over energy and area, of the whole chip and of parts of it."""
    per_inference = sum(item.energy for item in result.energy) / result.measured.n_inferences
    area, timing, macro = total_area(result.area), result.timing, result.scopes[0]
    tops = result.operations / result.timing.interval_s / 1e12
    return EfficiencyFacts(
        operation=DEFINITION,
        operations_per_inference=result.operations,
        tops=tops,
        tops_per_w=result.operations / per_inference / 1e12,
        tops_per_mm2=tops / (area * 1e6),
        scopes=[
            ScopeFacts(
                scope=scope.name,
                per_inference_j=scope.energy,
                operations_per_inference=scope.operations,
                operands=scope.operands,
                tops_per_w=scope.operations / scope.energy / 1e12 if scope.energy else 0.0,
            )
            for scope in result.scopes
        ],
        mean_power_w=(
            per_inference / timing.interval_s if timing.frame_interval is not None else None
        ),
        energy_per_mac_j=2 * macro.energy / macro.operations if macro.operations else None,
        cells_per_m2=_cells_per_area(result),
        silicon=published_silicon(),
    )


def _cells_per_area(result: RunResult) -> float | None:
    """Cells over the area of everything that stands at the arrays [1/m2]."""
    tiles = {tile.name for tile in result.chip.tiles}
    at_arrays = [p for p in result.area if p.where in tiles and not p.is_logic]
    cells = sum(part.count for part in result.area if part.component == "array")
    return cells / total_area(at_arrays) if cells else None
