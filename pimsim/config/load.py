"""Load a model file and the files that it names, apply overrides, and check them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from pimsim.config.bundled import FOLDERS, bundled_names, bundled_root, find_config
from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.config.files import Files
from pimsim.config.old_chip import override_chip
from pimsim.config.old_model import NETWORK_KEYS, override_model
from pimsim.config.run import Networks, NoiseConfig, RunConfig
from pimsim.config.schema import Description, validate
from pimsim.config.source import YamlSource, read_yaml
from pimsim.config.technology import TechnologyConfig
from pimsim.errors import ConfigError, Place, nearest
from pimsim.files import entries, look, whole_path

_Config = TypeVar("_Config", bound=Description)
# what a network is run with where no model file says more: as in models/gru.yaml
DEFAULTS = {"chip": "ba_mlw_16nm", "device": "reram", "chips": 20, "seed": 1}
NETWORK_SUFFIX, ONNX_SUFFIX = ".safetensors", ".onnx"
PLACE_OF_NETWORK = Place("--network")


@dataclass(frozen=True)
class Setup:
    """Everything that determines a run's bits, except the data and the network's weights.

    `device_source` and `chip_source` keep the files with their lines, for errors
    that show only when a network meets a chip. For a macro,
    `network_path` is the model file itself, which describes it; it is None
    for a network that was given as an object.
    """

    run: RunConfig
    device: DeviceConfig
    chip: ChipConfig
    technology: TechnologyConfig
    network_path: Path | None
    model_source: YamlSource
    device_source: YamlSource
    chip_source: YamlSource
    technology_source: YamlSource
    overrides: tuple[str, ...]

    @property
    def noise(self) -> NoiseConfig:
        return self.run.noise

    @property
    def logic(self) -> TechnologyConfig:
        """The technology at the supply of the chip's logic."""
        return self.technology.at(self.chip.supply)


