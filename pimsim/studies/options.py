"""The options of a run, each declared once.

`pimsim run`, `compare` and `sweep`, `pimsim.run` in Python and the tables of the documentation
are made from the fields of `RunOptions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pimsim.errors import ConfigError, Place, nearest, shown

if TYPE_CHECKING:
    from pimsim.config import ChipConfig, DeviceConfig
    from pimsim.data.dataset import Dataset
    from pimsim.workload import Network

# of threads, and of sequences in a call
MAX_AT_ONCE = 1_000_000
Group = Literal["model", "statistics", "speed", "study"]


class Option(NamedTuple):
    """Declaration of one option.

    Attributes
    ----------
    group
        `model`: what is simulated; `statistics`: how much of it; `speed`: how it is computed,
        without an effect on any result; `study`: what is reported.
    names
        Keywords in Python; the first one is documented.
    flag
        Option on the command line.
    replaces
        Whether it replaces the key of the model file that has the field's name.
    """

    field: str
    help: str
    group: Group
    names: tuple[str, ...]
    flag: str
    metavar: str | None
    replaces: bool
    type: str
    default: Any


def _option(
    help: str,
    group: Group,
    *,
    default: Any = None,
    names: tuple[str, ...] = (),
    flag: str | None = None,
    metavar: str | None = None,
    replaces: bool = False,
) -> Any:
    said = {"help": help, "group": group, "names": names, "flag": flag, "metavar": metavar,
            "replaces": replaces}  # fmt: skip
    return field(default=default, metadata=said)


@dataclass(frozen=True)
class RunOptions:
    """Options of one run; None keeps the value of the model file."""

    network: str | Path | Network | None = _option(
        "Network file, or the name of a bundled one.", "model", replaces=True
    )
    device: str | Path | DeviceConfig | None = _option(
        "Device file, or the name of a bundled one.", "model", replaces=True
    )
    chip: str | Path | ChipConfig | None = _option(
        "Chip file, or the name of a bundled one.", "model", replaces=True
    )
    data: str | Path | Dataset | None = _option(
        "Data set: an npz file, a folder, or a name (see 'pimsim data list').",
        "model",
        replaces=True,
    )
    seed: int | None = _option("Seed of every random number.", "model", replaces=True)
    time_since_programming: str | None = _option(
        "Age of the stored levels, such as '1 day'.", "model", metavar="TIME", replaces=True
    )
    temperature: str | None = _option(
        "Temperature of the chip, such as '85 degC'.", "model", metavar="TEMPERATURE", replaces=True
    )
    lifetime: str | None = _option(
        "Time over which the writing of the network is shared among inferences, such as '5 years'.",
        "model",
        metavar="TIME",
        replaces=True,
    )
    writes: int | None = _option(
        "Number of times that the network is written in its lifetime.", "model", replaces=True
    )
    assignments: tuple[str, ...] = _option(
        "Replace one key, such as noise.dynamic=off or chip.array.rows=128.",
        "model",
        default=(),
        names=("set",),
        flag="--set",
        metavar="KEY=VALUE",
    )
    chips: int | None = _option("Chips to draw.", "statistics", replaces=True)
    reads: int | None = _option(
        "Number of times that a chip reads every sequence.", "statistics", replaces=True
    )
    read_interval: str | None = _option(
        "Time between these reads, such as '1 ms', through which telegraph noise runs.",
        "statistics",
        metavar="TIME",
        replaces=True,
    )
    frame_interval: str | None = _option(
        "Time between inputs that come in real time, such as '10 ms'.",
        "statistics",
        metavar="TIME",
        replaces=True,
    )
    until_ci95: str | float | None = _option(
        "Draw further blocks of chips until the 95 % interval of the mean accuracy is +-HALF, "
        "such as 0.1 %, or 0.01 bits per character.",
        "statistics",
        flag="--until",
        metavar="ci=HALF",
        replaces=True,
    )
    accuracy_target: str | float | None = _option(
        "Accuracy that a chip must reach, such as 90%, or most bits per character, such as 2; the "
        "yield is reported.",
        "statistics",
        flag="--target",
        metavar="ACCURACY",
        replaces=True,
    )
    limit: int | None = _option("Largest number of sequences to use.", "statistics", replaces=True)
    threads: int | None = _option("Threads; all cores if not given.", "speed")
    batch: int = _option(
        "Sequences per kernel call; changes memory, never results.", "speed", default=256
    )
    kernel: str | None = _option(
        "Force a kernel, such as portable; changes speed, never results.", "speed"
    )
    ideal: bool = _option("No error and no noise: the exact network.", "study", default=False)
    keep_bits: bool = _option(
        "Keep every decision of every chip (bits.npz).", "study", default=False, flag="--bits"
    )
    noise_sources: bool = _option(
        "Also run with each noise source alone.",
        "study",
        default=True,
        names=("noise_sources", "contributions"),
        flag="--noise-sources/--no-noise-sources",
    )

    @classmethod
    def of(cls, **named: Any) -> RunOptions:
        """Options by their keywords in Python, such as `set` for `assignments`.

        Raises
        ------
        TypeError
            If there is no such option, or it is given by two of its names.
        """
        fields_by_name = {name: option.field for option in declared() for name in option.names}
        chosen: dict[str, Any] = {}
        for name, value in named.items():
            if name not in fields_by_name:
                raise TypeError(f"a run has no option '{name}'. {nearest(name, fields_by_name)}")
            if fields_by_name[name] in chosen:
                raise TypeError(f"'{name}' is given by two names")
            chosen[fields_by_name[name]] = value
        return cls(**chosen)

    def __post_init__(self) -> None:
        # keys of the model file are checked with the file that they change
        if isinstance(self.assignments, list):
            object.__setattr__(self, "assignments", tuple(self.assignments))
        _check("set", self.assignments, _are_texts(self.assignments), "a list of 'key=value'")
        for name in ("threads", "batch"):
            value = getattr(self, name)
            fits = _is_count(value) or (value is None and name == "threads")
            _check(name, value, fits, f"a whole number from 1 to {MAX_AT_ONCE:,}")
        for name in ("ideal", "keep_bits", "noise_sources"):
            value = getattr(self, name)
            _check(name, value, isinstance(value, bool), "True or False")
        for name in ("network", "device", "chip", "data"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str | Path):
                _check_object(name, value)
        _check("kernel", self.kernel, self.kernel is None or isinstance(self.kernel, str), "a name")

    def replaced_keys(self) -> dict[str, Any]:
        """Keys of the model file that are replaced, with their values."""
        values = {option.field: getattr(self, option.field) for option in declared()
                  if option.replaces}  # fmt: skip
        return {
            key: str(value) if isinstance(value, Path) else value
            for key, value in values.items()
            if value is not None
        }


def _check(name: str, value: object, fits: bool, expected: str) -> None:
    if not fits:
        raise ConfigError(
            f"is {shown(value)}; it must be {expected}", place=Place(f"option {name}")
        )


def _check_object(name: str, value: object) -> None:
    # imported where there are objects: the help of the commands needs none of these
    from pimsim.config import ChipConfig, DeviceConfig
    from pimsim.data.dataset import Dataset
    from pimsim.workload import Network

    kinds = {"network": Network, "device": DeviceConfig, "chip": ChipConfig, "data": Dataset}
    kind = kinds[name]
    _check(name, value, isinstance(value, kind), f"a name, a path or a {kind.__name__}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_AT_ONCE


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(text, str) for text in value)


DEFAULTS = RunOptions()


def declared() -> Iterator[Option]:
    """Every option of a run, in the order of the documentation."""
    for entry in fields(RunOptions):
        said = dict(entry.metadata)
        said["names"] = said["names"] or (entry.name,)
        said["flag"] = said["flag"] or "--" + entry.name.replace("_", "-")
        yield Option(field=entry.name, type=str(entry.type), default=entry.default, **said)


def numpydoc_lines(indent: str = "    ") -> str:
    """The options as the `Parameters` of a docstring."""
    lines = []
    for option in declared():
        default = "" if option.default in (None, ()) else f", default {option.default}"
        lines += [
            f"{indent}{option.names[0]} : {option.type}{default}",
            f"{indent}    {option.help}",
        ]
    return "\n".join(lines)
