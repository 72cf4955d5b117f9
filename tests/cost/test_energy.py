"""Energy, area and efficiency against counts and unit costs of report.json and the YAML files."""

from __future__ import annotations

import dataclasses
import json
import math
from itertools import pairwise

import numpy as np
import pytest
import yaml
from files import bundled_chip, bundled_device, bundled_logic, write_model
from networks import random_features, random_gru

from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph
from pimsim.config import NoiseConfig, bundled_root
from pimsim.cost.area import area_items
from pimsim.cost.energy import energy_items
from pimsim.cost.operation import operation_energies
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.document import describe_run
from pimsim.studies.plan import n_steps
from pimsim.studies.prepare import prepare
from pimsim.studies.run import run

LOGIC = bundled_logic()


def si(text: str) -> float:
    """A quantity of the YAML files in SI units, without the project's own reader."""
    number, unit = text.split()
    prefixes = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6}
    bare = ("V", "F", "s", "J", "ohm", "Hz", "A", "m", "K")
    if unit == "um^2":
        return float(number) * 1e-12
    if unit == "fF/um":
        return float(number) * 1e-9
    if unit == "%":
        return float(number) / 100
    if unit in bare:
        return float(number)
    assert unit[1:] in bare, unit
    return float(number) * prefixes[unit[0]]


def read(name: str):
    return yaml.safe_load((bundled_root() / "hwconfigs" / f"{name}.yaml").read_text())


def poly(coefficients, volts):
    return sum(c * volts**power for power, c in enumerate(coefficients))


def interpolated(nm, table):
    """In the logarithm of the node, between the two of a table that are nearest."""
    low, high = max(n for n in table if n <= nm), min(n for n in table if n >= nm)
    if low == high:
        return table[low]
    share = math.log(nm / low) / math.log(high / low)
    return math.exp((1 - share) * math.log(table[low]) + share * math.log(table[high]))


# Stillmaker and Baas 2017: energy at 45, 32, 20 and 16 nm, low power; area relative to 65 nm
ENERGY_FITS = {
    45: (0.2767, -0.362, 1.103),
    32: (0.471, -0.7823, 0.9559),
    20: (0.06841, -0.14, 0.2632),
}
ENERGY_16 = poly((0.05639, -0.1187, 0.2139), 0.8)
AREAS = {45: 0.66, 32: 0.31, 20: 0.14}
# likewise delays
DELAYS = {32: (913.2, -1922.0, 1374.0, -325.9), 20: (217.5, -558.6, 514.1, -160.5)}
DELAY_16 = poly((153.6, -397.4, 366.7, -114.6), 0.8)


def to_16nm(block) -> tuple[float, float]:
    """Factors of energy and area from a block's own node and supply."""
    node, volts = round(si(block["node"]) * 1e9), si(block["supply"])
    if node == 16:
        return 1.0, 1.0
    fits = {n: poly(fit, volts) for n, fit in ENERGY_FITS.items()}
    return ENERGY_16 / interpolated(node, fits), 0.13 / interpolated(node, AREAS)


class Prices:
    """Unit costs made from the technology file alone."""

    def __init__(self) -> None:
        t = self.t = read("technology/16nm")
        assert t["corner"] == "lp"
        self.gate = self.scaled("gate", "energy_per_switching")
        self.flip = self.scaled("flip_flop", "energy_per_flip")
        assert t["gate"]["node"] == "28 nm"
        at_28 = interpolated(28, {n: poly(f, si(t["gate"]["supply"])) for n, f in DELAYS.items()})
        self.gate_delay = si(t["gate"]["delay"]) * DELAY_16 / at_28
        assert t["logic_area"]["node"] == t["clock_tree"]["node"] == t["node"]
        self.gate_area, self.flip_area = (si(t["logic_area"][k]) for k in ("gate", "flip_flop"))
        tree = 1 + si(t["clock_tree"]["tree"])
        self.clock = si(t["clock_tree"]["energy_per_cycle"]) * tree
        arithmetic, _ = to_16nm(t["arithmetic"])
        self.product = si(t["arithmetic"]["energy_per_product_bit"]) * arithmetic
        self.sum = si(t["arithmetic"]["energy_per_sum_bit"]) * arithmetic
        _, area = to_16nm(t["arithmetic_area"])
        self.product_area = si(t["arithmetic_area"]["area_per_product_bit"]) * area
        self.sum_area = si(t["arithmetic_area"]["area_per_sum_bit"]) * area
        self.memory_read = si(t["memory_read"]["energy_per_bit"]) * to_16nm(t["memory_read"])[0]
        self.memory_area = si(t["memory_area"]["area_per_bit"])
        self.off = si(t["transistor"]["off_current"]) * si(t["supply"])

    def scaled(self, block, energy):
        return si(self.t[block][energy]) * to_16nm(self.t[block])[0]

    def read(self, words):
        """A bit of a memory of so many words, latched: half of the bits change."""
        block = self.t["memory_read"]
        fixed = si(block["sensing"])
        return self.memory_read * (fixed + (1 - fixed) * words / block["words"]) + self.flip / 2


