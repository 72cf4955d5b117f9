"""Where tests find real recordings: PIMSIM_DATA, or a folder of shared data beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pimsim.data import catalog

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def real_data(name: str) -> Path:
    """Path of a real data set by its catalogue name; skips the test where it is absent."""
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get(catalog.ENVIRONMENT) and BESIDE.is_dir():
            patch.setenv(catalog.ENVIRONMENT, str(BESIDE))
        path = catalog.find(name)
    if path is None:
        pytest.skip(f"{name} is not here; set {catalog.ENVIRONMENT} to the folder that has it")
    return path
