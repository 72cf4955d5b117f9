"""A chip for one network: laid out once, then given the noise of each run."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.cells import Cells, cells
from pimsim.chip.drive import Drive, drive
from pimsim.chip.encoder import EncoderUnit, encoder_unit
from pimsim.chip.logic import LOGIC, Logic, LogicCircuits, logic_circuits
from pimsim.chip.one_array import check_one_array
from pimsim.chip.read_out import ReadOut, read_out, tall_read_out
from pimsim.chip.scaled_levels import level_scale
from pimsim.chip.tile import MatrixLayout, MatrixOnChip, Tile, TileLayout
from pimsim.circuits.lines import Lines
from pimsim.config import find_config, read_yaml, validate
from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.config.run import NoiseConfig
from pimsim.config.technology import TechnologyConfig
from pimsim.devices import CellModel
from pimsim.errors import MappingError, Place
from pimsim.mapping import WeightCoding, fits_a_stack, place_rows, row_places
from pimsim.streams import MAX_COLUMNS
from pimsim.workload.graph import Network, Node
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.signals import CodeFormat

MAX_LAYERS = 255


@dataclass(frozen=True)
class Layout:
    """A network on a chip: its cells, arrays and circuits, without any noise.

    Attributes
    ----------
    network : Network
    config : ChipConfig
    device : DeviceConfig
    technology : TechnologyConfig
    tiles : tuple of TileLayout
        One for each node that has matrices, in order.
    encoder : EncoderUnit
        Unit of the input layer.
    device_place : Place or None
        Place of the device file, for errors.
    """

    network: Network
    config: ChipConfig
    device: DeviceConfig
    technology: TechnologyConfig
    tiles: tuple[TileLayout, ...]
    encoder: EncoderUnit
    device_place: Place | None = None

    @cached_property
    def lines(self) -> Lines:
        return Lines(self.config, self.device, self.technology)

    @cached_property
    def cells(self) -> Cells:
        return cells(self.lines)

    @cached_property
    def drive(self) -> Drive:
        return drive(self.lines)

    @property
    def one(self) -> float:
        """The number that stands for 1 in the scores; 1 itself in a network's own formats."""
        return 1 if self.network.has_formats else self.drive.numbers.one

    def bits_of(self, name: str) -> int:
        """Bits of the numbers of a signal, by its node's name."""
        codes = self.network.shapes[name].codes
        return self.drive.bits if codes is None else codes.bits

    @cached_property
    def circuits(self) -> LogicCircuits:
        """Circuits that the logic behind the read-out is built from."""
        return logic_circuits(self.config)

    @staticmethod
    def logic(tile: TileLayout) -> Logic:
        """Logic of a tile's layer."""
        return LOGIC[tile.node.layer.logic]()

    def under(
        self, noise: NoiseConfig, age: float | None = None, read_times: tuple[float, ...] = ()
    ) -> Chip:
        """The chip with the noise sources of a run.

        Parameters
        ----------
        noise
            Noise sources that are on.
        age
            Time since programming [s]; the device file's where None.
        read_times
            Times of the reads so far [s], for telegraph noise as a process (`cell_model`).

        Raises
        ------
        MappingError
            If a matrix has more levels than a cell, its sums do not fit, or losses along wires are
            asked for where no column stands for itself.
        """
        models: dict[int, CellModel] = {}

        def model_of(coding: WeightCoding, matrix: LevelMatrix) -> CellModel:
            n_levels = coding.n_cell_levels(matrix)
            if n_levels not in models:
                try:
                    models[n_levels] = self.cells.model(
                        n_levels, noise, age, self.device_place, read_times
                    )
                except MappingError as error:
                    raise coding.explained(error, matrix) from error
            return models[n_levels]

        tiles = []
        has_none = self.cells.without_device or not noise.variation
        varied = None if has_none else self.device.variation
        for tile in self.tiles:
            matrices = []
            for part in tile.matrices:
                cell = model_of(tile.read_out.coding, part.matrix)
                numbers = tile.read_out.characterise(part, tile, cell, noise)
                matrices.append(
                    MatrixOnChip(part.name, part.matrix, part.cells, part.columns, cell, numbers)
                )
            laid_out = {field.name: getattr(tile, field.name) for field in fields(tile)}
            laid_out["matrices"] = tuple(matrices)
            wires, faults = tile.read_out.wires(tile, noise), tile.read_out.faults(tile, noise)
            under = Tile(**laid_out, wires=wires, faults=faults, variation=varied)
            if wires is not None and self.config.array.scaled_levels:
                active = self.config.limits.active_rows
                under = replace(under, level_scale=level_scale(under, active))
            tiles.append(under)
        return Chip(self, noise, tuple(tiles))


