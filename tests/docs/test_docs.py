"""What the documentation says is so: its code runs, its keys exist, its links lead somewhere."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shlex
import sys

import click
import numpy as np
import pytest
from code_networks import coded_cnn, coded_gru, coded_lstm, coded_reset_gru, features_of
from files import write_model
from networks import random_gru, random_lenet, random_mlp, random_tensor, thermometer_gru
from pages import DOCS, PAGES, ROOT, blocks, keys, name, rows, section
from pydantic import BaseModel
from rich.console import Console
from safetensors import safe_open
from test_house import GROUND, MAY_IMPORT
from text_networks import text_bits, text_codes

from pimsim import Dataset
from pimsim.chip.cells import CELLS
from pimsim.chip.drive import DRIVES
from pimsim.chip.encoder import ENCODER_UNITS
from pimsim.chip.front_end import FRONT_ENDS
from pimsim.chip.logic import LOGIC, LOGIC_CIRCUITS
from pimsim.chip.read_out import READ_OUTS
from pimsim.chip.repair import REPAIRS
from pimsim.chip.tile_components import TILE_COMPONENTS
from pimsim.circuits.spice import AMPLIFIERS
from pimsim.cli.main import COMMANDS, command_of
from pimsim.config import (
    Certainty,
    ChipConfig,
    DeviceConfig,
    RunConfig,
    TechnologyConfig,
    bundled_names,
    read_yaml,
    validate,
)
from pimsim.config.kinds import alternatives
from pimsim.config.validation import ValidationCase
from pimsim.devices.measurements import NAMES
from pimsim.mapping.row_order import ROW_ORDERS
from pimsim.mapping.weights import WEIGHT_CODINGS
from pimsim.report.documents.costs import FeatureExtractorFacts
from pimsim.report.documents.noise import HalfLevelFacts, LossFacts, VariationFacts, VariogramFacts
from pimsim.report.pages import document_of, page_of
from pimsim.report.terminal import print_page
from pimsim.report.words import SOURCES
from pimsim.simulate.backends import BACKENDS
from pimsim.studies.prepare import prepare
from pimsim.studies.run import run
from pimsim.studies.vectors import write_vectors
from pimsim.workload import Running, write_network
from pimsim.workload.encoders import ENCODERS
from pimsim.workload.inputs import INPUTS
from pimsim.workload.layers import LAYERS
from pimsim.workload.metrics import METRICS

SCHEMAS = {
    "pimsim.device/2": DeviceConfig,
    "pimsim.chip/3": ChipConfig,
    "pimsim.technology/2": TechnologyConfig,
    "pimsim.run/1": RunConfig,
}
SOURCED = {"source", "certainty"}
TEXTS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=name)
def test_python_blocks_run_in_order(page, readers_folder, monkeypatch, capsys):
    monkeypatch.chdir(readers_folder)
    monkeypatch.setattr(sys, "argv", ["check_vectors.py", "bench.npz"])
    names = {"__name__": "a page"}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)
    assert capsys.readouterr().out


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        assert not anchor, f"{target}: anchors are not checked, so they are not used"
        assert (page.parent / path).exists(), f"{name(page)} names {target}"


def test_every_page_is_reached_from_the_index():
    index = (DOCS / "index.md").read_text()
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)]+\.md)\)", index)}
    assert linked == {page.resolve() for page in PAGES} - {(DOCS / "index.md").resolve()}


def commands(page):
    """Argument lists of the `pimsim` commands in a page's shell blocks or indented lines."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    lines += re.findall(r"^    (pimsim .*)$", page.read_text(), re.MULTILINE)
    words = [shlex.split(line, comments=True) for line in lines]
    return [found[1:] for found in words if found and found[0] == "pimsim"]


@pytest.mark.parametrize("page", [p for p in TEXTS if commands(p)], ids=name)
def test_commands_have_the_options_that_are_shown(page):
    for command_name, *arguments in commands(page):
        assert command_name in COMMANDS
        command = command_of(command_name)
        if isinstance(command, click.Group):
            command, arguments = command.commands[arguments[0]], arguments[1:]
        command.make_context(command_name, arguments).close()


