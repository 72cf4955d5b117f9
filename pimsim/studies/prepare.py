"""Load all that a model file names, and put the network on its chip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, Layout, lay_out
from pimsim.config import NoiseConfig, Setup, load_setup
from pimsim.data.catalog import load as load_data
from pimsim.data.dataset import Dataset
from pimsim.errors import ConfigError, DataError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.macro import macro_network
from pimsim.workload import Network, read_network

# encodings that are kept: with the rounding of a fixed-point unit, and without
MAX_ENCODINGS = 2


class Shared:
    """Networks, data sets and encoder bits that runs of one study share; each is read once.

    A file that changes while the study goes on is not read again.
    """

    def __init__(self) -> None:
        self._networks: dict[Path, Network] = {}
        self._sets: dict[tuple[str, Path | None, int | None], Dataset] = {}
        self._encodings: dict[tuple[object, ...], NDArray[np.uint8]] = {}

    def network(self, path: Path) -> Network:
        if path not in self._networks:
            self._networks[path] = read_network(path)
        return self._networks[path]

    def data(self, name: str, base: Path | None, limit: int | None) -> Dataset:
        """Load a data set as `pimsim.data.catalog.load` does, at most `limit` sequences."""
        key = (name, base, limit)
        if key not in self._sets:
            whole = load_data(name, base) if limit is None else self.data(name, base, None)
            self._sets[key] = whole if limit is None else whole.limit(limit)
        return self._sets[key]

    def encoded(self, chip: Chip, data: Dataset) -> NDArray[np.uint8]:
        """Encoder bits of a data set of this study, the same for chips of one encoder."""
        encoder, drive = chip.config.input_encoder, chip.config.drive
        blocks = (encoder.model_dump_json(), drive.model_dump_json())
        key = (id(chip.network), id(data), chip.noise.fixed_point, *blocks)
        if key not in self._encodings:
            while len(self._encodings) >= MAX_ENCODINGS:
                del self._encodings[next(iter(self._encodings))]
            self._encodings[key] = encode_inputs(chip, data.features)
        return self._encodings[key]


@dataclass(frozen=True)
class Prepared:
    """A model ready to run: checked descriptions, network and data."""

    setup: Setup
    network: Network
    data: Dataset
    shared: Shared = field(default_factory=Shared, repr=False, compare=False)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Right answers: the labels of the data.

        For a network without an output layer, the outputs of the ideal
        chip, all of one sequence after the other.
        """
        if self.network.output.has_weights:
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
    model: str | Path,
    options: Mapping[str, Any] | None = None,
    assignments: Iterable[str] = (),
    shared: Shared | None = None,
) -> Prepared:
    """Load a model file with everything it names.

    Parameters are those of `pimsim.config.load_setup`, and what runs of a study share.

    Raises
    ------
    PimsimError
        If anything named is missing, damaged, or does not fit the rest.
    """
    options = dict(options or {})
    setup = load_setup(model, options, assignments)
    shared = shared or Shared()
    if setup.run.macro is not None:
        return _prepare_macro(setup, shared)
    assert setup.run.data is not None
    network = shared.network(setup.network_path)
    # a folder named on the command line is relative to where the user stands
    base = None if options.get("data") is not None else setup.model_source.path.parent
    data = shared.data(setup.run.data, base, None)
    wanted = network.input.kind
    if data.kind != wanted:
        raise DataError(
            f"names '{data.name}', which holds {data.kind} data, and the network "
            f"'{network.name}' takes {wanted} data",
            place=setup.model_source.place(("data",)),
            remedy="Name another data set, or another network",
        )
    if data.classes != network.classes:
        raise DataError(
            f"names '{data.name}', whose classes are not those that the network "
            f"'{network.name}' was trained on",
            place=setup.model_source.place(("data",)),
        )
    if setup.run.limit is not None:
        data = shared.data(setup.run.data, base, setup.run.limit)
    return Prepared(setup, network, data, shared)


def _prepare_macro(setup: Setup, shared: Shared) -> Prepared:
    """A macro in the place of network and data; the network is a dense layer alone."""
    macro = setup.run.macro
    assert macro is not None
    bits = getattr(setup.chip.drive, "bits", 1)
    network, data = macro_network(macro, setup.run.name, bits, setup.run.seed)
    if setup.run.limit is not None:
        data = data.limit(setup.run.limit)
    return Prepared(setup, network, data, shared)


def refuse_codes(prepared: Prepared, why: str, remedy: str) -> None:
    """Refuse a chip whose layers pass on codes instead of bits.

    Raises
    ------
    ConfigError
        If it is one.
    """
    if prepared.layout.drive.numbers.name != "bits":
        raise ConfigError(
            f"'{prepared.setup.chip.name}' passes codes from layer to layer, and {why}",
            place=prepared.setup.chip_source.place(("drive",)),
            remedy=remedy,
        )
