"""The paper's figures again, from networks that come with pimsim and on its kernels.

Every finished point is stored at once: a call that was interrupted goes on where it was.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.config import bundled_root
from pimsim.data.catalog import load as load_data
from pimsim.data.dataset import Dataset
from pimsim.errors import DataError, Place
from pimsim.studies.device_figure import device_rows
from pimsim.studies.noise_sweep import smooth_point, sweep_point
from pimsim.studies.points import Points, Progress, statistics
from pimsim.workload import Network, read_network, run_smooth

POINTS = "points.json"
PENALTY_CLIPS = 512


@dataclass(frozen=True)
class Curve:
    """One line of a figure: a network, and the neurons that it runs with.

    `paper` says what the paper shows for it, where it gives a number.
    """

    label: str
    network: str
    smooth: bool = False
    paper: str = ""


@dataclass(frozen=True)
class SweepFigure:
    """Accuracy against sigma_eval for several networks."""

    title: str
    source: str
    data: str
    sigmas: tuple[float, ...]
    curves: tuple[Curve, ...]
    says: tuple[str, ...]


@dataclass(frozen=True)
class PenaltyTable:
    """Pg + Pc of several networks, relative to the first (Table 2)."""

    title: str
    source: str
    data: str
    curves: tuple[Curve, ...]
    says: tuple[str, ...]


@dataclass(frozen=True)
class DeviceFigure:
    """Accuracy of one model on chips of several devices.

    `paper` says what the paper found for each.
    """

    title: str
    source: str
    data: str
    model: str
    paper: dict[str, str]
    says: tuple[str, ...]
    curves: tuple[Curve, ...] = ()


Spec = SweepFigure | PenaltyTable | DeviceFigure


@dataclass(frozen=True)
class Series:
    """Accuracies (n_sigmas, samples) of one curve."""

    curve: Curve
    accuracy: NDArray[np.float64]

    def row(self, index: int) -> dict[str, float]:
        """Mean, standard deviation, smallest and largest of the samples at one sigma."""
        return statistics(self.accuracy[index])


@dataclass
class Reproduction:
    """What was found, and all that is needed to get it again.

    Attributes
    ----------
    name : str
        Such as `fig3a`.
    series : list of Series
        Of a sweep.
    rows : list of dict
        Of a table.
    """

    name: str
    spec: Spec
    data: Dataset
    samples: int
    seed: int
    wall_s: float = 0.0
    series: list[Series] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


def network_path(name: str) -> Path:
    """Where a bundled network is.

    Raises
    ------
    DataError
        If this pimsim does not have it.
    """
    for folder in ("models/paper", "models"):
        path = bundled_root() / folder / f"{name}.safetensors"
        if path.is_file():
            return path
    raise DataError(f"there is no bundled network '{name}'")


def reproduce(
    name: str,
    spec: Spec,
    folder: Path,
    *,
    samples: int = 100,
    seed: int = 1,
    data: str | None = None,
    limit: int | None = None,
    threads: int | None = None,
    progress: Progress = lambda stage, total, done: None,
) -> Reproduction:
    """Compute a figure or table of the paper, or what is not yet known of it.

    Parameters
    ----------
    name, spec
        An entry of `pimsim.studies.paper.PAPER`.
    folder : Path
        Receives `points.json`: every finished point.
    samples : int
        Monte-Carlo samples of the noise per point; chips, where devices are compared.
    data, limit
        Another data set than the figure's, and how many of its sequences.

    Raises
    ------
    PimsimError
        If a network or the data are missing.
    """
    dataset = load_data(data or spec.data)
    if limit is not None:
        dataset = dataset.limit(limit)
    found = Reproduction(name, spec, dataset, samples, seed)
    points = Points(folder / POINTS)
    begin = time.perf_counter()
    if isinstance(spec, PenaltyTable):
        found.rows = _penalties(spec, dataset)
    elif isinstance(spec, DeviceFigure):
        found.rows = device_rows(
            spec.model, tuple(spec.paper), spec.paper, data or spec.data, samples, seed, limit,
            points, threads, progress,
        )  # fmt: skip
    else:
        for curve in spec.curves:
            found.series.append(_sweep(found, spec, curve, points, threads, progress))
    found.wall_s = time.perf_counter() - begin
    return found


def _sweep(
    found: Reproduction,
    spec: SweepFigure,
    curve: Curve,
    points: Points,
    threads: int | None,
    progress: Progress,
) -> Series:
    path = network_path(curve.network)
    workload = read_network(path)
    check_fit(workload, found.data, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    total = len(spec.sigmas) * found.samples * len(found.data)
    accuracies = []
    for sigma in spec.sigmas:
        before = 0

        def done(n: int) -> None:
            nonlocal before
            before += n
            progress(curve.label, total, n)

        def compute(sigma: float = sigma) -> NDArray[np.float64]:
            work = (workload, found.data, sigma, found.samples, found.seed)
            if curve.smooth:
                return smooth_point(*work, done=done)
            return sweep_point(*work, threads=threads, done=done)

        parts = (
            digest,
            "sigmoids" if curve.smooth else "bits",
            f"sigma_eval {sigma!r}",
            f"{found.samples} samples",
            f"seed {found.seed}",
            f"{len(found.data)} of {found.data.name}",
        )
        accuracies.append(points.get(", ".join(parts), compute))
        # known points, and noise-free ones that are run once, count as done
        progress(curve.label, total, found.samples * len(found.data) - before)
    return Series(curve, np.array(accuracies))


def check_fit(workload: Network, data: Dataset, path: Path) -> None:
    """Refuse data of other classes than the network's."""
    if data.classes != workload.classes:
        raise DataError(
            f"cannot be run on '{data.name}', which has other classes", place=Place(path)
        )


def _penalty(workload: Network, features: NDArray[np.uint8], temperature: float) -> float:
    """Pg + Pc as means over sequences, steps and units, summed over layers."""
    penalty = run_smooth(workload, features, temperature).penalty
    return sum(gate + candidate for gate, candidate in penalty.values())


def _penalties(spec: PenaltyTable, data: Dataset) -> list[dict[str, Any]]:
    """Rows of Table 2: means over clips, steps and units, summed over layers."""
    rows: list[dict[str, Any]] = []
    features = data.features[:PENALTY_CLIPS]
    for curve in spec.curves:
        path = network_path(curve.network)
        workload = read_network(path)
        check_fit(workload, data, path)
        temperature = workload.temperature
        row: dict[str, Any] = {
            "label": curve.label,
            "network": curve.network,
            "temperature": temperature,
            "paper": float(curve.paper),
        }
        row["with_tau"] = _penalty(workload, features, temperature)
        # eq. 4 leaves 1/tau out of the neuron's slope, and so may eq. 13 and 14: with it
        # the penalty is that of noise in units of pre-activation, without it that of a/tau
        row["without_tau"] = row["with_tau"] * temperature**2
        # or the networks are compared as plain sigmoids, by their weights alone
        row["as_sigmoids"] = _penalty(workload, features, 1.0)
        rows.append(row)
    for key in ("with_tau", "without_tau", "as_sigmoids"):
        for row in rows:
            row[f"{key}_relative"] = row[key] / rows[0][key]
    return rows
