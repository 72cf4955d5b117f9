"""The kernels of 256-bit registers, on a CPU that has longer ones: compiled for another CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pimsim.kernels import registers

# what CPUs have had since 2013
FEATURES = (
    "+cx16,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,"
    "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe"
)


@pytest.mark.slow
@pytest.mark.skipif(not registers.wide, reason="these kernels run in the other tests, or not here")
def test_256_bit_registers_pass_the_tests_of_lanes(tmp_path):
    """Against the slow twins, which know of no registers."""
    compiled = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": FEATURES}
    tests = Path(__file__).parent / "test_lanes.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    environment = {**os.environ, **compiled, "NUMBA_CACHE_DIR": str(tmp_path)}
    found = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    # all but those of byte tables, which need longer registers
    assert "57 passed" in found.stdout, found.stdout
