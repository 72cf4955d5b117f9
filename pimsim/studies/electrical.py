"""The electrical chain of a chip, matrix by matrix, as a report shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pimsim.chip import Chip
from pimsim.chip.read_out import LineReadOut
from pimsim.chip.tile import MatrixOnChip, Tile
from pimsim.circuits.chain import Chain
from pimsim.report.documents.electrical import ElectricalFacts
from pimsim.studies.probe import CurrentsOfLines


def electrical_facts(chip: Chip, probed: Mapping[str, CurrentsOfLines]) -> list[ElectricalFacts]:
    """Facts of the bit lines of every matrix, expected and as probed; none without currents."""
    return [
        _facts(chip, tile, part, chain, probed[part.name])
        for tile in chip.tiles
        for part, chain in tile.read_out.chains(tile)
    ]


def _facts(
    chip: Chip, tile: Tile, part: MatrixOnChip, chain: Chain, probed: CurrentsOfLines
) -> ElectricalFacts:
    read_out, of_tile = part.read_out, tile.read_out
    assert isinstance(of_tile, LineReadOut)
    supply, currents = chip.config.bit_line.supply, chain.currents
    of_lines = chain.noise(sides=of_tile.coding.lines_each)
    unit = read_out.volts_per_unit / chain.gain
    reach = of_tile.sum_range(part, tile, part.cell) * part.cell.full_scale_current
    mismatch = of_tile.mismatch(part, tile)
    return ElectricalFacts(
        matrix=part.name,
        transimpedance_v_per_a=chain.transimpedance,
        gain_v_per_a=chain.gain,
        input_range_v=chain.gain * reach,
        mean_line_current_a=currents.mean * chain.drawn,
        highest_line_current_a=currents.highest * chain.drawn,
        probed_mean_current_a=probed.mean,
        probed_quantile_9999_current_a=probed.quantile_9999,
        probed_highest_current_a=probed.highest,
        common_mode_v=probed.mean * chain.transimpedance,
        least_voltage_v=supply - probed.highest * chain.transimpedance,
        needed_voltage_v=chain.needed_voltage,
        settling_s=chain.settling_time + chain.integration,
        capacitance_ff=chain.capacitance * 1e15,
        line_capacitance_ff=chain.line_capacitance * 1e15,
        noise_of_lines_mv=of_lines * 1e3,
        noise_of_read_out_mv=math.sqrt(max(0.0, read_out.sigma_volts**2 - of_lines**2)) * 1e3,
        mismatch=mismatch,
        mismatch_units=mismatch * probed.mean / chain.drawn / unit,
        precharge_j=chain.precharge_energy(),
    )
