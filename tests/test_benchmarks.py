"""The programs that speed is measured against run, and do the task that pimsim does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOADED = "import benchmarks.__main__, benchmarks.gru_training, benchmarks.lenet5_training"
FOUND = """
import numpy as np
from benchmarks import plain_numpy, plain_torch, task
loaded = task.load("a task", "{model}", 60)
for program in (plain_numpy, plain_torch):
    found = np.asarray(program.run(loaded, range(1)))
    assert found.shape == (1, 60)
    print((found == loaded.labels).mean())
"""


def printed(code: str) -> str:
    """What a Python of its own prints: benchmarks set numbers of threads for the process."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_benchmark_can_be_loaded():
    pytest.importorskip("torch")
    printed(LOADED)


@pytest.mark.parametrize("model", ["gru", "lenet5"])
def test_plain_programs_find_what_the_network_finds(model):
    pytest.importorskip("torch")
    assert min(map(float, printed(FOUND.format(model=model)).split())) > 0.6