@dataclass(frozen=True)
class Given:
    """Name of a network that is given as an object, without a file."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} (an object)"


def load_setup(
    model: str | Path | None,
    options: Mapping[str, Any] | None = None,
    assignments: Iterable[str] = (),
    files: Files | None = None,
    flags: Mapping[str, str] = MappingProxyType({}),
) -> Setup:
    """Load a model file with its chip and device.

    Parameters
    ----------
    model
        Path of a model file, or the name of a bundled one; or path of a network file, which is run
        with `DEFAULTS`. None if the network is among the options.
    options
        Keys of the model file to replace (`device`, `chip`, `data`, `chips`,
        `seed`, `limit`, `time_since_programming`, `reads`, ...), and `network` for its networks of
        all kinds; None means untouched. `device` and `chip` may be objects.
    assignments
        `key=value` texts; keys begin with `chip.`, `device.` or `technology.` for
        those files, else they are keys of the model file.
    files
        Files that runs of one study share; each is read once.
    flags
        Options on the command line by the keys that they replace, for errors; `--key` for others.

    Raises
    ------
    ConfigError
        If any file or value is not what its schema asks for.
    """
    chosen = {key: value for key, value in (options or {}).items() if value is not None}
    network, files = chosen.pop("network", None), files or Files()
    source = _model_source(model, network, files)
    # a file named on the command line is relative to where the user stands
    named_here: dict[str, Path] = {}
    for key, value in chosen.items():
        if key in ("device", "chip") and not isinstance(value, Description):
            named_here[key] = files.find(str(value), key, Place(f"--{key}"))
        _replace(source, key, value, flags.get(key, f"--{key.replace('_', '-')}"))
    split = [_split(text) for text in assignments]
    _apply(source, "model", split)
    is_given = isinstance(network, Given)
    for assignment in split:
        if is_given and assignment.root == "model" and assignment.path[0] in NETWORK_KEYS:
            raise _changes_object(assignment, "network", "dataclasses.replace(network, ...)")
    if not source.is_file and source.tree.get("data") is None:
        raise ConfigError(
            "is run without a model file, and data are not named",
            place=Place(source.path),
            remedy="Name them with --data: a set of `pimsim data list`, an npz file or a folder",
        )
    run = validate(source, RunConfig)
    base = source.path.parent if source.is_file else None

    def described(kind: str, schema: type[_Config], named: str) -> tuple[YamlSource, _Config]:
        if isinstance(chosen.get(kind), schema):
            return _as_source(chosen[kind], kind, named, split), chosen[kind]
        path = named_here.get(kind) or files.find(named, kind, source.place((kind,)), base)
        found = files.read(path)
        if kind == "chip":
            schema.translate(found)
        _apply(found, kind, split)
        return found, validate(found, schema)

    device_source, device = described("device", DeviceConfig, run.device)
    chip_source, chip = described("chip", ChipConfig, run.chip)
    chip = _at_temperature(chip, run, source, chip_source)
    # one that is set on the command line is relative to where the user stands
    is_set = ("technology",) in chip_source.overrides or not chip_source.is_file
    of_chip = None if is_set else chip_source.path.parent
    place = chip_source.place(("technology",))
    technology_source = files.read(files.find(chip.technology, "technology", place, of_chip))
    _apply(technology_source, "technology", split)
    return Setup(
        run=run,
        device=device,
        chip=chip,
        technology=validate(technology_source, TechnologyConfig),
        network_path=None if is_given else _find_network(chip.network, run, source, files),
        model_source=source,
        device_source=device_source,
        chip_source=chip_source,
        technology_source=technology_source,
        overrides=tuple(assignments),
    )


def _is_bundled_network(name: str, files: Files) -> bool:
    """Whether a name is that of a bundled network alone: no file and no model has it."""
    is_other = files.has(Path(name)) or name in bundled_names("model")
    return name in bundled_networks() and not is_other


def _at_temperature(
    chip: ChipConfig, run: RunConfig, source: YamlSource, chip_source: YamlSource
) -> ChipConfig:
    """The chip at the temperature of the model file, if that has one."""
    if run.temperature is None:
        return chip
    if ("temperature",) in chip_source.overrides:
        raise ConfigError(
            "is set, and chip.temperature is set too",
            place=source.place(("temperature",)),
            remedy="Keep one of both",
        )
    return chip.model_copy(update={"temperature": run.temperature})


def is_network_file(model: str | Path) -> bool:
    """Whether a name is that of a network file, not of a model file.

    One of ONNX is, too: reading it then says how it is brought over.
    """
    return Path(model).suffix in (NETWORK_SUFFIX, ONNX_SUFFIX)


def _model_source(
    model: str | Path | None, network: str | Path | Given | None, files: Files
) -> YamlSource:
    """Content of a model file with the network in it; that of `DEFAULTS` if there is no file."""
    if model is not None and (is_network_file(model) or _is_bundled_network(str(model), files)):
        if network is not None:
            raise ConfigError(
                f"is a network file, and another network is given: {network}",
                place=Place(model),
                remedy="Give one of both",
            )
        model, network = None, model
    if model is None and network is None:
        raise ConfigError("neither a model file nor a network is given", remedy="Name one")
    if model is not None:
        source = files.read(files.find(str(model), "model", Place("model")))
        RunConfig.translate(source)
    else:
        name = network.name if isinstance(network, Given) else Path(str(network)).stem
        tree = {"schema": "pimsim.run/1", "name": name, **DEFAULTS}
        source = YamlSource(Path(str(network)), tree, is_file=False)
    if network is not None:
        # whatever the chip needs, bits, codes or binary weights
        text = network.name if isinstance(network, Given) else str(find_network(network, files))
        source.tree["networks"] = dict.fromkeys(Networks.model_fields, text)
        source.overrides[("networks",)] = f"--network {network}"
    return source


def _replace(source: YamlSource, key: str, value: object, flag: str) -> None:
    """Replace a key of the model file as an option says; objects go by their names."""
    if isinstance(value, Description):
        value = _name_of(value)
    source.tree[key] = value
    source.overrides[(key,)] = f"{flag}{value}" if flag.endswith("=") else f"{flag} {value}"


def _name_of(described: Description) -> str:
    return str(getattr(described, "name", type(described).__name__))


def _as_source(
    described: Description, kind: str, named: str, split: list[_Assignment]
) -> YamlSource:
    """Source of a description that is given as an object, which assignments do not change."""
    name = _name_of(described)
    for assignment in split:
        if assignment.root == kind or (assignment.path == (kind,) and named != name):
            raise _changes_object(assignment, kind, f"{kind}.model_copy(update=...)")
    return YamlSource(Path(f"{name} (an object)"), described.model_dump(mode="json"), is_file=False)


def _changes_object(assignment: _Assignment, kind: str, instead: str) -> ConfigError:
    return ConfigError(
        f"changes the {kind}, which is given as an object",
        place=Place(f"--set {assignment.text}"),
        remedy=f"Change the object: {instead}",
    )


def find_network(
    network: str | Path, files: Files | None = None, place: Place = PLACE_OF_NETWORK
) -> Path:
    """Path of a network file, or of a bundled one by its name, with or without its ending.

    Raises
    ------
    ConfigError
        If there is neither, or the path cannot be looked at.
    """
    folder, files = bundled_root() / "models", files or Files()
    stem = str(network).removesuffix(NETWORK_SUFFIX)
    # those in folders go by their own name, too
    named = [name for name in bundled_networks() if stem in (name, name.rpartition("/")[2])]
    places = [folder / f"{name}{NETWORK_SUFFIX}" for name in named]
    for path in (Path(network), *sorted(places, key=lambda path: len(path.parts))):
        if files.has(path):
            return whole_path(path)
    if look(Path(network)) is not None:
        raise ConfigError(f"'{network}' is no file", place=place, remedy="Name a .safetensors file")
    raise ConfigError(
        f"'{network}' is no file, and no bundled network is called so",
        place=place,
        remedy=nearest(str(network), bundled_networks()),
    )


def bundled_networks() -> list[str]:
    """Names of the bundled networks, such as `gru_w7` or `paper/fig5`."""
    folder = bundled_root() / "models"
    found = [path for inside in (folder, *entries(folder)) for path in entries(inside)]
    return sorted(
        path.relative_to(folder).with_suffix("").as_posix()
        for path in found
        if path.suffix == NETWORK_SUFFIX
    )


def load_device(name: str | Path, place: Place | None = None) -> DeviceConfig:
    """Load a device file, or a bundled device by its name, without a model file.

    Parameters
    ----------
    name
    place
        Where the name stands, for errors.

    Raises
    ------
    ConfigError
        If there is none, or it is not what its schema asks for.
    """
    path = find_config(str(name), "device", place or Place("device"))
    return validate(read_yaml(path), DeviceConfig)


def load_chip(name: str | Path) -> ChipConfig:
    """Load a chip file, or a bundled chip by its name, without a model file.

    Its technology is named by its whole path, or by its name if it is a bundled one: an object has
    no folder that a path could start from.

    Raises
    ------
    ConfigError
        If there is none, or it is not what its schema asks for.
    """
    source = read_yaml(find_config(str(name), "chip", Place("chip")))
    chip = validate(source, ChipConfig)
    place = source.place(("technology",))
    path = whole_path(find_config(chip.technology, "technology", place, source.path.parent))
    is_bundled = path.parent == whole_path(bundled_root() / FOLDERS["technology"])
    return chip.model_copy(update={"technology": path.stem if is_bundled else str(path)})


# of files whose older keys may be set
_OVERRIDES = {"chip": override_chip, "model": override_model}


class _Assignment(NamedTuple):
    root: str
    path: tuple[str, ...]
    value: str
    text: str


def key_path(key: str) -> tuple[str, ...]:
    """Keys of a path such as `device.states.mean[2]`, of which there are several spellings."""
    keys = tuple(part.strip() for part in key.replace("[", ".").replace("]", "").split("."))
    if keys[0] == "network" and len(keys) == 1:
        return "networks", "levels"
    return keys


def _split(text: str) -> _Assignment:
    key, sign, value = text.partition("=")
    keys = tuple(part.strip() for part in key.replace("[", ".").replace("]", "").split("."))
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


def _find_network(kind: str, run: RunConfig, source: YamlSource, files: Files) -> Path:
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
        if files.has(folder / name):
            return folder / name
    raise ConfigError(
        f"names '{name}', and there is no such file",
        place=place,
        remedy="Paths are relative to the model file; networks come from `pimsim export`",
    )
