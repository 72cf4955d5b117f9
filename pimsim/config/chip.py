"""Schema of a chip file: arrays, read-out and digital units of one accelerator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pimsim.config.array import Array, BitLine, WordLineDriver
from pimsim.config.chip_schema_2 import translate_chip_2
from pimsim.config.clamp import CLAMP_BLOCKS, AnyClamp
from pimsim.config.drive import DRIVE_BLOCKS, AnyDrive
from pimsim.config.front_end import DEFAULT_FRONT_END, FrontEnd
from pimsim.config.kinds import misfit, refusal
from pimsim.config.loads import LOAD_BLOCKS, AnyLoad
from pimsim.config.logic import LOGIC_BLOCKS, AnyLogic
from pimsim.config.old_chip import translate_chip
from pimsim.config.programming import ProgrammingPeriphery
from pimsim.config.read_out import (
    READ_OUT_BLOCKS,
    AnyReadOut,
    MaybeReadOut,
    check_tall_layers,
)
from pimsim.config.schema import (
    MAX_COUNT,
    Block,
    Count,
    Description,
    Energy,
    Frequency,
    Length,
    Number,
    Ratio,
    Seconds,
    Signal,
    Sourced,
    Switch,
    Temperature,
    Voltage,
)
from pimsim.config.source import YamlSource
from pimsim.config.weight_coding import WEIGHT_CODING_BLOCKS, AnyWeightCoding


class Clock(Sourced):
    """The clock of the whole chip; every circuit takes whole cycles."""

    frequency: Frequency = Field(gt=0)


class InputEncoder(Sourced):
    """Fixed-point unit of the real-valued input layer."""

    input_bits: int = Field(strict=True, ge=2, le=24, description="two's complement, sign included")
    input_range: Ratio = Field(gt=0, description="inputs saturate at +- this, a power of two")
    weight_bits: int = Field(
        strict=True, ge=2, le=24, description="two's complement, scaled to the largest weight"
    )
    macs_per_cycle: Count = Field(description="multiply-accumulators: outputs x frames at once")
    frames_at_once: int = Field(
        strict=True,
        ge=1,
        le=256,
        description="time steps or pixels that share each weight that is read; so many are "
        "gathered before they are worked on, in real time as well",
    )

    @property
    def outputs_at_once(self) -> int:
        """Outputs of each frame that are worked on at once."""
        return max(1, self.macs_per_cycle // self.frames_at_once)

    @model_validator(mode="after")
    def _whole_outputs(self) -> InputEncoder:
        if self.macs_per_cycle % self.frames_at_once:
            raise ValueError(
                f"has {self.macs_per_cycle} macs_per_cycle, which do not divide among "
                f"{self.frames_at_once} frames_at_once; take a multiple of it"
            )
        return self

    @field_validator("input_range")
    @classmethod
    def _power_of_two(cls, value: float) -> float:
        if math.frexp(value)[0] != 0.5:
            raise ValueError(f"is {value:g}; a fixed-point range is a power of two, such as 16")
        return value


class Thermometer(Sourced):
    """Comparators of features with fixed limits, where a network's first array reads such bits."""

    input_bits: int = Field(
        strict=True,
        ge=3,
        le=16,
        description="two's complement, sign included, rounded up; the step is the smallest power "
        "of two with which all limits lie within",
    )
    features_per_cycle: int = Field(
        strict=True, ge=1, le=1024, description="features that arrive and are compared in a cycle"
    )
    gates_per_bit: Number = Field(
        gt=0, description="two-input gates of a comparator for each bit of a feature"
    )
    gates_per_input_bit: Number = Field(
        ge=0,
        description="two-input gates of each channel and bit, which keep its comparators still "
        "while other features arrive",
    )


class OutputUnit(Sourced):
    """Fixed-point unit of the real-valued output layer."""

    weight_bits: int = Field(strict=True, ge=2, le=24)
    macs_per_cycle: Count


class Link(Sourced):
    """The link from each component to the buffer of the next."""

    width: Count = Field(description="bits per cycle")
    latency: int = Field(
        strict=True, ge=0, le=MAX_COUNT, description="cycles from the last bit to the buffer"
    )
    wire_length: Length = Field(ge=0)
    spare_tokens: Count = Field(
        description="time steps or pixels that a buffer holds beyond those its reader needs",
    )


class Power(Sourced):
    """Sleep between inputs that arrive in real time."""

    sleep: Switch = Field(description="whether supplies are cut while all components are idle")
    weights: Literal["retain", "reload"] = Field(
        description="whether memories of weights keep them in sleep, or read them back at each wake"
    )
    retention: Ratio = Field(
        ge=0, le=1, description="share of its leakage with which a bit is kept in sleep"
    )
    reload_energy_per_bit: Energy = Field(
        ge=0, description="energy of reading a weight's bit back into its memory"
    )
    wake_time: Seconds = Field(ge=0, description="reloading included")
    energy_per_wake: Energy = Field(ge=0, description="energy of charging the supplies")


class Layout(Sourced):
    """The share of the room for logic that its gates cover."""

    utilisation: Ratio = Field(
        gt=0,
        le=1,
        description="area of placed logic divided by the room that it takes, wiring included; "
        "arrays, their periphery and memories abut",
    )


class Limits(Sourced):
    """Limits of plausibility; pimsim warns beyond them."""

    ir_drop: Ratio = Field(
        gt=0,
        description="voltage lost on bit and source lines, as a share of the cells' read voltage",
    )
    access: Ratio = Field(
        gt=0, description="resistance of an access transistor over that of the most conducting cell"
    )
    compression: Ratio = Field(
        gt=0, lt=1, description="loss of gain where no clamp holds resistive cells"
    )
    active_rows: Ratio = Field(
        gt=0, le=1, description="rows that are on in a read, as assumed where none is simulated"
    )


