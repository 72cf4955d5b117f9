"""LSTM on chips: its equations, its actions and bill, its time, and every study."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest
from code_networks import coded_lstm, features_of
from files import bundled_chip, bundled_device, bundled_logic
from test_conformance import pimsim as command

import pimsim
from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph
from pimsim.config import NoiseConfig
from pimsim.errors import MappingError, PimsimError
from pimsim.report.network import layer_table
from pimsim.simulate import encode_inputs, run_chips
from pimsim.workload import run_reference, write_network
from pimsim.workload.code_neurons import CodeNeurons

CHIP = "adc_pim_16nm"


def chip_of(network, noise=None, device="ideal", chip=CHIP):
    noise = NoiseConfig.ideal() if noise is None else noise
    return build_chip(network, bundled_chip(chip), bundled_device(device), noise)


def test_states_follow_from_decisions_by_the_equations():
    """In fractions of whole numbers, by hand: one unit and one step at a time."""
    network, n = coded_lstm(), 6
    run = run_reference(network, features_of(network, 20))
    layer = network.nodes[0].layer
    parts = [run.signals[f"first.{name}"].astype(int) for name in layer.matrices]
    forget, add, show, new = parts
    cells, reached = np.zeros((20, n), int), set()
    for step in range(forget.shape[1]):
        f, i, o, g = (part[:, step] for part in (forget, add, show, new))
        for s, unit in np.ndindex(20, n):
            exact = f[s, unit] / 255 * cells[s, unit] + i[s, unit] / 255 * (g[s, unit] - 128) / 2
            # ties go up, and lie no closer to another number than a part of the sum
            cells[s, unit] = np.clip(np.floor(exact + 0.5 + 1e-9), -255, 255)
            tanh = np.count_nonzero(layer.cell.limits[0] <= cells[s, unit]) - 128
            hidden = 8 + np.floor(o[s, unit] * tanh / (255 * 16) + 0.5 + 1e-9)
            assert run.signals["first.hidden"][s, step, unit] == np.clip(hidden, 0, 15)
            reached.add(int(cells[s, unit]))
    assert len(reached) > 50
    assert min(reached) < 0 < max(reached)


def test_cell_states_stay_within_their_range():
    network = coded_lstm(cell_bits=5)
    layer = network.nodes[0].layer
    one, zero = np.full((1, 6), 255, np.uint8), np.zeros((1, 6), np.uint8)
    memory = np.zeros((1, 6), np.int64)
    for candidate, end in ((255, 31), (0, -31)):
        decided = [one, one, zero, np.full((1, 6), candidate, np.uint8)]
        for _ in range(4):
            state = layer.next_state(decided, zero, memory, None)
        assert (memory == end).all()
        # a closed output gate shows 0
        assert (state == layer.hidden_zero).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_noisy_chips_do_not_depend_on_threads_and_batches(threads):
    network = coded_lstm()
    features = features_of(network, 13)
    chip = chip_of(network, NoiseConfig(), "reram")
    encoded = encode_inputs(chip, features)
    whole = run_chips(chip, encoded, [0, 1], 5, keep_bits=True)
    again = run_chips(chip, encoded, [0, 1], 5, keep_bits=True, batch=4, threads=threads)
    for signal, codes in whole.bits.items():
        assert np.array_equal(codes, again.bits[signal]), signal
    assert whole.counts.as_dict() == again.counts.as_dict()


def test_actions_bill_and_time_by_hand():
    network, n, n_steps, n_units = coded_lstm(), 3, 7, 6
    chip = chip_of(network)
    run = run_chips(chip, encode_inputs(chip, features_of(network, n, n_steps=n_steps)), [0], 3)
    steps = n * n_steps
    for name in ("first", "second"):
        counts = {a: run.counts.get("activation_unit", a, name)
                  for a in ("activations", "products", "sums", "mixes")}  # fmt: skip
        # four columns and tanh(c); F c, I G and O tanh(c)
        assert counts == {"activations": 5 * n_units * steps, "products": 3 * n_units * steps,
                          "sums": n_units * steps, "mixes": 0}  # fmt: skip
    costs = bundled_logic()
    component = chip_graph(chip, costs, n_steps).component("first")
    prices = {p.action: p.each for p in component.bill.prices if p.component == "activation_unit"}
    assert prices["products"] == pytest.approx(8 * 9 * costs.product_energy)
    assert prices["sums"] == pytest.approx((8 + 9) * costs.sum_energy)
    registers = [p for p in component.bill.parts if p.component == "register"]
    # 8 bits for gates and candidates, 9 for cells and 4 for states
    assert sum(p.count * p.flip_flops for p in registers) == n_units * (4 * 8 + 9 + 4)
    activate = next(phase for phase in component.phases if phase.name == "activate")
    units = chip.config.logic.units
    assert activate.cycles == -(-5 * n_units // units)
    assert {"chip.logic", "technology.arithmetic_area"} <= {
        block for p in component.bill.parts if p.component == "activation_unit"
        for block in p.rests_on
    }  # fmt: skip


STUDIES = {
    "run": {"report.json", "report.html"},
    "floorplan": {"plan.svg"},
    "trace": {"trace.json"},
    "sweep": {"sweep.json", "sweep.csv", "sweep.svg", "sweep.png", "report.html"},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model file of an LSTM and data of its own."""
    folder = tmp_path_factory.mktemp("lstm")
    network = dataclasses.replace(coded_lstm(), classes=("rest", "walk", "run", "fall"))
    write_network(network, folder / "net.safetensors")
    data = pimsim.Dataset(features_of(network, 8), np.arange(8) % 4, network.classes)
    data.save(folder / "data.npz")
    path = folder / "small.yaml"
    path.write_text(
        "schema: pimsim.run/1\nname: small\nnetworks:\n  codes: net.safetensors\ndata: data.npz\n"
        f"device: reram\nchip: {CHIP}\nchips: 1\nseed: 3\n"
    )
    return path


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_works(model, tmp_path, study):
    arguments = {
        "run": ["--no-contributions", "--out", "OUT"],
        "floorplan": ["-o", "OUT/plan.svg"],
        "trace": ["--format", "perfetto", "-o", "OUT/trace.json"],
        "sweep": ["--axis", "device=reram,pcm", "--out", "OUT"],
    }
    out = tmp_path / "out"
    done = command(study, str(model), *(a.replace("OUT", str(out)) for a in arguments[study]))
    assert done.code == 0, done.err
    assert {path.name for path in out.iterdir() if path.is_file()} == STUDIES[study]
    if study == "run":
        report = json.loads((out / "report.json").read_text())
        assert report["actions"]["activation_unit"]["products"] == 8 * 3 * 6 * 7 * 2
        assert report["energy"]["by_component_j"]["activation_unit"] > 0
        page = (out / "report.html").read_text()
        assert {"first.forget_gate", "second.candidate"} <= set(re.findall(r"[\w.]+", page))
    if study == "trace":
        events = json.loads((out / "trace.json").read_text())["traceEvents"]
        names = {event["args"].get("name") for event in events}
        assert {"first", "second", "first to second"} <= names


