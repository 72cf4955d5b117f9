"""Kernels of chips with converters against their slow twin, all errors on."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from files import bundled_chip, bundled_device
from networks import random_gru, random_mlp
from pimsim.kernels.converters import read_layer, run_gru
from pimsim.simulate.converter_tile import ConverterTile

from pimsim.chip import build_chip, program_tile
from pimsim.config import NoiseConfig
from pimsim.config.weight_coding import WEIGHT_CODING_BLOCKS
from pimsim.workload.neurons import Activation
from pimsim.workload.signals import CodeNumbers

SEED, CHIP = 2**40 + 5, 3


def tile_of(network, sign: str, device: str) -> ConverterTile:
    config = bundled_chip("adc_pim_16nm")
    kind = {"differential": "bit_slices", "offset": "offset_slices"}[sign]
    coding = config.weight_coding.model_dump() | {"kind": kind}
    blocks = {
        "array": config.array.model_copy(update={"rows": 16, "columns": 64}),
        "drive": config.drive.model_copy(update={"bits": 3}),
        "weight_coding": WEIGHT_CODING_BLOCKS[kind].model_validate(coding),
        "read_out": config.read_out.model_copy(update={"columns_per_adc": 4, "offset": 1.0}),
    }
    config = config.model_copy(update=blocks)
    chip = build_chip(network, config, bundled_device(device), NoiseConfig())
    tile = chip.tiles[0]
    return ConverterTile(tile, program_tile(tile, SEED, CHIP), Activation(3), 16, 4, SEED, CHIP)


def twin(tile: ConverterTile, codes, place: int, sample: int):
    streams = tile.operands(np.zeros(1, np.int64))[3]
    key = (int(streams.key0), int(streams.key1))
    where = (key, int(streams.tag), int(streams.chip))
    return naive.read_numbers(
        codes, place, sample, tile.lines, tile.converters, tile.neurons, *where
    )


@pytest.mark.parametrize("sign", ["differential", "offset"])
def test_reads_equal_their_twin(sign):
    tile = tile_of(random_mlp(n_levels=15), sign, "cmos_mlc")
    inputs = np.random.default_rng(0).integers(0, 8, (2, 2, 30)).astype(np.uint8)
    samples = np.array([7, 2**31], np.int64)
    out = np.empty((2, 2, 21), np.uint8)
    driven = np.zeros((2, 30), np.int64)
    read_layer(inputs, *tile.operands(samples), out, driven)
    for item, sample in enumerate(samples):
        for place in range(2):
            exact = twin(tile, inputs[item, place], place, int(sample))
            assert np.array_equal(out[item, place], exact)
    assert len(np.unique(out)) > 3
    ones = np.unpackbits(inputs[..., None], axis=-1).sum(axis=-1)
    assert np.array_equal(driven, ones.sum(axis=1))


def test_a_gru_is_its_reads_mixed():
    tile = tile_of(random_gru(n_levels=7), "differential", "reram")
    below = np.random.default_rng(1).integers(0, 8, (1, 4, 10)).astype(np.uint8)
    out = np.empty((1, 4, 12), np.uint8)
    driven = np.zeros((1, 22), np.int64)
    run_gru(below, *tile.operands(np.array([5], np.int64)), out, driven)
    hidden = np.zeros(12, np.uint8)
    for step in range(4):
        fired = twin(tile, np.concatenate([hidden, below[0, step]]), step, 5)
        hidden = CodeNumbers(3).mix(fired[:12], hidden, fired[12:])
        assert np.array_equal(out[0, step], hidden)
    assert driven.any()
