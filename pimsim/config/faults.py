"""Faults of cells, lines and amplifiers of drawn chips, and their repair."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pimsim.config.schema import Description, Number, Ratio

# repairs by the words of a model file, in the order in which they are done
Repair = Literal["rows", "columns", "sides", "spares", "partner"]


def _share(description: str) -> Ratio:
    return Field(default=0.0, ge=0, le=1, description=description)


class Faults(Description):
    """Probabilities of faults, once per chip; 0 for none."""

    open: Ratio = _share("share of cells that carry no current")
    short: Ratio = _share("share of cells that carry `short_current`")
    stuck: Ratio = _share("share of cells that are stuck at some level, each as probable")
    short_current: Number = Field(
        default=2.0, ge=0, description="current of a cell that is short, over that of the top level"
    )
    cluster: int = Field(
        default=1,
        strict=True,
        ge=1,
        le=64,
        description="cells along the edge of a square of cells that fail together, 1 for each by "
        "itself; the share of cells that fail stays",
    )
    dead_row: Ratio = _share("share of word lines that never rise")
    dead_line: Ratio = _share("share of bit lines that carry no current")
    dead_amplifier: Ratio = _share("share of amplifiers that give one bit always, 0 or 1")
    spares: int = Field(
        default=0,
        strict=True,
        ge=0,
        le=1024,
        description="spare pairs of bit lines beside each array, for the repair `spares`; they "
        "fail as others do, and have the area of the array's own",
    )
    repair: tuple[Repair, ...] = Field(
        default=(),
        description="repairs after a test of the chip: inputs exchanged among the rows of a tile "
        "(`rows`), pairs among those of an array (`columns`), sides of a pair exchanged (`sides`), "
        "the worst pairs replaced (`spares`), the other cell of a pair programmed to make up for "
        "one that fails (`partner`)",
    )

    @model_validator(mode="after")
    def _shares_add_up(self) -> Faults:
        if self.open + self.short + self.stuck > 1:
            raise ValueError("has open, short and stuck cells that add up to more than all")
        if self.spares and "spares" not in self.repair:
            raise ValueError("has spares, and repair leaves them out; add spares to it")
        if len(set(self.repair)) < len(self.repair):
            raise ValueError("names a repair twice")
        return self

    @property
    def of_cells(self) -> float:
        """Share of cells that fail."""
        return self.open + self.short + self.stuck

    @property
    def any(self) -> bool:
        """Whether anything can fail."""
        return bool(self.of_cells or self.dead_row or self.dead_line or self.dead_amplifier)
