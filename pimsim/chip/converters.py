"""Tiles that are read out as numbers: bit-sliced weights behind converters."""

from __future__ import annotations

import math

import numpy as np

from pimsim.chip.read_out import Conversion, ReadOut
from pimsim.circuits.adc import step_of, top_code
from pimsim.circuits.bit_line import bit_line_capacitance
from pimsim.circuits.sense_amplifier import sampled_noise
from pimsim.config.chip import ChipConfig
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel
from pimsim.errors import MappingError
from pimsim.mapping import Slices
from pimsim.workload.matrix import LevelMatrix

# sums are held in float32 by the matrix products, exactly
EXACT_SUM = 2**24
# a current is rounded to at most this fraction of every noise source's deviation
QUANTUM_TO_NOISE = 1 / 16
UNEVEN_RESOLUTION = 2.0**-8


def converter_read_out(
    matrix: LevelMatrix, slices: Slices, cell: CellModel, config: ChipConfig, noise: NoiseConfig
) -> ReadOut:
    """The read-out of a matrix by converters.

    Notes
    -----
    Without `fixed_point`, converters resolve every whole sum of levels.  Codes of pairs have a
    sign; those of single lines have none, and the lines carry the current of level 0 as well.
    """
    if noise.sigma_eval > 0:
        raise MappingError("sigma_eval is the noise of binary neurons; this chip has none")
    adc, slicing = config.converter, config.slicing
    signed = not config.has_offset
    rows, top_level = min(matrix.n_rows, config.array.rows), 2**slicing.cell_bits - 1
    standing = 0.0 if signed else float(cell.ideal[0]) * top_level
    largest = rows * top_level if signed else _largest_alone(rows, top_level, standing)
    full_step = step_of(adc.bits, largest, adc.range, signed=signed)
    full_top = top_code(adc.bits, signed=signed)
    step, top = (full_step, full_top) if noise.fixed_point else (1.0, math.ceil(largest))
    volts_per_level = adc.input_range / (full_step * full_top)
    capacitance = adc.input_capacitance + bit_line_capacitance(config.bit_line, config.array.rows)
    sigma_volts = sampled_noise(
        capacitance, config.temperature, config.thermal_noise.excess, sides=1 + signed
    )
    sigma = math.hypot(sigma_volts / volts_per_level, adc.noise * step) if noise.dynamic else 0.0
    # the static errors of a converter go by the switch of the sense amplifiers' offset
    offset = adc.offset * step if noise.offset else 0.0
    gain = adc.gain_error if noise.offset else 0.0
    bow = adc.nonlinearity * step if noise.offset else 0.0
    # every noise in cell levels
    of_cells = np.concatenate(list(cell.parts.values())) * top_level
    spreads = np.array([*of_cells, sigma, offset, bow])
    smallest = noise_floor = float(spreads[spreads > 0].min(initial=np.inf))
    if standing or not cell.is_even:
        # whole levels are not all that is summed
        smallest = min(smallest, UNEVEN_RESOLUTION / QUANTUM_TO_NOISE)
    worst = rows * cell.highest * top_level
    power = 0
    if not math.isinf(smallest):
        power = max(0, math.ceil(math.log2(1 / (smallest * QUANTUM_TO_NOISE))))
    room = math.floor(math.log2(EXACT_SUM / worst))
    if room < 0:
        raise MappingError(f"sums of {worst:.0f} levels do not fit the 24 bits of the kernels")
    per_level = 2 ** min(power, room)
    conversion = Conversion(
        code_quanta=max(1, round(step * per_level)),
        top=top,
        step=max(1, round(step * per_level)) / per_level,
        sigma=sigma * per_level,
        offset=offset * per_level,
        gain=gain,
        bow=bow * per_level,
        input_bits=slicing.activation_bits,
        signed=signed,
        standing=standing,
    )
    unit = matrix.alpha / matrix.top_level / (2**slicing.activation_bits - 1)
    lines, bits = _worth_of_lines(slices), 2**slicing.activation_bits - 1
    of_bits = math.sqrt(sum(4.0**b for b in range(slicing.activation_bits)))
    return ReadOut(
        conversion=conversion,
        volts_per_unit=volts_per_level / unit,
        capacitance=capacitance,
        sigma_volts=sigma_volts,
        offset_volts=adc.offset * step * volts_per_level,
        sigma_units=sigma * lines * of_bits * unit,
        offset_units=math.hypot(offset, bow, gain * largest) * lines * bits * unit,
        full_scale_quanta=top_level * per_level,
        quanta_per_unit=per_level / unit,
        quantum_to_noise=0.0 if math.isinf(noise_floor) else 1 / (per_level * noise_floor),
        widest=math.ceil(worst * per_level),
    )


def _largest_alone(rows: int, top_level: int, standing: float) -> float:
    """Largest sum of a line alone: at most half of all levels, or the unit column's [levels]."""
    levels = max(rows, rows * top_level // 2)
    return levels + rows * standing if standing else levels


def _worth_of_lines(slices: Slices) -> float:
    """Root of the summed squares of what the codes of a column's lines are worth, at most.

    Noise of the lines is independent; the unit column's code is worth `per_active`.
    """
    squares = (slices.worth_of_weights**2).sum(axis=2) + slices.per_active**2
    return float(np.sqrt(squares.max()))