@dataclass(frozen=True)
class Chip:
    """A network on a chip with the noise of a run, before any device is drawn."""

    layout: Layout
    noise: NoiseConfig
    tiles: tuple[Tile, ...]

    @property
    def network(self) -> Network:
        return self.layout.network

    @property
    def config(self) -> ChipConfig:
        return self.layout.config

    @property
    def device(self) -> DeviceConfig:
        return self.layout.device

    @cached_property
    def tile_of(self) -> dict[str, Tile]:
        """Tiles by the names of their nodes."""
        return {tile.name: tile for tile in self.tiles}

    @property
    def matrices(self) -> list[MatrixOnChip]:
        """All matrices on the chip, in order."""
        return [matrix for tile in self.tiles for matrix in tile.matrices]

    @property
    def is_exact(self) -> bool:
        """Whether all drawn chips are equal and give the results of the exact network."""
        moved = any(
            tile.wires or tile.faults or (tile.variation and tile.variation.has_gains)
            for tile in self.tiles
        )
        return not moved and all(m.cell.is_exact and m.read_out.is_exact for m in self.matrices)


def lay_out(
    network: Network,
    config: ChipConfig,
    device: DeviceConfig,
    technology: TechnologyConfig,
    chip_place: Place | None = None,
    device_place: Place | None = None,
) -> Layout:
    """Put a network on a chip.

    Parameters
    ----------
    chip_place, device_place
        Place that errors name when the network does not fit.

    Raises
    ------
    MappingError
        If a matrix has more rows than arrays can be stacked, or does not suit the weight coding.
    """
    if len(network.nodes) > MAX_LAYERS:
        raise MappingError(f"the network has {len(network.nodes)} layers; {MAX_LAYERS} at most")
    lines, own_bits = Lines(config, device, technology), getattr(config.drive, "bits", 1)
    usual, tall = read_out(lines), tall_read_out(lines)
    driving = drive(lines)
    tiles = []
    for index, node in enumerate(network.nodes):
        named = node.matrices()
        if not named:
            continue
        formats = _row_formats(network, node, own_bits, config, chip_place)
        chosen, n_rows = usual, usual.n_rows(matrix for _, matrix in named)
        if tall is not None and not fits_a_stack(n_rows, config.array):
            chosen, n_rows = tall, tall.n_rows(matrix for _, matrix in named)
        coding = chosen.coding
        # refused before any cell is laid out: a threshold may take millions of rows
        place = partial(
            place_rows,
            node.name,
            n_rows,
            array=config.array,
            lines_each=coding.bit_lines(matrix for _, matrix in named),
            joins_stack=chosen.joins_stack,
            place=chip_place,
        )
        lines_of_array = place(n_lines=1).lines_of_array
        matrices, first = [], 0
        for name, matrix in named:
            try:
                plan = coding.plan(chosen.held(matrix), config.array.rows)
                plan = coding.placed(plan, first, lines_of_array)
            except MappingError as error:
                raise MappingError(
                    f"cannot hold {name} of the network: it {error.message}",
                    place=chip_place,
                    remedy=error.remedy,
                ) from error
            columns = slice(first, first + plan.n_lines)
            first = columns.stop
            matrices.append(MatrixLayout(name, chosen.decided(matrix), plan, columns))
        placed = place(n_lines=first)
        # circuits of unused lines are drawn, too
        n_lines = placed.n_side_by_side * placed.lines_of_array
        if n_lines > MAX_COLUMNS:
            raise MappingError(
                f"layer {node.name} takes arrays with {n_lines} lines side by side; {MAX_COLUMNS} "
                "are the most"
            )
        codes = network.shapes[node.name].codes
        tiles.append(
            TileLayout(
                node.name,
                index,
                node,
                tuple(matrices),
                placed,
                max(form.bits for form in formats),
                own_bits if codes is None else codes.bits,
                driving.pulses(formats),
                chosen,
                _row_places(config, chosen, matrices, n_rows, chip_place),
            )
        )
    if config.array.shared and tiles:
        check_one_array(tiles, config.array, chip_place)
    encoder = encoder_unit(network, config, chip_place)
    return Layout(network, config, device, technology, tuple(tiles), encoder, device_place)


