"""Load all that a model file names, and put the network on its chip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, Layout, lay_out
from pimsim.config import ChipConfig, DeviceConfig, NoiseConfig, Setup, load_setup
from pimsim.config.files import Files
from pimsim.config.load import Given
from pimsim.data.catalog import load as load_data
from pimsim.data.dataset import Dataset
from pimsim.data.text import with_symbols
from pimsim.errors import ConfigError, DataError, Place
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.macro import macro_network
from pimsim.studies.options import Option, declared
from pimsim.workload import Network, NetworkFile, read_network_file
from pimsim.workload.first_layer import with_first_layer_in_arrays
from pimsim.workload.formats import has_thresholds, with_bit_formats
from pimsim.workload.storage import network_bytes

Model = str | Path | Network
# what a run is put together from: files, bundled ones by name, or objects
Part = Model | ChipConfig | DeviceConfig
# encodings that are kept: with the rounding of a fixed-point unit, and without
MAX_ENCODINGS = 2


class Shared:
    """Files, networks, data sets and encoder bits that runs of one study share; each is read once.

    A file that changes or goes while the study goes on is not read again.

    Attributes
    ----------
    files : Files
        Model and hardware files.
    """

    def __init__(self) -> None:
        self.files = Files()
        self._networks: dict[Path, NetworkFile] = {}
        self._suited: dict[tuple[object, ...], tuple[Network, Network]] = {}
        self._sets: dict[tuple[str | Dataset, Path | None, int | None], Dataset] = {}
        self._encodings: dict[tuple[object, ...], NDArray[np.uint8]] = {}
        self._texts: dict[tuple[int, tuple[str, ...]], tuple[Dataset, Dataset]] = {}

    def network(self, path: Path) -> NetworkFile:
        """A network with the digest of its file."""
        if path not in self._networks:
            self._networks[path] = read_network_file(path)
        return self._networks[path]

    def suited(self, network: Network, chip: ChipConfig) -> Network:
        """A network of bits or sigmoids in the form in which a chip of codes runs it.

        Of a network of bits with thresholds, bits are decided from numbers; the first layer of one
        of sigmoids stands in an array, if the chip has it there. Any other stays as it is.
        """
        bits, reach = int(chip.drive.bits), chip.input_encoder.input_range  # type: ignore[attr-defined]
        in_array = chip.first_layer == "array" and network.encoder.has_weights
        if network.has_formats or not (has_thresholds(network) or in_array):
            return network
        key = (id(network), bits, reach, in_array)
        if key not in self._suited:
            found = (
                with_bit_formats(network)
                if has_thresholds(network)
                else with_first_layer_in_arrays(network, bits, reach)
            )
            # the network is kept, so that no other one gets its identity
            self._suited[key] = network, found
        return self._suited[key][1]

    def data(
        self,
        which: str | Dataset,
        base: Path | None,
        limit: int | None,
        place: Place = Place("data"),  # noqa: B008
    ) -> Dataset:
        """A data set, or one loaded as by `pimsim.data.catalog.load`; at most `limit` samples."""
        key = (which, base, limit)
        if key not in self._sets:
            if limit is not None:
                self._sets[key] = self.data(which, base, None).limit(limit)
            else:
                self._sets[key] = load_data(which, base, place) if isinstance(which, str) else which
        return self._sets[key]

    def in_symbols(self, data: Dataset, network: Network) -> Dataset:
        """A text in the symbols that a network foretells; any other data as they are.

        Raises
        ------
        DataError
            If the text has a symbol that the network does not know.
        """
        if data.kind != "text" or not network.output.every_step:
            return data
        key = (id(data), network.classes)
        if key not in self._texts:
            # the text is kept, so that no other one gets its identity
            self._texts[key] = data, with_symbols(data, network.classes)
        return self._texts[key][1]

    def encoded(self, chip: Chip, data: Dataset) -> NDArray[np.uint8]:
        """Encoder bits of a data set of this study, the same for chips of one encoder."""
        config = chip.config
        blocks = tuple(
            block and block.model_dump_json()
            for block in (config.input_encoder, config.thermometer, config.drive)
        )
        key = (id(chip.network), id(data), chip.noise.fixed_point, *blocks)
        if key not in self._encodings:
            while len(self._encodings) >= MAX_ENCODINGS:
                del self._encodings[next(iter(self._encodings))]
            self._encodings[key] = encode_inputs(chip, data.features)
        return self._encodings[key]


@dataclass(frozen=True)
class Prepared:
    """A model ready to run: checked descriptions, network and data.

    `network_sha256` is that of the file that the network was read from; None for an object.
    """

    setup: Setup
    network: Network
    data: Dataset
    shared: Shared = field(default_factory=Shared, repr=False, compare=False)
    network_sha256: str | None = None

    @cached_property
    def network_digest(self) -> str:
        """SHA-256 of the network's file as it was read, or of the file that it would be."""
        return self.network_sha256 or sha256(network_bytes(self.network)).hexdigest()

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Right answers: the labels of the data.

        For a network without an output layer, the outputs of the ideal
        chip, all of one sequence after the other.
        """
        if self.network.output.has_scores:
            return self.data.labels
        ideal = self.chip(NoiseConfig.ideal())
        encoded = self.shared.encoded(ideal, self.data)
        run = run_chips(ideal, encoded, range(1), self.setup.run.seed)
        return np.asarray(run.predictions[0], np.int64)

    @cached_property
    def layout(self) -> Layout:
        """The network on its chip, laid out once."""
        setup = self.setup
        return lay_out(
            self.network,
            setup.chip,
            setup.device,
            setup.technology,
            chip_place=setup.chip_source.place(("array", "rows")),
            device_place=setup.device_source.place(("states",)),
        )

    def chip(self, noise: NoiseConfig, read: int = 0) -> Chip:
        """The chip with the given non-idealities on, at one of its reads."""
        interval = self.setup.run.read_interval
        times = () if interval is None else tuple(k * interval for k in range(read + 1))
        return self.layout.under(noise, self.setup.run.time_since_programming, times)


def prepare(
    model: Model | None,
    options: Mapping[str, Any] | None = None,
    assignments: Iterable[str] = (),
    shared: Shared | None = None,
) -> Prepared:
    """Load a model file with everything it names.

    Parameters are those of `pimsim.config.load_setup`, and what runs of a study share. The model
    and the option `network` may be networks, the option `data` may be a data set.

    Raises
    ------
    PimsimError
        If anything named is missing, damaged, or does not fit the rest.
    """
    options = dict(options or {})
    shared = shared or Shared()
    given, own_data = options.get("network"), options.get("data")
    if isinstance(model, Network):
        if given is not None:
            raise ConfigError("two networks are given", remedy="Give one of both")
        model, given = None, model
    if isinstance(given, Network):
        options["network"] = Given(given.name)
    if isinstance(own_data, Dataset):
        options["data"] = own_data.name
    flags = {option.field: _typed(option) for option in declared()}
    setup = load_setup(model, options, assignments, shared.files, flags)
    if setup.run.macro is not None:
        return _prepare_macro(setup, shared)
    assert setup.run.data is not None
    if isinstance(own_data, Dataset) and setup.run.data != own_data.name:
        raise ConfigError(
            f"names other data than '{own_data.name}', which are given as an object",
            place=setup.model_source.place(("data",)),
            remedy="Give one of both",
        )
    file_digest = None
    if isinstance(given, Network):
        network = given
    else:
        assert setup.network_path is not None
        network, _, file_digest = shared.network(setup.network_path)
    if getattr(setup.chip.drive, "bits", 1) > 1:
        network = shared.suited(network, setup.chip)
    # a folder named on the command line is relative to where the user stands
    is_of_file = own_data is None and setup.model_source.is_file
    base = setup.model_source.path.parent if is_of_file else None
    which = own_data if isinstance(own_data, Dataset) else setup.run.data
    whole = shared.data(which, base, None, setup.model_source.place(("data",)))
    _check_fit(setup, network, whole.named_as(network.classes), shared)
    _check_target(setup, network)
    data = shared.data(which, base, setup.run.limit).named_as(network.classes)
    return Prepared(setup, network, shared.in_symbols(data, network), shared, file_digest)


def _typed(option: Option) -> str:
    """What a user types before the value of an option, such as `--until ci=`."""
    name, sign, _ = (option.metavar or "").partition("=")
    return f"{option.flag} {name}=" if sign else option.flag


def _check_fit(setup: Setup, network: Network, data: Dataset, shared: Shared) -> None:
    """Refuse data of another kind, shape or other classes than the network was trained on."""
    place, wanted = setup.model_source.place(("data",)), network.input.kind
    if data.kind not in (wanted, "tensor") and wanted != "tensor":
        raise DataError(
            f"names '{data.name}', which holds {data.kind} data, and the network "
            f"'{network.name}' takes {wanted} data",
            place=place,
            remedy="Name another data set, or another network",
        )
    try:
        data = shared.in_symbols(data, network)
        network.input.check(data.features)
    except DataError as error:
        raise DataError(
            f"names '{data.name}', which does not fit '{network.name}': {error.message}",
            place=place,
            remedy=error.remedy
            or "Give the samples the shape that the network takes, or name another network",
        ) from error
    if data.labels.ndim > 1 and not network.output.every_step:
        raise DataError(
            f"names '{data.name}', which has labels for {data.labels.shape[1]} steps, and the "
            f"network '{network.name}' scores the last step alone",
            place=place,
            remedy="Name data with one label for each sequence, or another network",
        )
    # data without samples of the last classes may leave those out
    if data.classes != network.classes[: len(data.classes)]:
        raise DataError(
            f"names '{data.name}', whose classes ({_listed(data.classes)}) are not those that the "
            f"network '{network.name}' was trained on ({_listed(network.classes)})",
            place=place,
            remedy="Name data with these classes; an npz file has them in 'classes', and folders "
            "are called after them",
        )


def _check_target(setup: Setup, network: Network) -> None:
    """Refuse a target that the network's metric cannot have."""
    target, (least, most) = setup.run.accuracy_target, network.metric.span
    if target is not None and not least <= target <= most:
        raise ConfigError(
            f"is {target:g}; {network.metric.name} is {least:g} to {most:g}",
            place=setup.model_source.place(("accuracy_target",)),
        )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names if len(names) <= 12 else (*names[:12], "..."))


def _prepare_macro(setup: Setup, shared: Shared) -> Prepared:
    """A macro in the place of network and data; the network is a dense layer alone."""
    macro = setup.run.macro
    assert macro is not None
    bits = getattr(setup.chip.drive, "bits", 1)
    network, data = macro_network(macro, setup.run.name, bits, setup.run.seed)
    if setup.run.limit is not None:
        data = data.limit(setup.run.limit)
    # the model file describes the network
    return Prepared(setup, network, data, shared, setup.model_source.digest)
