"""Shipped LSTMs, and what docs/data holds of their study, against what must hold of them.

Each result has its command in docs/reproduction.md; one that is not there yet is skipped.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from click.testing import CliRunner
from real_data import real_data

import pimsim
from pimsim.chip import build_chip
from pimsim.cli.main import cli
from pimsim.config import NoiseConfig, bundled_root, load_chip, load_device
from pimsim.data.catalog import load
from pimsim.report.pages import read_document
from pimsim.simulate import encode_inputs, run_chips
from pimsim.workload import read_network, run_reference
from pimsim.workload.metrics import METRICS

TASKS = {"text": "war-and-peace-excerpt", "kws": "synthetic-speech"}
DATA = bundled_root() / "docs" / "data"
# 4 bits of all three want 26 epochs to come within 2 %, as the shipped network has
SHORT = pytest.mark.xfail(
    strict=True, reason="networks of 4 bits of docs/data have 6 epochs after that of 5 bits"
)
SHORTLY_TRAINED = [pytest.param("text", marks=SHORT), "kws"]


def document(figure: str, task: str):
    path = DATA / f"{figure}_{task}.json"
    if not path.is_file():
        pytest.skip(f"docs/data/{path.name} is not computed yet")
    return read_document(path)


def curve(found, label: str, setting: str = "bits") -> dict[float, float]:
    """Loss by x: the metric, or one minus it where more is better."""
    metric = METRICS[found.metric]
    points = [p for p in found.points if p.curve == label and p.setting.startswith(setting)]
    assert points, label
    return {p.x: 1 - p.mean if metric.is_more_better else p.mean for p in points}


def reference(found) -> float:
    assert found.reference is not None
    more = METRICS[found.metric].is_more_better
    return 1 - found.reference if more else found.reference


def allowed(found, relative: float, points: float) -> float:
    """Tolerance: relative of bits per character, absolute of accuracy."""
    more = METRICS[found.metric].is_more_better
    return points if more else relative * reference(found)


@pytest.mark.parametrize("task", TASKS)
def test_the_shipped_network_on_its_chip_is_the_exact_machine(task):
    """A1: nothing errs but the rounding of DACs and ADCs; all layers and steps."""
    path = bundled_root() / "models" / "zoo" / f"lstm_{task}_c4.safetensors"
    if not path.is_file():
        pytest.skip(f"models/zoo/{path.name} is not trained yet")
    assert path.stat().st_size < 1_500_000
    network, data = read_network(path), load(TASKS[task]).limit(4)
    noise = NoiseConfig.ideal().model_copy(update={"fixed_point": True})
    chip = build_chip(network, load_chip("lstm_4b_16nm"), load_device("reram"), noise)
    exact = run_reference(network, data.features)
    run = run_chips(chip, encode_inputs(chip, data.features), [0], 1, keep_bits=True)
    for name, codes in exact.signals.items():
        assert np.array_equal(run.bits[name][0], codes), name
    assert all(m.adc_range == p.read_out.step * 7
               for (_, m), p in zip(network.matrices(), chip.matrices, strict=True))  # fmt: skip


@pytest.mark.slow
def test_the_shipped_network_of_text_performs_as_floating_point():
    """A3: within 2 % of bits per character, on the pieces of the study."""
    found, data = document("lstm_bits", "text"), real_data("war-and-peace-test")
    options = {"chips": 1, "limit": found.n_sequences, "contributions": False}
    value = pimsim.run("lstm_text", data=data, **options).sample.ideal
    assert value <= 1.02 * reference(found)


@pytest.mark.parametrize("task", SHORTLY_TRAINED)
def test_four_bits_perform_as_floating_point(task):
    """A3: within 2 % of bits per character, or a point of accuracy."""
    found = document("lstm_bits", task)
    loss = curve(found, "all three")[4.0] - reference(found)
    assert loss <= allowed(found, 0.02, 0.01)


@pytest.mark.parametrize("task", TASKS)
def test_fewer_bits_are_worse(task):
    """A4: 8, 6 and 5 bits cost at most 1 %, 3 bits show, 2 bits cost 5 %; one inversion at most."""
    found = document("lstm_bits", task)
    losses, plain = curve(found, "all three"), reference(found)
    for bits in (8.0, 6.0, 5.0):
        assert losses[bits] - plain <= allowed(found, 0.01, 0.01), bits
    assert losses[3.0] > losses[4.0]
    assert losses[2.0] - plain >= allowed(found, 0.05, 0.05)
    falling = [losses[bits] for bits in sorted(losses)]
    assert sum(b > a for a, b in itertools.pairwise(falling)) <= 1


@pytest.mark.parametrize("task", TASKS)
def test_rounding_afterwards_loses_three_times_as_much(task):
    """A5: at 4 bits."""
    found = document("lstm_bits", task)
    trained, rounded = (curve(found, label)[4.0] - reference(found) for label in
                        ("all three", "all three, rounded afterwards"))  # fmt: skip
    assert rounded >= 3 * max(trained, 0.0)
    assert rounded > 0


@pytest.mark.parametrize("task", SHORTLY_TRAINED)
def test_reasonable_noise_is_tolerated(task):
    """A6: 0.5 LSB before rounding and 5 % of weight noise cost 2 % each; 2 LSB and 20 % more."""
    found = document("lstm_noise", task)
    of_adc = curve(found, "trained without noise, before rounding", "ADC noise")
    of_weights = curve(found, "trained without noise", "weight noise")
    for losses, some, much in ((of_adc, 0.5, 2.0), (of_weights, 5.0, 20.0)):
        allowance = 0.01 if METRICS[found.metric].is_more_better else 0.02 * losses[0.0]
        assert losses[some] - losses[0.0] <= allowance
        assert losses[much] - losses[0.0] > allowance


@pytest.mark.parametrize("task", TASKS)
def test_noise_of_adcs_that_training_knew_is_tolerated(task):
    """A6, its first half: 0.5 LSB before rounding costs 2 %, and 2 LSB more."""
    found = document("lstm_noise", task)
    losses = curve(found, "with noise, before rounding", "ADC noise")
    allowance = 0.01 if METRICS[found.metric].is_more_better else 0.02 * losses[0.0]
    assert losses[0.5] - losses[0.0] <= allowance
    assert losses[2.0] - losses[0.0] > allowance


@pytest.mark.parametrize("task", TASKS)
def test_energy_and_area_beside_a_digital_accelerator(task):
    """A7: the direction; docs/reproduction.md gives the factors."""
    found = document("lstm_cost", task)
    rows = {(row.chip, row.network): row for row in found.points}
    names = {chip for chip, _ in rows}
    here = next(row for (chip, _), row in rows.items() if chip.startswith("LSTM 4 bits"))
    digital = next(row for (chip, network), row in rows.items()
                   if "igital" in chip and network == "w8_d8_a8")  # fmt: skip
    assert len(names) == 3
    assert here.operations_per_joule > digital.operations_per_joule
    assert here.operations_per_second_per_m2 > digital.operations_per_second_per_m2


def test_text_beats_counted_triples_by_far():
    """A8: the float network has at most 2.15 bits per character; triples of characters 2.82."""
    assert document("lstm_bits", "text").reference <= 2.15


STUDIES = {
    "run": ("--chips", "2", "--limit", "2", "--no-contributions", "--out", "OUT"),
    "floorplan": ("-o", "OUT/plan.svg"),
    "trace": ("--format", "perfetto", "-o", "OUT/trace.json"),
    "sweep": ("--axis", "device=reram,pcm", "--chips", "1", "--limit", "2", "--out", "OUT"),
}


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("task", TASKS)
def test_every_study_of_the_shipped_models_works(task, study, tmp_path):
    network = bundled_root() / "models" / "zoo" / f"lstm_{task}_c4.safetensors"
    if not network.is_file():
        pytest.skip(f"models/zoo/{network.name} is not trained yet")
    words = [word.replace("OUT", str(tmp_path)) for word in STUDIES[study]]
    done = CliRunner().invoke(cli, [study, f"lstm_{task}.yaml", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert any(tmp_path.iterdir())
    if study == "run":
        page = (tmp_path / "report.html").read_text()
        assert "forget_gate" in page
        assert METRICS[read_network(network).metric.key].name in page
