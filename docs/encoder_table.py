"""Table of three input encoders on one chip, in docs/comparison.md.

`PIMSIM_DATA=... python docs/encoder_table.py` runs the same recordings on twenty chips of each
device and fills the table: a digital encoder that computes one frame after the other, the same one
with eight frames at once, and thermometer bits that the first layer in arrays reads.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tables import filled

import pimsim

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).parent / "comparison.md"
DATA = "speech-commands-test"
DEVICES = ("reram", "pcm", "cmos_mlc")
CHIPS = 20
# embedded clips whose energies are averaged, so that anybody can check them
COUNTED = 50


@dataclass(frozen=True)
class Encoder:
    """An encoder: words for its column, network, and what differs in the chip."""

    words: str
    network: str
    change: tuple[str, ...] = ()


ENCODERS = (
    Encoder("digital, a frame at a time", "gru_w7", ("chip.input_encoder.frames_at_once=1",)),
    Encoder("digital, 8 frames at once", "gru_w7"),
    Encoder("thermometer", "gru_w7_arrays"),
)


def right(encoder: Encoder, device: str) -> tuple[NDArray[np.float64], pimsim.Run]:
    """Share of chips that are right about each recording, and the run."""
    run = pimsim.run(
        ROOT / "models" / f"{encoder.network}.safetensors",
        data=DATA,
        device=device,
        chips=CHIPS,
        contributions=False,
        set=list(encoder.change),
    )
    labels = run.simulated.plan.labels
    correct = run.simulated.chips.predictions[:, : len(labels)] == labels
    return correct.mean(axis=0), run


def against(found: NDArray[np.float64], other: NDArray[np.float64]) -> str:
    """Mean difference over recordings [points], and half of its 95 % interval."""
    difference = 100 * (found - other)
    half = 1.96 * difference.std(ddof=1) / len(difference) ** 0.5
    return f"{difference.mean():+.1f} +- {half:.1f}"


def costs(encoder: Encoder) -> dict[str, str]:
    """Rows of energy, area and time."""
    found = pimsim.run(
        ROOT / "models" / f"{encoder.network}.safetensors",
        data="synthetic-speech", chips=1, limit=COUNTED, contributions=False,
        set=list(encoder.change),
    ).document  # fmt: skip
    energy, area, latency = found.energy, found.area, found.latency
    unit = ("input_encoder", "thermometer")
    of_encoder = sum(energy.by_component_j.get(name, 0) for name in unit)
    covered = sum(area.by_component_m2.get(name, 0) for name in unit)
    return {
        "energy of an inference": f"{energy.per_inference_j * 1e9:.1f} nJ",
        "of it arithmetic or comparisons of the encoder": f"{of_encoder * 1e9:.2f} nJ",
        "of it the clock": f"{energy.by_component_j['clock'] * 1e9:.2f} nJ",
        "area": f"{area.total_m2 * 1e12:,.0f} um2",
        "of it the encoder": f"{covered * 1e12:,.0f} um2",
        "interval of inferences": f"{latency.cycles_per_inference:,} cycles",
        "first inference": f"{latency.first_cycles:,} cycles",
    }


def rows() -> list[tuple[str, ...]]:
    """The whole table."""
    columns: list[dict[str, str]] = []
    base: dict[str, NDArray[np.float64]] = {}
    for encoder in ENCODERS:
        column: dict[str, str] = {}
        for device in DEVICES:
            found, run = right(encoder, device)
            column.setdefault("ideal network", f"{100 * run.accuracy.ideal:.1f} %")
            column[f"{CHIPS} chips, {device}"] = f"{100 * found.mean():.1f} %"
            before = base.setdefault(device, found)
            column[f"{device}, beside the first column"] = (
                "" if before is found else against(found, before)
            )
        columns.append(column | costs(encoder))
        print(encoder.words, column, file=sys.stderr)
    names = list(columns[0])
    body = [(name, *(column[name] for column in columns)) for name in names]
    return [("", *(encoder.words for encoder in ENCODERS)), *body]


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), "encoders", rows()), encoding="utf-8")
