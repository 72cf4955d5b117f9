"""Blocks of a chip file about its arrays: crossbar, bit lines, drivers of word lines."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pimsim.config.schema import Number, Ratio, Resistance, Seconds, Sourced, Switch, Voltage


class Array(Sourced):
    """A crossbar of cells at the crossings of word lines and bit lines."""

    rows: int = Field(strict=True, ge=1, le=65536, description="word lines of one array")
    columns: int = Field(strict=True, ge=2, le=65536, description="bit lines of one array")
    max_stack: int = Field(
        strict=True,
        ge=1,
        le=64,
        description="arrays that may be joined on one bit line for taller matrices",
    )
    shared: bool = Field(
        default=False,
        description="all matrices stand side by side in one array, and one layer after the other "
        "uses it; else each layer has arrays of its own, and all work at the same time",
    )
    row_order: Literal["network", "largest_first"] = Field(
        default="network",
        description="order of a layer's inputs among its word lines: as the network has them, or "
        "those of the largest weights nearest to the read-out, whose cells lose least along lines",
    )
    scaled_levels: Switch = Field(
        default=False,
        description="whether levels are lower in cells near the read-out, so that all cells are "
        "expected to lose alike along lines; where losses are simulated",
    )
    source_line: Literal["column", "row", "mesh"] | None = Field(
        default=None,
        description="return path of the cells' currents: a line along each column, one along each "
        "row, or column lines that are strapped and fed at both ends",
    )

    @property
    def of_losses(self) -> tuple[str, ...]:
        """Keys that are set to make up for losses along lines."""
        is_set = {"row_order": self.row_order != "network", "scaled_levels": self.scaled_levels}
        return tuple(key for key, found in is_set.items() if found)


class BitLine(Sourced):
    """Bit lines: their supply, their wire, and the timing of a read."""

    supply: Voltage = Field(gt=0, description="supply of the cell currents")
    held_at: Literal["near_end", "both_ends"] = Field(
        default="near_end",
        description="ends of a bit line that a clamp holds at the read voltage; the current of the "
        "far end comes back to the load over a second wire",
    )
    wire_share: Ratio = Field(
        gt=0,
        le=0.8,
        description="width of bit and source lines as a share of the cells' pitch; they have at "
        "least the smallest width of the technology",
    )
    wire_layers: int = Field(
        strict=True,
        ge=1,
        le=8,
        description="metal layers that are joined for bit and source lines: resistance is divided "
        "by them, capacitance of the wire multiplied",
    )
    settling_error: Ratio = Field(
        gt=0, lt=1, description="remaining settling error when the line is read, as a fraction"
    )
    pulse: Literal["self_timed", "clocked"] = Field(
        description="end of a read: by a replica of the slowest line, or by the clock; it holds "
        "for the time of a read and for the energy of its currents"
    )
    pulse_margin: Ratio = Field(
        ge=1, description="self-timed pulse, in times that the circuits need"
    )
    integration_time: Seconds | None = Field(
        default=None,
        gt=0,
        description="time allowed for word and bit lines to settle; "
        "computed from R and C if omitted",
    )


class WordLineDriver(Sourced):
    """The driver of a word line, which raises the line of each active row at each read."""

    voltage: Voltage = Field(
        gt=0, description="high level; cells that are transistors bring a gate voltage of their own"
    )
    resistance: Resistance = Field(gt=0, description="output resistance of the driver")
    area_in_gates: Number = Field(gt=0, description="area of a driver, in two-input gates")