# kinds of block under each key that chooses one
BLOCKS: dict[str, Mapping[str, type[Block]]] = {
    "drive": DRIVE_BLOCKS,
    "weight_coding": WEIGHT_CODING_BLOCKS,
    "read_out": READ_OUT_BLOCKS,
    "tall_layers": READ_OUT_BLOCKS,
    "load": LOAD_BLOCKS,
    "clamp": CLAMP_BLOCKS,
    "logic": LOGIC_BLOCKS,
}
# blocks of a chip whose cells draw currents through bit lines; no other chip has them
CURRENT_BLOCKS = (
    "word_line_driver", "bit_line", "load", "clamp", "programming_periphery", "limits",
)  # fmt: skip
# what passes between the layers of each of a model's networks
NETWORK_SIGNALS: dict[str, Signal] = {"levels": "bits", "binary": "bits", "codes": "codes"}


def _of_currents() -> Any:
    return Field(default=None)


class ChipConfig(Description):
    """A chip file: one accelerator."""

    schema_: Literal["pimsim.chip/3"] = Field(alias="schema")
    name: str = Field(min_length=1)
    description: str = ""
    technology: str = Field(description="technology file")
    network: Literal["levels", "codes", "binary"] = Field(
        description="choice among the model's networks"
    )
    first_layer: Literal["digital", "array"] = Field(
        default="digital",
        description="place of the real-valued first layer: a digital unit or, of chips whose drive "
        "has several bits, one more array, which inputs drive as codes",
    )
    temperature: Temperature = Field(gt=0)
    supply: Voltage | None = Field(
        default=None,
        gt=0,
        description="supply of the logic and of the amplifiers' decisions; that of the technology "
        "file if omitted",
    )
    clock: Clock
    array: Array
    # CURRENT_BLOCKS: where cells draw no currents they are None, and nothing asks for them
    word_line_driver: WordLineDriver = _of_currents()
    bit_line: BitLine = _of_currents()
    load: AnyLoad = _of_currents()
    clamp: AnyClamp = _of_currents()
    drive: AnyDrive
    weight_coding: AnyWeightCoding
    read_out: AnyReadOut
    tall_layers: MaybeReadOut = Field(
        default=None,
        description="read-out of layers with more rows than `read_out` takes: their arrays have "
        "read-outs of their own, whose sums are added as numbers. Without it they are refused",
    )
    logic: AnyLogic
    input_encoder: InputEncoder
    thermometer: Thermometer | None = None
    front_end: FrontEnd = DEFAULT_FRONT_END
    output_unit: OutputUnit
    link: Link
    programming_periphery: ProgrammingPeriphery = _of_currents()
    power: Power
    layout: Layout
    limits: Limits = _of_currents()

    @classmethod
    def translate(cls, source: YamlSource) -> None:
        translate_chip(source)
        translate_chip_2(source)

    @model_validator(mode="after")
    def _has_the_blocks_of_its_currents(self) -> ChipConfig:
        for name in CURRENT_BLOCKS:
            is_there = getattr(self, name) is not None
            if self.read_out.reads_currents and not is_there:
                raise refusal("missing", (name,), None)
            if is_there and not self.read_out.reads_currents:
                raise misfit(
                    name,
                    None,
                    f"is there, and read_out '{self.read_out.kind}' reads no currents: remove it",
                )
        if self.read_out.reads_currents and self.array.source_line is None:
            raise refusal("missing", ("array", "source_line"), None)
        return self

    @model_validator(mode="after")
    def _both_ends_have_a_clamp(self) -> ChipConfig:
        line = self.bit_line
        if line is not None and line.held_at == "both_ends" and self.clamp.kind == "none":
            raise misfit(
                "clamp",
                "none",
                "is of kind 'none', and bit_line.held_at both_ends needs one that holds each end",
            )
        return self

    @model_validator(mode="after")
    def _tall_layers_are_added(self) -> ChipConfig:
        if self.tall_layers is not None:
            check_tall_layers(self.tall_layers, self.read_out)
        return self

    @model_validator(mode="after")
    def _blocks_go_together(self) -> ChipConfig:
        for name in ("drive", "weight_coding", "read_out", "tall_layers", "logic"):
            block: Block | None = getattr(self, name)
            if block is None:
                continue
            for other, needs in block.goes_with.items():
                found = getattr(self, other)
                if not getattr(found, needs.having):
                    able = [k for k, kind in BLOCKS[other].items() if getattr(kind, needs.having)]
                    raise misfit(
                        other,
                        found.kind,
                        f"is of kind '{found.kind}', and {name} '{block.kind}' needs "
                        f"{' or '.join(able)}: {needs.because}",
                    )
        logic, read_out, drive = self.logic, self.read_out, self.drive
        if logic.takes != read_out.gives:
            raise misfit(
                "logic",
                logic.kind,
                f"is of kind '{logic.kind}', which takes {logic.takes}, and read_out "
                f"'{read_out.kind}' gives {read_out.gives}",
            )
        if drive.takes != logic.gives:
            raise misfit(
                "drive",
                drive.kind,
                f"is of kind '{drive.kind}', which takes {drive.takes}, and logic "
                f"'{logic.kind}' gives {logic.gives}",
            )
        signal = NETWORK_SIGNALS[self.network]
        if signal != logic.gives:
            raise misfit(
                "network",
                self.network,
                f"is '{self.network}', whose layers pass on {signal}, and logic '{logic.kind}' "
                f"gives {logic.gives}",
            )
        return self
