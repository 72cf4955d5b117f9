"""Kernels of chips with ADCs against their slow twin, all errors on."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from code_networks import coded_gru
from files import bundled_chip, bundled_device, coding
from networks import random_gru, random_mlp

from pimsim.chip import build_chip, program_tile
from pimsim.config import NoiseConfig
from pimsim.errors import MappingError
from pimsim.kernels.logic import GruLogic, RegisterLogic
from pimsim.simulate.backends import BACKENDS, Batch
from pimsim.simulate.signals import Signals
from pimsim.workload.signals import CodeNumbers

SEED = 2**40 + 5
# chips of a group, and sequences
CHIPS, SAMPLES = np.array([3, 0], np.int64), np.array([7, 2**31], np.int64)
BACKEND = BACKENDS["bit_serial"]


def operand_of(network, sign: str, device: str, **changes):
    """A tile with ADCs; of a drive with levels, with bent DACs and noise after rounding."""
    config = bundled_chip("lstm_4b_16nm" if changes else "adc_pim_16nm")
    blocks = {
        "array": config.array.model_copy(update={"rows": 16, "columns": 64}),
        "drive": config.drive.model_copy(update={"bits": 3, **changes}),
        "weight_coding": coding(config, sign),
        "read_out": config.read_out.model_copy(
            update={
                "columns_per_adc": 4,
                "offset": 1.0,
                "noise_point": "after" if changes else "before",
            }
        ),
    }
    config = config.model_copy(update=blocks)
    chip = build_chip(network, config, bundled_device(device), NoiseConfig())
    tile = chip.tiles[0]
    programmed = [program_tile(tile, SEED, int(index)) for index in CHIPS]
    return BACKEND.load(chip, tile, programmed, SEED)


def twin(operand, codes, position: int, sequence: int, chip: int):
    keys = operand.keys
    return naive.read_codes(
        codes, position, int(SAMPLES[sequence]), chip, int(CHIPS[chip]),
        operand.lines, operand.pulses, operand.adcs, operand.activations,
        tuple(map(int, keys.key)), int(keys.tag),
    )  # fmt: skip


@pytest.mark.parametrize("sign", ["differential", "offset"])
def test_reads_equal_their_twin(sign):
    operand = operand_of(random_mlp(n_levels=15), sign, "cmos_mlc_measured")
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 8, (1, 2, 40)).astype(np.uint8)
    wiring = rng.integers(-1, 41, (2, 30))
    found = BACKEND.read(operand, wiring, Signals(2, inputs), Batch(CHIPS, SAMPLES))
    # -1 and one past the last code stand for no code
    lines = np.pad(inputs[0], ((0, 0), (0, 1)))[:, np.where(wiring < 0, 40, wiring)]
    for chip, sequence, position in np.ndindex(2, 2, 2):
        exact = twin(operand, lines[sequence, position], position, sequence, chip)
        assert np.array_equal(found.signals.values[chip, sequence, position], exact)
    assert len(np.unique(found.signals.values)) > 3
    ones = np.unpackbits(lines[..., None], axis=-1).sum(axis=(0, 1, -1))
    assert np.array_equal(found.driven, [ones, ones])


def gru(decided, old):
    return CodeNumbers(3).mix(decided[:12], old, decided[12:])


def register(decided, old):
    return decided


# gate and candidate columns are 24 states of a simple recurrent layer
@pytest.mark.parametrize(
    ("logic", "step", "bits"), [(GruLogic(12), gru, 10), (RegisterLogic(24), register, 22)]
)
def test_recurrent_tiles_are_their_reads_and_their_logic(logic, step, bits):
    network = random_gru(n_levels=7, bits=bits)
    operand = operand_of(network, "differential", "reram")
    n_below = network.layers[0].gate.n_rows - logic.n_state
    below = np.random.default_rng(1).integers(0, 8, (2, 2, 4, n_below)).astype(np.uint8)
    batch = Batch(CHIPS, SAMPLES)
    found = BACKEND.recur(operand, logic, Signals(2, below), batch, keep=True)
    pulses = np.zeros((2, logic.n_state + n_below), int)
    flips = 0
    for chip, sequence in np.ndindex(2, 2):
        state = np.zeros(logic.n_state, np.uint8)
        for position in range(4):
            codes = np.concatenate([state, below[chip, sequence, position]])
            pulses[chip] += np.unpackbits(codes[:, None], axis=-1).sum(axis=-1, dtype=int)
            decided = twin(operand, codes, position, sequence, chip)
            new = step(decided, state)
            flips += int(np.unpackbits(new ^ state).sum())
            state = new
            assert np.array_equal(found.trace[chip, sequence, position], decided)
            assert np.array_equal(found.signals.values[chip, sequence, position], state)
    assert np.array_equal(found.driven, pulses)
    assert found.flips == flips > 0


def test_codes_of_single_lines_take_no_difference_of_samples():
    with pytest.raises(MappingError, match="samples are subtracted before one conversion"):
        operand_of(coded_gru(bits=3), "offset", "reram", signed_codes="difference")


@pytest.mark.parametrize(
    ("sign", "signed"),
    [
        ("differential", "offset"),
        ("differential", "two_pass"),
        ("differential", "difference"),
        ("offset", "offset"),
        ("offset", "two_pass"),
    ],
)
def test_reads_of_rows_with_levels_equal_their_twin(sign, signed):
    network = coded_gru(bits=3)
    operand = operand_of(network, sign, "reram", signed_codes=signed, nonlinearity=1.0)
    assert operand.pulses.levels.shape == (1 + (signed == "two_pass"), 2, 11, 8)
    assert len(operand.adcs.after) > 0
    below = np.random.default_rng(1).integers(0, 8, (1, 2, 3, 5)).astype(np.uint8)
    found = BACKEND.recur(operand, GruLogic(6), Signals(2, below), Batch(CHIPS, SAMPLES), keep=True)
    zero = operand.activations.zero
    for chip, sequence in np.ndindex(2, 2):
        state = np.full(6, zero, np.uint8)
        for position in range(3):
            codes = np.concatenate([state, below[0, sequence, position]])
            decided = twin(operand, codes, position, sequence, chip)
            assert np.array_equal(found.trace[chip, sequence, position], decided)
            state = found.signals.values[chip, sequence, position]
    assert len(np.unique(found.trace)) > 3
