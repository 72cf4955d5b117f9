"""The plan of a run: everything that it needs, read and checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip
from pimsim.chip.graph import ChipGraph, chip_graph
from pimsim.chip.plausibility import check_chip
from pimsim.circuits.logic import logic_of
from pimsim.config import NoiseConfig, Setup
from pimsim.studies.options import DEFAULTS, RunOptions
from pimsim.studies.prepare import Model, Prepared, Shared, prepare
from pimsim.timing.schedule import Timing, time_chip
from pimsim.workload.metrics import Metric


@dataclass(frozen=True)
class Plan:
    """A run that is ready: all files are read and checked, and the chip's cycles are known.

    Attributes
    ----------
    noise : NoiseConfig
        What is on in the main run.
    chip : Chip
        The chip under that noise.
    graph : ChipGraph
        Its components and links.
    timing : Timing
        Its simulated cycles.
    """

    prepared: Prepared
    options: RunOptions
    noise: NoiseConfig
    chip: Chip
    graph: ChipGraph
    timing: Timing

    @property
    def setup(self) -> Setup:
        return self.prepared.setup

    @property
    def labels(self) -> NDArray[np.int64]:
        """Right answers: labels, or the exact decisions of a macro."""
        return self.prepared.labels

    @property
    def metric(self) -> Metric:
        """Metric of the network."""
        return self.prepared.network.metric

    @property
    def sources(self) -> list[str]:
        """Sources of noise that are on; temperature and variation where they move a current."""
        moves = any(part.cell.warming is not None for part in self.chip.matrices)
        varies = any(tile.variation and tile.variation.has_gains for tile in self.chip.tiles)
        found = [*self.noise.active(), *(["temperature"] if moves else [])]
        return [*found, *(["variation"] if varies else [])]


def plan(model: Model | None, options: RunOptions = DEFAULTS, shared: Shared | None = None) -> Plan:
    """Read and check everything that a run needs, and simulate the cycles of its chip.

    Raises
    ------
    PimsimError
        If something named is missing, damaged or does not fit, or the chip cannot be built.
    """
    prepared = prepare(model, options.replaced_keys(), options.assignments, shared)
    return plan_prepared(prepared, options)


def plan_prepared(prepared: Prepared, options: RunOptions = DEFAULTS) -> Plan:
    """Plan a run of a model that is already loaded by `prepare`."""
    setup, steps = prepared.setup, n_steps(prepared)
    noise = NoiseConfig.ideal() if options.ideal else setup.noise
    interval = setup.run.frame_interval
    chip, costs = prepared.chip(noise), logic_of(setup.logic, setup.chip.temperature)
    graph = chip_graph(chip, costs, steps, in_real_time=interval is not None)
    check_chip(graph, place=setup.chip_source.place(("bit_line",)))
    timing = time_chip(graph, frame_interval=interval)
    return Plan(prepared, options, noise, chip, graph, timing)


def n_steps(prepared: Prepared) -> int:
    """Time steps of a sequence; 1 for images."""
    return prepared.network.input.n_steps(prepared.data.features.shape)
