"""Accuracy of one network against the algorithm's own noise (eq. 5), as in Fig. 3 and 5."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import build_chip
from pimsim.config import NoiseConfig, bundled_root, load_device
from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.config.schema import Current, validate
from pimsim.config.source import read_yaml
from pimsim.data.dataset import Dataset
from pimsim.simulate import encode_inputs, run_chips
from pimsim.workload import Network, gaussian, run_smooth

CHIP = "hwconfigs/chips/ba_mlw_16nm.yaml"
SMOOTH_CHUNK = 512  # sequences that share a stream of noise

Done = Callable[[int], None]


def sweep_point(
    network: Network,
    data: Dataset,
    sigma: float,
    samples: int,
    seed: int,
    threads: int | None = None,
    done: Done = lambda n: None,
) -> NDArray[np.float64]:
    """Accuracy (samples,) with bits, exact levels, and noise of `sigma` at every decision.

    Run by the simulator's kernels, one drawn chip per sample: chips that differ in nothing
    but their noise.  Without noise all samples are one, which is run once.
    """
    chip = build_chip(
        network,
        validate(read_yaml(bundled_root() / CHIP), ChipConfig),
        even_cells(max(matrix.top_level for _, matrix in network.matrices()) + 1),
        NoiseConfig.ideal().model_copy(update={"sigma_eval": sigma}),
        None,
    )
    distinct = samples if sigma > 0 else 1
    found = run_chips(
        chip,
        encode_inputs(chip, data.features),
        range(distinct),
        seed,
        sample_indices=data.sample_indices,
        threads=threads,
        progress=done,
    )
    accuracy = (found.predictions == data.labels).mean(axis=1)
    return np.resize(accuracy, samples)


def smooth_point(
    network: Network,
    data: Dataset,
    sigma: float,
    samples: int,
    seed: int,
    done: Done = lambda n: None,
) -> NDArray[np.float64]:
    """Accuracy (samples,) with sigmoids and full-precision weights, under the same noise."""
    temperature = network.temperature
    distinct = samples if sigma > 0 else 1
    right = np.zeros(distinct)
    for sample in range(distinct):
        for start in range(0, len(data.labels), SMOOTH_CHUNK):
            part = slice(start, start + SMOOTH_CHUNK)
            noise = gaussian(sigma, seed, sample, start)
            run = run_smooth(network, data.features[part], temperature, noise)
            right[sample] += (run.predictions == data.labels[part]).sum()
            done(len(run.predictions))
    return np.resize(right / len(data.labels), samples)


def even_cells(n_levels: int, sigma: float = 0.0) -> DeviceConfig:
    """The bundled ideal cell with a given number of evenly spaced states.

    Parameters
    ----------
    sigma : float
        Standard deviation of a state's current over full scale.
    """
    device = load_device("ideal")
    states = device.states.model_copy(
        update={
            "mean": tuple(Current(i / (n_levels - 1), "fraction") for i in range(n_levels)),
            "spread": (Current(sigma, "fraction"),) * n_levels,
            "retarget_from": None,
            "retarget_to": None,
        }
    )
    return device.model_copy(update={"states": states})
