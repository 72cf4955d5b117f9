"""Every study on every bundled chip works, or is refused in one sentence.

A chip or a study that is new to this table is run as well; a refusal that is not in
`REFUSED`, and one in it that no longer happens, fails.
"""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
from files import bundled_chip
from networks import random_gru, thermometer_gru

from pimsim.cli.main import main
from pimsim.config import bundled_names
from pimsim.data.catalog import load
from pimsim.workload import Network, write_network

# its pairs hold whole weights, and no network of codes has been trained for their 7 levels
WITHOUT_NETWORK = "adc_4b_16nm"
# and this one holds columns of one sign alone (tests/studies/test_unipolar_study.py)
OF_ONE_SIGN = "unipolar_16nm"
# and this one pairs of 21 levels, with a range for sums of few (tests/timing/test_one_array.py)
OF_ONE_ARRAY = "analog_kws_14nm"
CHIPS = sorted(set(bundled_names("chip")) - {WITHOUT_NETWORK, OF_ONE_SIGN, OF_ONE_ARRAY})
SWITCHES = ("programming", "drift", "rtn", "read_noise", "offset", "dynamic", "fixed_point")

# a network for each kind of chip, named by the key of the model file
LEVELS = {"network": 7, "network_with_converters": 255, "network_with_binary_weights": 2}
MODEL = """\
schema: pimsim.run/1
name: small
device: reram
chip: ba_mlw_16nm
data: synthetic-speech
chips: 1
seed: 3
limit: 2
"""

RUN = ["run", "MODEL", "--no-contributions", "--out", "OUT"]
PAGE = {"report.json", "report.html"}
COMPARED = {f"comparison.{ending}" for ending in ("json", "csv", "svg", "png")} | {"report.html"}
SWEPT = {f"sweep.{ending}" for ending in ("json", "csv", "svg", "png")} | {"report.html"}


class Study(NamedTuple):
    """A command line, with MODEL, CHIP and OUT to fill in, and what it writes into OUT."""

    arguments: list[str]
    writes: set[str]


STUDIES: dict[str, Study] = {
    "run": Study(["run", "MODEL", "--bits", "--out", "OUT"], PAGE | {"bits.npz"}),
    "two reads": Study([*RUN, "--reads", "2", "--chips", "2"], PAGE),
    "ideal": Study([*RUN, "--ideal"], PAGE),
    "another device": Study([*RUN, "--device", "pcm"], PAGE),
    "the ideal device": Study([*RUN, "--device", "ideal"], PAGE),
    **{f"{name} off": Study([*RUN, "--set", f"noise.{name}=off"], PAGE) for name in SWITCHES},
    "sigma_eval": Study([*RUN, "--set", "noise.sigma_eval=0.5"], PAGE),
    "compare": Study(
        ["compare", "MODEL", "--device", "reram", "--device", "pcm", "--out", "OUT"], COMPARED
    ),
    "sweep": Study(["sweep", "MODEL", "--axis", "device=reram,pcm", "--out", "OUT"], SWEPT),
    "floorplan": Study(["floorplan", "MODEL", "-o", "OUT/plan.svg"], {"plan.svg"}),
    "perfetto": Study(
        ["trace", "MODEL", "--format", "perfetto", "--cycles", "0:2000", "-o", "OUT/trace.json"],
        {"trace.json"},
    ),
    "vcd": Study(
        ["trace", "MODEL", "--format", "vcd", "--cycles", "0:2000", "-o", "OUT/trace.vcd"],
        {"trace.vcd"},
    ),
    "vectors": Study(["vectors", "MODEL", "--sequences", "1", "-o", "OUT/v.npz"], {"v.npz"}),
}

# what no chip of codes does, by study
OF_CODES = {
    "sigma_eval": "it is the noise of binary neurons (eq. 5), and a chip with",
}
# of a chip with two kinds of read-out: arrays so small that the second layer needs the other kind
SMALLER = {
    "ba_mlw_mixed_16nm": ["--set", "chip.array.rows=23", "--set", "chip.array.max_stack=1"],
}
REFUSED: dict[tuple[str, str], str] = {
    (chip, study): sentence
    for chip in ("adc_fitted_16nm", "adc_pim_16nm", "isaac_32nm", "lstm_4b_16nm", "digital_8b_16nm")
    for study, sentence in OF_CODES.items()
}


# errors of each kind of read-out, ten times those shipped; sums of adders have none
ERRORS = {
    "adc": ("chip.adc.gain_error=5 %", "chip.adc.offset=0.5", "chip.adc.nonlinearity=5"),
    "sense_amplifier": (
        "chip.sense_amplifier.residual_offset=20 mV",
        "chip.read_out.internal_capacitance=0.1 fF",
    ),
    "adder_tree": (),
    "multipliers": (),
    "partial_sums": (
        "chip.tall_layers.gain_error=10 %",
        "chip.tall_layers.offset=2",
        "chip.tall_layers.nonlinearity=2",
    ),
}