def encoder_of(chip, workload):
    """Sums' bits, multiply-accumulators, words and operand registers of both digital units."""
    encoder, output = chip["input_encoder"], chip["output_unit"]
    n_in = math.prod(workload.encoder.weights.shape[:-1])
    n_out = workload.encoder.weights.shape[-1]
    frames, macs = encoder["frames_at_once"], encoder["macs_per_cycle"]
    at_once = macs // frames
    rows, classes = workload.output.weights.shape
    return {
        "input_encoder": {
            "sums": encoder["input_bits"] + encoder["weight_bits"] + math.ceil(math.log2(n_in)),
            "macs": macs,
            "words": math.ceil(n_in * n_out / at_once),
            "operands": at_once * encoder["weight_bits"] + frames * encoder["input_bits"],
            "passes": math.ceil(n_out / at_once),
            "n_in": n_in,
            "frames": frames,
        },
        "output_unit": {
            "sums": output["weight_bits"] + math.ceil(math.log2(rows)),
            "macs": output["macs_per_cycle"],
            "words": math.ceil(rows * classes / output["macs_per_cycle"]),
            "operands": output["macs_per_cycle"] * output["weight_bits"],
        },
    }


def flip_flop_cycles(report, units, groups):
    """Flip-flops of each component and link times the cycles in which it works."""
    latency = report["latency"]
    busy = {c["component"]: c["busy_cycles"] / 4 for c in latency["components"]}  # 4 inferences
    operations = {c["component"]: c["operations"] / 4 for c in latency["components"]}
    counts = {(i["component"], i["part"]): i["count"] for i in report["area"]["items"]}
    found = 0.0
    for (component, part), count in counts.items():
        if component in ("link", "buffer"):
            found += count * busy[part]
        if component in ("gru_logic", "register"):
            # written in one cycle of each operation
            found += count * operations[part]
    for name, stage in (("input_encoder", "encoder"), ("output_unit", "output")):
        unit = units[name]
        found += (unit["macs"] * unit["sums"] + unit["operands"]) * busy[stage]
    assert busy["encoder"] == groups * units["input_encoder"]["words"]
    return found


def kept_leakage(report, prices, power):
    """A third of the leakage of weights, gathered frames and hidden bits."""
    third, found = si(power["retention"]), 0.0
    for item in report["area"]["items"]:
        gathered = "inputs" if report["latency"]["wakes"] > 1 else ""
        if item["part"] in ("weights", gathered):
            found += third * item["leakage_w"]
        if item["component"] == "gru_logic":
            found += third * item["count"] * prices.flip_area / prices.gate_area * 2 * prices.off
    return found


