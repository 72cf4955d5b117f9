"""Reproduction of the paper's figures, with the bundled networks and kernels.

Every finished point is stored at once: a call that was interrupted goes on where it was.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim import __version__
from pimsim.config import bundled_root
from pimsim.data.catalog import load as load_data
from pimsim.data.dataset import Dataset
from pimsim.errors import DataError
from pimsim.files import is_file
from pimsim.report.documents import (
    CurvesDocument,
    DevicesDocument,
    PenaltyDocument,
    VariantsDocument,
)
from pimsim.report.documents.reproduction import (
    CurvePoint,
    DevicePoint,
    MissingRow,
    PenaltyRow,
    ReproductionDocument,
    VariantPoint,
)
from pimsim.studies.chip_figure import ChipVariant, chip_rows
from pimsim.studies.device_figure import device_rows
from pimsim.studies.noise_sweep import smooth_point, sweep_point
from pimsim.studies.options import RunOptions
from pimsim.studies.origin import origin
from pimsim.studies.points import Points
from pimsim.studies.progress import Progress, silent
from pimsim.studies.statistics import summary
from pimsim.workload import Features, Network, NetworkFile, read_network_file, run_smooth

PENALTY_CLIPS = 512


@dataclass(frozen=True)
class Curve:
    """One line of a figure: a network, with binary or with smooth neurons.

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


@dataclass(frozen=True)
class ChipsFigure:
    """Networks on chips of their own, which differ by some keys from the model's, or from `chip`.

    Networks that are neither bundled nor in the user's folder leave their rows uncomputed.
    """

    title: str
    source: str
    data: str
    model: str | None
    variants: tuple[ChipVariant, ...]
    says: tuple[str, ...]
    our_choice: tuple[str, ...] = ()
    chip: str | None = None

    @property
    def curves(self) -> tuple[Curve, ...]:
        return tuple(Curve(each.label, each.network) for each in self.variants)


Spec = SweepFigure | PenaltyTable | DeviceFigure | ChipsFigure


@dataclass(frozen=True)
class Series:
    """Accuracies (n_sigmas, samples) of one curve."""

    curve: Curve
    accuracy: NDArray[np.float64]

    def row(self, index: int) -> dict[str, float]:
        """Mean, standard deviation, smallest and largest of the samples at one sigma."""
        return summary(self.accuracy[index])


@dataclass
class Reproduction:
    """Results of a reproduction, and everything needed to repeat it.

    Attributes
    ----------
    name : str
        Such as `fig3a`.
    series : list of Series
        Of a sweep.
    rows : list of dict
        Of a table.
    networks : dict of name -> NetworkFile
        Each with the digest of the file that was read, at the beginning.
    """

    name: str
    spec: Spec
    data: Dataset
    samples: int
    seed: int
    wall_s: float = 0.0
    series: list[Series] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    networks: dict[str, NetworkFile] = field(default_factory=dict)


def network_path(name: str) -> Path:
    """Path of a bundled network.

    Raises
    ------
    DataError
        If this pimsim does not have it.
    """
    path = _find_network(name, None)
    if path is None:
        raise DataError(f"there is no bundled network '{name}'")
    return path


def _find_network(name: str, own: Path | None) -> Path | None:
    """Path of a network in a user's folder, or bundled; None if there is none."""
    bundled = [bundled_root() / folder for folder in ("models/paper", "models", "models/zoo")]
    places = [folder / f"{name}.safetensors" for folder in ([own] if own else []) + bundled]
    return next((path for path in places if is_file(path)), None)


