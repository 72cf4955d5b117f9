"""Toy tasks and recipes that train in seconds."""

from __future__ import annotations

from typing import Any

import numpy as np

from pimsim.train.recipe import Recipe
from pimsim.train.speech import SpeechTask

N_FRAMES, N_BANDS = 12, 8
CLASSES = ("silence", "unknown", "low", "high")


def toy_clips(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Clips that are quiet, loud all over, or loud in the lower or upper bands for some frames."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(CLASSES), n)
    clips = rng.normal(60, 15, (n, N_FRAMES, N_BANDS))
    start = rng.integers(0, 6, n)
    for clip, label, first in zip(clips, labels, start, strict=True):
        bands = {0: slice(0, 0), 1: slice(0, 8), 2: slice(0, 4), 3: slice(4, 8)}[int(label)]
        clip[first : first + 5, bands] += 90
    return clips.clip(0, 255).astype(np.uint8), labels.astype(np.int64)


def toy_task() -> SpeechTask:
    return SpeechTask(toy_clips(1200, 0), toy_clips(300, 1), CLASSES)


def toy_recipe(**changes: Any) -> Recipe:
    """Float, large noise, then bits forward with distillation and a running mean."""
    smooth = {"kind": "continuous", "temperature": 1.0}
    noisy = {"kind": "continuous", "sigma_share": 0.2, "final_temperature": 0.3, "temperature": 1.0}
    bits = {"kind": "binary", "sigma": 0.2, "temperature": 0.5}
    weights = {"levels": 7, "cell_error": 0.03}
    rates = {"batch": 50, "warmup": 5, "optimizer": "adamw"}
    plan: dict[str, Any] = {
        "name": "toy",
        "network": {"kind": "gru", "inputs": N_BANDS, "hidden": 16, "layers": 2},
        "data": {"kind": "speech_commands"},
        "stages": [
            {"name": "float", "epochs": 4, "learning_rate": 2e-2, "neuron": smooth, **rates},
            {"name": "large-noise", "epochs": 1, "learning_rate": 5e-3, "neuron": noisy, **rates},
            {
                "name": "bits-forward",
                "epochs": 5,
                "learning_rate": 5e-3,
                "final_learning_rate": 1e-4,
                "average": 0.9,
                "distill": 0.3,
                "error_limit": 3.0,
                "neuron": bits,
                "weights": weights,
                "augmentation": {"shift": 1, "gain": 1, "noise": 0.2},
                **rates,
                "optimizer": "muon",
            },
        ],
    }
    return Recipe.model_validate(plan | changes)