def yaml_blocks():
    return [
        pytest.param(block, id=f"{name(page)}-{i}")
        for page in PAGES
        for i, block in enumerate(blocks(page, "yaml"))
    ]


@pytest.mark.parametrize("text", yaml_blocks())
def test_yaml_blocks_are_valid(text, tmp_path):
    (tmp_path / "shown.yaml").write_text(text)
    source = read_yaml(tmp_path / "shown.yaml")
    if "stages" in source.tree:
        pytest.importorskip("torch")
        from pimsim.train.recipe import read_recipe

        read_recipe(tmp_path / "shown.yaml")
        return
    validate(source, SCHEMAS[source.tree["schema"]])


def test_the_files_shown_run_together(tmp_path):
    page = DOCS / "devices_and_chips.md"
    for file, text in zip(("my_cell", "my_chip", "model"), blocks(page, "yaml"), strict=True):
        (tmp_path / f"{file}.yaml").write_text(text)
    write_model(tmp_path)
    (tmp_path / "gru.safetensors").rename(tmp_path / "gru_w7.safetensors")
    result = run(tmp_path / "model.yaml", chips=2, limit=4, contributions=False)
    assert result.prepared.setup.device.name == "my cell"
    assert result.prepared.setup.chip.name == "my chip"
    assert result.chip.matrices[0].cell.age == 7 * 86400


def fields(model: type[BaseModel]) -> set[str]:
    """Keys of a schema and of all blocks in it."""
    found = set()
    for key, info in model.model_fields.items():
        found |= {info.alias or key}.union(*map(fields, alternatives(info)))
    return found


def test_every_key_of_a_yaml_file_is_documented_and_no_other():
    page = DOCS / "devices_and_chips.md"
    known = set().union(*map(fields, SCHEMAS.values()))
    assert keys(page.read_text()) == known
    blocks_of = (ChipConfig, DeviceConfig, TechnologyConfig)
    of_all = {name: info for model in blocks_of for name, info in model.model_fields.items()}
    for heading, block in of_all.items():
        models = alternatives(block)
        # tall_layers has the keys of read_out
        if not models or heading in ("drift", "rtn", "read_noise", "tall_layers"):
            continue
        assert keys(section(page, heading)) == set().union(*map(fields, models)) - SOURCED
    drift = fields(DeviceConfig) & set().union(
        *map(fields, alternatives(DeviceConfig.model_fields["drift"]))
    )
    assert keys(section(page, "drift")) == drift - SOURCED


def test_every_key_of_a_validation_file_is_documented_and_every_bundled_case():
    page = DOCS / "validation.md"
    named = keys(section(page, "A case file")) | set(re.findall(r"`(\w+)`", page.read_text()))
    assert fields(ValidationCase) - {"source", "certainty"} <= named
    table = rows(page.read_text().split("## A case")[0])
    cases = {case for row in table for case in re.findall(r"`([^`]+)`", row[0])}
    assert cases == set(bundled_names("validation"))


def test_every_key_of_a_recipe_is_documented_and_no_other():
    pytest.importorskip("torch")
    from pimsim.train.augment import Augmentation
    from pimsim.train.recipe import Recipe

    known = fields(Recipe) | set(Augmentation.__dataclass_fields__) | {"after"}
    tables = section(DOCS / "training.md", "Recipes")
    assert keys(tables) == known


def test_every_key_of_a_block_recipe_is_documented():
    pytest.importorskip("torch")
    from pimsim.train.block_recipe import BlockAugmentation, BlockRecipe, BlockStage
    from pimsim.train.blocks import (
        Conv2dBlock,
        DenseBlock,
        GruBlock,
        LstmBlock,
        QuantiserBlock,
        ThermometerBlock,
    )

    tables = section(DOCS / "train_your_own.md", "Recipes")
    of_tables = (BlockRecipe, BlockStage, BlockAugmentation)
    known = set().union(*(model.model_fields for model in of_tables))
    kinds = {"quantiser", "thermometer", "dense", "conv2d", "residual", "gru", "lstm"}
    kinds |= {"maxpool", "avgpool"}
    assert keys(tables) - set(bundled_names("recipe")) == known | kinds
    for model in (QuantiserBlock, ThermometerBlock, DenseBlock, Conv2dBlock, GruBlock, LstmBlock):
        for key in model.model_fields:
            assert f"`{key}`" in tables, (model.__name__, key)


