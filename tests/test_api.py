"""pimsim from Python: what it gives is what the commands write."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys

import numpy as np
import pytest
from files import write_model
from networks import random_gru

import pimsim
from pimsim.config import bundled_root
from pimsim.errors import ConfigError
from pimsim.studies.run import run as study


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="module")
def result(model):
    return pimsim.run(model, device="pcm", chips=2, limit=6)


@pytest.fixture(scope="module")
def swept(model, tmp_path_factory):
    axes = {"device": ["reram", "pcm"], "noise.sigma_eval": "0:0.5:0.5"}
    out = tmp_path_factory.mktemp("swept")
    return pimsim.sweep(model, axes, out=out, chips=2, limit=4)


def test_import_is_light():
    code = (
        "import sys, pimsim\n"
        "assert 'run' in dir(pimsim)\n"
        "heavy = {'numpy', 'numba', 'scipy', 'pydantic', 'matplotlib', 'pandas', 'jinja2'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "try: pimsim.nothing\n"
        "except AttributeError as error: assert 'nothing' in str(error)\n"
        "else: raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_run_is_that_of_the_study(model, result):
    same = study(model, device="pcm", chips=2, limit=6)
    assert result.accuracy.per_chip.tolist() == same.accuracy.per_chip.tolist()
    assert result.accuracy.mean == result.report["accuracy"]["mean"]
    assert result.energy == result.report["energy"]["per_inference_j"]
    assert result.area == result.report["area"]["total_m2"]
    assert result.interval == result.report["latency"]["interval_s"]
    assert "random-gru" in repr(result)


def test_paths_are_taken_wherever_names_are(model, result, tmp_path):
    files = {
        "device": bundled_root() / "hwconfigs" / "devices" / "pcm.yaml",
        "chip": bundled_root() / "hwconfigs" / "chips" / "ba_mlw_16nm.yaml",
    }
    few = {"chips": 2, "limit": 6}
    expected = result.accuracy.per_chip.tolist()
    network = next(model.parent.glob("*.safetensors"))
    found = pimsim.run(model, network=network, **files, **few)
    assert found.accuracy.per_chip.tolist() == expected
    several = {key: [path] for key, path in files.items()}
    compared = pimsim.compare(model, network=[network], **several, **few)
    assert compared.typed.cases[0].accuracy.per_chip == expected
    swept = pimsim.sweep(model, files, out=tmp_path / "out", **few)
    assert swept.typed.points[0].accuracy == result.accuracy.mean
    (again,) = pimsim.sweep(model, points=[files], **few).typed.points
    assert again.accuracy == result.accuracy.mean


def test_an_unknown_option_is_refused(model):
    with pytest.raises(TypeError, match="chps"):
        pimsim.run(model, chps=3)
    with pytest.raises(TypeError, match="chps"):
        pimsim.sweep(model, {"device": ["reram"]}, chps=3)
    with pytest.raises(TypeError, match="one of both"):
        pimsim.sweep(model)


def test_frames_hold_the_tables_of_the_report(result):
    pytest.importorskip("pandas")
    assert result.frame().accuracy.tolist() == result.report["accuracy"]["per_chip"]
    assert result.frame("energy").per_inference_j.sum() == pytest.approx(result.energy)
    assert result.frame("area").area_m2.sum() == pytest.approx(result.area)
    for table in ("noise", "latency", "actions", "levels"):
        assert len(result.frame(table)) > 0
    with pytest.raises(ConfigError, match="'enrgy' is no table of this result"):
        result.frame("enrgy")


def test_without_pandas_frames_say_what_to_install(result, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigError, match=r"pip install 'pimsim\[frames\]'"):
        result.frame()


def test_what_is_saved_is_what_the_commands_write(result, swept, model, tmp_path):
    names = {path.name for path in result.save(tmp_path / "run")}
    assert names == {"report.json", "report.html"}
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["accuracy"] == json.loads(json.dumps(result.report["accuracy"]))
    compared = pimsim.compare(result, tmp_path / "run")
    names = {path.name for path in compared.save(tmp_path / "compared")}
    assert names == {f"comparison.{kind}" for kind in ("svg", "png", "csv", "json")} | {
        "report.html"
    }
    names = {path.name for path in swept.save(tmp_path / "swept")}
    assert names == {f"sweep.{kind}" for kind in ("svg", "png", "csv", "json")} | {"report.html"}


def test_models_are_compared_on_every_device(model):
    pytest.importorskip("pandas")
    compared = pimsim.compare(model, device=["reram", "pcm"], chips=2, limit=4)
    assert compared.frame().case.tolist() == ["ReRAM", "PCM"]
    assert compared.frame("differences").case.tolist() == ["PCM"]
    assert len(compared.frame("chips")) == 4
    assert "ReRAM" in repr(compared)


def test_points_of_a_sweep_and_their_frame(model, swept):
    pytest.importorskip("pandas")
    frame = swept.frame()
    assert frame["noise.sigma_eval"].tolist() == [0.0, 0.5, 0.0, 0.5]
    assert frame.device.tolist() == ["reram", "reram", "pcm", "pcm"]
    points = [{"device": "pcm", "noise.sigma_eval": 0.5}]
    again = pimsim.sweep(model, points=points, chips=2, limit=4)
    assert again.frame().accuracy.item() == frame.accuracy.iloc[3]
    assert "4 points" in repr(swept)


def test_plots_show_themselves_in_a_notebook(result, swept):
    assert result.plot()._repr_png_().startswith(b"\x89PNG")
    assert swept.plot().axes[0].get_ylabel() == "accuracy [%]"
    assert len(pimsim.compare(result, result).plot().axes) == 4


def test_kept_codes_of_a_chip_with_adcs_are_stored_as_they_are(tmp_path):
    path = write_model(tmp_path, network=random_gru(n_levels=255), chip="adc_pim_16nm")
    path.write_text(path.read_text().replace("network: ", "networks:\n  codes: "))
    done = pimsim.run(path, chips=1, limit=2, keep_bits=True)
    done.save(tmp_path / "out")
    with np.load(tmp_path / "out" / "bits.npz") as stored:
        assert stored["encoder"].max() > 1
        for name, codes in done.simulated.chips.bits.items():
            assert np.array_equal(stored[name], codes)
            assert f"{name}.n" not in stored
