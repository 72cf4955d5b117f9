"""A quantised LSTM against bits and noise: W. Ma et al., ICRC 2019 (arXiv 2002.10636).

Networks of the comparisons are files of one folder (`names`), which `pimsim reproduce` trains; here
they run on chips whose DACs and ADCs have as many bits as they were trained for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim import __version__
from pimsim.chip import build_chip
from pimsim.config import NoiseConfig, load_chip
from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.data.dataset import Dataset
from pimsim.errors import DataError, Place
from pimsim.files import is_file, read_json
from pimsim.report.documents import SettingsDocument
from pimsim.report.documents.reproduction import SettingPoint
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.noise_sweep import even_cells
from pimsim.studies.origin import origin
from pimsim.studies.points import Points
from pimsim.studies.progress import Progress, silent
from pimsim.studies.statistics import summary
from pimsim.workload import Network, NetworkFile, read_network_file

SOURCE = "W. Ma et al., ICRC 2019"
CHIP = "lstm_4b_16nm"
BITS = (8, 6, 5, 4, 3, 2)
ADC_NOISE = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
WEIGHT_NOISE = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2)
# noise in training of the networks that know it: share of the largest weight, steps of ADCs
TRAINED_NOISE = (0.05, 0.5)
# of training of a network that starts from a finer one
CHAIN_EPOCHS = 6
TEXT_TEST, SPEECH_TEST = "war-and-peace-test", "speech-commands-test"
# of the float network, beside the networks of a folder
FLOAT = "float.json"


@dataclass(frozen=True)
class Variant:
    """A network of the comparisons.

    Attributes
    ----------
    weights, dac, adc : int
        Bits of weights, of inputs and states, and of sums.
    epochs : int
        Of training with quantisers; 0 where the float network was rounded afterwards.
    noisy : bool
        Whether weights and sums had noise in training (`TRAINED_NOISE`).
    start : Variant or None
        The network from which training begins; None for the float network.
    """

    weights: int
    dac: int
    adc: int
    epochs: int = 1
    noisy: bool = False
    start: Variant | None = None

    @property
    def name(self) -> str:
        """Name of its file, without ending."""
        end = "_noise" if self.noisy else "" if self.epochs else "_rounded"
        return f"w{self.weights}_d{self.dac}_a{self.adc}{end}"


@dataclass(frozen=True)
class Setting:
    """A curve: networks, or settings of a chip, with what they are drawn against.

    Attributes
    ----------
    label, axis : str
        Of the curve, and of its x axis; curves of one axis are drawn together.
    points : list of (x, Variant, keys)
        Value, network, and what is changed: `noise` and `noise_point` of ADCs, `weights`, the
        standard deviation of a weight over the largest one.
    """

    label: str
    axis: str
    points: tuple[tuple[float, Variant, dict[str, Any]], ...]


@dataclass(frozen=True)
class LstmFigure:
    """A figure of the LSTM's study."""

    title: str
    settings: tuple[Setting, ...]
    says: tuple[str, ...]
    our_choice: tuple[str, ...]

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Networks that it needs, each once."""
        return tuple(dict.fromkeys(v for s in self.settings for _, v, _ in s.points))


def of_bits(bits: int) -> Variant:
    """Network of as many bits everywhere, which goes on from the next finer one."""
    finer = [b for b in BITS if b > bits]
    if not finer:
        return Variant(bits, bits, bits)
    return Variant(bits, bits, bits, CHAIN_EPOCHS, start=of_bits(finer[-1]))


NOISY = Variant(4, 4, 4, CHAIN_EPOCHS, noisy=True, start=of_bits(4))


def _over_bits(label: str, make: Callable[[int], Variant]) -> Setting:
    return Setting(label, "bits", tuple((float(b), make(b), {}) for b in BITS))


def _over_noise(label: str, noisy: bool, point: str) -> Setting:
    variant = NOISY if noisy else of_bits(4)
    return Setting(
        f"{label}, {point} rounding",
        "ADC noise [LSB]",
        tuple((x, variant, {"noise": x, "noise_point": point}) for x in ADC_NOISE),
    )


def _over_weights(label: str, noisy: bool) -> Setting:
    variant = NOISY if noisy else of_bits(4)
    points = tuple((100 * x, variant, {"weights": x}) for x in WEIGHT_NOISE)
    return Setting(label, "weight noise [% of the largest weight]", points)


_TRAINING = (
    "Networks, data, epochs and ranges: LSTM2-64 on War and Peace, or LSTM(118) on trigger words; "
    "those of 8 bits, and of few bits in one place alone, start from one float network and have an "
    "epoch with quantisers; those of fewer bits everywhere start from the next finer one, and have "
    f"{CHAIN_EPOCHS} epochs more, as the one with noise has after that of 4 bits.",
    "Bits of gates, candidates, tanh(c) and cell states, which a digital unit computes, stay 8.",
)
FIGURES: dict[str, LstmFigure] = {
    "lstm_bits": LstmFigure(
        title="An LSTM with weights, DACs and ADCs of few bits",
        settings=(
            _over_bits("all three", of_bits),
            _over_bits("all three, rounded afterwards", lambda b: Variant(b, b, b, epochs=0)),
            _over_bits("weights, others 8", lambda b: Variant(b, 8, 8)),
            _over_bits("DACs, others 8", lambda b: Variant(8, b, 8)),
            _over_bits("ADCs, others 8", lambda b: Variant(8, 8, b)),
        ),
        says=(
            "4-bit weights with 4-bit ADCs and DACs, trained with quantisers, perform as the "
            "floating-point network.",
        ),
        our_choice=(
            *_TRAINING,
            "A network that is rounded afterwards has the ranges with which training begins, and "
            "no training.",
        ),
    ),
    "lstm_noise": LstmFigure(
        title="An LSTM of 4 bits with noise of ADCs and of weights",
        settings=(
            *(
                _over_noise(label, noisy, point)
                for label, noisy in (("trained without noise", False), ("with noise", True))
                for point in ("before", "after")
            ),
            _over_weights("trained without noise", noisy=False),
            _over_weights("with noise", noisy=True),
        ),
        says=("Reasonable noise of ADCs and weights is tolerated without more ado.",),
        our_choice=(
            *_TRAINING,
            f"Noise in training: {100 * TRAINED_NOISE[0]:g} % of the largest weight, "
            f"{TRAINED_NOISE[1]:g} LSB before rounding.",
            "Noise of weights is a static error of each cell, half of its variance in either cell "
            "of a pair; a current stays at 0 where it would be negative. Noise of ADCs is new in "
            "every conversion, beside kT/C.",
        ),
    ),
}


@dataclass
class LstmStudy:
    """Results of a figure; `points` are those of its document."""

    name: str
    spec: LstmFigure
    data: Dataset
    samples: int
    seed: int
    networks: dict[str, NetworkFile]
    points: list[SettingPoint]
    reference: float | None = None
    wall_s: float = 0.0


def missing(variants: Sequence[Variant], folder: Path) -> list[Variant]:
    """Variants whose network is not in the folder, each after the one from which it starts."""
    lacking: dict[Variant, None] = {}
    for variant in variants:
        if not is_file(folder / f"{variant.name}.safetensors"):
            before = [] if variant.start is None else missing([variant.start], folder)
            lacking |= dict.fromkeys([*before, variant])
    return list(lacking)


def default_data(networks: Path, variants: Sequence[Variant]) -> str:
    """Test data of the first of some networks, by what it reads."""
    lacking = missing(variants, networks)
    if variants[0] in lacking:
        raise lacking_error(networks, lacking)
    network = read_network_file(networks / f"{variants[0].name}.safetensors").network
    return TEXT_TEST if network.input.kind == "text" else SPEECH_TEST


def lacking_error(networks: Path, lacking: Sequence[Variant]) -> DataError:
    n = len(lacking) - 1
    others = f" and {n} other{'s' if n > 1 else ''}" if n else ""
    return DataError(
        f"lacks {lacking[0].name}.safetensors{others}",
        place=Place(networks),
        remedy="Add --start with a checkpoint of the float network, to train them",
    )


def lstm_study(
    name: str,
    folder: Path,
    networks: Path,
    data: Dataset,
    *,
    samples: int = 10,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress = silent,
) -> LstmStudy:
    """Compute a figure; finished points are not computed again.

    Parameters
    ----------
    name : str
        One of `FIGURES`.
    folder : Path
        Receives every finished point, in `points/`.
    networks : Path
        Folder of the networks, and of `FLOAT`.
    data : Dataset
        What they are measured on.
    samples : int
        Chips of a point with noise; without any, all are alike.

    Raises
    ------
    DataError
        If networks are missing, or do not fit the data.
    """
    spec, begin = FIGURES[name], time.perf_counter()
    lacking = missing(spec.variants, networks)
    if lacking:
        raise lacking_error(networks, lacking)
    files = {v.name: read_network_file(networks / f"{v.name}.safetensors") for v in spec.variants}
    found = LstmStudy(name, spec, data, samples, seed, files, [], reference_of(networks, data))
    points = Points(folder)
    for label, x, variant, keys, axis in _all(spec):
        network, sha256 = files[variant.name].network, files[variant.name].sha256
        if network.classes != data.classes:
            raise DataError(
                f"'{variant.name}' cannot be run on '{data.name}', which has other classes",
                place=Place(networks),
            )
        content = ", ".join(
            (sha256[:16], f"{CHIP} {keys!r}", f"{samples} samples", f"seed {seed}",
             f"{len(data)} of {data.name}")
        )  # fmt: skip

        def compute(
            network: Network = network, variant: Variant = variant, keys: dict[str, Any] = keys
        ) -> NDArray[np.float64]:
            chip, device, noise = bench(network, variant, keys)
            n_chips = samples if keys else 1
            return metric_of(network, data, chip, device, noise, n_chips, seed, threads)

        values = points.values(content, compute)
        progress(spec.title, sum(len(s.points) for s in spec.settings), 1)
        found.points.append(
            SettingPoint(
                curve=label, network=variant.name, setting=axis, x=x,
                per_sample=values.tolist(), **summary(values),
            )
        )  # fmt: skip
    found.wall_s = time.perf_counter() - begin
    return found


def _all(spec: LstmFigure) -> Iterator[tuple[str, float, Variant, dict[str, Any], str]]:
    for setting in spec.settings:
        for x, variant, keys in setting.points:
            yield setting.label, x, variant, keys, setting.axis


def bench(
    network: Network, variant: Variant, keys: dict[str, Any]
) -> tuple[ChipConfig, DeviceConfig, NoiseConfig]:
    """Chip, cells and noise of a point: nothing errs but what `keys` say, and ADCs round."""
    config = load_chip(CHIP)
    adc: dict[str, Any] = {"bits": variant.adc, "noise": 0.0}
    adc |= {key: keys[key] for key in ("noise", "noise_point") if key in keys}
    config = config.model_copy(
        update={
            "drive": config.drive.model_copy(update={"bits": variant.dac}),
            "read_out": config.read_out.model_copy(update=adc),
            "weight_coding": config.weight_coding.model_copy(
                update={"cell_bits": max(1, variant.weights - 1)}
            ),
        }
    )
    on = {"fixed_point": True, "dynamic": "noise" in keys, "programming": "weights" in keys}
    noise = NoiseConfig.ideal().model_copy(update=on)
    n_levels = max(matrix.top_level for _, matrix in network.matrices()) + 1
    # of both cells of a pair
    sigma = keys.get("weights", 0.0) / 2**0.5
    return config, even_cells(n_levels, sigma), noise


def metric_of(
    network: Network,
    data: Dataset,
    config: ChipConfig,
    device: DeviceConfig,
    noise: NoiseConfig,
    n_chips: int,
    seed: int,
    threads: int | None = None,
) -> NDArray[np.float64]:
    """Metric (n_chips,) of a network on drawn chips."""
    chip = build_chip(network, config, device, noise)
    run = run_chips(
        chip,
        encode_inputs(chip, data.features),
        range(n_chips),
        seed,
        sample_indices=data.sample_indices,
        labels=data.labels,
        threads=threads,
    )
    values = network.metric.of_predictions(run.predictions, run.scored, data.labels)
    return np.asarray(values.mean(axis=1), np.float64)


def reference_of(networks: Path, data: Dataset) -> float | None:
    """Metric of the float network on the same data, if it is in the folder."""
    path = networks / FLOAT
    if not is_file(path):
        return None
    for entry in read_json(path).get("measured", []):
        if (entry.get("data"), entry.get("n")) == (data.name, len(data)):
            return float(entry["value"])
    return None


def settings_document(found: LstmStudy) -> SettingsDocument:
    """Document of a figure."""
    metric = next(iter(found.networks.values())).network.metric
    said: dict[str, Any] = {
        "pimsim": __version__,
        "name": found.name,
        "title": found.spec.title,
        "source": SOURCE,
        "paper_says": list(found.spec.says),
        "our_choice": list(found.spec.our_choice),
        "data": found.data.name,
        "is_synthetic_data": found.data.is_synthetic,
        "n_sequences": len(found.data),
        "seed": found.seed,
        "wall_s": found.wall_s,
        "networks": {name: file.sha256 for name, file in found.networks.items()},
        "provenance": origin(),
        "metric": metric.key,
        "samples": found.samples,
        "reference": found.reference,
    }
    return SettingsDocument(**said, points=found.points)