def kinds_of_read_outs(chip: str) -> list[str]:
    config = bundled_chip(chip)
    return [block.kind for block in (config.read_out, config.tall_layers) if block]


class Done(NamedTuple):
    code: int
    out: str
    err: str


def pimsim(*arguments: str) -> Done:
    """The command, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["pimsim", *arguments])
        patch.setenv("COLUMNS", "120")
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
            main()
    code = left.value.code
    return Done(code if isinstance(code, int) else int(code is not None), *map(str.strip, (
        out.getvalue(), err.getvalue())))  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_model(tmp_path_factory.mktemp("conformance"), random_gru)


@pytest.fixture(scope="module")
def bare_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose first array reads thermometer bits."""
    return written_model(tmp_path_factory.mktemp("bare"), thermometer_gru)


def written_model(folder: Path, make: Callable[..., Network]) -> Path:
    text = MODEL
    for key, n_levels in LEVELS.items():
        network = make(n_levels=n_levels)
        network = dataclasses.replace(network, classes=load("synthetic-speech").classes)
        write_network(network, folder / f"{key}.safetensors")
        text += f"{key}: {key}.safetensors\n"
    path = folder / "small.yaml"
    path.write_text(text)
    return path


def expect(study: Study, model: Path, folder: Path, sentence: str | None, extra: list[str]) -> Done:
    """Run a study: everything is written, or nothing, with one sentence that says why."""
    out = folder / "out"
    filled = [a.replace("MODEL", str(model)).replace("OUT", str(out)) for a in study.arguments]
    done = pimsim(*filled, *extra)
    said = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert "Traceback" not in done.err
    written = {p.name for p in out.iterdir() if p.is_file()} if out.is_dir() else set()
    if sentence is None:
        assert done.code == 0, done.err
        assert said == []
        assert written == study.writes
        assert all((out / name).stat().st_size for name in written)
    else:
        assert done.code == 2, done.err
        assert done.err.splitlines()[-1:] == said, "one sentence, and nothing after it"
        assert sentence in said[0]
        assert written == set()
    return done


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("chip", CHIPS)
def test_a_study_works_or_says_why_not(model, tmp_path, chip, study):
    sentence = REFUSED.get((chip, study))
    expect(STUDIES[study], model, tmp_path, sentence, ["--chip", chip, *SMALLER.get(chip, [])])
    out = tmp_path / "out"
    if sentence is None and "report.json" in STUDIES[study].writes:
        report = json.loads((out / "report.json").read_text())
        accuracy = report["accuracy"]
        assert len(accuracy["per_chip"]) == report["run"]["n_chips"]
        assert all(value >= 0 for value in report["energy"]["by_component_j"].values())
        # whatever acts has its energy counted
        assert report["actions"].keys() <= report["energy"]["by_component_j"].keys()
        kinds = {entry["read_out"] for entry in report["placement"]}
        assert kinds == set(kinds_of_read_outs(chip))
    if study == "run":
        # the page of a finished run, made again, is the run's own
        page = out / "report.html"
        content = page.read_bytes()
        page.unlink()
        assert pimsim("report", str(out)).code == 0
        assert page.read_bytes() == content


# studies that look at the input layer
LOOKS = ("run", "perfetto", "vcd", "vectors", "floorplan", "compare")
BARE = [(chip, "run") for chip in CHIPS] + [("ba_mlw_16nm", study) for study in LOOKS[1:]]


@pytest.mark.parametrize(("chip", "study"), BARE)
def test_thermometer_bits_go_through_every_study(bare_model, tmp_path, chip, study):
    expect(STUDIES[study], bare_model, tmp_path, None, ["--chip", chip])
    if study == "run":
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        assert report["actions"]["thermometer"]["comparisons"] == 2 * 49 * 120
        assert report["energy"]["by_component_j"]["thermometer"] > 0
        assert report["area"]["by_component_m2"]["thermometer"] > 0
        assert "input_encoder" not in report["actions"]
        resting = report["provenance"]["rests_on"]["area"]["thermometer"]
        assert resting == ["chip.thermometer", "technology.logic_area"]


@pytest.mark.parametrize("chip", CHIPS)
def test_larger_errors_of_a_read_out_are_taken(model, tmp_path, chip):
    """Of whatever kind of read-out a chip has: errors ten times those shipped."""
    keys = [key for kind in kinds_of_read_outs(chip) for key in ERRORS[kind]]
    changes = [*SMALLER.get(chip, []), *(part for key in keys for part in ("--set", key))]
    expect(Study(RUN, PAGE), model, tmp_path, None, ["--chip", chip, *changes])


def test_a_chip_without_a_network_says_so():
    done = pimsim("run", "gru", "--chip", WITHOUT_NETWORK, "--limit", "2")
    assert done.code == 2
    assert "levels per cell, and the network needs 128" in done.err


def test_every_refusal_is_of_a_bundled_chip_and_a_study():
    assert {chip for chip, _ in REFUSED} <= set(CHIPS)
    assert {study for _, study in REFUSED} <= set(STUDIES)