@pytest.mark.parametrize("kind", ["gru", "lenet"])
@pytest.mark.parametrize("interval", [None, "10 ms"])
def test_energy_is_counts_times_unit_energies(tmp_path, kind, interval):
    changes = [] if interval is None else [f"frame_interval={interval}"]
    result = run(write_model(tmp_path, kind), chips=2, set=changes, contributions=False)
    report = json.loads(json.dumps(describe_run(result)))
    chip, prices = read("chips/ba_mlw_16nm"), Prices()
    line, driver, amplifier = chip["bit_line"], chip["word_line_driver"], chip["read_out"]
    cells, rows = chip["array"]["columns"], chip["array"]["rows"]
    n = report["run"]["n_chips"] * report["run"]["n_sequences"]
    # word lines of 512 cells, and the chain of each matrix, from literals of the files
    settled, pitch = math.log(1000), math.sqrt(si(read("devices/reram")["cell"]["area"]))
    c_wl = cells * (0.2e-9 * pitch + 0.104e-15)
    up = settled * c_wl * (si(driver["resistance"]) + 0.38 * cells * 19.7e6 * pitch)
    # a driver of 10 / 1.8 smallest n-type transistors, p-type ones of twice the width, and stages
    # ahead of it of a fourth, a sixteenth, ... of its size
    c_driver = 10 / 1.8 * 3 * (0.104 + 0.05) * 1e-15 * 4 / 3
    stacked = {entry["layer"]: entry["n_stacked"] for entry in report["placement"]}
    items = {(item["component"], item["action"]): item for item in report["energy"]["items"]}
    expected, reads, precharge = {}, {}, 0.0
    node = si(chip["load"]["capacitance"]) + si(amplifier["input_capacitance"])
    thermal = 1.380649e-23 * 300 / 1.602176634e-19
    for facts in report["electrical"]:
        n_rows = rows * stacked[facts["matrix"].split(".")[0]]
        c_bl = n_rows * (2 * 0.2e-9 * pitch + 0.05e-15)
        r_bl = n_rows * 19.7e6 * 32e-9  # half of the pitch, two layers
        tau = facts["transimpedance_v_per_a"] * node
        tau += c_bl * chip["clamp"]["slope"] * thermal / facts["mean_line_current_a"]
        layer = facts["matrix"].split(".")[0]
        reads[layer] = max(reads.get(layer, 0.0), up + settled * (tau + 0.38 * r_bl * c_bl))
    for matrix, facts in zip(report["noise"]["matrices"], report["electrical"], strict=True):
        layer = matrix["matrix"].split(".")[0]
        # the strobe reaches the amplifiers of 512 lines in 5 stages of gates
        pulse = 1.4 * (reads[layer] + si(amplifier["decision_time"]) + 5 * prices.gate_delay)
        flow = pulse + facts["transimpedance_v_per_a"] * node
        key = ("array", matrix["matrix"])
        expected[key] = matrix["quantum_a"] * flow * si(line["supply"]) * items[key]["count"] / n
    for layer, of_layer in stacked.items():
        c_bl = of_layer * rows * (2 * 0.2e-9 * pitch + 0.05e-15)
        tile = next(t for t in result.chip.tiles if t.name == layer)
        component = next(c for c in result.plan.graph.tiles if c.name == layer)
        lines = 2 * tile.placement.n_lines * component.demand.n_operations
        precharge += lines * c_bl * 0.2 * si(line["supply"])
    expected["bit_line", "precharges"] = precharge
    actions, workload = report["actions"], result.prepared.network
    volts = si(prices.t["supply"])
    wire = si(prices.t["wire"]["capacitance_per_length"]) * si(chip["link"]["wire_length"])
    wire += si(prices.t["transistor"]["gate_capacitance"])
    encoder, output = chip["input_encoder"], chip["output_unit"]
    products = encoder["input_bits"] * encoder["weight_bits"]
    units = encoder_of(chip, workload)
    sum_bit = prices.sum + prices.flip / 2  # an adder, and half of an accumulator's flips
    costs = {
        ("word_line_driver", "rows_driven"): (c_wl + c_driver) * si(driver["voltage"]) ** 2,
        # a smallest gate for each row and column of an array, and a third of that ahead of them
        ("word_line_driver", "strobes"): (rows + cells) * 3 * 0.154e-15 * 4 / 3 * volts**2,
        ("sense_amplifier", "decisions"): si(amplifier["energy_per_decision"]),
        ("gru_logic", "selections"): chip["logic"]["multiplexer_gates"] * prices.gate,
        ("gru_logic", "register_flips"): prices.flip,
        ("input_encoder", "macs"): products * prices.product
        + units["input_encoder"]["sums"] * sum_bit,
        ("output_unit", "macs"): units["output_unit"]["sums"] * sum_bit,
        ("input_encoder", "input_bits_read"): prices.read(2 * units["input_encoder"]["n_in"]),
        ("link", "wire_flips"): wire * volts**2 / 2 + chip["link"]["latency"] * prices.flip,
    }
    bias = si(amplifier["cancelling_current"]) * si(line["supply"])
    bias *= 1.4 * si(amplifier["cancelling_time"])
    decisions = actions["sense_amplifier"]["decisions"]
    expected["sense_amplifier", "cancellings"] = bias * decisions / n
    for (component, action), price in costs.items():
        if action in actions.get(component, {}):
            expected[component, action] = price * actions[component][action] / n
    for component, unit in units.items():
        read_bits = actions[component]["weight_bits_read"]
        expected[component, "weight_bits_read"] = read_bits * prices.read(unit["words"]) / n
    # a group of frames shares every weight that is read
    places = actions["input_encoder"]["macs"] / n / workload.encoder.weights.size
    groups = math.ceil(places / units["input_encoder"]["frames"])
    of_group = workload.encoder.weights.size * encoder["weight_bits"]
    assert actions["input_encoder"]["weight_bits_read"] == n * groups * of_group
    assert actions["output_unit"]["weight_bits_read"] == n * (
        workload.output.weights.size * output["weight_bits"]
    )
    inputs_read = places * units["input_encoder"]["passes"] * units["input_encoder"]["n_in"]
    assert actions["input_encoder"]["input_bits_read"] == n * inputs_read * encoder["input_bits"]
    # both buffers of a link
    changes = actions["link"]["buffer_flips"]
    expected["link", "buffer_flips"] = 2 * prices.flip * changes / n
    expected["clock", "flip_flop_cycles"] = prices.clock * flip_flop_cycles(report, units, groups)
    latency, power = report["latency"], chip["power"]
    leakage = report["area"]["leakage_w"]
    expected["leakage", "awake"] = leakage * latency["awake_s"]
    if interval:
        expected["leakage", "asleep"] = kept_leakage(report, prices, power) * latency["asleep_s"]
        expected["power", "wakes"] = latency["wakes"] * si(power["energy_per_wake"])
    # a cascode has no bias of its own
    assert items.pop(("clamp", "biases"))["per_inference_j"] == 0
    found = {key: item["per_inference_j"] for key, item in items.items()}
    assert found == pytest.approx(expected, rel=1e-9)
    energy = report["energy"]
    assert sum(energy["by_component_j"].values()) == pytest.approx(energy["per_inference_j"])
    assert sum(expected.values()) == pytest.approx(energy["per_inference_j"])
    efficiency = report["efficiency"]
    operations = efficiency["operations_per_inference"]
    assert efficiency["tops"] == pytest.approx(operations / latency["interval_s"] / 1e12)
    assert efficiency["tops_per_w"] == pytest.approx(operations / energy["per_inference_j"] / 1e12)
    assert efficiency["tops_per_mm2"] == pytest.approx(
        efficiency["tops"] / (report["area"]["total_m2"] * 1e6)
    )


