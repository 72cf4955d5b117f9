"""The study of a quantised LSTM: networks from one float network, bits, noise and costs."""

from __future__ import annotations

import dataclasses
import json
import random

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from pimsim.cli.main import cli  # noqa: E402
from pimsim.data import load  # noqa: E402
from pimsim.errors import DataError, PimsimError  # noqa: E402
from pimsim.report.html import html_of  # noqa: E402
from pimsim.report.pages import page_of, read_document  # noqa: E402
from pimsim.studies import lstm, lstm_cost  # noqa: E402
from pimsim.studies.lstm import FIGURES, Setting, Variant, bench, metric_of, missing  # noqa: E402
from pimsim.train import variants  # noqa: E402
from pimsim.train.block_recipe import BlockRecipe  # noqa: E402
from pimsim.train.variants import Quantised, variant_of  # noqa: E402
from pimsim.workload import read_network, run_reference  # noqa: E402

RECIPE = """\
name: toy-float
arithmetic: float32
data: toy.txt
test: toy.txt
unrolled: 10
network:
  - {kind: lstm, units: 10, levels: null, bits: null, dropout: 0.1}
  - {kind: dense, levels: null}
stages:
  - {name: float, epochs: 2, batch: 8, learning_rate: 0.02, warmup: 5, gradient_clip: 1.0}
"""
OWN = Variant(4, 4, 4)
FEW = OWN, Variant(2, 2, 2, start=OWN), Variant(4, 4, 4, epochs=0)


def test_the_networks_are_those_of_the_comparisons():
    """Six of all three, five of each alone; as many of the first kind rounded afterwards."""
    found = FIGURES["lstm_bits"].variants
    assert len([v for v in found if v.epochs]) == 21
    assert len([v for v in found if not v.epochs]) == 6
    assert len({v.name for v in found}) == 27
    assert {v.name for v in FIGURES["lstm_noise"].variants} == {"w4_d4_a4", "w4_d4_a4_noise"}
    assert {v.name for v in lstm_cost.cost_variants()} <= {v.name for v in found}


