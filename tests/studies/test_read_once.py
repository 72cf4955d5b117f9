"""A study uses its files as they were when it first read them, and says so by their digests."""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from files import write_model

from pimsim.config import bundled_root
from pimsim.errors import DistributionError
from pimsim.studies import distribute, points
from pimsim.studies.axes import grid, parse_axis
from pimsim.studies.compare import run_cases
from pimsim.studies.document import describe_run
from pimsim.studies.options import RunOptions
from pimsim.studies.origin import CODE, code_digest
from pimsim.studies.plan import plan
from pimsim.studies.run import measure, price
from pimsim.studies.sweep import compute_here, sweep

FEW = RunOptions(chips=2, limit=6, threads=1, noise_sources=False)


def own_files(folder: Path) -> Path:
    """A model whose network, chip, device and technology all lie beside it."""
    source = bundled_root() / "hwconfigs"
    for name in ("chips/ba_mlw_16nm", "devices/reram", "technology/16nm"):
        shutil.copy(source / f"{name}.yaml", folder)
    chip = folder / "ba_mlw_16nm.yaml"
    text = chip.read_text().splitlines()
    lines = ["technology: 16nm.yaml" if x.startswith("technology:") else x for x in text]
    chip.write_text("\n".join(lines) + "\n")
    return write_model(folder, chip="ba_mlw_16nm.yaml", device="reram.yaml")


def digests(folder: Path) -> set[str]:
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.*")}


def spoil(folder: Path, how: str) -> None:
    for path in folder.glob("*.*"):
        if how == "removed":
            path.unlink()
        else:
            path.write_bytes(b"name: edited\n" + path.read_bytes())


@pytest.mark.parametrize("how", ["edited", "removed"])
def test_files_that_change_during_a_run_change_nothing_in_its_report(tmp_path, how):
    model = own_files(tmp_path)
    before = digests(tmp_path)
    planned = plan(model, FEW)
    spoil(tmp_path, how)
    files = describe_run(price(planned, measure(planned)))["provenance"]["files"]
    assert {entry["sha256"] for entry in files.values()} == before
    assert set(files) == {"model", "network", "chip", "technology", "device"}


@pytest.mark.parametrize("how", ["edited", "removed"])
def test_files_that_change_during_a_sweep_change_none_of_its_points(tmp_path, how):
    model = own_files(tmp_path)
    given = grid([parse_axis("noise.sigma_eval=0,2")])
    expected = sweep(model, given, tmp_path / "before", options=FEW)

    def compute(*asked):
        for found in compute_here(*asked):
            spoil(tmp_path, how)
            yield found

    found = sweep(model, given, tmp_path / "during", options=FEW, compute=compute)
    assert found == expected
    names = [{p.name for p in (tmp_path / x / "points").iterdir()} for x in ("before", "during")]
    assert names[0] == names[1]


def test_files_that_change_between_the_cases_of_a_comparison_change_none(tmp_path):
    model = own_files(tmp_path)
    cases = run_cases([model], devices=(None, "pcm"), options=FEW)
    first = next(cases)
    spoil(tmp_path, "removed")
    second = next(cases)
    files = [case.report.provenance.files for case in (first, second)]
    for kind in ("model", "network", "chip", "technology"):
        assert files[0][kind] == files[1][kind]


def test_points_of_other_code_are_computed_anew(tmp_path, monkeypatch):
    model, given = own_files(tmp_path), grid([parse_axis("noise.sigma_eval=0")])
    computed = []

    def compute(model, missing, shared):
        computed.append(len(missing))
        return compute_here(model, missing, shared)

    for code in ("as it was", "as it was", "edited"):
        monkeypatch.setattr(points, "CODE", code)
        sweep(model, given, tmp_path / "out", options=FEW, compute=compute)
    assert computed == [1, 0, 1]


def test_a_worker_of_other_code_and_the_same_version_is_refused(tmp_path, monkeypatch):
    model, given = own_files(tmp_path), grid([parse_axis("noise.sigma_eval=0")])
    with distribute.client_of(None, 1) as client:
        monkeypatch.setattr(points, "CODE", "other code than the worker's")
        compute = partial(distribute.compute, client)
        with pytest.raises(DistributionError, match="or by another pimsim"):
            sweep(model, given, tmp_path / "out", options=FEW, compute=compute)
    assert not list((tmp_path / "out").rglob("*.json"))


def test_the_digest_of_the_code_is_that_of_every_python_file(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "below" / "b.py").write_text("y = 2\n")
    first = code_digest(tmp_path)
    (tmp_path / "notes.txt").write_text("no code")
    assert code_digest(tmp_path) == first
    (tmp_path / "below" / "b.py").write_text("y = 3\n")
    assert code_digest(tmp_path) != first
    assert len(CODE) == 64


def test_a_report_names_the_code_that_made_it(tmp_path):
    planned = plan(own_files(tmp_path), FEW)
    report = json.loads(json.dumps(describe_run(price(planned, measure(planned)))))
    assert report["provenance"]["code"] == CODE