@pytest.mark.parametrize("kind", ["gru", "lenet"])
def test_area_is_counts_times_unit_areas(tmp_path, kind):
    result = run(write_model(tmp_path, kind), chips=1, contributions=False)
    report = json.loads(json.dumps(describe_run(result)))
    chip, device, prices = read("chips/ba_mlw_16nm"), read("devices/reram"), Prices()
    array, workload = chip["array"], result.prepared.network
    driver = chip["word_line_driver"]["area_in_gates"] * prices.gate_area
    expected = dict.fromkeys(
        ("array", "word_line_driver", "bit_line", "clamp", "sense_amplifier"), 0.0
    )
    logic_area = 0.0
    for entry, tile in zip(report["placement"], result.chip.tiles, strict=True):
        across = entry["n_arrays"] // entry["n_stacked"]
        cells = entry["n_arrays"] * array["rows"] * array["columns"]
        expected["array"] += cells * si(device["cell"]["area"])
        expected["word_line_driver"] += entry["n_arrays"] * array["rows"] * driver
        expected["bit_line"] += across * array["columns"] * si(chip["load"]["area"])
        expected["clamp"] += across * array["columns"] * si(chip["clamp"]["area"])
        amplifiers = across * array["columns"] // 2
        expected["sense_amplifier"] += amplifiers * si(chip["read_out"]["area"])
        if kind == "gru":
            bit = chip["logic"]["multiplexer_gates"] * prices.gate_area + prices.flip_area
            logic_area += tile.placement.n_lines // 2 * bit
        else:
            logic_area += tile.placement.n_lines * prices.flip_area
    expected["gru_logic" if kind == "gru" else "register"] = logic_area
    encoder, output = chip["input_encoder"], chip["output_unit"]
    units = encoder_of(chip, workload)
    products = {"input_encoder": encoder["input_bits"] * encoder["weight_bits"], "output_unit": 0}
    # two groups of frames: one is worked on while the next one comes
    inputs = 2 * units["input_encoder"]["n_in"] * encoder["frames_at_once"] * encoder["input_bits"]
    memories = {
        "input_encoder": workload.encoder.weights.size * encoder["weight_bits"] + inputs,
        "output_unit": workload.output.weights.size * output["weight_bits"],
    }
    for name, unit in units.items():
        mac = products[name] * prices.product_area
        mac += unit["sums"] * (prices.sum_area + prices.flip_area)
        of_logic = unit["macs"] * mac + unit["operands"] * prices.flip_area
        expected[name] = of_logic + memories[name] * prices.memory_area
        logic_area += of_logic
    periphery = chip["programming_periphery"]
    expected["programming_periphery"] = sum(entry["n_arrays"] for entry in report["placement"]) * (
        array["rows"] * si(periphery["area_per_row"])
        + array["columns"] * si(periphery["area_per_column"])
        + si(periphery["area_per_array"])
    )
    counts = {(item["component"], item["part"]): item["count"] for item in report["area"]["items"]}
    for component in ("link", "buffer"):
        bits = sum(count for (name, _), count in counts.items() if name == component)
        expected[component] = bits * prices.flip_area
        logic_area += expected[component]
    links = sum(1 for name, _ in counts if name == "link")
    assert counts["link", f"encoder to {report['placement'][0]['layer']}"] == chip["link"]["width"]
    assert links == len(report["placement"]) + 1
    covered = sum(expected.values())
    # wires lie between gates: arrays, what is drawn to their pitch and memories abut
    expected["wiring"] = logic_area * (1 / si(chip["layout"]["utilisation"]) - 1)
    area = report["area"]
    assert area["by_component_m2"] == pytest.approx(expected, rel=1e-9)
    assert area["total_m2"] == pytest.approx(covered + expected["wiring"])
    leaks = sum(item["leakage_w"] for item in area["items"])
    assert leaks == pytest.approx(area["leakage_w"])
    # logic leaks as gates of two transistors that are off, memory as three to a bit
    for item in area["items"]:
        is_analog = item["component"] in (
            "array", "bit_line", "clamp", "wiring", "programming_periphery",
        )  # fmt: skip
        if item["part"] in ("weights", "inputs"):
            assert item["leakage_w"] == pytest.approx(item["count"] * 3 * prices.off)
        else:
            gates = 0.0 if is_analog else item["area_m2"] / prices.gate_area
            assert item["leakage_w"] == pytest.approx(gates * 2 * prices.off)


