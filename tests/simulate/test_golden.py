"""Bits of fixed chips, so that no change of streams, devices or kernels goes unnoticed.

`pytest --rewrite-golden` writes tests/golden/bits.json anew; its diff is reviewed
and CHANGELOG.md tells users that old seeds give other chips.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from files import bundled_chip, bundled_device
from networks import random_features, random_gru, random_lenet

from pimsim.chip import build_chip
from pimsim.config import NoiseConfig
from pimsim.simulate import encode_inputs, run_chips

GOLDEN = Path(__file__).parents[1] / "golden" / "bits.json"


def digest(workload, device: str) -> str:
    chip = build_chip(workload, bundled_chip(), bundled_device(device), NoiseConfig())
    encoded = encode_inputs(chip, random_features(workload, 16))
    run = run_chips(chip, encoded, [0, 1], 2026, keep_bits=True)
    hashed = hashlib.sha256()
    for name in sorted(run.bits):
        hashed.update(name.encode())
        hashed.update(np.packbits(run.bits[name]).tobytes())
    return hashed.hexdigest()


def test_bits_are_those_of_earlier_versions(request):
    networks = {"gru": random_gru(thresholds=2), "lenet": random_lenet()}
    found = {
        f"{name} on {device}": digest(network, device)
        for name, network in networks.items()
        for device in ("reram", "pcm", "cmos_mlc")
    }
    if request.config.getoption("--rewrite-golden"):
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n")
    assert found == json.loads(GOLDEN.read_text())
