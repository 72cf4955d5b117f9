from __future__ import annotations

import json

import numpy as np
import pytest
from files import write_model

from pimsim.chip import Layout
from pimsim.config import SOURCES
from pimsim.errors import DataError, MappingError
from pimsim.studies import prepare
from pimsim.studies.document import describe_run
from pimsim.studies.run import run
from pimsim.studies.statistics import Sample


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


def test_a_run_reports_what_schema_1_promises(model):
    result = run(model)
    report = json.loads(json.dumps(describe_run(result), allow_nan=False))
    assert report["schema"] == 1
    assert report["run"]["n_chips"] == 3
    assert report["run"]["n_sequences"] == 12
    assert report["run"]["is_synthetic_data"]
    assert {"model", "chip", "device", "data", "seed", "kernel", "threads", "wall_s",
            "inferences_per_s"} <= report["run"].keys()  # fmt: skip
    accuracy = report["accuracy"]
    assert len(accuracy["per_chip"]) == 3
    assert accuracy["mean"] == pytest.approx(np.mean(accuracy["per_chip"]))
    assert accuracy["ci95"][0] <= accuracy["mean"] <= accuracy["ci95"][1]
    assert [c["source"] for c in report["noise"]["contributions"]] == list(SOURCES)
    absent = [c["source"] for c in report["noise"]["contributions"] if not c["is_present"]]
    assert absent == ["drift", "read_noise"]  # what reram.yaml does not have
    assert report["noise"]["quantum_to_smallest_noise"] <= 0.7
    assert report["actions"]["gru_logic"]["selections"] == 3 * 12 * 49 * 2 * 12
    assert {e["certainty"] for e in report["provenance"]["sources"]["chip"]} >= {"assumed"}
    assert len(report["provenance"]["files"]["network"]["sha256"]) == 64


def test_two_runs_and_any_threads_give_the_same_numbers(model):
    first, second = run(model, threads=1, batch=5), run(model, threads=2)
    assert np.array_equal(first.chips.predictions, second.chips.predictions)
    assert first.chips.counts.as_dict() == second.chips.counts.as_dict()
    for a, b in zip(first.noise_sources, second.noise_sources, strict=True):
        assert np.array_equal(a.sample.per_chip, b.sample.per_chip)
    assert not np.array_equal(
        run(model, seed=12, chips=8).accuracy.per_chip, run(model, chips=8).accuracy.per_chip
    )


def test_a_limit_keeps_each_sequences_own_noise(model):
    few, all_of_them = run(model, limit=6), run(model, limit=648)
    at = few.prepared.data.sample_indices
    assert np.array_equal(few.chips.predictions, all_of_them.chips.predictions[:, at])


def test_the_age_of_the_levels_reaches_the_cells(model):
    def means(age: str) -> list:
        result = run(
            model, device="cmos_mlc_measured", time_since_programming=age, contributions=False
        )
        report = describe_run(result)
        assert report["noise"]["drift_temperature_k"] == pytest.approx(398.15)
        return report["noise"]["matrices"][0]["level_mean_full_scale"]

    young, old = means("1 minute"), means("10 years")
    # charge loss moves every level up, the lowest most
    assert all(b > a for a, b in zip(young, old, strict=True))
    assert old[0] - young[0] > 2 * (old[-1] - young[-1])


def test_ideal_is_one_exact_chip(model):
    result = run(model, ideal=True)
    assert result.accuracy.per_chip.tolist() == [result.accuracy.ideal]
    assert result.noise_sources == ()
    assert result.accuracy.std is None
    assert result.accuracy.ci95 is None


def test_lenet_runs_as_well(tmp_path):
    result = run(write_model(tmp_path, "lenet"))
    assert result.chips.predictions.shape == (3, 12)
    assert {tile.name for tile in result.chip.tiles if tile} == {"conv2d1", "dense3", "dense4"}


def test_what_does_not_fit_is_refused_with_its_place(model, tmp_path):
    with pytest.raises(
        MappingError, match="--set chip.array.rows=4: array.rows is too small: layer gru0"
    ):
        run(model, set=["chip.array.rows=4"])
    with pytest.raises(
        DataError, match="names 'mnist-1000', which holds image data, and the network"
    ):
        run(model, data="mnist-1000")
    with pytest.raises(DataError, match="holds no data that pimsim reads"):
        (tmp_path / "empty").mkdir()
        run(model, data=tmp_path / "empty")


def test_confidence_interval_by_hand():
    accuracy = Sample(0.9, np.array([[0.8], [0.9], [0.85], [0.95]]))
    # t(0.975, 3) = 3.1824
    half = 3.18244630528 * accuracy.per_chip.std(ddof=1) / 2
    assert accuracy.ci95 == pytest.approx((0.875 - half, 0.875 + half))


def test_a_chip_is_laid_out_once_for_a_run(model, monkeypatch):
    """Noise is laid over one layout: for the ideal chip, for all reads, for each source alone."""
    laid_out, under = [], []
    lay_out, put_under = prepare.lay_out, Layout.under
    monkeypatch.setattr(prepare, "lay_out", lambda *a, **k: laid_out.append(1) or lay_out(*a, **k))
    monkeypatch.setattr(Layout, "under", lambda *a, **k: under.append(1) or put_under(*a, **k))
    run(model, reads=2)
    assert len(laid_out) == 1
    assert len(under) > len(SOURCES)