def test_the_words_of_certainty_are_documented():
    page = DOCS / "devices_and_chips.md"
    first = section(page, "Rules of all files").split("The words of", 1)[1]
    assert {row[0] for row in rows(first)} == {word.value for word in Certainty}


def test_every_key_of_a_report_is_documented_and_no_other(readers_folder):
    page = DOCS / "report.md"
    report = json.loads((readers_folder / "report.json").read_text())
    assert keys(section(page, "report.json, schema 1").split("###")[0]) == {
        *report,
        "bits_per_character",  # of a network on text, which this report is not of
    }
    for heading in ("run", "provenance"):
        assert keys(section(page, heading)) == report[heading].keys()
    accuracy = report["accuracy"]
    assert keys(section(page, "accuracy")) == accuracy.keys() | accuracy["yield"].keys()
    noise = report["noise"]
    switches = noise["switches"]
    parts = (
        switches,
        switches["faults"],
        noise["contributions"][0],
        noise["ties"],
        noise["matrices"][0],
        noise["temperature"],
        noise["temperature"]["moves"][0],
    )
    # of a chip with half-level thresholds, which this report is not of
    half_levels = dict.fromkeys(HalfLevelFacts.model_fields)
    # of a device with cells that have something in common, likewise
    common = [
        dict.fromkeys(part.model_fields) for part in (VariationFacts, VariogramFacts, LossFacts)
    ]
    tables = (noise, *parts, half_levels, *common)
    assert keys(section(page, "noise")) == set().union(*(table.keys() for table in tables))
    latency = report["latency"]
    tables = (latency, latency["phases"][0], latency["components"][0])
    assert keys(section(page, "latency")) == set().union(*(table.keys() for table in tables))
    extractor = dict.fromkeys(FeatureExtractorFacts.model_fields)
    tables = (report["energy"], report["energy"]["items"][0], extractor)
    assert keys(section(page, "energy")) == set().union(*(table.keys() for table in tables))
    tables = (report["area"], report["area"]["items"][0])
    assert keys(section(page, "area")) == set().union(*(table.keys() for table in tables))
    efficiency = report["efficiency"]
    tables = (efficiency, efficiency["scopes"][0], efficiency["silicon"][0])
    assert keys(section(page, "efficiency")) == set().union(*(table.keys() for table in tables))
    once = report["programming"]["once"]
    tables = (report["programming"], once, once["layers"][0])
    assert keys(section(page, "programming")) == set().union(*(table.keys() for table in tables))
    assert keys(section(page, "electrical")) == report["electrical"][0].keys()
    assert keys(section(page, "plausibility")) == report["plausibility"][0].keys()
    assert keys(section(page, "placement")) == report["placement"][0].keys()
    actions, component = set(), ""
    for first, action, _ in rows(section(page, "actions")):
        component = first.strip("`") or component
        actions.add((component, action.strip("`")))
    counted = {(c, action) for c, done in report["actions"].items() for action in done}
    # of a network on thermometer bits, which this report is not of
    of_bits = {("thermometer", a) for a in ("features", "comparisons", "register_flips")}
    assert actions == counted | of_bits
    provenance = section(page, "provenance")
    for table in ("files", "data", "packages"):
        for key in report["provenance"][table]:
            assert f"`{key}`" in provenance
    for key in report["provenance"]["sources"]["chip"][0]:
        assert f"`{key}`" in provenance


def test_bits_npz_has_the_shapes_that_are_documented(readers_folder, tmp_path):
    with np.load(readers_folder / "bits.npz") as bits:
        assert bits["predictions"].shape == (3, 6)
        assert bits["encoder"].shape == (3, 6, 49, 2)
        assert bits["gru0.hidden"].shape == (3, 6, 49, 2)
        assert bits["gru0.hidden.n"] == 12
        assert bits["labels"].dtype == bits["predictions"].dtype == np.int64
    for workload, shapes in {
        "lenet": {"encoder": (24, 24, 4), "maxpool0": (12, 12, 4), "dense3": (20,)},
        "mlp": {"encoder": (30,), "dense1": (13,)},
    }.items():
        network = random_lenet() if workload == "lenet" else random_mlp()
        model = write_model(tmp_path, workload, network)
        result = run(model, chips=1, limit=2, keep_bits=True, contributions=False)
        for key, shape in shapes.items():
            assert result.chips.bits[key].shape == (1, 2, *shape)