def _row_places(
    config: ChipConfig,
    read: ReadOut,
    matrices: list[MatrixLayout],
    n_rows: int,
    place: Place | None,
) -> NDArray[np.int64]:
    """Place of each row of a layer along its bit lines.

    Raises
    ------
    MappingError
        If rows are to be in another order, or levels scaled, and nothing is lost along lines.
    """
    asked = config.array.of_losses
    if asked and not read.loses_on_wires:
        raise MappingError(
            f"has array.{asked[0]}, which makes up for losses along lines, and {read.kind} has "
            "none in its sums",
            place=place,
            remedy=f"Remove array.{asked[0]}, or take a chip with sense amplifiers, without "
            "layers that are tall",
        )
    plans, n_inputs = [part.cells for part in matrices], matrices[0].matrix.n_rows
    return row_places(config.array.row_order, plans, n_inputs, n_rows)


def _row_formats(
    network: Network, node: Node, own_bits: int, config: ChipConfig, place: Place | None
) -> list[CodeFormat]:
    """Format of the numbers on each word line of a node: its state's first, then its inputs'.

    Raises
    ------
    MappingError
        If the chip's drive has fewer.
    """
    widest = max((m.neurons.bits for _, m in node.matrices() if m.neurons), default=own_bits)
    if own_bits == 1 < widest:
        raise MappingError(
            f"decides bits, and neurons of {node.name} give codes of {widest} bits",
            place=place,
            remedy="Take a chip with ADCs, or train the network for binary activations",
        )
    own, shapes = CodeFormat(own_bits), network.input_shapes(node)
    (_, matrix), *_ = node.matrices()
    inputs = [shape.codes or own for shape in shapes]
    n_states = node.layer.n_states
    found = [network.shapes[node.name].codes or own] * n_states
    if len(set(inputs)) == 1:
        found += inputs[:1] * (matrix.n_rows - n_states)
    else:
        # a row at the edge of a map is held there, and driven at other places
        driving = node.layer.wiring(*shapes).max(axis=0)
        ends = np.cumsum([shape.size for shape in shapes])
        found += [inputs[index] for index in np.searchsorted(ends, driving, side="right")]
    bits = max(form.bits for form in found)
    if bits > own_bits:
        raise MappingError(
            f"puts numbers of {own_bits} bits on word lines, and those of {node.name} have {bits}",
            place=place,
            remedy="Take a chip whose drive has as many bits (such as adc_pim_16nm, with 8), or "
            "quantise the network to fewer; a chip with sense amplifiers needs binary activations",
        )
    return found


def build_chip(
    network: Network,
    config: ChipConfig,
    device: DeviceConfig,
    noise: NoiseConfig,
    age: float | None = None,
    technology: TechnologyConfig | None = None,
) -> Chip:
    """Put a network on a chip with the noise sources of a run: `lay_out` and `Layout.under`.

    Without a technology, it is the bundled one of the name that the chip file gives.
    """
    if technology is None:
        path = find_config(Path(config.technology).stem, "technology", Place("chip.technology"))
        technology = validate(read_yaml(path), TechnologyConfig)
    return lay_out(network, config, device, technology).under(noise, age)