@pytest.mark.parametrize("chip", ["ba_mlw_16nm", "adc_pim_16nm"])
def test_every_figure_says_which_blocks_it_rests_on(tmp_path, chip):
    model = write_model(tmp_path, workload=random_gru(n_levels=7))
    changes = ["frame_interval=10 ms", "network_with_converters=gru.safetensors"]
    result = run(model, chip=chip, chips=1, limit=4, contributions=False, set=changes)
    report = describe_run(result)
    known = {
        f"{file}.{entry['block']}"
        for file, entries in report["provenance"]["sources"].items()
        for entry in entries
    }
    rests_on = report["provenance"]["rests_on"]
    assert rests_on["energy"].keys() == report["energy"]["by_component_j"].keys()
    assert rests_on["area"].keys() == report["area"]["by_component_m2"].keys()
    phases = {p["phase"] for p in report["latency"]["phases"]}
    assert rests_on["latency"].keys() == phases | {"transfer"}
    for figure in rests_on.values():
        for blocks in figure.values():
            assert blocks
            assert set(blocks) <= known


def test_converters_cost_their_conversions_by_the_account_that_is_named(tmp_path):
    model = write_model(tmp_path, workload=random_gru(n_levels=7))
    changes = ["network_with_converters=gru.safetensors"]
    result = run(model, chip="adc_pim_16nm", chips=1, limit=4, contributions=False, set=changes)
    report = describe_run(result)
    conversions = report["actions"]["adc"]["conversions"] / 4
    assert report["energy"]["by_component_j"]["adc"] == pytest.approx(conversions * 0.465e-12)
    accounts = report["energy"]["by_adc_account_j"]
    assert accounts["survey"] == pytest.approx(report["energy"]["per_inference_j"])
    more = accounts["isaac"] - accounts["neurosim"]
    assert more == pytest.approx(conversions * (1.67e-12 - 76e-15))
    # two arrays' worth of pairs at 128 to a converter, for each of the two layers
    adcs = [i for i in report["area"]["items"] if i["component"] == "adc"]
    assert [(i["count"], round(i["each_m2"] * 1e12)) for i in adcs] == [(2, 2031), (2, 2031)]


