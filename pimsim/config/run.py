"""Schema of a model file: network, chip, device, data and noise of a run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pimsim.config.faults import Faults
from pimsim.config.macro import Macro
from pimsim.config.old_model import translate_model
from pimsim.config.schema import Description, Number, Ratio, Seconds, Switch, Temperature
from pimsim.config.source import YamlSource

# forms in which the loss along bit and source lines changes sums
IrDrop = Literal["none", "first_order", "exact"]


class NoiseConfig(Description):
    """Switches of the non-idealities, and the algorithm's own noise of eq. 5."""

    programming: Switch = Field(default=True, description="uneven levels and programming error")
    drift: Switch = Field(
        default=True, description="drift since programming, mean and standard deviation"
    )
    rtn: Switch = Field(default=True, description="random telegraph noise, lumped")
    read_noise: Switch = Field(default=True, description="slow read noise, lumped")
    offset: Switch = Field(
        default=True,
        description="static errors of the read-out: offsets of sense amplifiers; offset, gain "
        "and bow of ADCs, and bows of DACs",
    )
    mismatch: Switch = Field(
        default=True, description="mismatch of loads and clamps, and offset by common mode"
    )
    dynamic: Switch = Field(
        default=True, description="noise of every decision: kT/C, shot noise, amplifier"
    )
    fixed_point: Switch = Field(default=True, description="rounding in encoder and output unit")
    ir_drop: IrDrop = Field(
        default="none",
        description="voltage lost along bit and source lines of resistive cells, by the rows that "
        "are on: in no sum, to first order, or exactly (a ladder for each column; slow)",
    )
    temperature: Switch = Field(
        default=True, description="currents of cells at another temperature than the device file's"
    )
    variation: Switch = Field(
        default=True, description="correlated neighbours and gradients, of devices that have them"
    )
    faults: Faults = Field(default=Faults(), description="cells, lines and amplifiers that fail")
    sigma_eval: Number = Field(
        default=0.0, ge=0, description="extra Gaussian noise, in units of pre-activation (eq. 5)"
    )

    @classmethod
    def ideal(cls) -> NoiseConfig:
        """Noise with every source off."""
        none: dict[str, Any] = dict.fromkeys(SOURCES, False)
        return cls(**none, temperature=False, variation=False, sigma_eval=0.0)

    def only(self, source: str) -> NoiseConfig:
        """Noise with only one of these sources left on."""
        keep: dict[str, Any] = {name: name == source and getattr(self, name) for name in SOURCES}
        return NoiseConfig(
            **keep,
            sigma_eval=self.sigma_eval if source == "sigma_eval" else 0.0,
            ir_drop=self.ir_drop if source == "ir_drop" else "none",
            temperature=self.temperature and source == "temperature",
            variation=self.variation and source == "variation",
            faults=self.faults if source == "faults" else Faults(),
        )

    def active(self) -> list[str]:
        """Names of the sources that are on, without `temperature` and `variation`."""
        on = [name for name in SOURCES if getattr(self, name)]
        on += ["ir_drop"] if self.ir_drop != "none" else []
        on += ["faults"] if self.faults.any else []
        return on + (["sigma_eval"] if self.sigma_eval > 0 else [])


SOURCES = (
    "programming",
    "drift",
    "rtn",
    "read_noise",
    "offset",
    "mismatch",
    "dynamic",
    "fixed_point",
)


class Networks(Description):
    """Exported weights (.safetensors) of the task, one file for each kind of chip."""

    levels: str | None = Field(
        default=None, description="bits between layers, weights of several levels"
    )
    codes: str | None = Field(default=None, description="codes between layers")
    binary: str | None = Field(default=None, description="bits between layers, weights -1 and +1")


class RunConfig(Description):
    """A model file; names are paths relative to it, or bundled files."""

    schema_: Literal["pimsim.run/1"] = Field(alias="schema")
    name: str = Field(min_length=1, description="shown in reports")
    networks: Networks | None = Field(default=None, description="networks, by kind of chip")
    macro: Macro | None = Field(
        default=None, description="instead of `networks` and `data`: one multiplication of a macro"
    )
    chip: str = Field(description="chip file")
    device: str = Field(description="device file")
    data: str | None = Field(
        default=None, description="data set: its name, an npz file, or a folder"
    )
    chips: int = Field(
        strict=True, ge=1, le=1_000_000, description="chips drawn (Monte-Carlo samples)"
    )
    seed: int = Field(
        default=1, strict=True, ge=0, lt=2**64, description="seed of every random number"
    )
    limit: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=1_000_000_000,
        description="largest number of sequences to use",
    )
    reads: int = Field(
        default=1,
        strict=True,
        ge=1,
        le=255,
        description="number of times that a chip reads every sequence",
    )
    read_interval: Seconds | None = Field(
        default=None,
        gt=0,
        description="time between these reads, through which two-state telegraph noise runs; "
        "lumped if omitted",
    )
    until_ci95: Ratio | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="draw further blocks of `chips` until the 95 % interval of the mean accuracy "
        "(or other metric) is +- this value or narrower",
    )
    accuracy_target: Ratio | None = Field(
        default=None,
        ge=0,
        description="accuracy, or other metric of the network, that a chip must reach, for the "
        "yield",
    )
    time_since_programming: Seconds | None = Field(
        default=None,
        ge=0,
        description="age of the levels, 0 s for the programmed state; if omitted, that of the "
        "device file",
    )
    temperature: Temperature | None = Field(
        default=None, gt=0, description="of the chip; if omitted, that of the chip file"
    )
    frame_interval: Seconds | None = Field(
        default=None,
        gt=0,
        description="time between inputs (time steps, or images) that come in real time; "
        "if omitted, inputs come as fast as the chip takes them",
    )
    lifetime: Seconds = Field(
        default=315_576_000.0,
        gt=0,
        description="over which the writing of the network is shared among inferences; 10 years "
        "if omitted",
    )
    writes: int = Field(
        default=1,
        strict=True,
        ge=1,
        le=1_000_000_000,
        description="times that the network is written in its lifetime",
    )
    noise: NoiseConfig = NoiseConfig()

    @model_validator(mode="after")
    def _networks_or_macro(self) -> RunConfig:
        if self.macro is not None and (self.networks is not None or self.data is not None):
            raise ValueError("has a macro, which takes the place of networks and data")
        if self.macro is None and (self.networks is None or self.data is None):
            missing = "networks" if self.networks is None else "data"
            raise ValueError(f"needs '{missing}' beside it, or a macro in the place of both")
        return self

    @classmethod
    def translate(cls, source: YamlSource) -> None:
        translate_model(source)
