"""Sums and currents of drawn chips at the exact network's inputs.

Every read gets the word lines that the exact network would give it, so that an error of one layer
does not change the inputs of the next: what is seen is what a source does to one decision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.chip import Chip, program_tile
from pimsim.chip.tile import MatrixOnChip, Tile, lines_of_group
from pimsim.chip.wired import read_sums
from pimsim.config import NoiseConfig
from pimsim.studies.prepare import Prepared
from pimsim.timing.trace import operation_signals
from pimsim.workload import run_quantized, run_reference
from pimsim.workload.exact import of_groups

# enough for shares of decisions: each sequence holds thousands
MAX_SEQUENCES = 32
MAX_READS = 4096
MAX_CHIPS = 2
# every column of each is a ladder
MAX_LADDER_READS = 64
# of a histogram of sums: an odd number of bins, one of them around the threshold, of a width in
# level steps with which most sums are in it; odd, so that each bin has as many possible sums
N_BINS = 61
BIN_WIDTHS = (1.0, 3.0, 5.0, 11.0, 21.0, 51.0, 101.0, 201.0, 501.0, 1001.0)
WITHIN_BINS = 0.95

Currents = NDArray[np.float64]


class CurrentsOfLines(NamedTuple):
    """Current of one bit line of a matrix over the probed reads [A]."""

    mean: float
    quantile_9999: float
    highest: float


class Sums(NamedTuple):
    """Sums of a matrix less their thresholds at the exact network's inputs.

    Attributes
    ----------
    first, width : float
        Lower edge of the first bin, and width of each [level steps].
    counts : list of int
        Sums in each bin; the outermost bins have all beyond.
    n_at_threshold : int
        Sums that are exactly at their threshold.
    noise : float
        Standard deviation of the error of a sum on drawn chips [level steps].
    flipped : float
        Share of decisions that it flips.
    """

    first: float
    width: float
    counts: list[int]
    n_at_threshold: int
    noise: float
    flipped: float


class Error(NamedTuple):
    """Effect of a noise source on the sums of a matrix at exact inputs.

    Attributes
    ----------
    size : float
        Standard deviation of a sum's error [units of pre-activation].
    flipped : float
        Share of decisions that differ from those of the exact network.
    """

    size: float
    flipped: float


@dataclass(frozen=True)
class Probe:
    """The exact network's word lines at the reads of each tile.

    Attributes
    ----------
    prepared : Prepared
    rows : dict of tile name -> (n_reads, n_rows) uint8
        Numbers on the word lines, without rows that are always on.
    n_sequences : int
    """

    prepared: Prepared
    rows: dict[str, NDArray[np.uint8]]
    n_sequences: int

    def line_currents(self, chip: Chip, chip_index: int = 0) -> dict[str, CurrentsOfLines]:
        """Currents of the lines of each matrix on one drawn chip, over both sides, if any flow."""
        seed = self.prepared.setup.run.seed
        found = {}
        for tile in chip.tiles:
            drawn = program_tile(tile, seed, chip_index)
            for part, chain in tile.read_out.chains(tile):
                scale = part.quantum_ampere * chain.drawn
                lines = np.concatenate(
                    [
                        (pulse[group :: tile.groups] @ side[block, own].astype(np.float64)).ravel()
                        for side in (drawn.plus, drawn.minus)[: tile.placement.lines_each]
                        for block, pulse in self._pulses(chip, tile)
                        for group in range(tile.groups)
                        if len(own := lines_of_group(part, tile.groups, group))
                    ]
                )
                quantile = float(np.quantile(lines, 0.9999))
                found[part.name] = CurrentsOfLines(
                    float(lines.mean()) * scale, quantile * scale, float(lines.max()) * scale
                )
        return found

    def _pulses(self, chip: Chip, tile: Tile) -> list[tuple[slice, Currents]]:
        """Rows that share a line, and the share to which each is on in every pulse."""
        rows, placed = self.rows[tile.name], tile.placement
        always = np.ones((len(rows), tile.n_always_on))
        pulses = [
            np.hstack([on / tile.pulses.largest, always])
            for on in chip.layout.drive.amplitudes(tile, rows)
        ]
        size = placed.n_rows if placed.joins_stack else chip.config.array.rows
        every = np.concatenate(pulses)
        return [
            (slice(first, first + size), every[:, first : first + size])
            for first in range(0, placed.n_rows, size)
        ]

    def ties(self, chip: Chip) -> dict[str, float]:
        """Share of the sums that are exactly at their threshold, of each matrix that tosses."""
        exact = self._exact_sums(chip)
        return {name: float((sums == 0).mean()) for name, sums in exact.items()}

    def sums(self, chip: Chip) -> dict[str, Sums]:
        """Histogram of the sums of each matrix that amplifiers decide, beside their error."""
        errors = self.errors(chip.noise)
        steps = {m.name: m.matrix.alpha / m.matrix.top_level for m in chip.matrices}
        return {
            name: _histogram(sums, errors[name], steps[name])
            for name, sums in self._exact_sums(chip).items()
        }

    def errors(self, noise: NoiseConfig) -> dict[str, Error]:
        """Size and flipped decisions under some noise, of each matrix that amplifiers decide.

        A sum that noise leaves exactly at its threshold is a coin toss, and counts as half a flip.
        """
        chip, seed = self.prepared.chip(noise), self.prepared.setup.run.seed
        exact = self._exact_sums(self.prepared.chip(NoiseConfig.ideal()))
        found: dict[str, list[tuple[float, float]]] = {}
        for index in range(MAX_CHIPS):
            for tile in _tossing(chip):
                drawn = program_tile(tile, seed, index)
                every = read_sums(tile, drawn, self.rows[tile.name]).astype(np.float64)
                for part in tile.matrices:
                    sums = of_groups(every[:, part.columns], tile.groups)
                    found.setdefault(part.name, []).append(_error(part, sums, exact[part.name]))
        return {name: Error(*map(float, np.mean(of, axis=0))) for name, of in found.items()}

    def first_order_errors(self, chip: Chip) -> dict[str, float]:
        """Error of first-order losses along wires, of each tile that has them on one drawn chip.

        Standard deviation of the difference from exact losses at some reads, over that of the sums.
        """
        found = {}
        for tile in chip.tiles:
            if tile.wires is None or tile.wires.form != "first_order":
                continue
            drawn = program_tile(tile, self.prepared.setup.run.seed, 0)
            rows = self.rows[tile.name]
            rows = rows[:: -(-len(rows) // MAX_LADDER_READS)]
            with_ladders = replace(tile, wires=replace(tile.wires, form="exact"))
            first, exact = (read_sums(of, drawn, rows) for of in (tile, with_ladders))
            found[tile.name] = float((first - exact).std() / max(exact.std(), 1.0))
        return found

    def _exact_sums(self, chip: Chip) -> dict[str, Currents]:
        """Sums less thresholds of every column, in level steps; thresholds as the chip has them."""
        found = {}
        for tile in _tossing(chip):
            rows = self.rows[tile.name].astype(np.float64)
            for part in tile.matrices:
                thresholds = part.matrix.thresholds + tile.read_out.coding.raised(part.matrix)
                sums = rows @ part.matrix.levels - thresholds
                found[part.name] = of_groups(sums, tile.groups)
        return found


def _tossing(chip: Chip) -> list[Tile]:
    """Tiles in which noise decides ties; others decide from codes, with errors of their own."""
    return [tile for tile in chip.tiles if tile.read_out.tosses_ties]


def _histogram(sums: Currents, error: Error, step: float) -> Sums:
    """Counts in bins around the threshold that hold most of the sums."""
    reach = float(np.quantile(np.abs(sums), WITHIN_BINS))
    width = next((w for w in BIN_WIDTHS if w * N_BINS / 2 >= reach), BIN_WIDTHS[-1])
    half = N_BINS // 2
    bins = np.floor(sums / width + 0.5).astype(np.int64).clip(-half, half)
    counts = np.bincount(bins.ravel() + half, minlength=N_BINS)
    at = int((sums == 0).sum())
    first = -width * N_BINS / 2
    return Sums(first, width, counts.tolist(), at, error.size / step, error.flipped)


def _error(part: MatrixOnChip, sums: Currents, exact: Currents) -> tuple[float, float]:
    read_out, step = part.read_out, part.matrix.alpha / part.matrix.top_level
    static = sums / read_out.quanta_per_unit - exact * step
    size = float(np.hypot(static.std(), read_out.sigma_units))
    if read_out.sigma_quanta > 0:
        one = ndtr(sums / read_out.sigma_quanta)
    else:
        one = np.where(sums == 0, 0.0, sums > 0)
    flipped = np.where(exact > 0, 1 - one, one)
    return size, float(flipped.mean())


def probe(prepared: Prepared, chip: Chip) -> Probe:
    """Run the exact network on a few sequences, and keep the word lines of every read."""
    features = prepared.data.features[:MAX_SEQUENCES]
    drive = chip.layout.drive
    if drive.numbers.name == "bits" or prepared.network.has_formats:
        exact = run_reference(prepared.network, features)
    else:
        exact = run_quantized(prepared.network, features, drive.activation(prepared.network))  # type: ignore[attr-defined]
    rows: dict[str, NDArray[np.uint8]] = {}
    for tile in chip.tiles:
        each = [
            operation_signals(chip, tile, {k: v[i] for k, v in exact.signals.items()})["word_lines"]
            for i in range(len(features))
        ]
        every = np.concatenate(each)
        # an even choice of reads, the same on every machine; groups of columns stay together
        of_places = every.reshape(-1, tile.groups, every.shape[-1])
        chosen = of_places[:: -(-len(every) // MAX_READS)]
        rows[tile.name] = chosen.reshape(-1, every.shape[-1])
    return Probe(prepared, rows, len(features))
