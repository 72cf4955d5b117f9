"""`pimsim spice`: the deck of a drawn chip's read."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner
from files import write_model

from pimsim.cli.spice import spice
from pimsim.errors import PimsimError
from pimsim.studies.prepare import prepare
from pimsim.studies.spice import SpiceOptions, spice_deck

NGSPICE = shutil.which("ngspice")
READ = {"layer": "gru0", "columns": (2, 6), "sequence": 1, "step": 3}


def written(tmp_path, *words, **entries):
    model = write_model(tmp_path, **entries)
    given = {"--layer": "gru0", "--columns": "2:6", "--input": "1:3", "-o": str(tmp_path / "d.cir")}
    given |= dict(zip(words[::2], words[1::2], strict=True))
    done = CliRunner().invoke(spice, [str(model), *(w for pair in given.items() for w in pair)])
    return done, tmp_path / "d.cir"


@pytest.mark.skipif(NGSPICE is None, reason="needs ngspice (apt install ngspice)")
@pytest.mark.parametrize("device", ["pcm", "cmos_mlc"])
def test_ngspice_runs_a_deck_as_it_is_and_finds_what_is_expected(tmp_path, device):
    done, path = written(tmp_path, device=device)
    assert done.exit_code == 0, done.output
    ran = subprocess.run([NGSPICE, "-b", str(path)], capture_output=True, text=True, check=False)
    found = {m[1]: float(m[2]) for m in re.finditer(r"^(\w+_c\d+)\s*=\s*(\S+)", ran.stdout, re.M)}
    _, expected = spice_deck(prepare(tmp_path / "gru.yaml"), SpiceOptions(**READ))
    names = [f"c{i}" for i in range(2, 6)]
    for side, currents in (("p", expected.plus), ("m", expected.minus)):
        got = [found[f"i{side}_{name}"] for name in names]
        assert got == pytest.approx(currents, rel=1e-3, abs=1e-9)
    bits = [found[f"y_{name}"] > 0.4 for name in names]
    assert bits == expected.decisions.astype(bool).tolist()


def test_expected_bits_are_those_of_a_run_without_noise(tmp_path):
    """With exact wires and no dynamic noise, the chip's own decisions."""
    from pimsim.simulate import encode_inputs, run_chips

    model = write_model(tmp_path, device="pcm")
    prepared = prepare(model, {}, ["noise.ir_drop=exact", "noise.dynamic=off"])
    chip = prepared.chip(prepared.setup.noise)
    run = run_chips(chip, encode_inputs(chip, prepared.data.features[:2]), [0], 11, keep_bits=True)
    gates = run.bits["gru0.gate"][0, 1, 3]
    _, expected = spice_deck(prepared, SpiceOptions(**READ))
    assert np.array_equal(expected.decisions, gates[2:6])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer": "gru7"}, "Did you mean 'gru"),
        ({"columns": (3, 3)}, "--columns is 3:3"),
        ({"columns": (0, 99)}, "a deck at most 64"),
        ({"columns": (10, 14)}, "columns of two matrices"),
        ({"sequence": 12}, "there are 0 to 11"),
        ({"step": 24}, "gru0 has 0 to 23"),
        ({"amplifier": "flash"}, "There are ideal, latch"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path, change, message):
    prepared = prepare(write_model(tmp_path))
    with pytest.raises(PimsimError, match=message):
        spice_deck(prepared, SpiceOptions(**(READ | change)))


def test_a_word_that_is_no_pair_is_refused(tmp_path):
    done, path = written(tmp_path, "--columns", "2-6")
    assert done.exit_code == 2
    assert "two whole numbers with a colon" in done.output
    assert not path.exists()
