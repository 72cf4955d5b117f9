"""A chip for one network: laid out once, then given the noise of each run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property, partial
from pathlib import Path

from pimsim.chip.cells import Cells, cells
from pimsim.chip.drive import Drive, drive
from pimsim.chip.logic import LOGIC, Logic, LogicCircuits, logic_circuits
from pimsim.chip.read_out import READ_OUTS, ReadOut, read_out
from pimsim.chip.tile import MatrixLayout, MatrixOnChip, Tile, TileLayout
from pimsim.circuits.lines import Lines
from pimsim.config import find_config, read_yaml, validate
from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.config.run import NoiseConfig
from pimsim.config.technology import TechnologyConfig
from pimsim.devices import CellModel
from pimsim.errors import MappingError, Place
from pimsim.mapping import WeightCoding, place_rows, weight_coding
from pimsim.streams import MAX_COLUMNS
from pimsim.workload.graph import Network

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
    device_place : Place or None
        Place of the device file, for errors.
    """

    network: Network
    config: ChipConfig
    device: DeviceConfig
    technology: TechnologyConfig
    tiles: tuple[TileLayout, ...]
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

    @cached_property
    def coding(self) -> WeightCoding:
        return weight_coding(self.config)

    @cached_property
    def read_out(self) -> ReadOut:
        return read_out(self.lines)

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
            If a matrix has more levels than a cell, or its sums do not fit.
        """
        models: dict[int, CellModel] = {}

        def model_of(n_levels: int) -> CellModel:
            if n_levels not in models:
                try:
                    models[n_levels] = self.cells.model(
                        n_levels, noise, age, self.device_place, read_times
                    )
                except MappingError as error:
                    raise self.coding.explained(error) from error
            return models[n_levels]

        tiles = []
        for tile in self.tiles:
            matrices = []
            for part in tile.matrices:
                cell = model_of(self.coding.n_cell_levels(part.matrix))
                numbers = self.read_out.characterise(part, tile, cell, noise)
                matrices.append(
                    MatrixOnChip(part.name, part.matrix, part.cells, part.columns, cell, numbers)
                )
            laid_out = {field.name: getattr(tile, field.name) for field in fields(tile)}
            laid_out["matrices"] = tuple(matrices)
            tiles.append(Tile(**laid_out, read_out=self.read_out))
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
        return all(m.cell.is_exact and m.read_out.is_exact for m in self.matrices)


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
    coding, joins_stack = weight_coding(config), READ_OUTS[config.read_out.kind].joins_stack
    tiles = []
    for index, node in enumerate(network.nodes):
        named = node.matrices()
        if not named:
            continue
        # refused before any cell is laid out: a threshold may take millions of rows
        n_rows = named[0][1].n_rows + max(coding.n_always_on(matrix) for _, matrix in named)
        place = partial(
            place_rows,
            node.name,
            n_rows,
            array=config.array,
            lines_each=coding.bit_lines(matrix for _, matrix in named),
            joins_stack=joins_stack,
            place=chip_place,
        )
        place(n_lines=1)
        matrices, first = [], 0
        for name, matrix in named:
            try:
                plan = coding.plan(matrix, config.array.rows)
            except MappingError as error:
                raise MappingError(
                    f"cannot hold {name} of the network: it {error.message}",
                    place=chip_place,
                    remedy=error.remedy,
                ) from error
            columns = slice(first, first + plan.n_lines)
            first = columns.stop
            matrices.append(MatrixLayout(name, matrix, plan, columns))
        if first > MAX_COLUMNS:
            raise MappingError(f"layer {node.name} has {first} columns; {MAX_COLUMNS} at most")
        tiles.append(TileLayout(node.name, index, node, tuple(matrices), place(n_lines=first)))
    return Layout(network, config, device, technology, tuple(tiles), device_place)


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
