"""The verbs of a read-out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

from pimsim.chip.characteristic import Characteristic, StaticErrors
from pimsim.chip.check import Check
from pimsim.chip.phase import Phase
from pimsim.chip.tile import MatrixLayout, MatrixOnChip, Tile, TileLayout
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.chain import Chain
from pimsim.circuits.lines import Lines
from pimsim.circuits.logic import LogicCosts, logic_of
from pimsim.circuits.wires import Wires
from pimsim.config.chip import ChipConfig
from pimsim.config.faults import Faults
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel
from pimsim.errors import MappingError
from pimsim.mapping import weight_coding
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.matrix import LevelMatrix, without_limits


class ReadOut:
    """From what the cells hold to bits or codes.

    Attributes
    ----------
    joins_stack : bool
        Whether all rows of a layer must meet on one bit line.
    tosses_ties : bool
        Whether noise decides a sum that is exactly at its threshold.
    loses_on_wires : bool
        Whether the voltage lost along lines can change its sums.

    Parameters
    ----------
    config : ChipConfig
        Chip file, whose block `read_out` is its own.
    lines : Lines
    key : str
        Block of the chip file that it really stands under.
    """

    joins_stack: ClassVar[bool] = True
    tosses_ties: ClassVar[bool] = False
    loses_on_wires: ClassVar[bool] = False

    def __init__(self, config: ChipConfig, lines: Lines, key: str = "read_out") -> None:
        self.config, self.lines, self.coding = config, lines, weight_coding(config)
        self.key = key

    @property
    def kind(self) -> str:
        return self.config.read_out.kind

    def decided(self, matrix: LevelMatrix) -> LevelMatrix:
        """A matrix as it decides: half levels are where noise would decide ties."""
        return matrix if self.tosses_ties else replace(matrix, half_levels=False)

    def held(self, matrix: LevelMatrix) -> LevelMatrix:
        """A matrix as its cells hold it.

        Where sums are numbers, limits of neurons are numbers of the logic, and no cells.
        """
        if self.tosses_ties or matrix.neurons is None:
            return self.decided(matrix)
        return without_limits(matrix)

    def neurons(self, matrix: LevelMatrix) -> CodeNeurons | None:
        """Neurons whose limits the sum of all codes is held against; None: the chip's sigmoid."""
        return matrix.neurons

    def n_rows(self, matrices: Iterable[LevelMatrix]) -> int:
        """Word lines that matrices side by side take, rows that are always on included."""
        return max(m.n_rows + self.coding.n_always_on(self.held(m)) for m in matrices)

    @cached_property
    def costs(self) -> LogicCosts:
        """Unit costs of the chip's logic, whose gates time the phases of a read."""
        return logic_of(self.lines.logic, self.config.temperature)

    def characterise(
        self, part: MatrixLayout, tile: TileLayout, cell: CellModel, noise: NoiseConfig
    ) -> Characteristic:
        """Noise, quantum and bounds for the columns of a matrix of a tile.

        Raises
        ------
        MappingError
            If sums would not fit, or a noise is asked for that this read-out does not have.
        """
        raise NotImplementedError

    def static_errors(self, tile: Tile, seed: int, chip_index: int) -> StaticErrors:
        """Errors that are drawn once per chip; nothing else draws them."""
        raise NotImplementedError

    def phases(self, tile: TileLayout, pulses: int) -> tuple[Phase, ...]:
        """Phases of an operation until its bits or codes are ready.

        Parameters
        ----------
        pulses : int
            Pulses by which the drive puts an input on a word line.
        """
        raise NotImplementedError

    def bill(self, tile: TileLayout, tiles: Sequence[TileLayout], costs: LogicCosts) -> Bill:
        """Parts below the arrays of a tile, and the prices of their actions.

        Parameters
        ----------
        tiles
            All tiles of the chip that it reads; some circuits are equal in all of them.
        """
        raise NotImplementedError

    def other_prices(self) -> dict[str, tuple[str, float]]:
        """Energies by other published cost models [J]: model -> (component, energy of an action).

        For the span that a report shows.
        """
        return {}

    def actions(self, tile: TileLayout, reads: int, pulses: int) -> list[Action]:
        """Actions of `reads` operations."""
        raise NotImplementedError

    def driven_actions(self, tile: TileLayout, driven: int) -> list[Action]:
        """Actions that rows cause, of which the drive has counted `driven`."""
        return []

    # Below, a read-out whose cells draw no currents answers with nothing.

    def wires(self, tile: TileLayout, noise: NoiseConfig) -> Wires | None:
        """Wires of the columns of a tile, if the voltage lost along them changes its sums.

        Raises
        ------
        MappingError
            If it should, and this read-out or its lines have no form of it.
        """
        return None

    def chains(self, tile: Tile) -> list[tuple[MatrixOnChip, Chain]]:
        """Electrical chains of the bit lines, of each matrix of a tile."""
        return []

    def faults(self, tile: TileLayout, noise: NoiseConfig) -> Faults | None:
        """Faults of the cells and lines of a tile, if any are asked for; SRAM has none.

        Raises
        ------
        MappingError
            If this read-out has no form of them.
        """
        return None

    def pulse_energies(self, tile: Tile) -> list[tuple[str, float]]:
        """Energy of one quantum of current that flows for a pulse, by matrix [J]."""
        return []

    def line_current(self, tile: Tile, drawn: Mapping[str, int], pulses: int) -> float:
        """Mean current of a bit line in a pulse [A].

        Parameters
        ----------
        drawn : mapping of matrix -> quanta
            Currents of all cells, summed over all pulses.
        """
        return 0.0

    def checks(
        self,
        tile: Tile,
        pulses: int,
        busy: float,
        current: float | None,
        highest: Mapping[str, float],
    ) -> list[Check]:
        """Bounds on voltages, currents and times of a tile's lines (`line_checks`)."""
        return []


def refuse_noise_of_bits(noise: NoiseConfig, chip: str) -> None:
    """Refuse the noise of binary neurons on a chip whose neurons give codes.

    Raises
    ------
    MappingError
        If there is one.
    """
    if noise.sigma_eval > 0:
        raise MappingError(
            f"noise.sigma_eval is {noise.sigma_eval:g}; it is the noise of binary neurons "
            f"(eq. 5), and {chip} has none",
            remedy="Set it to 0, or take a chip with sense amplifiers",
        )
