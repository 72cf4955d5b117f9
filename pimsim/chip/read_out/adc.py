"""Read-out of several bits: ADCs, and the shift-and-add that rebuilds whole sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar, NamedTuple

import numpy as np

from pimsim.chip.characteristic import Quantiser, StaticErrors
from pimsim.chip.phase import Phase, cycles_of
from pimsim.chip.read_out.adc_sums import (
    column_length,
    quanta_per_level,
    weight_of_lines,
)
from pimsim.chip.read_out.base import refuse_noise_of_bits
from pimsim.chip.read_out.lines import LineReadOut
from pimsim.chip.tile import MatrixLayout, Tile, TileLayout
from pimsim.circuits import adc as circuit
from pimsim.circuits import dac, popcount, shift_and_add
from pimsim.circuits.bill import Action, Bill, total
from pimsim.circuits.logic import LogicCosts
from pimsim.config.drive import MultiLevelDrive
from pimsim.config.read_out import Converting
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel
from pimsim.errors import MappingError
from pimsim.streams import MAX_NORMAL, Purpose, normals

# standard deviations of a line's sums that a calibrated range holds
CALIBRATED = 4.0


class Codes(NamedTuple):
    """Codes of the conversions of a matrix.

    Attributes
    ----------
    step : float
        Step of the sum between two of them [levels x steps of the drive].
    top : int
        The largest.
    each : int
        Codes of the ADC that logic rounds to one of them.
    """

    step: float
    top: int
    each: int = 1

    @property
    def lsb(self) -> float:
        """Step of the ADC [levels x steps of the drive]."""
        return self.step / self.each


class AdcReadOut(LineReadOut):
    """A code for each line, array and pulse; codes are shifted and added as numbers."""

    joins_stack: ClassVar[bool] = False

    @property
    def adc(self) -> Converting:
        block = self.config.read_out
        assert isinstance(block, Converting)
        return block

    @property
    def shared(self) -> int:
        return self.adc.columns_per_adc

    def neuron_noise(self, part: MatrixLayout, noise: NoiseConfig) -> float:
        """Noise of the algorithm that is added to every sum before it is converted [levels].

        Raises
        ------
        MappingError
            If there is one: codes have none.
        """
        refuse_noise_of_bits(noise, "a chip with ADCs")
        return 0.0

    def characterise(
        self, part: MatrixLayout, tile: TileLayout, cell: CellModel, noise: NoiseConfig
    ) -> Quantiser:
        """Noise, quantum and bounds for the lines of a matrix.

        Notes
        -----
        Without `fixed_point`, ADCs resolve every whole sum of levels.  Codes of pairs have a
        sign; those of single lines have none, and the lines carry the current of level 0 as well.
        Where word lines have levels, sums are those of cell levels times steps of the drive, and a
        current is as much smaller.
        """
        of_neurons = self.neuron_noise(part, noise)
        config, adc, matrix = self.config, self.adc, part.matrix
        if part.cells.n_always_on:
            raise MappingError(
                "has thresholds, and a chip with ADCs takes none",
                remedy="Train the network without thresholds, or take a chip with sense amplifiers",
            )
        signed, top_level = self.coding.is_signed, self.coding.n_cell_levels(matrix) - 1
        if tile.pulses.joined and not signed:
            raise MappingError(
                f"{part.name} has numbers with a sign, whose samples are subtracted before one "
                "conversion, and codes of single lines have none",
                remedy="Set chip.drive.signed_codes to offset or two_pass",
            )
        rows = min(matrix.n_rows, config.array.rows)
        level0 = 0.0 if signed else float(cell.ideal[0]) * top_level
        pulses, steps = tile.pulses, tile.pulses.largest
        largest = self._largest(part, tile, cell)
        codes = self._codes(part, tile, cell)
        if not noise.fixed_point:
            codes = Codes(1.0, math.ceil(largest), codes.each)
        step, top = codes.step, codes.top
        chain = self.chain(part, tile)
        volts_per_level = chain.gain * cell.full_scale_current / (top_level * steps)
        # independent samples, each with the noise of its pulse
        sigma_volts = chain.noise(sides=1 + signed) * math.sqrt(pulses.samples)
        bow_of_levels = 0.0
        if isinstance(config.drive, MultiLevelDrive) and noise.offset:
            bow_of_levels = config.drive.nonlinearity
        of_codes = adc.noise * (codes.lsb if adc.noise_point == "before" else 0.0)
        of_circuits = math.hypot(sigma_volts / volts_per_level, of_codes)
        sigma = math.hypot(of_circuits if noise.dynamic else 0.0, of_neurons)
        after = adc.noise if noise.dynamic and adc.noise_point == "after" else 0.0
        # the static errors of an ADC go by the switch of the sense amplifiers' offset
        offset = adc.offset * codes.lsb if noise.offset else 0.0
        gain = adc.gain_error if noise.offset else 0.0
        bow = adc.nonlinearity * codes.lsb if noise.offset else 0.0
        mismatch = self.mismatch(part, tile) if noise.mismatch else 0.0
        worst = rows * cell.highest * top_level * (1 + MAX_NORMAL * mismatch)
        per_level, noise_floor = quanta_per_level(
            cell,
            top_level,
            # a cell's rounding counts as often as its row has steps
            np.array([sigma, offset, bow]) / steps,
            worst,
            mismatch,
            is_whole=level0 == 0,
        )
        unit = matrix.alpha / matrix.top_level / (2**tile.input_bits - 1)
        lines, of_pulses = weight_of_lines(part.cells, level0), math.sqrt(pulses.squares)
        return Quantiser(
            code_quanta=max(1, round(step * per_level)),
            top=top,
            step=max(1, round(step * per_level)) / per_level,
            sigma=sigma * per_level,
            sigma_codes=after,
            level_bow=bow_of_levels,
            offset=offset * per_level,
            gain=gain,
            bow=bow * per_level,
            signed=signed,
            level0_current=level0,
            volts_per_unit=volts_per_level / unit,
            capacitance=chain.capacitance,
            sigma_volts=sigma_volts,
            offset_volts=adc.offset * codes.lsb * volts_per_level,
            sigma_units=math.hypot(sigma, after * step) * lines * of_pulses * unit,
            offset_units=math.hypot(
                math.hypot(offset, bow, gain * largest) * lines * pulses.total,
                bow_of_levels * dac.MEAN_BOW * math.sqrt(pulses.squares) * column_length(matrix),
            )
            * unit,
            full_scale_quanta=top_level * per_level,
            quanta_per_unit=per_level / unit,
            quantum_to_noise=0.0 if math.isinf(noise_floor) else 1 / (per_level * noise_floor),
            widest=math.ceil(worst * steps * per_level),
            mismatch=mismatch,
        )

    def _largest(self, part: MatrixLayout, tile: TileLayout, cell: CellModel) -> float:
        """Largest sum of a line [levels x steps of the drive]."""
        coding, rows = self.coding, min(part.matrix.n_rows, self.config.array.rows)
        top_level = coding.n_cell_levels(part.matrix) - 1
        largest = coding.largest_line(rows, top_level, part.cells)
        level0 = 0.0 if coding.is_signed else float(cell.ideal[0]) * top_level
        return tile.pulses.largest * (largest + rows * level0 if level0 else largest)

    def _codes(self, part: MatrixLayout, tile: TileLayout, cell: CellModel) -> Codes:
        """Codes of a matrix with its range in the chip file."""
        adc, signed = self.adc, self.coding.is_signed
        largest = self._largest(part, tile, cell)
        if adc.full_scale is not None:
            top_level = self.coding.n_cell_levels(part.matrix) - 1
            share = adc.full_scale * top_level * tile.pulses.largest / largest
        elif adc.range == "network" and part.matrix.adc_range and _converts_whole(part, tile):
            share = _trained_reach(part, tile, part.matrix.adc_range) / largest
        elif isinstance(adc.range, str):
            share = min(1.0, self._reach(part, tile, cell) / largest)
        else:
            assert isinstance(adc.range, float)
            share = adc.range
        step, top = (
            circuit.step_of(adc.bits, largest, share, signed=signed),
            circuit.top_code(adc.bits, signed=signed),
        )
        if adc.range != "fitted":
            return Codes(step, top)
        each = 2 ** int(math.log2(max(1.0, top / (share * largest))))
        return Codes(step, top // each, each)

    def _reach(self, part: MatrixLayout, tile: TileLayout, cell: CellModel) -> float:
        """Sum that the lines of a matrix hardly ever pass [levels x steps of the drive].

        Every bit of a row's number is 1 in a share of the pulses by itself (`limits.active_rows`);
        the line that reaches farthest is taken, `CALIBRATED` standard deviations from its mean.
        """
        active, rows = self.config.limits.active_rows, self.config.array.rows
        pulses = tile.pulses
        mean_share, variance = pulses.converted_mean(active), pulses.converted_variance(active)
        top_level = self.coding.n_cell_levels(part.matrix) - 1
        levels = (cell.ideal * top_level)[part.cells.plus.astype(np.int64)]
        if self.coding.is_signed:
            levels = levels - (cell.ideal * top_level)[part.cells.minus.astype(np.int64)]
        found = 1.0
        for first in range(0, len(levels), rows):
            block = levels[first : first + rows]
            mean = mean_share * block.sum(axis=0)
            sigma = np.sqrt(variance * (block**2).sum(axis=0))
            found = max(found, float((np.abs(mean) + CALIBRATED * sigma).max(initial=0.0)))
        return found * tile.pulses.largest

    def sum_range(self, part: MatrixLayout, tile: TileLayout, cell: CellModel) -> float:
        top_level = self.coding.n_cell_levels(part.matrix) - 1
        codes = self._codes(part, tile, cell)
        return codes.step * codes.top / (top_level * tile.pulses.largest)

    def static_errors(self, tile: Tile, seed: int, chip_index: int) -> StaticErrors:
        placed, n_lines = tile.placement, tile.placement.n_lines
        # every array has ADCs of its own: as many draws as ADCs on the bill
        across = placed.n_side_by_side * placed.circuits_of_array(self.shared)
        shape = 3, placed.read_outs_each, across
        draws = normals(seed, Purpose.ADC, chip_index, tile.index, shape)
        errors = draws[:, :, placed.circuit_of_line(self.shared)]
        for part in tile.matrices:
            own = part.read_out
            assert isinstance(own, Quantiser)
            sigmas = np.array([own.offset, own.gain, own.bow])
            errors[:, :, part.columns] *= sigmas[:, None, None]
        names = ("offset", "gain", "bow")
        arrays = {name: np.ascontiguousarray(e) for name, e in zip(names, errors, strict=True)}
        first = tile.matrices[0].read_out
        assert isinstance(first, Quantiser)
        if first.level_bow:
            of_rows = 1, 1, tile.placement.n_rows
            bows = normals(seed, Purpose.DAC, chip_index, tile.index, of_rows)[0, 0]
            arrays["levels"] = np.asarray(first.level_bow * bows)
        return StaticErrors(np.zeros(n_lines, np.int64), arrays)

    def pulse(self, tile: TileLayout) -> float:
        """Time of one pulse [s]; the line is sampled, so that it need not wait for conversions."""
        return self.conducting(tile, self.strobe_delay)

    def conversion_time(self, tile: TileLayout) -> float:
        """Time of one conversion [s]: from the chip file if given, else by the cost model."""
        given = self.adc.conversion_time
        if given is not None:
            return given
        rows = min(tile.placement.n_rows, self.config.array.rows)
        return circuit.conversion_time(self.adc, rows, self.lines.logic, self.costs)

    def phases(self, tile: TileLayout, pulses: int) -> tuple[Phase, ...]:
        """Lines are sampled for every pulse; the columns that share an ADC are converted in turn.

        The next pulse is integrated only afterwards, but for one whose sample goes into the same
        conversion. Lines are restored while samples are converted, or before the next of them.
        """
        clock, each = self.config.clock.frequency, self.conversion_time(tile)
        turns, samples = self.turns(tile), tile.pulses.samples
        hidden = turns * each if samples == 1 else 0.0
        restoring = max(0.0, self.restore_time(tile) - hidden)
        return (
            self.integrate(tile, pulses, self.strobe_delay + restoring),
            Phase(
                "convert",
                each,
                cycles_of(each, clock),
                ("chip.clock", "chip.read_out"),
                pulses // samples * turns,
            ),
        )

    def bill(self, tile: TileLayout, tiles: Sequence[TileLayout], costs: LogicCosts) -> Bill:
        """Every array has loads and ADCs of its own: sums of arrays are added as numbers."""
        adc, placed, columns = self.adc, tile.placement, self.config.array.columns
        n_adcs = placed.n_read_outs * placed.circuits_of_array(self.shared)
        stored = self._stored_bits(tile)
        area = shift_and_add.adder_area(self._accumulator_bits(tile), costs)
        # every addition is paid for as that of the tile with the widest accumulators
        width = max(self._accumulator_bits(other) for other in tiles)
        widest = max(self._stored_bits(other) for other in tiles)
        cells, rows = tile.matrices[0].cells, min(placed.n_rows, self.config.array.rows)
        # the bits of a code meet in one pulse, or over several
        of_pulses = tile.input_bits if cells.is_counted else tile.pulses.total.bit_length()
        count_bits = of_pulses + (rows.bit_length() if cells.is_counted else adc.bits)
        if cells.reference_level == 0:
            # its code is subtracted as it is: there is no multiplier
            count_bits = 0
        if cells.is_corrected:
            area += shift_and_add.offset_area(count_bits, stored, costs)
        return total(
            [
                self.lines_bill(tile),
                circuit.bill(
                    adc,
                    tile.name,
                    n_adcs,
                    placed.n_read_outs * columns,
                    costs,
                    self.conversion_time(tile),
                ),
                shift_and_add.bill(
                    tile.name,
                    n_adcs,
                    area,
                    shift_and_add.addition_energy(width, costs),
                    shift_and_add.offset_energy(width, count_bits, widest, costs),
                    costs,
                    self._accumulator_bits(tile),
                ),
                self._counting(tile, rows, count_bits, costs),
            ]
        )

    def _counting(self, tile: TileLayout, rows: int, count_bits: int, costs: LogicCosts) -> Bill:
        """Adders that count the active rows; arrays side by side share them."""
        if not tile.matrices[0].cells.is_counted:
            return Bill()
        at_once = rows * tile.pulses.largest.bit_length()
        return popcount.bill(tile.name, tile.placement.n_stacked, at_once, count_bits, costs)

    def other_prices(self) -> dict[str, tuple[str, float]]:
        found: dict[str, tuple[str, float]] = {}
        for model in circuit.MODELS:
            # not every model covers every number of bits
            with suppress(MappingError):
                cost = circuit.adc_cost(model, self.adc.bits, supply=self.costs.supply)
                found[model] = ("adc", cost.energy)
        return found

    def actions(self, tile: TileLayout, reads: int, pulses: int) -> list[Action]:
        placed = tile.placement
        converted = pulses // tile.pulses.samples
        conversions = reads * converted * tile.lines_each * placed.read_outs_each
        found = [
            *self.line_actions(tile, reads * pulses),
            Action("adc", "conversions", conversions),
            Action("shift_and_add", "sums", conversions),
        ]
        cells = tile.matrices[0].cells
        if cells.is_corrected:
            offsets = reads * tile.outputs_each * placed.read_outs_each
            found.append(Action("shift_and_add", "offsets", offsets))
        if cells.is_counted:
            found.append(Action("popcount", "counts", reads * converted * placed.n_stacked))
        return found

    def _stored_bits(self, tile: TileLayout) -> int:
        """Bits of a tile's weights as its cells hold them."""
        return max(matrix.cells.stored_bits for matrix in tile.matrices)

    def _accumulator_bits(self, tile: TileLayout) -> int:
        """Width of a tile's shift-and-add."""
        return shift_and_add.sum_bits(
            self.adc.bits,
            self._stored_bits(tile),
            tile.pulses.total.bit_length(),
            tile.placement.n_stacked,
        )


def _converts_whole(part: MatrixLayout, tile: TileLayout) -> bool:
    """Whether a code is that of a whole sum, or of its part in one array."""
    cells = part.cells
    lines_of_a_column = int(cells.summed(np.ones_like(cells.weight_of_line)).max())
    n_conversions = len(tile.pulses.converted) * lines_of_a_column
    return n_conversions == 1 and not cells.is_corrected


def _trained_reach(part: MatrixLayout, tile: TileLayout, adc_range: float) -> float:
    """Largest sum of the ADCs that a network was trained for [levels x steps of the drive].

    Where arrays stand below each other, each has the range and the step of the whole sum. Zero
    points that are not taken off before an ADC are part of what it converts.
    """
    matrix = part.matrix
    one = 1 if matrix.neurons is not None else 2**tile.input_bits - 1
    of_network = one * adc_range * matrix.top_level / matrix.alpha
    kept = (tile.pulses.zeros - tile.pulses.subtracted) @ matrix.levels.astype(np.int64)
    return float(of_network + np.abs(kept).max(initial=0))
