"""Weight coding: the cells that hold a weight, and their levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SerializeAsAny

from pimsim.config.kinds import OneOf
from pimsim.config.schema import Block, Needs, Sourced


class WeightCodingBlock(Block):
    """Mode in which weights are held in cells."""

    # whether a whole weight is in the current of one line, or in slices on several
    in_one_line: ClassVar[bool] = True
    in_slices: ClassVar[bool] = False
    # whether it is a word of bits, which only logic can add
    in_words: ClassVar[bool] = False
    # what holds it: a key of `pimsim.chip.cells.CELLS`
    cells: ClassVar[str] = "device"

    @property
    def of_whole_levels(self) -> WeightCodingBlock:
        """The coding where thresholds are numbers, and no half levels in cells."""
        return self


class DifferentialPair(WeightCodingBlock):
    """A weight in one pair of cells, whose currents are subtracted."""

    kind: Literal["differential_pair"]
    half_level_thresholds: bool = Field(
        default=False,
        description="raise every threshold by half a level step, so that no sum meets it: a tie "
        "is then a decision with a margin, and no toss of a coin. Cells of one more row, which is "
        "always on, are programmed half-way between two levels",
    )

    @property
    def of_whole_levels(self) -> DifferentialPair:
        return self.model_copy(update={"half_level_thresholds": False})


class SlicedCoding(WeightCodingBlock, Sourced):
    """A weight in slices of some bits each, side by side."""

    in_one_line = False
    in_slices = True

    cell_bits: int = Field(strict=True, ge=1, le=7, description="bits of a weight in one cell")


class BitSlices(SlicedCoding):
    """Slices of the magnitude, each in a pair of cells."""

    kind: Literal["bit_slices"]


class OffsetSlices(SlicedCoding):
    """Slices of weight + L, each in a single cell, and a count of the active inputs."""

    kind: Literal["offset_slices"]
    reference_column: Literal["analog", "digital"] = Field(
        default="analog",
        description="how active inputs are counted, whose number times the offset is subtracted: "
        "by a column of cells at level 1 for each matrix, whose errors are multiplied by the "
        "offset, or by adders of the inputs' bits, exactly",
    )


class Unipolar(WeightCodingBlock, Sourced):
    """A weight in one single cell, and a correction column in every array."""

    in_one_line = False

    kind: Literal["unipolar"]
    correction: Literal["level_0", "level_1", "none"] = Field(
        default="level_0",
        description="level of the cells of the first column of each array, whose code takes off "
        "the sums of all others what level 0 draws: all of it, or the share that level 0 has in "
        "level 1; `none`: there is no such column, and nothing is taken off",
    )
    mixed_columns: Literal["refused", "two_lines"] = Field(
        default="refused",
        description="what is done with a column whose weights have both signs: it is refused, or "
        "takes two lines, whose codes are subtracted",
    )


class BinaryWords(WeightCodingBlock):
    """A two's complement word of bits of SRAM."""

    in_one_line = False
    in_words = True
    cells = "sram"
    goes_with: ClassVar[Mapping[str, Needs]] = {
        "read_out": Needs("adds_words", "bits of SRAM beside gates draw no current to read"),
    }

    kind: Literal["binary_words"]
    word_bits: int | None = Field(
        default=None,
        strict=True,
        ge=2,
        le=8,
        description="bits of a word, its sign included; as many as the levels need if omitted",
    )


WEIGHT_CODING_BLOCKS: dict[str, type[WeightCodingBlock]] = {
    "differential_pair": DifferentialPair,
    "bit_slices": BitSlices,
    "offset_slices": OffsetSlices,
    "unipolar": Unipolar,
    "binary_words": BinaryWords,
}
AnyWeightCoding = Annotated[SerializeAsAny[WeightCodingBlock], OneOf(WEIGHT_CODING_BLOCKS)]
