"""What the tests of the documentation share: a folder like a reader's own, with results in it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from docs_scripts import docs_script
from files import write_model
from networks import random_gru

from pimsim.studies.document import describe_run
from pimsim.studies.folder import bits_of, write_run
from pimsim.studies.prepare import prepare
from pimsim.studies.run import run
from pimsim.studies.vectors import write_vectors


@pytest.fixture(scope="session")
def readers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds gru.yaml with a small random network, report.json, bits.npz and bench.npz."""
    folder = tmp_path_factory.mktemp("reader")
    model = write_model(folder, network=random_gru(thresholds=4))
    result = run(
        model, limit=6, keep_bits=True, reads=2, accuracy_target=0.1, set=["noise.sigma_eval=0.1"]
    )
    write_run(folder, describe_run(result), bits=bits_of(result))
    still = prepare(model, {}, ["noise.dynamic=off"])
    write_vectors(still, chip_index=1, n_sequences=3, path=folder / "bench.npz")
    return folder


@pytest.fixture(scope="module")
def script(request: pytest.FixtureRequest) -> ModuleType:
    """The script that a module of tests names as its SCRIPT."""
    return docs_script(request.module.SCRIPT)


@pytest.fixture(scope="module")
def data(script: ModuleType) -> dict[str, Any]:
    """What the script has measured."""
    found: dict[str, Any] = script.TABLE.read()
    return found
