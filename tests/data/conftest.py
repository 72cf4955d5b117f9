"""What the tests of the data sets share: a machine without data, real data, a small set."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_files import wav_bytes

from pimsim.data import catalog
from pimsim.data.speech_commands import FOLDERS


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without downloaded data; the folder that downloads would go to."""
    home = tmp_path / "user-data"
    monkeypatch.delenv(catalog.ENVIRONMENT, raising=False)
    monkeypatch.setattr(catalog, "data_home", lambda: home)
    return home


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Finds a real data set, or skips the test."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not os.environ.get(catalog.ENVIRONMENT) and beside.is_dir():
        monkeypatch.setenv(catalog.ENVIRONMENT, str(beside))

    def find(name: str) -> Path:
        path = catalog.find(name)
        if path is None:
            pytest.skip(f"{name} is not here; set PIMSIM_DATA to the folder that has it")
        return path

    return find


@pytest.fixture
def speech_folder(tmp_path: Path) -> Path:
    """A speech set with two tones in each class, the second of them short and padded."""
    root = tmp_path / "speech"
    time = np.arange(16_000) / 16_000
    for label, name in enumerate(FOLDERS):
        (root / name).mkdir(parents=True)
        tone = 8_000 * np.sin(2 * np.pi * (300 + 200 * label) * time)
        (root / name / "a.wav").write_bytes(wav_bytes(tone))
        (root / name / "b.wav").write_bytes(wav_bytes(tone * (time < 0.5)))
    return root
