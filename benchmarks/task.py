"""What is timed: a network on chips, and its inputs."""

from __future__ import annotations

import os
from dataclasses import dataclass

# one thread for each library, set before it is imported
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip
from pimsim.chip.graph import chip_graph
from pimsim.circuits.logic import logic_of
from pimsim.cost.efficiency import operations
from pimsim.simulate import encode_inputs
from pimsim.studies.prepare import prepare
from pimsim.studies.run import n_steps


@dataclass(frozen=True)
class Task:
    """A chip and sequences to run on it.

    Attributes
    ----------
    encoded : (n, n_steps, n_bits) or (n, height, width, channels) uint8
        Bits of the input layer, the same for all chips.
    labels : (n,) int64
    macs : int
        Of one inference, encoder and output layer included.
    """

    name: str
    chip: Chip
    encoded: NDArray[np.uint8]
    labels: NDArray[np.int64]
    macs: int


def load(name: str, model: str, n: int, noise: dict[str, object] | None = None) -> Task:
    """A bundled model on so many sequences; those of its data set are repeated if need be.

    Parameters
    ----------
    noise
        Switches that differ from the model file's.
    """
    prepared = prepare(model, {"limit": n})
    chip = prepared.chip(prepared.setup.noise.model_copy(update=noise or {}))
    encoded, labels = encode_inputs(chip, prepared.data.features), prepared.data.labels
    which = np.arange(n) % len(encoded)
    graph = chip_graph(
        chip,
        logic_of(prepared.setup.technology, prepared.setup.chip.temperature),
        n_steps(prepared),
    )
    macs = operations(graph) // 2
    return Task(name, chip, np.ascontiguousarray(encoded[which]), labels[which], macs)