def _networks(spec: Spec, own: Path | None) -> dict[str, Path]:
    """Paths of a figure's networks; of chips, of those that are there."""
    names = {curve.network for curve in spec.curves}
    if not isinstance(spec, ChipsFigure):
        return {name: network_path(name) for name in names}
    found = {name: _find_network(name, own) for name in names}
    return {name: path for name, path in found.items() if path is not None}


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
    networks: Path | None = None,
    progress: Progress = silent,
) -> Reproduction:
    """Compute a figure or table of the paper; finished points are not computed again.

    Parameters
    ----------
    name, spec
        An entry of `pimsim.studies.paper.PAPER`.
    folder : Path
        Receives every finished point, in `points/`.
    samples : int
        Monte-Carlo samples of the noise per point; chips, where devices are compared.
    data, limit
        Another data set than the figure's, and how many of its sequences.
    networks
        Folder whose networks go before bundled ones, of figures of chips.

    Raises
    ------
    PimsimError
        If a network or the data are missing.
    """
    dataset = load_data(data or spec.data)
    if limit is not None:
        dataset = dataset.limit(limit)
    found = Reproduction(name, spec, dataset, samples, seed)
    paths = _networks(spec, networks)
    for network in sorted(paths):
        found.networks[network] = read_network_file(paths[network])
    points = Points(folder)
    begin = time.perf_counter()
    if isinstance(spec, PenaltyTable):
        found.rows = _penalties(spec, found)
    elif isinstance(spec, ChipsFigure):
        options = RunOptions(
            data=data or spec.data,
            chips=samples,
            seed=seed,
            limit=limit,
            threads=threads,
            chip=spec.chip,
        )
        found.rows = chip_rows(spec.model, spec.variants, paths, options, points, progress)
    elif isinstance(spec, DeviceFigure):
        options = RunOptions(
            data=data or spec.data, chips=samples, seed=seed, limit=limit, threads=threads
        )
        found.rows = device_rows(spec.model, spec.paper, options, points, progress)
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
    workload, _, sha256 = found.networks[curve.network]
    check_fit(workload, found.data)
    digest = sha256[:16]
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
        accuracies.append(points.values(", ".join(parts), compute))
        # known points, and noise-free ones that are run once, count as done
        progress(curve.label, total, found.samples * len(found.data) - before)
    return Series(curve, np.array(accuracies))


def check_fit(workload: Network, data: Dataset) -> None:
    """Refuse data of other classes than the network's."""
    if data.classes != workload.classes:
        raise DataError(
            f"'{workload.name}' cannot be run on '{data.name}', which has other classes"
        )


def _penalty(workload: Network, features: Features, temperature: float) -> float:
    """Pg + Pc as means over sequences, steps and units, summed over layers."""
    penalty = run_smooth(workload, features, temperature).penalty
    return sum(gate + candidate for gate, candidate in penalty.values())


def _penalties(spec: PenaltyTable, found: Reproduction) -> list[dict[str, Any]]:
    """Rows of Table 2: means over clips, steps and units, summed over layers."""
    rows: list[dict[str, Any]] = []
    features = found.data.features[:PENALTY_CLIPS]
    for curve in spec.curves:
        workload = found.networks[curve.network].network
        check_fit(workload, found.data)
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


def reproduction_document(found: Reproduction) -> ReproductionDocument:
    """Document of a reproduction: published values, results, and the command to repeat it."""
    spec, data = found.spec, found.data
    said: dict[str, Any] = {
        "pimsim": __version__,
        "name": found.name,
        "title": spec.title,
        "source": spec.source,
        "paper_says": list(spec.says),
        "data": data.name,
        "is_synthetic_data": data.is_synthetic,
        "n_sequences": len(data),
        "seed": found.seed,
        "wall_s": found.wall_s,
        "networks": {name: file.sha256 for name, file in found.networks.items()},
        "provenance": origin(),
    }
    if isinstance(spec, PenaltyTable):
        return PenaltyDocument(**said, points=[PenaltyRow(**row) for row in found.rows])
    said["samples"] = found.samples
    if isinstance(spec, ChipsFigure):
        missing = [v for v in spec.variants if v.network not in found.networks]
        return VariantsDocument(
            **said,
            our_choice=list(spec.our_choice),
            points=[VariantPoint(**row) for row in found.rows],
            missing=[MissingRow(label=v.label, network=v.network, paper=v.paper) for v in missing],
        )
    if isinstance(spec, DeviceFigure):
        return DevicesDocument(**said, points=[DevicePoint(**row) for row in found.rows])
    return CurvesDocument(**said, points=_points(found, spec))


def describe_reproduction(found: Reproduction) -> dict[str, Any]:
    """Reproduction as plain data."""
    return reproduction_document(found).as_dict()


def _points(found: Reproduction, spec: SweepFigure) -> list[CurvePoint]:
    return [
        CurvePoint(
            curve=series.curve.label,
            network=series.curve.network,
            neurons="sigmoids" if series.curve.smooth else "bits",
            sigma_eval=sigma,
            samples=found.samples,
            per_sample=series.accuracy[index].tolist(),
            **series.row(index),
        )
        for series in found.series
        for index, sigma in enumerate(spec.sigmas)
    ]