def account_of(network, features, device="reram"):
    chip = build_chip(network, bundled_chip(), bundled_device(device), NoiseConfig())
    encoded = encode_inputs(chip, features)
    found = run_chips(chip, encoded, [0], 1)
    graph = chip_graph(chip, LOGIC, encoded.shape[1])
    items = energy_items(graph, found.counts, found.predictions.size)
    return encoded, {(item.component, item.action): item.energy for item in items}


def test_more_ones_cost_more():
    network = random_gru()
    features = random_features(network, 20)
    # a lower threshold of the encoder lets more of its bits be 1
    encoder = network.encoder
    lower = dataclasses.replace(encoder, thresholds=encoder.thresholds - np.float32(1.0))
    few_bits, few = account_of(network, features)
    many_bits, many = account_of(dataclasses.replace(network, encoder=lower), features)
    assert many_bits.sum() > 1.1 * few_bits.sum()
    for key in (("word_line_driver", "rows_driven"), ("array", "gru0.gate")):
        assert many[key] > few[key]
    assert many["sense_amplifier", "decisions"] == few["sense_amplifier", "decisions"]


def test_another_device_changes_what_is_made_of_cells_and_lines():
    network = random_gru()
    features = random_features(network, 20)
    found = {}
    for device in ("reram", "ideal"):
        chip = build_chip(network, bundled_chip(), bundled_device(device), NoiseConfig.ideal())
        run_ = run_chips(chip, encode_inputs(chip, features), [0], 1)
        graph = chip_graph(chip, LOGIC, 5)
        items = energy_items(graph, run_.counts, 20)
        energy = {("energy", item.component, item.action): item.energy for item in items}
        area = {("area", p.component, p.where): p.count * p.area for p in area_items(graph)}
        found[device] = energy | area
    assert found["reram"].keys() == found["ideal"].keys()
    for key, value in found["reram"].items():
        # lines are as long as their cells
        lines = ("array", "bit_line", "clamp", "word_line_driver")
        changes = key[1] == "array"
        changes |= key[0] == "energy" and key[1] in lines and value > 0
        # strobes reach rows and columns, however large the cells
        changes &= key[2] != "strobes"
        assert (value == found["ideal"][key]) == (not changes), key


def test_a_newer_node_makes_logic_cheaper_and_moves_the_lines(tmp_path):
    model = write_model(tmp_path)
    reports = [
        describe_run(run(model, chips=1, contributions=False, set=[f"chip.technology={node}"]))
        for node in ("65nm", "28nm", "16nm", "7nm")
    ]
    for older, newer in pairwise(reports):
        for figure in ("energy.by_component_j", "area.by_component_m2"):
            before, after = (by_component(report, figure) for report in (older, newer))
            for name in ("input_encoder", "output_unit", "gru_logic"):
                assert after[name] < before[name]
            # cells and amplifiers keep their sizes, which their process and matching set
            if figure.startswith("area"):
                for name in ("array", "sense_amplifier"):
                    assert after[name] == before[name]
            else:
                if (older, newer) != tuple(reports[-2:]):  # 7 nm has the transistor of 14 nm
                    assert after["word_line_driver"] != before["word_line_driver"]
                assert after["sense_amplifier"] < before["sense_amplifier"]
        # kT/C does not shrink; access transistors let a little more or less current through
        sigmas = [report["noise"]["sigma_dynamic_mv"] for report in (older, newer)]
        assert sigmas[0] == pytest.approx(sigmas[1], rel=0.01)


def by_component(report, figure: str):
    block, key = figure.split(".")
    return report[block][key]


@pytest.mark.parametrize("kind", ["gru", "lenet"])
def test_the_energies_of_single_operations_add_up_to_the_account(tmp_path, kind):
    prepared = prepare(write_model(tmp_path, kind))
    chip, seed = prepared.chip(prepared.setup.noise), 11
    graph = chip_graph(chip, LOGIC, n_steps(prepared))
    one = slice(2, 3)
    simulated = run_chips(
        chip, encode_inputs(chip, prepared.data.features[one]), [1], seed,
        sample_indices=prepared.data.sample_indices[one], keep_bits=True,
    )  # fmt: skip
    items = energy_items(graph, simulated.counts, 1)
    bits = {name: of_chip[0, 0] for name, of_chip in simulated.bits.items()}
    found = operation_energies(graph, bits, seed, 1)
    for component in graph.components:
        assert len(found[component.name]) == component.demand.n_operations
        assert (found[component.name] > 0).all()
    total = sum(float(energies.sum()) for energies in found.values())
    assert total == pytest.approx(sum(item.energy for item in items), rel=1e-9)
