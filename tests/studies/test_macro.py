"""A macro: a dense layer of random weights, without a network around it."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.chip.graph import ENCODER, OUTPUT
from pimsim.config.macro import Macro
from pimsim.errors import ConfigError
from pimsim.studies.macro import macro_network
from pimsim.studies.options import RunOptions
from pimsim.studies.plan import plan
from pimsim.studies.run import measure, price
from pimsim.workload.exact import run_reference

MACRO = (
    "{inputs: 40, outputs: 8, levels: 5, active_inputs: 25 %, samples: 32, source: none here, "
    "certainty: assumed}"
)


def model(tmp_path, macro=MACRO, chip="ba_mlw_16nm", more=""):
    path = tmp_path / "macro.yaml"
    path.write_text(
        f"schema: pimsim.run/1\nname: a macro\nmacro: {macro}\nchip: {chip}\ndevice: reram\n"
        f"chips: 2\n{more}"
    )
    return path


def described(**keys):
    numbers = {"inputs": 40, "outputs": 8, "levels": 5, "active_inputs": 0.25, "samples": 32}
    return Macro(**{**numbers, **keys}, source="none here", certainty="assumed")


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_levels_are_equally_frequent_and_inputs_as_active_as_asked(levels):
    macro = described(inputs=400, outputs=100, levels=levels, samples=100)
    network, data = macro_network(macro, "m", 1, seed=3)
    ((_, matrix),) = network.matrices()
    found, counts = np.unique(matrix.levels, return_counts=True)
    top = max(1, (levels - 1) // 2)
    assert list(found) == ([-1, 1] if levels == 2 else list(range(-top, top + 1)))
    assert counts / matrix.levels.size == pytest.approx(1 / levels, abs=0.01)
    assert data.features.mean() == pytest.approx(0.25, abs=0.01)
    again, same = macro_network(macro, "m", 1, seed=3)
    assert (again.matrices()[0][1].levels == matrix.levels).all()
    assert (same.features == data.features).all()
    assert (macro_network(macro, "m", 1, seed=4)[1].features != data.features).any()


def test_codes_have_bits_of_that_activity():
    _, data = macro_network(described(samples=500), "m", 4, seed=1)
    bits = (data.features[..., None] >> np.arange(4)) & 1
    assert data.features.max() == 15
    assert bits.mean(axis=(0, 1, 2)) == pytest.approx(0.25, abs=0.01)


def test_a_macro_has_arrays_alone(tmp_path):
    planned = plan(model(tmp_path), RunOptions(noise_sources=False))
    result = price(planned, measure(planned))
    assert [c.name for c in planned.graph.components] == ["dense0"]
    assert not planned.graph.links
    parts = {part.component for part in result.area}
    assert not parts & {"input_encoder", "output_unit", "link", "link_buffer"}
    assert not {ENCODER, OUTPUT} & {item.component for item in result.energy}
    # 32 vectors on each of two chips, 8 decisions each
    assert result.measured.n_inferences == 64
    assert result.chips.counts.get("sense_amplifier", "decisions", "dense0") == 64 * 8
    assert result.operations == 2 * 40 * 8


def test_accuracy_is_the_share_of_exact_decisions(tmp_path):
    planned = plan(model(tmp_path), RunOptions(noise_sources=False))
    exact = run_reference(planned.prepared.network, planned.prepared.data.features)
    assert (planned.labels == exact.signals["dense0"].reshape(-1)).all()
    measured = measure(planned)
    assert measured.sample.ideal == 1
    right = measured.chips.predictions == planned.labels
    assert measured.sample.per_chip == pytest.approx(right.mean(axis=1))
    assert 0.5 < measured.sample.mean < 1
    ideal = measure(plan(model(tmp_path), RunOptions(ideal=True, noise_sources=False)))
    assert ideal.sample.mean == 1


def test_a_macro_of_codes_runs_on_converters(tmp_path):
    planned = plan(model(tmp_path, chip="adc_pim_16nm"), RunOptions(noise_sources=False))
    result = price(planned, measure(planned))
    assert result.chips.counts.get("adc", "conversions", "dense0") > 0
    assert result.measured.n_inferences == 64
    assert result.accuracy.ideal == 1


def test_inputs_in_real_time(tmp_path):
    planned = plan(model(tmp_path, more="frame_interval: 10 us\n"), RunOptions())
    assert planned.timing.interval_s == pytest.approx(1e-5)


@pytest.mark.parametrize(
    ("macro", "more", "message"),
    [
        (MACRO, "data: mnist-1000\n", "takes the place of networks and data"),
        (MACRO.replace("levels: 5", "levels: 4"), "", "odd number"),
        ("null", "", "needs 'networks'"),
        ("null", "networks: {levels: a.safetensors}\n", "needs 'data'"),
    ],
)
def test_what_is_no_macro_is_refused(tmp_path, macro, more, message):
    with pytest.raises(ConfigError, match=message):
        plan(model(tmp_path, macro, more=more), RunOptions())
