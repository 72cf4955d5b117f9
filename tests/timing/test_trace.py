"""Traces, read back by others: bits are the simulator's, slices add up to the cycles."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from signal import SIGPIPE, getsignal
from signal import signal as handle_signal

import numpy as np
import pytest
from code_networks import (
    coded_cnn,
    coded_depthwise,
    coded_gru,
    coded_lstm,
    coded_reset_gru,
    features_of,
)
from files import bundled_logic, write_model

from pimsim import Dataset
from pimsim.chip.graph import chip_graph
from pimsim.errors import ConfigError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.plan import n_steps
from pimsim.studies.prepare import prepare
from pimsim.studies.trace import write_trace
from pimsim.timing.engine import Status
from pimsim.timing.schedule import run_cycles
from pimsim.timing.trace import operation_signals

# its import lets a pipe that breaks kill the process, and that would be the whole test run
_before = getsignal(SIGPIPE)
vcdvcd = pytest.importorskip("vcdvcd")


def graph_of(model):
    return chip_graph(model.chip(model.setup.noise), bundled_logic(), n_steps(model))


handle_signal(SIGPIPE, _before)


@pytest.fixture(params=["gru", "lenet"])
def model(request, tmp_path):
    return prepare(write_model(tmp_path, request.param))


def test_perfetto_slices_nest_and_add_up_to_the_busy_cycles(model, tmp_path):
    path, cycles = write_trace(model, tmp_path / "a.json", "perfetto", (0, None))
    trace = json.loads(path.read_text())
    clock = trace["otherData"]["clock_hz"]
    run = run_cycles(graph_of(model), inferences=1)
    assert run.cycles == cycles
    names = {e["tid"]: e["args"]["name"] for e in trace["traceEvents"] if e["ph"] == "M"}
    assert list(names.values()) == [stage.name for stage in run.stages]
    for event in trace["traceEvents"]:
        assert event["ph"] in ("M", "X")
        assert event["pid"] == 1
        assert event["tid"] in names
        if event["ph"] == "X":
            assert event["ts"] >= 0
            assert event["dur"] > 0
    for track, name in names.items():
        slices = [e for e in trace["traceEvents"] if e["ph"] == "X" and e["tid"] == track]
        whole = [e for e in slices if e["name"] == name]
        parts = [e for e in slices if e["name"] != name]
        busy = run.stage(name).activity.cycles[Status.BUSY]
        for found in (whole, parts):
            assert sum(e["dur"] for e in found) * clock / 1e6 == pytest.approx(busy)
        ends = [(e["args"]["cycle"], e["dur"] * clock / 1e6) for e in whole]
        for part in parts:
            begin, end = part["args"]["cycle"], part["args"]["cycle"] + part["dur"] * clock / 1e6
            assert any(b <= begin and end <= b + d + 1e-6 for b, d in ends)


def test_the_bits_of_a_vcd_are_those_of_the_simulator(model, tmp_path):
    path, cycles = write_trace(
        model, tmp_path / "a.vcd", "vcd", (0, None), chip_index=2, sequence=3
    )
    chip = model.chip(model.setup.noise)
    features, samples = model.data.features[3:4], model.data.sample_indices[3:4]
    simulated = run_chips(
        chip, encode_inputs(chip, features), [2], model.setup.run.seed,
        sample_indices=samples, keep_bits=True,
    )  # fmt: skip
    bits, driven = simulated.bits, 0
    run = run_cycles(graph_of(model), inferences=1)
    read = vcdvcd.VCDVCD(str(path))
    period = round(1e12 / chip.config.clock.frequency)
    assert len([v for _, v in read["chip.clock"].tv if v == "1"]) == cycles
    for tile in chip.tiles:
        stage = run.stage(tile.name)
        recurrent = f"{tile.name}.hidden" in bits
        signals = ("gate", "candidate", "hidden") if recurrent else ("sense",)
        for signal in signals:
            expected = bits[f"{tile.name}.{signal}" if recurrent else tile.name][0, 0]
            expected = expected.reshape(-1, expected.shape[-1])
            name = next(n for n in read.signals if n.startswith(f"chip.{tile.name}.{signal}"))
            # the writing phase is the last, of one cycle; decisions stand before it
            back = 0 if signal == "hidden" else 1
            for index, end in enumerate(stage.activity.finished):
                shown = read[name][(end - back) * period]
                whole = shown.zfill(expected.shape[1])
                assert [int(b) for b in whole[::-1]] == expected[index].tolist()
        lines = next(n for n in read.signals if n.startswith(f"chip.{tile.name}.word_lines"))
        driven += sum(v.count("1") for _, v in read[lines].tv)
    assert driven == simulated.counts.as_dict()["word_line_driver"]["rows_driven"]


def test_only_the_cycles_asked_for_are_shown(tmp_path):
    model = prepare(write_model(tmp_path, "gru"))
    path, _ = write_trace(model, tmp_path / "a.json", "perfetto", (100, 200))
    events = [e for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"]
    assert events
    assert all(100 <= e["args"]["cycle"] < 200 for e in events)
    path, _ = write_trace(model, tmp_path / "a.vcd", "vcd", (100, 200))
    times = [t for t, _ in vcdvcd.VCDVCD(str(path))["chip.clock"].tv if t > 0]
    assert np.min(times) >= 100 * 10_000
    with pytest.raises(ConfigError, match=r"--cycles.*the inference takes \d+ cycles"):
        write_trace(model, tmp_path / "b.vcd", "vcd", (10**7, None))
    with pytest.raises(ConfigError, match="--sequence.*sequences 0 to 11"):
        write_trace(model, tmp_path / "b.vcd", "vcd", (0, None), sequence=12)
    assert not (tmp_path / "b.vcd").exists()


def test_a_range_that_is_none_is_refused(tmp_path):
    model = write_model(tmp_path, "gru")
    command = [sys.executable, "-m", "pimsim", "trace", str(model), "-o", str(tmp_path / "x")]
    done = subprocess.run([*command, "--cycles", "5-7"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "no range such as 0:200" in done.stderr


def test_chips_with_adcs_have_slices_of_their_own_phases(tmp_path):
    model = prepare(write_model(tmp_path), {"chip": "adc_pim_16nm"},
                    ["network_with_converters=gru.safetensors"])  # fmt: skip
    path, _ = write_trace(model, tmp_path / "a.json", "perfetto", (0, 2000))
    slices = [e for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"]
    assert {"integrate", "convert", "activate"} <= {event["name"] for event in slices}


NETWORKS = (coded_cnn, coded_depthwise, coded_gru, coded_reset_gru, coded_lstm)


@pytest.mark.parametrize("chip", ["adc_pim_16nm", "lstm_4b_16nm", "digital_8b_16nm"])
@pytest.mark.parametrize("make", NETWORKS)
def test_the_codes_of_a_vcd_are_those_of_the_simulator(make, chip, tmp_path):
    network = make()
    data = Dataset(features_of(network, 2), np.zeros(2, np.int64), network.classes)
    model = prepare(network, {"chip": chip, "data": data})
    path, _ = write_trace(model, tmp_path / "a.vcd", "vcd", (0, None), chip_index=1, sequence=1)
    drawn = model.chip(model.setup.noise)
    found = run_chips(
        drawn, encode_inputs(drawn, data.features[1:]), [1], model.setup.run.seed,
        sample_indices=data.sample_indices[1:], keep_bits=True,
    )  # fmt: skip
    bits = {name: values[0, 0] for name, values in found.bits.items()}
    run, text = run_cycles(graph_of(model), inferences=1), path.read_text()
    read, period = vcdvcd.VCDVCD(str(path)), round(1e12 / drawn.config.clock.frequency)
    for tile in drawn.tiles:
        stage, signals = run.stage(tile.name), operation_signals(drawn, tile, bits)
        state = tile.node.layer.output
        for signal, expected in signals.items():
            name = next(
                n for n in read.signals if re.fullmatch(rf"chip\.{tile.name}\.{signal}(\[.*)?", n)
            )
            width = int(read[name].size) // expected.shape[1]
            declared = re.search(rf"parameter 32 (\S+) {signal}_bits", text)
            assert (width > 1) <= (declared is not None)
            for index, end in enumerate(stage.activity.finished):
                # rows stand from the beginning on, codes from the end of the last phase
                at = stage.activity.started[index] if signal == "word_lines" else end
                whole = read[name][at * period].zfill(int(read[name].size))
                parts = [whole[k : k + width] for k in range(0, len(whole), width)]
                assert [int(part, 2) for part in parts[::-1]] == expected[index].tolist()
        assert state in ("", "hidden")