def test_a_network_is_trained_after_the_one_from_which_it_starts(tmp_path):
    (tmp_path / "w6_d6_a6.safetensors").touch()
    lacking = missing(FIGURES["lstm_noise"].variants, tmp_path)
    assert [v.name for v in lacking] == ["w5_d5_a5", "w4_d4_a4", "w4_d4_a4_noise"]
    assert [v.start and v.start.name for v in lacking] == ["w6_d6_a6", "w5_d5_a5", "w4_d4_a4"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A float network of a text, in its folder."""
    folder = tmp_path_factory.mktemp("toy")
    rng = random.Random(1)
    words = ("abc ", "dea ", "fgh ")
    (folder / "toy.txt").write_text("".join(rng.choice(words) for _ in range(1000)))
    (folder / "float.yaml").write_text(RECIPE)
    done = command("train", folder / "float.yaml", "-o", folder / "float", "--threads", 1)
    assert done.exit_code == 0, done.output
    return folder


def command(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def studied(toy):
    """The folder after small forms of the three figures."""
    with pytest.MonkeyPatch.context() as patch:
        for name, spec in small_figures().items():
            patch.setitem(FIGURES, name, spec)
        for figure in ("lstm_bits", "lstm_noise"):
            done = command(
                "reproduce", figure, "--out", toy / "out", "--networks", toy / "networks",
                "--start", toy / "float" / "checkpoint.pt", "--limit", 12, "--samples", 2,
                "--threads", 1,
            )  # fmt: skip
            assert done.exit_code == 0, done.output
    return toy


def small_figures():
    bits, noise = FIGURES["lstm_bits"], FIGURES["lstm_noise"]
    own, two, rounded = FEW
    trained = Setting("all three", "bits", ((4.0, own, {}), (2.0, two, {})))
    after = Setting("rounded", "bits", ((4.0, rounded, {}),))
    of_adcs = tuple((x, own, {"noise": x, "noise_point": "after"}) for x in (0.0, 2.0))
    of_weights = tuple((100 * x, own, {"weights": x}) for x in (0.0, 0.2))
    settings = Setting("plain", "ADC noise [LSB]", of_adcs), Setting("plain", "weight noise [%]",
                                                                     of_weights)  # fmt: skip
    return {
        "lstm_bits": dataclasses.replace(bits, settings=(trained, after)),
        "lstm_noise": dataclasses.replace(noise, settings=settings),
    }


def test_a_point_without_noise_is_the_exact_machine(studied):
    """A1: ADCs, DACs and cells of as many bits as the network was trained for."""
    document = read_document(studied / "out" / "lstm_bits.json")
    data = load(str(studied / "toy.txt")).limit(12)
    assert [p.network for p in document.points] == [v.name for v in FEW]
    for point in document.points:
        network = read_network(studied / "networks" / f"{point.network}.safetensors")
        run = run_reference(network, data.features)
        exact = network.metric.of_scores(network.output.trained(run.scores), data.labels).mean()
        # the output unit has weights of 8 bits
        assert point.mean == pytest.approx(exact, rel=0.02)
        assert len(point.per_sample) == 1
    own, two, rounded = document.points
    assert own.mean < two.mean
    assert own.mean < rounded.mean
    assert document.reference < own.mean * 1.5
    assert document.metric == "bits_per_character"


def test_noise_of_adcs_and_weights_costs_accuracy(studied):
    document = read_document(studied / "out" / "lstm_noise.json")
    quiet, loud, still, wild = document.points
    assert quiet.mean == pytest.approx(still.mean, rel=0.05)
    assert loud.mean > 1.05 * quiet.mean
    assert wild.mean > 1.05 * still.mean
    assert wild.std > 0
    assert "of the largest weight" in " ".join(document.our_choice)


def test_weight_noise_is_that_of_a_pair(studied):
    network = read_network(studied / "networks" / "w4_d4_a4.safetensors")
    _, device, noise = bench(network, FEW[0], {"weights": 0.1})
    sigmas = [current.value for current in device.states.spread]
    assert sigmas == pytest.approx([0.1 / np.sqrt(2)] * 8)
    assert noise.programming
    assert not noise.dynamic


def test_finished_points_and_networks_are_not_made_again(studied, monkeypatch):
    monkeypatch.setattr(lstm, "metric_of", None)
    monkeypatch.setattr(variants.BlockTrainer, "run", None)
    for name, spec in small_figures().items():
        monkeypatch.setitem(FIGURES, name, spec)
    before = json.loads((studied / "out" / "lstm_bits.json").read_text())
    done = command("reproduce", "lstm_bits", "--out", studied / "out", "--networks",
                   studied / "networks", "--limit", 12, "--samples", 2,
                   "--data", studied / "toy.txt")  # fmt: skip
    assert done.exit_code == 0, done.output
    after = json.loads((studied / "out" / "lstm_bits.json").read_text())
    assert after["points"] == before["points"]
    assert after["reference"] == before["reference"]


def test_results_are_pictures_tables_and_a_page(studied):
    for name in ("lstm_bits", "lstm_noise"):
        for end in ("svg", "png", "csv", "json"):
            assert (studied / "out" / f"{name}.{end}").stat().st_size > 100
        page = html_of(page_of(read_document(studied / "out" / f"{name}.json")))
        assert "Our choice" in page
        assert "in floating point" in page


def test_costs_on_three_chips(studied):
    """A7: energy over operations and throughput over area, by the command."""
    runs = (("lstm_4b_16nm", FEW[0]), ("digital_8b_16nm", FEW[0]))
    options = lstm_cost.RunOptions(data=str(studied / "toy.txt"), limit=4, chips=1)
    document = lstm_cost.chips_document(studied / "networks", options, runs)
    here, digital = document.points
    assert (here.operands, digital.operands) == ("4 b x 3.9 b", "4 b x 3.9 b")
    for row in document.points:
        steps = row.energy_per_inference_j / row.energy_per_step_j
        assert steps == pytest.approx(200)
        assert row.operations_per_joule * row.energy_per_step_j == pytest.approx(
            here.operations_per_joule * here.energy_per_step_j
        )
    assert len(document.published) == 7
    page = html_of(page_of(document))
    assert "Nature Communications 2025" in page
    assert "TOPS/mm2" in page


def test_what_is_missing_is_named(toy, tmp_path):
    for figure, words, message in (
        ("lstm_bits", (), "--networks.*is needed for lstm_bits"),
        ("lstm_bits", ("--networks", tmp_path), "lacks w8_d8_a8.safetensors and 26 others"),
        ("lstm_cost", ("--networks", tmp_path), "lacks w8_d8_a8.safetensors and 3 others"),
        ("fig3a", ("--networks", tmp_path), "fig3a is of LSTMs and of figures of chips"),
    ):
        with pytest.raises(PimsimError, match=message):
            command("reproduce", figure, "--out", tmp_path / "out", *words)


def recipe_of(*blocks):
    stage = {"name": "only", "epochs": 1, "learning_rate": 0.01}
    return BlockRecipe.model_validate(
        {"name": "toy", "data": "toy.npz", "network": list(blocks), "stages": [stage]}
    )


def test_a_variant_has_quantisers_everywhere():
    real = {"kind": "lstm", "units": 8, "levels": None, "bits": None, "dropout": 0.2}
    recipe = recipe_of({"kind": "quantiser", "bits": 8}, real, {"kind": "dense", "levels": None})
    first, layer, scores = variant_of(recipe, Quantised(4, 5, 6, 2, 0.05, 0.5)).network
    assert (first.bits, layer.levels, layer.bits, layer.sum_bits) == (5, 15, 5, 6)
    assert (layer.dropout, layer.cell_error, layer.sum_noise, scores.levels) == (0, 0.05, 0.5, 255)
    alone = recipe_of(real, {"kind": "dense", "levels": None})
    own = variant_of(alone, Quantised(4, 5, 6)).network[0].inputs
    assert (own.bits, own.signed) == (5, True)
    assert variant_of(alone, Quantised(4, 5, 6), is_text=True).network[0].inputs is None
    coded = recipe_of({"kind": "lstm", "units": 8}, {"kind": "dense"})
    with pytest.raises(variants.ConfigError, match="'toy' has codes already"):
        variant_of(coded, Quantised(4, 4, 4))
    with pytest.raises(variants.ConfigError, match="'toy' has no LSTM"):
        variant_of(recipe_of({"kind": "dense"}), Quantised(4, 4, 4))


def test_a_killed_training_goes_on(toy, tmp_path, monkeypatch):
    how = Quantised(4, 4, 4, epochs=2)
    start = toy / "float" / "checkpoint.pt"
    lines = []
    variants.Variants(start, tmp_path / "a", lines.append).make("net", how)

    def killed(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        variants.Variants(start, tmp_path / "b", killed).make("net", how)
    variants.Variants(start, tmp_path / "b").make("net", how)
    one, other = (read_network(tmp_path / f / "net.safetensors") for f in "ab")
    for (name, a), (_, b) in zip(one.matrices(), other.matrices(), strict=True):
        assert np.array_equal(a.levels, b.levels), name
    assert len(lines) == 3
    assert one.provenance["quantised"]["weights"] == 4


def test_metric_of_chips_is_their_own(studied):
    network = read_network(studied / "networks" / "w4_d4_a4.safetensors")
    data = load(str(studied / "toy.txt")).limit(6)
    config, device, noise = bench(network, FEW[0], {"weights": 0.1})
    found = metric_of(network, data, config, device, noise, 3, seed=1)
    again = metric_of(network, data, config, device, noise, 2, seed=1, threads=1)
    assert len(set(found.tolist())) == 3
    assert np.array_equal(found[:2], again)


def test_a_start_whose_training_was_removed_is_named(studied):
    """The network is there, its checkpoint is not; nothing is trained from something else."""
    made = variants.Variants(studied / "float" / "checkpoint.pt", studied / "others")
    with pytest.raises(DataError, match="w4_d4_a4") as found:
        made.make("w2_d2_a2", Quantised(2, 2, 2, start="w4_d4_a4"))
    assert "w4_d4_a4.safetensors" in found.value.remedy
