"""`pimsim import` as a user meets it."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("onnx", reason="needs onnx: pimsim[onnx]")

from onnx import helper
from onnx_files import graph_file, random

from pimsim import Dataset, run
from pimsim.cli.main import cli
from pimsim.errors import PimsimError
from pimsim.importers.onnx import read_onnx
from pimsim.workload import read_network


def called(*arguments):
    """Output of a command; errors of the user's input are raised."""
    done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


@pytest.fixture
def network(tmp_path):
    nodes = [
        helper.make_node("Gemm", ["x", "a", "b"], ["p"], name="/first/Gemm"),
        helper.make_node("Relu", ["p"], ["q"], name="/first/Relu"),
        helper.make_node("Gemm", ["q", "c"], ["r"], name="/second/Gemm"),
        helper.make_node("Relu", ["r"], ["s"]),
        helper.make_node("MatMul", ["s", "d"], ["t"]),
        helper.make_node("Softmax", ["t"], ["y"]),
    ]
    weights = {"a": random(8, 12), "b": random(12), "c": random(12, 10), "d": random(10, 3)}
    return graph_file(tmp_path, nodes, {"x": ("n", 8)}, weights)


@pytest.fixture
def data(tmp_path):
    features = random(80, 8)
    labels = np.arange(80) % 3
    return Dataset(features, labels, ["a", "b", "c"], name="mine").save(tmp_path / "mine.npz")


def test_a_file_becomes_a_network_that_runs(network, data, tmp_path):
    out = tmp_path / "mine.safetensors"
    said = called("import", network, "--data", data, "-o", out, "--name", "my net")
    assert "Layers" in said
    assert "8 x 12" in said
    assert "12 x 10" in said
    assert "same class as the file for" in said
    found = read_network(out)
    assert found.name == "my net"
    assert found.provenance["import"]["same_class"] > 0.9
    result = run(out, data=data, chip="adc_pim_16nm", chips=1, limit=10)
    assert result is not None


def test_bits_are_those_that_are_asked_for(network, data, tmp_path):
    out = tmp_path / "four.safetensors"
    called("import", network, "--data", data, "-o", out, "--bits", 4, "--weight-bits", 3)
    (_, first), *_ = read_network(out).matrices()
    assert first.n_levels == 7
    assert first.neurons.bits == 4


def test_an_error_leaves_no_file(network, data, tmp_path):
    out = tmp_path / "none.safetensors"
    other = Dataset(random(9, 5), np.arange(9) % 3).save(tmp_path / "other.npz")
    with pytest.raises(PimsimError, match="the network takes 8"):
        called("import", network, "--data", other, "-o", out)
    assert not out.exists()
    with pytest.raises(PimsimError, match="does not end in .safetensors"):
        called("import", network, "--data", data, "-o", tmp_path / "net.bin")


@pytest.mark.parametrize("command", [["inspect"], ["run", "--data", "mnist-1000"]])
def test_other_commands_say_how_an_onnx_file_is_brought_over(command, network):
    with pytest.raises(PimsimError, match="pimsim import net.onnx --data DATA"):
        called(command[0], network, *command[1:])


def test_without_onnx_the_extra_is_named(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(PimsimError, match=r"pip install 'pimsim\[onnx\]'"):
        read_onnx(network)
