"""Programming of a device's levels, beside the states in its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pimsim.config import load_device
from pimsim.devices.programming import ProgrammedLevel, program_levels
from pimsim.errors import ConfigError, Place


def describe_programming(name: str | Path) -> dict[str, Any]:
    """Levels, pulses and times of a device's program-and-check model.

    Each level is put beside the state of the file that lies nearest.

    Raises
    ------
    PimsimError
        If there is no such device, or its file has no such model.
    """
    device = load_device(name, Place("NAME"))
    if device.programming is None:
        raise ConfigError(
            f"'{device.name}' has no programming model",
            place=Place("device"),
            remedy="Take one with a block 'programming', such as cmos_mlc",
        )
    model = device.programming
    in_amperes = device.states.mean[0].unit == "ampere"
    means = [current.value for current in device.states.mean] if in_amperes else []
    spreads = [current.value for current in device.states.spread] if in_amperes else []
    return {
        "device": device.name,
        "source": " ".join(model.source.split()),
        "certainty": model.certainty.value,
        "fresh_a": model.fresh_current,
        "relaxation_a": model.relaxation,
        "relaxation_spread_a": model.relaxation_spread,
        "levels": [_level(level, means, spreads) for level in program_levels(model)],
    }


def _level(level: ProgrammedLevel, means: list[float], spreads: list[float]) -> dict[str, Any]:
    nearest = int(np.argmin(np.abs(np.array(means) - level.mean))) if means else None
    seen = level.share > 1e-9
    return {
        "threshold_a": level.threshold,
        "pulse_s": level.pulse,
        "mean_a": level.mean,
        "spread_a": level.sigma,
        "state_mean_a": None if nearest is None else means[nearest],
        "state_spread_a": None if nearest is None else spreads[nearest],
        "pulses": level.pulses,
        "pulses_most": level.max_pulses,
        "time_s": level.time,
        "current_a": level.current[seen].tolist(),
        "share": level.share[seen].tolist(),
    }
