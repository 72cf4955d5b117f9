"""Load all that a model file names, and put the network on its chip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pimsim.chip import Chip, build_chip
from pimsim.config import NoiseConfig, Setup, load_setup
from pimsim.data.catalog import load as load_data
from pimsim.data.dataset import Dataset
from pimsim.errors import ConfigError, DataError
from pimsim.workload import ImageInput, Workload, read_workload


@dataclass(frozen=True)
class Prepared:
    """A model ready to run: checked descriptions, network and data."""

    setup: Setup
    workload: Workload
    data: Dataset

    def chip(self, noise: NoiseConfig, read: int = 0) -> Chip:
        """The chip with the given non-idealities on, at one of its reads."""
        setup = self.setup
        interval = setup.run.read_interval
        times = () if interval is None else tuple(k * interval for k in range(read + 1))
        return build_chip(
            self.workload,
            setup.chip,
            setup.device,
            noise,
            setup.run.time_since_programming,
            chip_place=setup.chip_source.place(("array", "rows")),
            device_place=setup.device_source.place(("states",)),
            read_times=times,
        )


def prepare(
    model: str | Path,
    options: Mapping[str, Any] | None = None,
    assignments: Iterable[str] = (),
) -> Prepared:
    """Load a model file with everything it names.

    Parameters are those of `pimsim.config.load_setup`.

    Raises
    ------
    PimsimError
        If anything named is missing, damaged, or does not fit the rest.
    """
    options = dict(options or {})
    setup = load_setup(model, options, assignments)
    workload = read_workload(setup.network_path)
    # a folder named on the command line is relative to where the user stands
    base = None if options.get("data") is not None else setup.model_source.path.parent
    data = load_data(setup.run.data, base)
    wanted = "image" if isinstance(workload.input, ImageInput) else "speech"
    if data.kind != wanted:
        raise DataError(
            f"names '{data.name}', which holds {data.kind} data, and the network "
            f"'{workload.name}' takes {wanted} data",
            place=setup.model_source.place(("data",)),
            remedy="Name another data set, or another network",
        )
    if data.classes != workload.classes:
        raise DataError(
            f"names '{data.name}', whose classes are not those that the network "
            f"'{workload.name}' was trained on",
            place=setup.model_source.place(("data",)),
        )
    if setup.run.limit is not None:
        data = data.limit(setup.run.limit)
    return Prepared(setup, workload, data)


def refuse_converters(prepared: Prepared, why: str) -> None:
    """Refuse a chip that reads out numbers.

    Raises
    ------
    ConfigError
        If it is one.
    """
    if prepared.setup.chip.has_converters:
        raise ConfigError(
            f"'{prepared.setup.chip.name}' reads out numbers, and {why}",
            place=prepared.setup.chip_source.place(("adc",)),
            remedy="Take a chip with sense amplifiers",
        )
