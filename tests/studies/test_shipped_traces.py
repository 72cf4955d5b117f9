"""Test vectors and waveforms of every model that comes along, checked by the reader's script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pimsim.errors import DataError
from pimsim.studies.prepare import prepare
from pimsim.studies.trace import write_trace
from pimsim.studies.vectors import write_vectors

MODELS = sorted(Path("models").glob("*.yaml"))
SCRIPT = Path("docs/check_vectors.py")


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_vectors_and_traces_of_a_shipped_model(model, tmp_path):
    try:
        still = prepare(model, {"limit": 2}, ("noise.dynamic=off",))
    except DataError as error:
        pytest.skip(f"its data are not here: {error}")
    path = write_vectors(still, 0, 1, tmp_path / "bench.npz")
    done = subprocess.run([sys.executable, SCRIPT, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all equal\n")
    for form in ("vcd", "perfetto"):
        written, cycles = write_trace(still, tmp_path / f"a.{form}", form, (0, 300))
        assert written.stat().st_size > 500
        assert cycles > 0
