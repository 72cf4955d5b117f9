"""What studies found as JSON documents: a run (schema 1, docs/report.md), a reproduced figure."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from pimsim import __version__
from pimsim.chip import MatrixOnChip
from pimsim.circuits.adc import MODELS, adc_cost
from pimsim.config.sources import block_sources
from pimsim.cost import sources
from pimsim.cost.area import leakage
from pimsim.cost.efficiency import DEFINITION
from pimsim.errors import MappingError
from pimsim.studies.origin import origin
from pimsim.studies.reproduce import DeviceFigure, Reproduction, SweepFigure, network_path
from pimsim.studies.run import RunResult

SCHEMA = 1
REPRODUCTION_SCHEMA = "pimsim.reproduction/1"


def describe_run(result: RunResult) -> dict[str, Any]:
    """Everything a reader needs to trust a run and to get it again; units in the key names."""
    prepared = result.prepared
    setup, data = prepared.setup, prepared.data
    return {
        "schema": SCHEMA,
        "pimsim": __version__,
        "run": {
            "model": setup.run.name,
            "network": prepared.network.name,
            "chip": setup.chip.name,
            "device": setup.device.name,
            "data": data.name,
            "data_description": data.description,
            "is_synthetic_data": data.is_synthetic,
            "n_sequences": len(data),
            "n_chips": len(result.accuracy.per_chip),
            "seed": setup.run.seed,
            "kernel": result.chips.kernel,
            "threads": result.threads,
            "batch": result.batch,
            "wall_s": result.wall_s,
            "inferences_per_s": result.inferences_per_s,
        },
        "accuracy": result.accuracy.as_dict(setup.run.accuracy_target),
        "noise": _noise(result),
        "latency": _latency(result),
        "energy": _energy(result),
        "area": _area(result),
        "efficiency": _efficiency(result),
        "plausibility": [
            {
                "check": check.name,
                "layer": check.tile,
                "value": check.value,
                "limit": check.limit,
                "unit": check.unit,
                "passes": check.passes,
            }
            for check in result.checks
        ],
        "actions": result.chips.counts.as_dict(),
        "placement": [
            {
                "layer": tile.name,
                "n_rows": tile.placement.n_rows,
                "n_pairs": tile.placement.n_pairs,
                "n_arrays": tile.placement.n_arrays,
                "n_stacked": tile.placement.n_stacked,
            }
            for tile in result.chip.tiles
            if tile is not None
        ],
        "provenance": _provenance(result),
    }


def _noise(result: RunResult) -> dict[str, Any]:
    parts = result.chip.matrices
    run = result.chips
    return {
        "switches": result.chip.noise.model_dump(),
        "quantum": max(1 / part.read_out.full_scale_quanta for part in parts),
        "quantum_to_smallest_noise": max(part.read_out.quantum_to_noise for part in parts),
        "sigma_dynamic_units": max(part.read_out.sigma_units for part in parts),
        "sigma_dynamic_mv": max(part.read_out.sigma_volts for part in parts) * 1e3,
        "offset_mv": max(part.read_out.offset_volts for part in parts) * 1e3,
        "clipped_cells": run.n_clipped,
        "programmed_cells": run.n_cells,
        "time_since_programming_s": parts[0].cell.age,
        "device_temperature_k": result.prepared.setup.device.temperature,
        "drift_temperature_k": getattr(result.prepared.setup.device.drift, "temperature", None),
        "chip_temperature_k": result.prepared.setup.chip.temperature,
        "levels": "; ".join(dict.fromkeys(part.cell.choice.text for part in parts)),
        "contributions": [
            {
                "source": entry.source,
                "is_present": entry.is_present,
                "n_chips": len(entry.accuracy.per_chip),
                "mean": entry.accuracy.mean,
                "std": entry.accuracy.std,
                "change_from_ideal": entry.accuracy.mean - entry.accuracy.ideal,
            }
            for entry in result.contributions
        ],
        "matrices": [_matrix_noise(part) for part in parts],
    }


def _matrix_noise(part: MatrixOnChip) -> dict[str, Any]:
    read_out, cell = part.read_out, part.cell
    return {
        "matrix": part.name,
        "full_scale_quanta": read_out.full_scale_quanta,
        "quantum_a": cell.full_scale_current / read_out.full_scale_quanta,
        "quantum_to_smallest_noise": read_out.quantum_to_noise,
        "volts_per_unit": read_out.volts_per_unit,
        "capacitance_ff": read_out.capacitance * 1e15,
        "sigma_dynamic_mv": read_out.sigma_volts * 1e3,
        "sigma_dynamic_units": read_out.sigma_units,
        "offset_units": read_out.offset_units,
        "level_mean_full_scale": cell.mean.tolist(),
        "level_spread_full_scale": cell.spread.tolist(),
        "level_mean_clipped_full_scale": cell.clipped[0].tolist(),
        "level_spread_clipped_full_scale": cell.clipped[1].tolist(),
        "levels": cell.choice.text,
        "level_spread_parts_full_scale": {k: v.tolist() for k, v in cell.parts.items()},
    }


def _latency(result: RunResult) -> dict[str, Any]:
    timing = result.timing
    return {
        "clock_hz": timing.clock,
        "frame_interval_s": timing.frame_interval,
        "first_cycles": timing.first_cycles,
        "first_s": timing.first_s,
        "after_last_input_cycles": timing.after_last_cycles,
        "after_last_input_s": timing.after_last_s,
        "cycles_per_inference": timing.interval_cycles,
        "interval_s": timing.interval_s,
        "inferences_per_s": 1 / timing.interval_s,
        "awake_s": timing.awake_s,
        "asleep_s": timing.asleep_s,
        "duty_cycle": timing.awake_s / timing.interval_s,
        "wakes": timing.wakes,
        "highest_clock_hz": timing.highest_clock,
        "critical_path": timing.critical_path,
        "slowest": timing.slowest,
        "phases": [
            {"phase": p.name, "delay_s": p.seconds, "cycles": p.cycles, "repeats": p.repeats}
            for p in timing.phases
        ],
        "components": [
            {
                "component": stage.name,
                "operations": stage.operations,
                "cycles_per_operation": stage.cycles_per_operation,
                "busy_cycles": stage.busy,
                "starved_cycles": stage.starved,
                "blocked_cycles": stage.blocked,
                "utilisation": stage.busy / timing.cycles,
            }
            for stage in timing.stages
        ],
    }


def _energy(result: RunResult) -> dict[str, Any]:
    n = result.chips.predictions.size
    by_component: dict[str, float] = {}
    for item in result.energy:
        by_component[item.component] = by_component.get(item.component, 0.0) + item.energy / n
    return {
        "per_inference_j": sum(by_component.values()),
        "by_component_j": by_component,
        "items": [
            {
                "component": item.component,
                "action": item.action,
                "count": item.count,
                "each_j": item.each,
                "per_inference_j": item.energy / n,
            }
            for item in result.energy
        ],
        "by_adc_account_j": _by_adc_account(result),
        "not_counted": ["clock tree", "programming"],
    }


def _by_adc_account(result: RunResult) -> dict[str, float]:
    """Energy per inference by each published account of converters; empty without converters."""
    config, n = result.chip.config, result.chips.predictions.size
    if not config.has_converters:
        return {}
    rest = sum(item.energy for item in result.energy if item.component != "adc")
    conversions = sum(item.count for item in result.energy if item.component == "adc")
    found: dict[str, float] = {}
    for model in MODELS:
        # not every account covers every number of bits
        with suppress(MappingError):
            each = adc_cost(model, config.converter.bits).energy
            found[model] = (rest + conversions * each) / n
    return found


def _area(result: RunResult) -> dict[str, Any]:
    by_component: dict[str, float] = {}
    for item in result.area:
        by_component[item.component] = by_component.get(item.component, 0.0) + item.area
    return {
        "total_m2": sum(by_component.values()),
        "by_component_m2": by_component,
        "leakage_w": leakage(list(result.area)),
        "items": [
            {
                "component": item.component,
                "part": item.part,
                "count": item.count,
                "each_m2": item.each,
                "area_m2": item.area,
                "leakage_w": item.count * item.leakage,
            }
            for item in result.area
        ],
    }


def _efficiency(result: RunResult) -> dict[str, Any]:
    per_inference = sum(item.energy for item in result.energy) / result.chips.predictions.size
    area = sum(item.area for item in result.area)
    tops = result.operations / result.timing.interval_s / 1e12
    return {
        "operation": DEFINITION,
        "operations_per_inference": result.operations,
        "tops": tops,
        "tops_per_w": result.operations / per_inference / 1e12,
        "tops_per_mm2": tops / (area * 1e6),
    }


def _provenance(result: RunResult) -> dict[str, Any]:
    prepared = result.prepared
    setup = prepared.setup
    return {
        **origin(),
        "overrides": list(setup.overrides),
        "files": {
            name: {"name": path.name, "sha256": _digest(path)}
            for name, path in {
                "model": setup.model_source.path,
                "network": setup.network_path,
                "chip": setup.chip_source.path,
                "technology": setup.technology_source.path,
                "device": setup.device_source.path,
            }.items()
        },
        "data": {"sha256": prepared.data.sha256, **prepared.data.source},
        "network": prepared.network.provenance,
        "sources": {
            name: [entry._asdict() for entry in block_sources(description)]
            for name, description in {
                "device": setup.device,
                "chip": setup.chip,
                "technology": setup.technology,
            }.items()
        },
        "rests_on": {
            figure: {name: list(blocks[name]) for name in sorted(present)}
            for figure, blocks, present in (
                ("energy", sources.ENERGY, {item.component for item in result.energy}),
                ("area", sources.AREA, {item.component for item in result.area}),
                (
                    "latency",
                    sources.LATENCY,
                    {*(phase.name for phase in result.timing.phases), "transfer"},
                ),
            )
        },
    }


def describe_reproduction(found: Reproduction) -> dict[str, Any]:
    """A figure or table of the paper, reproduced: what it says, what we found, how to get it."""
    spec, data = found.spec, found.data
    document: dict[str, Any] = {
        "schema": REPRODUCTION_SCHEMA,
        "pimsim": __version__,
        "name": found.name,
        "title": spec.title,
        "source": spec.source,
        "paper_says": list(spec.says),
        "data": data.name,
        "n_sequences": len(data),
        "seed": found.seed,
        "wall_s": found.wall_s,
    }
    curves = {curve.network for curve in spec.curves}
    document["networks"] = {name: _digest(network_path(name)) for name in sorted(curves)}
    if isinstance(spec, DeviceFigure):
        document |= {"kind": "devices", "samples": found.samples, "points": found.rows}
        return document | {"provenance": origin()}
    if isinstance(spec, SweepFigure):
        document |= {"kind": "sweep", "samples": found.samples, "points": _points(found, spec)}
    else:
        document |= {"kind": "table", "points": found.rows}
    return document | {"provenance": origin()}


def _points(found: Reproduction, spec: SweepFigure) -> list[dict[str, Any]]:
    return [
        {
            "curve": series.curve.label,
            "network": series.curve.network,
            "neurons": "sigmoids" if series.curve.smooth else "bits",
            "sigma_eval": sigma,
            "samples": found.samples,
            **series.row(index),
            "per_sample": series.accuracy[index].tolist(),
        }
        for series in found.series
        for index, sigma in enumerate(spec.sigmas)
    ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
