"""Networks on chips of their own, side by side: accuracy, lines, conversions, energy and area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pimsim.chip.characteristic import Quantiser
from pimsim.chip.read_out import AdcReadOut
from pimsim.cost.area import total_area
from pimsim.studies.document import assumed_of
from pimsim.studies.options import RunOptions
from pimsim.studies.points import Points, key_of
from pimsim.studies.prepare import Prepared, Shared, prepare
from pimsim.studies.progress import Progress, labelled
from pimsim.studies.run import RunResult, run_prepared
from pimsim.studies.statistics import summary


@dataclass(frozen=True)
class ChipVariant:
    """A network on a chip.

    Attributes
    ----------
    label : str
    network : str
        Network of a user's folder, or bundled.
    device : str
    assignments : tuple of str
        Keys of the model file and of its chip that are replaced, as `--set` has them.
    paper : str
        What the paper says of it, if anything.
    """

    label: str
    network: str
    device: str
    assignments: tuple[str, ...] = ()
    paper: str = ""


def chip_rows(
    model: str | None,
    variants: Sequence[ChipVariant],
    networks: Mapping[str, Path],
    options: RunOptions,
    points: Points,
    progress: Progress,
) -> list[dict[str, Any]]:
    """One row for each variant whose network is there; finished ones are read again.

    Parameters
    ----------
    model : str or None
        Model file; None: the options name the chip.
    networks : mapping of name -> Path
    """
    rows, shared = [], Shared()
    for variant in variants:
        if variant.network not in networks:
            continue
        chosen = replace(
            options,
            network=networks[variant.network],
            device=variant.device,
            assignments=variant.assignments,
            noise_sources=False,
        )
        prepared = prepare(model, chosen.replaced_keys(), chosen.assignments, shared)
        key = key_of(f"{content_of(prepared)}, {variant.assignments}")
        found = points.read(key)
        if found is None:
            found = measured(run_prepared(prepared, chosen, labelled(progress, variant.label)))
            points.keep(key, found)
        found.pop("pimsim", None)
        rows.append(
            {
                "label": variant.label,
                "network": variant.network,
                "device": prepared.setup.device.name,
                "replaced": list(variant.assignments),
                "paper": variant.paper,
                **found,
            }
        )
    return rows


def content_of(prepared: Prepared) -> str:
    """All that determines a run, in words."""
    setup = prepared.setup
    digests = (
        prepared.network_digest, setup.chip_source.digest, setup.device_source.digest,
        setup.technology_source.digest,
    )  # fmt: skip
    return (
        f"{' '.join(digests)}, {setup.run.chips} chips, seed {setup.run.seed}, "
        f"{len(prepared.data)} of {prepared.data.name}"
    )


def measured(result: RunResult) -> dict[str, Any]:
    """Numbers of a run that its row shows."""
    n, counts = result.measured.n_inferences, result.chips.counts
    accuracy = result.accuracy.per_chip
    tiles = [tile for tile in result.chip.tiles if isinstance(tile.read_out, AdcReadOut)]
    conversions = sum(counts.get("adc", "conversions", tile.name) for tile in tiles)
    energy: dict[str, float] = {}
    for item in result.energy:
        energy[item.component] = energy.get(item.component, 0.0) + item.energy / n
    area: dict[str, float] = {}
    for part in result.area:
        area[part.component] = area.get(part.component, 0.0) + total_area([part])
    steps = set()
    for tile in tiles:
        for matrix in tile.matrices:
            assert isinstance(matrix.read_out, Quantiser)
            steps.add((matrix.read_out.step, matrix.matrix.alpha, tile.pulses.largest))
    return {
        "chips": len(accuracy),
        **summary(accuracy),
        "per_sample": accuracy.tolist(),
        "bit_lines": sum(t.placement.n_lines * t.placement.lines_each for t in tiles),
        "conversions": conversions / n,
        "settings": len(steps),
        "clipped": [counts.clipped_share(tile.name) or 0.0 for tile in tiles],
        "interval_s": result.timing.interval_s,
        "operations_per_joule": result.operations / result.scopes[-1].energy,
        "macro_operations_per_joule": result.scopes[0].operations / result.scopes[0].energy,
        "energy_j": sum(energy.values()),
        "area_m2": sum(area.values()),
        "energy_parts_j": energy,
        "area_parts_m2": area,
        "assumed": assumed_of(result),
    }