def test_the_table_of_layers_names_bits_and_range_of_cell_states():
    rows = [row[0].text for row in layer_table(coded_lstm()).rows]
    assert "first.forget_gate (cell states of 8 bits and sign, range 4)" in rows


def test_bits_are_refused():
    with pytest.raises(MappingError, match="neurons of first give codes of 8 bits"):
        build_chip(coded_lstm(), bundled_chip("ba_mlw_16nm"), bundled_device("ideal"),
                   NoiseConfig.ideal())  # fmt: skip


def changed(**fields):
    layer = coded_lstm().nodes[0].layer
    return dataclasses.replace(layer, **fields)


def test_what_is_wrong_with_a_layer_is_named():
    layer = coded_lstm().nodes[0].layer
    gate = layer.forget_gate
    narrow = dataclasses.replace(gate.neurons, limits=gate.neurons.limits[:, ::2][:, :127])
    of_bits = CodeNeurons(gate.neurons.limits[:, 100:101])
    bit = dataclasses.replace(gate, neurons=of_bits, thresholds=of_bits.limits[:, 0] - 1)
    wrong = [
        ({"input_gate": dataclasses.replace(gate, neurons=narrow)}, "three gates must have one"),
        ({"candidate": dataclasses.replace(gate, neurons=None)}, "need neurons of codes"),
        (dict.fromkeys(("forget_gate", "input_gate", "output_gate"), bit), "codes of 2 bits"),
        ({"cell_bits": 13}, "cell_bits is 13; it is a number from 1 to 12"),
        ({"hidden_zero": 16}, "hidden_zero is 16; it is a number from 0 to 15"),
        ({"hidden_parts": -1}, "hidden_parts is -1"),
        ({"cell_range": 0.0}, "cell_range is 0.0; it must be positive"),
        (
            {"cell": CodeNeurons(np.zeros((2, 255), np.int32))},
            "tables of tanh of 2 cell states for 6",
        ),
    ]
    for fields, message in wrong:
        with pytest.raises(PimsimError, match=message):
            changed(**fields)


