"""Load a model file and the files that it names, apply overrides, and check them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pimsim.config.bundled import bundled_root, find_config, is_file
from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.config.old_chip import override_chip
from pimsim.config.old_model import override_model
from pimsim.config.run import NoiseConfig, RunConfig
from pimsim.config.schema import validate
from pimsim.config.source import YamlSource, read_yaml
from pimsim.config.technology import TechnologyConfig
from pimsim.errors import ConfigError, Place


@dataclass(frozen=True)
class Setup:
    """Everything that determines a run's bits, except the data and the network's weights.

    `device_source` and `chip_source` keep the files with their lines, for errors
    that show only when a network meets a chip. For a macro,
    `network_path` is the model file itself, which describes it.
    """

    run: RunConfig
    device: DeviceConfig
    chip: ChipConfig
    technology: TechnologyConfig
    network_path: Path
    model_source: YamlSource
    device_source: YamlSource
    chip_source: YamlSource
    technology_source: YamlSource
    overrides: tuple[str, ...]

    @property
    def noise(self) -> NoiseConfig:
        return self.run.noise


def load_setup(
    model: str | Path,
    options: Mapping[str, Any] | None = None,
    assignments: Iterable[str] = (),
) -> Setup:
    """Load a model file with its chip and device.

    Parameters
    ----------
    model
        Path of a model file, or the name of a bundled one.
    options
        Keys of the model file to replace (`device`, `chip`, `data`, `chips`,
        `seed`, `limit`, `time_since_programming`, `reads`, ...); None means untouched.
    assignments
        `key=value` texts; keys begin with `chip.`, `device.` or `technology.` for
        those files, else they are keys of the model file.

    Raises
    ------
    ConfigError
        If any file or value is not what its schema asks for.
    """
    source = read_yaml(find_config(str(model), "model", Place("model")))
    RunConfig.translate(source)
    # a file named on the command line is relative to where the user stands
    chosen: dict[str, Path] = {}
    for key, value in (options or {}).items():
        if value is None:
            continue
        if key in ("device", "chip"):
            chosen[key] = find_config(str(value), key, Place(f"--{key}"))
        source.tree[key] = value
        source.overrides[(key,)] = f"--{key.replace('_', '-')} {value}"
    split = [_split(text) for text in assignments]
    _apply(source, "model", split)
    run = validate(source, RunConfig)
    base = source.path.parent
    device_source = read_yaml(
        chosen.get("device") or find_config(run.device, "device", source.place(("device",)), base)
    )
    chip_source = read_yaml(
        chosen.get("chip") or find_config(run.chip, "chip", source.place(("chip",)), base)
    )
    ChipConfig.translate(chip_source)
    _apply(device_source, "device", split)
    _apply(chip_source, "chip", split)
    chip = validate(chip_source, ChipConfig)
    # one that is set on the command line is relative to where the user stands
    of_chip = None if ("technology",) in chip_source.overrides else chip_source.path.parent
    place = chip_source.place(("technology",))
    technology_source = read_yaml(find_config(chip.technology, "technology", place, of_chip))
    _apply(technology_source, "technology", split)
    return Setup(
        run=run,
        device=validate(device_source, DeviceConfig),
        chip=chip,
        technology=validate(technology_source, TechnologyConfig),
        network_path=_find_network(chip.network, run, source),
        model_source=source,
        device_source=device_source,
        chip_source=chip_source,
        technology_source=technology_source,
        overrides=tuple(assignments),
    )


def load_device(name: str | Path) -> DeviceConfig:
    """Load a device file, or a bundled device by its name, without a model file.

    Raises
    ------
    ConfigError
        If there is none, or it is not what its schema asks for.
    """
    return validate(read_yaml(find_config(str(name), "device", Place("device"))), DeviceConfig)


# of files whose older keys may be set
_OVERRIDES = {"chip": override_chip, "model": override_model}


class _Assignment(NamedTuple):
    root: str
    path: tuple[str, ...]
    value: str
    text: str


def _split(text: str) -> _Assignment:
    key, sign, value = text.partition("=")
    keys = tuple(key.strip().replace("[", ".").replace("]", "").split("."))
    if not sign or not all(keys):
        raise ConfigError(
            f"'{text}' is no assignment",
            place=Place("--set"),
            remedy="Write it as key=value, such as noise.dynamic=off or chip.array.rows=128",
        )
    if keys[0] in ("chip", "device", "technology") and len(keys) > 1:
        return _Assignment(keys[0], keys[1:], value, text)
    return _Assignment("model", keys, value, text)


def _apply(source: YamlSource, root: str, assignments: list[_Assignment]) -> None:
    override = _OVERRIDES.get(root, YamlSource.override)
    for assignment in assignments:
        if assignment.root == root:
            override(source, assignment.path, assignment.value, f"--set {assignment.text}")


def _find_network(kind: str, run: RunConfig, source: YamlSource) -> Path:
    """File of the network that a chip runs: one of `levels`, `codes`, `binary`."""
    if run.networks is None:
        return source.path
    name: str | None = getattr(run.networks, kind)
    place = source.place(("networks", kind))
    if name is None:
        raise ConfigError(
            "is missing, and this chip needs it",
            place=place,
            remedy=f"Add '{kind}: FILE.safetensors' to 'networks', or take another chip",
        )
    for folder in (source.path.parent, bundled_root() / "models"):
        if is_file(folder / name):
            return folder / name
    raise ConfigError(
        f"names '{name}', and there is no such file",
        place=place,
        remedy="Paths are relative to the model file; networks come from `pimsim export`",
    )
