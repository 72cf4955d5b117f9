"""Tables of decision 16: accuracy and cost of normalisations.

`PIMSIM_DATA=... python docs/front_end_table.py` takes the shipped GRU, which was trained on clips
normalised as a whole, to every second validation clip with each normalisation, and its chip to
the embedded clips, and fills the tables of the page.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tables import filled

import pimsim
from pimsim.data import catalog
from pimsim.workload import Network, Running, SpeechInput, read_network, run_reference

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).parent / "decisions" / "0016-a-front-end-without-a-future.md"
CHOSEN = Running(130.0, 0.0625, 6)
TRIED = (
    *(replace(CHOSEN, start=start) for start in (110.0, 120.0, 140.0, 150.0)),
    *(replace(CHOSEN, decay=decay) for decay in (0.0, 0.125, 0.25, 0.5)),
    *(replace(CHOSEN, mean_shift=shift) for shift in (4, 5, 7, 8)),
)
COSTS = (
    "normalisation", "area, um2", "energy of an inference, nJ", "leakage asleep, uW",
    "nJ per inference, a frame every 10 ms", "from the last frame to the scores, us",
)  # fmt: skip


def heard(network: Network, level: float | None, running: Running | None) -> Network:
    """A network with another normalisation, untrained for it."""
    assert isinstance(network.input, SpeechInput)
    return replace(network, input=replace(network.input, level=level, running=running))


def accuracy_table(network: Network) -> list[tuple[str, ...]]:
    """Accuracy of the exact machine, and the mean over the classes of theirs."""
    clips = catalog.load_training()[1]
    features, labels = clips.features[::2], clips.labels[::2]

    def row(words: str, level: float | None, running: Running | None) -> tuple[str, ...]:
        found = run_reference(heard(network, level, running), features).predictions == labels
        recalls = [found[labels == label].mean() for label in np.unique(labels)]
        return words, f"{100 * found.mean():.1f}", f"{100 * np.mean(recalls):.1f}"

    level = network.input.level  # type: ignore[attr-defined]
    rows = [row("none", None, None), row("whole clip", level, None)]
    for running in (CHOSEN, *TRIED):
        words = f"start {running.start:g}, decay {running.decay:g}, mean_shift {running.mean_shift}"
        rows.append(row(words, level, running))
    head = ("normalisation", f"{len(labels):,} clips", "mean of the classes")
    return [head, *rows]


def cost_table(network: Network) -> list[tuple[str, ...]]:
    """Area, energy and latency of the bundled chip."""
    rows = []
    for words, level, running in (
        ("none", None, None), ("whole clip", 150.0, None), ("running", 150.0, CHOSEN),
    ):  # fmt: skip
        options = {"data": "synthetic-speech", "chips": 1, "limit": 50, "contributions": False}
        twin = heard(network, level, running)
        at_hand = pimsim.run(twin, **options).document
        timed = pimsim.run(twin, frame_interval="10 ms", **options).document
        rows.append((
            words,
            f"{at_hand.area.total_m2 * 1e12:,.0f}",
            f"{at_hand.energy.per_inference_j * 1e9:.2f}",
            f"{at_hand.area.leakage_asleep_w * 1e6:.3f}",
            f"{timed.energy.per_inference_j * 1e9:.0f}",
            f"{timed.latency.after_last_input_s * 1e6:.2f}",
        ))  # fmt: skip
    return [COSTS, *rows]


def main() -> None:
    """Fill both tables."""
    network = read_network(ROOT / "models" / "gru_w7.safetensors")
    text = PAGE.read_text(encoding="utf-8")
    text = filled(text, "costs", cost_table(network))
    PAGE.write_text(filled(text, "accuracy", accuracy_table(network)), encoding="utf-8")


if __name__ == "__main__":
    main()