# decisions that a sentence names
OTHER_DECISIONS = {
    f"<layer>.{name}"
    for name in (
        "forget_gate", "input_gate", "output_gate", "update", "reset", "below", "recurrent")
}  # fmt: skip


def some_data(network):
    features = features_of(network, 2)
    return Dataset(features, np.zeros(2, np.int64), network.classes)


def test_every_array_and_fact_of_test_vectors_is_documented(readers_folder, tmp_path):
    page = DOCS / "vectors.md"
    lenet = write_vectors(prepare(write_model(tmp_path, "lenet")), 0, 2, tmp_path / "lenet.npz")
    changes = ("chip.array.rows=23", "chip.array.max_stack=1")
    tall = prepare(write_model(tmp_path, chip="ba_mlw_mixed_16nm"), {}, changes)
    tall_path = write_vectors(tall, 0, 1, tmp_path / "tall.npz")
    coded = [
        write_vectors(
            prepare(network, {"chip": "lstm_4b_16nm", "data": some_data(network)}),
            0,
            1,
            tmp_path / f"{index}.npz",
        )
        for index, network in enumerate((coded_lstm(), coded_reset_gru()))
    ]
    documented = {
        key: row[2]
        for heading in (
            "Arrays of every file", "Arrays of codes", "Bits and codes of a recurrent network",
            "Bits and codes of a feedforward network")
        for row in rows(section(page, heading))
        for key in [row[0].strip("`")]
    }  # fmt: skip
    seen = set()
    logic: set[str] = set()
    for path in (readers_folder / "bench.npz", *coded, lenet, tall_path):
        with np.load(path, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            layers = "|".join(layer["name"] for layer in facts["layers"])
            for key in file.files:
                shown = re.sub(rf"^({layers}|maxpool\d+)\b", "<layer>", key)
                if shown in OTHER_DECISIONS:
                    continue
                kind = "text" if key == "facts" else str(file[key].dtype)
                assert documented[shown] == kind, key
                seen.add(shown)
            logic |= set().union(*(layer.get("logic", {}) for layer in facts["layers"]))
    assert seen == documented.keys()
    # of the last file, whose second layer is converted
    tables = (facts, facts["layers"][1], facts["layers"][1]["matrices"][0], dict.fromkeys(logic))
    known = set().union(*(table.keys() for table in tables))
    assert keys(section(page, "Facts")) == known


def test_every_entry_of_a_network_file_is_documented_and_no_other(tmp_path):
    page = DOCS / "workload_file.md"
    tensors, known = set(), set()
    plain = random_gru()
    heard = {"level": 150.0, "running": Running(130.0, 0.0625, 6), "transform": "none"}
    level = dataclasses.replace(plain, input=dataclasses.replace(plain.input, **heard))
    others = (random_lenet(), random_mlp(), random_tensor(), thermometer_gru())
    lstm = coded_lstm()
    gate = dataclasses.replace(lstm.nodes[0].layer.forget_gate, adc_range=2.0)
    layer = dataclasses.replace(lstm.nodes[0].layer, forget_gate=gate)
    node = dataclasses.replace(lstm.nodes[0], layer=layer)
    lstm = dataclasses.replace(lstm, nodes=(node, *lstm.nodes[1:]))
    coded = (coded_cnn(), coded_gru(), coded_reset_gru(), lstm, text_bits(), text_codes())
    half = dataclasses.replace(plain.nodes[0].layer.gate, half_levels=True)
    raised = dataclasses.replace(plain.nodes[0].layer, gate=half)
    first = dataclasses.replace(plain.nodes[0], layer=raised)
    raised_network = dataclasses.replace(plain, nodes=(first, *plain.nodes[1:]))
    for network in (plain, level, raised_network, *others, *coded):
        path = write_network(network, tmp_path / "network.safetensors")
        with safe_open(path, framework="numpy") as file:
            header = json.loads(file.metadata()["pimsim"])
            names = "|".join(node["name"] for node in header["nodes"])
            found = {re.sub(rf"^({names})\b", "<node>", key) for key in file.keys()}  # noqa: SIM118
            # several matrices of a layer have their entries under their own names
            found = {
                re.sub(r"\.(update|reset|below|recurrent|\w+_gate)\.", ".gate.", key)
                for key in found
            }
            tensors |= {re.sub(r"\.(gate|candidate)\.neurons", ".neurons", key) for key in found}
        known |= keys_in(header)
    assert keys(section(page, "Tensors")) == tensors
    assert keys(section(page, "Header")) == known


def keys_in(tree) -> set[str]:
    if isinstance(tree, list):
        return set().union(*map(keys_in, tree))
    if not isinstance(tree, dict):
        return set()
    return set(tree).union(*map(keys_in, tree.values()))


def test_the_lines_of_the_terminal_are_those_in_the_quickstart(readers_folder):
    console = Console(file=io.StringIO(), width=1000)
    report = json.loads((readers_folder / "report.json").read_text())
    # lines that only some reports have
    report["latency"]["frame_interval_s"] = 0.01
    report["plausibility"][0]["passes"] = False
    print_page(page_of(document_of(report)), console)
    # sources that this device lacks are not in its table; the command itself adds the last line
    said = "\n".join([console.file.getvalue(), *SOURCES.values(), "report: here"])
    for line in keys(section(DOCS / "quickstart.md", "What the terminal says")):
        assert re.search(re.escape(line).replace(r"\.\.\.", ".*"), said), line


def test_the_architecture_names_every_folder_and_every_arrow():
    page = DOCS / "architecture.md"
    folders = keys(section(page, "Folders"))
    for room in MAY_IMPORT:
        assert {f"pimsim/{room}/", f"pimsim/{room}.py"} & folders, room
    for path in folders:
        assert (ROOT / path).exists(), path
    shown = {row[0].strip("`"): set(re.findall(r"\w+", row[1]))
             for row in rows(section(page, "Imports"))}  # fmt: skip
    assert shown == {room: may - GROUND for room, may in MAY_IMPORT.items() if room not in GROUND}
    columns = {"The walk of a weight": 1, "The walk of a bit": 1, "The walk of a joule": 1,
               "The walk of an option": 1, "Kinds": 1, "Where to add": 2}  # fmt: skip
    for heading, column in columns.items():
        for row in rows(section(page, heading)):
            for path in re.findall(r"`([\w/.]+(?:\.py|/))`", row[column]):
                assert (ROOT / "pimsim" / path).exists() or (ROOT / path).exists(), path


def test_the_architecture_names_every_member_of_every_kind():
    members = {
        "LAYERS": LAYERS, "INPUTS": INPUTS, "METRICS": METRICS,
        "ENCODERS": ENCODERS, "ENCODER_UNITS": ENCODER_UNITS,
        "DRIVES": DRIVES, "FRONT_ENDS": FRONT_ENDS,
        "WEIGHT_CODINGS": WEIGHT_CODINGS, "READ_OUTS": READ_OUTS, "LOGIC": LOGIC,
        "LOGIC_CIRCUITS": LOGIC_CIRCUITS, "CELLS": CELLS,
        "TILE_COMPONENTS": TILE_COMPONENTS, "BACKENDS": BACKENDS, "AMPLIFIERS": AMPLIFIERS,
        "REPAIRS": REPAIRS, "ROW_ORDERS": ROW_ORDERS,
    }  # fmt: skip
    for row in rows(section(DOCS / "architecture.md", "Kinds")):
        named = members.pop(row[2].strip("`"))
        assert len(row[3].split(", ")) == len(named), row[0]
    assert not members


def test_every_bundled_device_is_documented_and_no_other():
    assert keys(section(DOCS / "devices.md", "The bundled devices")) == set(bundled_names("device"))


def test_every_column_of_measured_cells_is_documented():
    page = DOCS / "devices.md"
    table = rows(section(page, "A device from measurements"))
    shown = {key.strip("`"): set(re.findall(r"`(\w+)`", also)) for key, also, _ in table}
    assert shown == {name: set(also) - {name} for name, also in NAMES.items()}
