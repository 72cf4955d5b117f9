"""The walk of values: whatever number or name a file or an option holds, a command ends well.

Every leaf of every hardware file and key of a model file over many decades, every number, quantity
and word of every command. None may end in a traceback, a hang, a gigabyte, or a result that is no
number. The whole grid is slow; the plain tests take a part of it.
"""

from __future__ import annotations

import pytest
from command_walk import CALLS, Parameter, Role, Runner, call, is_installed, parameters
from files import write_model
from values import Lab, files_read_once, leaves, values_of

NUMBERS = (
    "0", "-1", "010", "1:20", "1e2", "1_0", "1.5", "nan", "0x10", "1;2", "--", "2147483648",
    "18446744073709551616", "", "9" * 400, "\u0663", "\u221e",
)  # fmt: skip
QUANTITIES = (
    "0", "0 s", "-1 s", "1e300 s", "5e-324 s", "nan s", "inf s", "1 parsec", "1 s s", "9^9 s", "",
    "1 s - s", "1_0 s", "x" * 5000, "1 s,", ",", "ci=", "ci=nan", "ci=0%", "900 %", "1e-300 %",
    "1e300 V", "1e300 um^2", "-300 degC",
)  # fmt: skip
ASSIGNMENTS = (
    "=", "a", "a=", "=1", ".=1", "noise..x=1", "seed=1e999", "seed=010", "seed=1:20", "chip=",
    "chip.=1", "chip.array=1", "chip.array.rows=[", "seed=0:inf:1", "seed=0:1:inf",
    "seed=0:1e1000000:1", "seed=0:1:0", "seed=1e99999999:1e99999999:1", "seed=0:1:1e-1000000",
    "seed=1,1", "seed=1,,2", "name==1+1", "limit=1:9999999999:1", "current=furlong", "",
    "name=\x1b[31m", "current=9^9 A", "x" * 5000 + "=1",
)  # fmt: skip
WORDS = (
    "", "x" * 300, "\x1b[31mred", "\u202eleft", "=1+1", "$\\frac{1$", "../../x", "a\nb", "{}",
    "%s",
)  # fmt: skip
VALUES = {
    Role.NUMBER: NUMBERS,
    Role.QUANTITY: QUANTITIES,
    Role.ASSIGNMENT: ASSIGNMENTS,
    Role.WORD: WORDS,
}
# of processes that are started, only what starts none
FEW = {"workers": ("0", "-1", "x", "1e2", "2147483648", "9" * 400)}
CELLS = "level,current [A]\n" + "".join(
    f"{level},{(1 + level) * 1e-6 + cell * 1e-8:.9f}\n" for level in range(3) for cell in range(20)
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with files_read_once():
        yield Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """What stands in the places of `CALLS`."""
    folder = tmp_path_factory.mktemp("places")
    model = write_model(folder)
    (folder / "cells.csv").write_text(CELLS)
    return {
        "model": str(model), "network": str(folder / "gru.safetensors"), "device": "reram",
        "validation": "ktc_2ff", "cells": str(folder / "cells.csv"), "report": str(folder / "none"),
        "onnx": "none.onnx", "npz": "none.npz", "recipe": "none", "checkpoint": "none.pt",
        "out": "out",
    }  # fmt: skip


def options() -> list[tuple[Parameter, str]]:
    """Every number, quantity, assignment and word of every command, with its hostile values."""
    return [
        (parameter, value)
        for parameter in parameters()
        if parameter.role in VALUES and is_installed(parameter.command)
        for value in FEW.get(parameter.name, VALUES[parameter.role])
    ]


def faults_of_options(chosen, places, folder) -> list[str]:
    found = []
    with Runner() as runner:
        for parameter, value in chosen:
            ended = runner.run(call(parameter, value, places), folder)
            if fault := ended.fault():
                found.append(f"{parameter} {value[:40]!r}: {fault} {ended.err[-300:]}")
            if "\x1b" in ended.out + ended.err or "cannot be drawn" in ended.out:
                found.append(f"{parameter} {value[:40]!r}: {ended.out[-200:]}")
    return found


def test_every_command_is_in_the_walk():
    assert {parameter.command for parameter in parameters()} <= set(CALLS)
    assert len(leaves()) > 250
    assert len(options()) > 1000


def test_some_leaves_end_well_with_a_hostile_value(lab):
    """Every eighth leaf, each with another one of its values."""
    found = []
    for index, leaf in list(enumerate(leaves()))[5::8]:
        values = list(values_of(leaf))
        text = values[index % len(values)]
        if fault := lab.fault(leaf, text):
            found.append(f"{leaf} = {text[:40]!r}: {fault}")
    assert found == []


def test_some_options_end_well_with_hostile_values(places, tmp_path):
    assert faults_of_options(options()[7::197], places, tmp_path) == []


@pytest.mark.slow
def test_every_leaf_ends_well_with_every_hostile_value(lab):
    inputs = [(leaf, text) for leaf in leaves() for text in values_of(leaf)]
    assert len(inputs) > 5000
    faults = [f"{leaf} = {text[:40]!r}: {fault}" for leaf, text in inputs
              if (fault := lab.fault(leaf, text))]  # fmt: skip
    assert faults == []


@pytest.mark.slow
def test_every_option_ends_well_with_every_hostile_value(places, tmp_path):
    assert faults_of_options(options(), places, tmp_path) == []
