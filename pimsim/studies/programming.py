"""Programming of a device: the pulses, time and energy of its levels, beside the file's states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pimsim.config import DeviceConfig, load_device
from pimsim.config.programming import ProgramAndCheck, RedrawnProgramming
from pimsim.cost.programming import pulse_energy
from pimsim.devices.programming import ProgrammedLevel, program_levels
from pimsim.devices.writing import accepted, spread_after, stages
from pimsim.errors import ConfigError, Place

# cells of 7-level weights
USUAL_LEVELS = 4


def describe_programming(name: str | Path) -> dict[str, Any]:
    """Pulses, times and energies of a device's programming.

    Of a program-and-check scheme, its levels too, each beside the state of the file that lies
    nearest.

    Raises
    ------
    PimsimError
        If there is no such device, or its file has no such model.
    """
    device = load_device(name, Place("NAME"))
    model = device.programming
    if model is None:
        raise ConfigError(
            f"'{device.name}' has no programming model",
            place=Place("device"),
            remedy="Take one with a block 'programming', such as cmos_mlc or reram",
        )
    found: dict[str, Any] = {
        "device": device.name,
        "model": model.model,
        "source": " ".join(model.source.split()),
        "certainty": model.certainty.value,
        "cells": _cells(device),
        "levels": [],
    }
    if isinstance(model, RedrawnProgramming):
        found |= {"accepted": accepted(model), "spread_after": spread_after(model)}
    if isinstance(model, ProgramAndCheck):
        in_amperes = device.states.mean[0].unit == "ampere"
        means = [current.value for current in device.states.mean] if in_amperes else []
        spreads = [current.value for current in device.states.spread] if in_amperes else []
        found |= {
            "fresh_a": model.fresh_current,
            "relaxation_a": model.relaxation,
            "relaxation_spread_a": model.relaxation_spread,
            "levels": [_level(level, means, spreads) for level in program_levels(model)],
        }
    return found


def _cells(device: DeviceConfig) -> list[dict[str, Any]]:
    """Pulses, time and energy of a cell of each of the usual levels."""
    model = device.programming
    n_levels = min(USUAL_LEVELS, len(device.states.mean))
    if isinstance(model, ProgramAndCheck):
        n_levels = min(n_levels, len(model.thresholds))
    own = stages(model, n_levels)
    energy = None if device.pulse is None else pulse_energy(device, own)
    check = 0.0 if device.pulse is None else device.pulse.check_time
    left = own[0].left[0] if len(own) == 1 else np.zeros(0)
    return [
        {
            "level": level,
            "pulses": float(sum(stage.mean[level] for stage in own)),
            "pulses_most": int(sum(stage.most()[level] for stage in own)),
            "time_s": float(sum(stage.mean[level] * (stage.pulse + check) for stage in own)),
            "energy_j": None if energy is None else float(energy[level]),
            "left": left[:200].tolist(),
        }
        for level in range(n_levels)
    ]


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
