"""Effects of the temperature of a chip, and what is taken to be as at any other."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pimsim.chip import Chip
from pimsim.circuits.logic import leakage_factor
from pimsim.config.drift import ActivatedDrift
from pimsim.devices.temperature import pace_of_drift
from pimsim.report.documents.noise import MovedFacts, TemperatureFacts

# noise of circuits is told against this temperature
ROOM_K = 300.0
_ALWAYS_STILL = (
    "delay and energy of logic and decisions, clock included",
    "resistance of wires, loads and access transistors",
    "offsets, mismatch, and ranges of ADCs",
)


def temperature_facts(chip: Chip) -> TemperatureFacts:
    """Factors on what moves with the temperature of a chip, and what does not."""
    moves = [*_of_circuits(chip)]
    if not chip.layout.cells.without_device:
        moves += [*_of_currents(chip), *_of_drift(chip)]
    return TemperatureFacts(moves=moves, does_not_move=[*_still(chip), *_ALWAYS_STILL])


def _of_circuits(chip: Chip) -> Iterator[MovedFacts]:
    temperature, technology = chip.config.temperature, chip.layout.technology
    if chip.config.read_out.reads_currents:
        factor = math.sqrt(temperature / ROOM_K)
        yield _moved("thermal noise (kT/C) of lines, loads and amplifiers", factor, ROOM_K, "")
    yield _moved(
        "leakage",
        leakage_factor(technology, temperature),
        technology.leakage.temperature,
        "technology.leakage",
    )


def _of_currents(chip: Chip) -> Iterator[MovedFacts]:
    cells = {len(part.cell.mean): part.cell for part in chip.matrices}
    for n_levels, cell in sorted(cells.items()):
        if cell.warming is None:
            continue
        ends = {"lowest": 0, "highest": -1}
        for name, level in ends.items():
            yield _moved(
                f"current of the {name} of {n_levels} levels, with its errors",
                float(cell.warming[level]),
                chip.device.temperature,
                "device.temperature_dependence",
            )


def _of_drift(chip: Chip) -> Iterator[MovedFacts]:
    drift = chip.device.drift
    if isinstance(drift, ActivatedDrift) and drift.activation_energy and chip.noise.drift:
        assert drift.temperature is not None
        pace = pace_of_drift(drift, chip.config.temperature)
        yield _moved("age of the levels, for drift", pace, drift.temperature, "device.drift")


def _moved(what: str, factor: float, reference: float, block: str) -> MovedFacts:
    return MovedFacts(what=what, factor=factor, reference_k=reference, block=block)


def _still(chip: Chip) -> Iterator[str]:
    """What of the device does not move, and why."""
    if chip.layout.cells.without_device:
        yield "bits of SRAM"
        return
    device = chip.device
    if device.temperature_dependence is None:
        yield "currents of cells: the device file has no temperature_dependence"
    elif not chip.noise.temperature:
        yield "currents of cells: noise.temperature is off"
    else:
        yield "errors of programming, telegraph and read noise, as shares of their level's current"
    drift = device.drift
    if drift.model == "none":
        return
    if drift.model == "power_law":
        yield "drift: its exponents are taken to be the same at any temperature"
    elif not getattr(drift, "activation_energy", None):
        yield "drift: the device file has no activation_energy"