ERRORS = ("programming", "drift", "rtn", "read_noise", "offset", "mismatch", "dynamic")
# what is left is the rounding of the ADCs, and of the output unit
ROUNDED = NoiseConfig(**dict.fromkeys(ERRORS, False))


def trained_for_adcs(symbols: int | None = None):
    """Two LSTMs that were trained for ADCs of 4 bits, on texts or on numbers; and data."""
    torch = pytest.importorskip("torch")
    from pimsim import nn
    from pimsim.data import Dataset

    torch.manual_seed(3)
    n_in = symbols or 7
    rng = np.random.default_rng(3)
    if symbols:
        features = rng.integers(0, symbols, (40, 13)).astype(np.uint8)
        x = torch.eye(symbols)[torch.from_numpy(features.astype(np.int64))]
        first = []
    else:
        features = (rng.normal(size=(40, 13, n_in)) * 256).round().astype(np.float32) / 256
        x = torch.from_numpy(features)
        first = [nn.Quantiser(4, [-2.0] * n_in, [2.0] * n_in, -1)]
    inputs = first[0].step if first else None
    layers = [nn.Lstm(n_in, 12, inputs=inputs, sum_bits=4), nn.Lstm(12, 10, sum_bits=4)]
    module = torch.nn.Sequential(*first, *layers, nn.Dense(10, symbols or 4, levels=255))
    with torch.no_grad():
        for layer in layers:
            for matrix in layer.matrices:
                matrix.weight.mul_(3)
                matrix.reset_range()
    module.train()(x)
    data = features
    if symbols:
        kind = {"name": "toy", "kind": "text"}
        classes = tuple("abcdefghijklmnopqrstuvwxyz"[:symbols])
        labels = np.roll(features, -1, axis=1).astype(np.int64)
        data = Dataset(features, labels, classes, **kind)
    return pimsim.export(module.eval(), x[:2], data), features


@pytest.mark.parametrize("device", ["ideal", "reram"])
@pytest.mark.parametrize("symbols", [None, 9], ids=["numbers", "text"])
def test_sums_are_rounded_once_as_in_training(symbols, device):
    """A1: the ADCs of 4 bits of a chip give every code of the exact machine."""
    network, features = trained_for_adcs(symbols)
    assert network.encoder.kind == ("one_hot" if symbols else "quantiser")
    chip = chip_of(network, ROUNDED, device, "lstm_4b_16nm")
    for part in chip.matrices:
        assert part.read_out.top == 7
        assert part.read_out.step * 7 == part.matrix.adc_range > 7
    exact = run_reference(network, features)
    encoded = encode_inputs(chip, features)
    run = run_chips(chip, encoded, [0, 1], 5, keep_bits=True)
    again = run_chips(chip, encoded, [0, 1], 5, keep_bits=True, batch=7, threads=2)
    for signal, codes in exact.signals.items():
        assert np.array_equal(run.bits[signal], again.bits[signal]), signal
        for own in run.bits[signal]:
            assert np.array_equal(own, codes), signal
    # ADCs clip, and their codes are few
    assert run.counts.clipped_share(network.nodes[0].name) > 0
    states = exact.signals[network.nodes[1].output]
    assert len(np.unique(states)) > 4


def test_another_adc_is_not_that_of_the_training():
    network, features = trained_for_adcs()
    config = bundled_chip("lstm_4b_16nm")
    exact = run_reference(network, features)
    for block, change in (("read_out", {"range": "calibrated"}), ("read_out", {"bits": 3}),
                          ("drive", {"signed_codes": "offset"})):  # fmt: skip
        other = getattr(config, block).model_copy(update=change)
        chip = build_chip(network, config.model_copy(update={block: other}),
                          bundled_device("ideal"), ROUNDED)  # fmt: skip
        run = run_chips(chip, encode_inputs(chip, features), [0], 5, keep_bits=True)
        name = network.nodes[0].output
        assert not np.array_equal(run.bits[name][0], exact.signals[name]), change
