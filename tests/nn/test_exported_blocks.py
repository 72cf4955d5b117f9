"""Blocks as networks of pimsim: every code of the exported network is that of evaluation mode."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn as torch_nn  # noqa: E402

import pimsim  # noqa: E402
from pimsim import nn  # noqa: E402
from pimsim.importers.ops import NetworkImportError  # noqa: E402
from pimsim.workload import run_reference  # noqa: E402


def on_grid(*shape):
    """Inputs that are no rounded ones to the network; many meet limits of the quantiser."""
    return torch.round(torch.randn(*shape) * 256) / 256


def trained(module, x):
    """The module after a few steps, in evaluation mode."""
    optimizer = torch.optim.SGD(module.parameters(), 0.02)
    for _ in range(3):
        optimizer.zero_grad()
        module.train()(x).square().mean().backward()
        optimizer.step()
    return module.eval()


def signals(module, x, names):
    """Outputs of parts of a module, by their names."""
    found = {}
    parts = dict(module.named_modules())
    hooks = [
        parts[name].register_forward_hook(
            lambda _, __, out, name=name: found.__setitem__(name, out.double().numpy())
        )
        for name in names
    ]
    with torch.no_grad():
        scores = module(x).double().numpy()
    for hook in hooks:
        hook.remove()
    return found, scores


def codes(values, neuron):
    """Codes of a neuron's values."""
    if isinstance(neuron, nn.Bits):
        return values
    zero = neuron.top if neuron.signed else 0
    return np.round(values / neuron.step) + zero


class Convolutions(torch_nn.Module):
    """Bits and codes, depthwise, dilated, pooled both ways."""

    def __init__(self):
        super().__init__()
        self.inputs = nn.Quantiser(8, [-2.0, -1.0, -2.0], [2.0, 2.0, 1.0])
        self.first = nn.Conv2d(3, 6, 3, padding=1, neuron=nn.Codes(4), norm=True)
        self.depth = nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=6, neuron=nn.Codes(3))
        self.largest = torch_nn.MaxPool2d(2)
        self.point = nn.Conv2d(6, 8, 1, levels=15, neuron=nn.Codes(4, signed=True), norm=True)
        self.mean = nn.AvgPool2d(self.point.neuron, 2)
        self.dense = nn.Dense(8 * 2 * 2, 12, neuron=nn.Bits(), norm=True)
        self.scores = nn.Dense(12, 3)

    def forward(self, x):
        x = self.mean(self.point(self.largest(self.depth(self.first(self.inputs(x))))))
        return self.scores(self.dense(x.flatten(1)))


def test_convolutions_are_exported_code_for_code():
    torch.manual_seed(1)
    x = on_grid(200, 3, 8, 8)
    module = trained(Convolutions(), x)
    network = pimsim.export(module, x[:2], x.numpy())
    features = np.ascontiguousarray(np.moveaxis(x.numpy(), 1, -1))
    found = run_reference(network, features)
    names = ("first", "depth", "point", "dense")
    expected, scores = signals(module, x, names)
    for name in names:
        own = codes(expected[name], getattr(module, name).neuron)
        own = np.moveaxis(own, 1, -1) if own.ndim == 4 else own
        assert np.array_equal(found.signals[f"{name}_sums"], own), name
    pooled = codes(signals(module, x, ("mean",))[0]["mean"], module.point.neuron)
    assert np.array_equal(found.signals["mean"], np.moveaxis(pooled, 1, -1))
    assert np.array_equal(found.predictions, scores.argmax(axis=1))


class Steps(torch_nn.Module):
    """Two GRU layers."""

    def __init__(self, neuron):
        super().__init__()
        self.inputs = nn.Quantiser(8, -2.0, 2.0, channel_axis=2)
        self.first = nn.Dense(5, 8, neuron=neuron, norm=True)
        self.gru = nn.Gru(8, 10, neuron=neuron)
        self.second = nn.Gru(10, 9, levels=3, neuron=neuron)
        self.scores = nn.Dense(9, 3)

    def forward(self, x):
        return self.scores(self.second(self.gru(self.first(self.inputs(x))))[:, -1])


@pytest.mark.parametrize(
    "neuron",
    [
        pytest.param(nn.Bits(), id="bits"),
        # torch.export unrolls the time steps
        pytest.param(nn.Codes(4, range=1.0), id="codes", marks=pytest.mark.slow),
        pytest.param(nn.Codes(3, signed=True, range=1.0), id="signed", marks=pytest.mark.slow),
    ],
)
def test_grus_are_exported_code_for_code(neuron):
    torch.manual_seed(2)
    x = on_grid(150, 6, 5)
    module = trained(Steps(neuron), x)
    network = pimsim.export(module, x[:2], x.numpy())
    found = run_reference(network, x.numpy())
    expected, scores = signals(module, x, ("gru", "second"))
    for name, values in expected.items():
        assert np.array_equal(found.signals[f"{name}.hidden"], codes(values, neuron)), name
    assert np.array_equal(found.predictions, scores.argmax(axis=1))


@pytest.mark.slow
def test_a_gru_whose_inputs_have_another_step_is_refused():
    torch.manual_seed(3)
    module = Steps(nn.Codes(4))
    module.gru.neuron = nn.Codes(4)
    x = on_grid(50, 6, 5)
    with pytest.raises(NetworkImportError, match="one sum of an array has one step"):
        pimsim.export(trained(module, x), x[:2], x.numpy())


def test_a_sum_of_branches_is_exported():
    class Residual(torch_nn.Module):
        def __init__(self):
            super().__init__()
            self.inputs = nn.Quantiser(6, -2.0, 2.0)
            self.first = nn.Dense(12, 16, neuron=nn.Codes(4, range=2.0), norm=True)
            self.second = nn.Dense(16, 16, neuron=nn.Codes(4, range=2.0), norm=True)
            self.joined = nn.Codes(4, range=4.0)
            self.scores = nn.Dense(16, 3)

        def forward(self, x):
            first = self.first(self.inputs(x))
            return self.scores(self.joined(first + self.second(first)))

    torch.manual_seed(4)
    x = on_grid(150, 12)
    module = trained(Residual(), x)
    network = pimsim.export(module, x[:2], x.numpy())
    _, scores = signals(module, x, ())
    assert np.array_equal(run_reference(network, x.numpy()).predictions, scores.argmax(axis=1))


def test_a_residual_connection_becomes_rows_of_the_same_array():
    class Maps(torch_nn.Module):
        def __init__(self):
            super().__init__()
            self.inputs = nn.Quantiser(6, -2.0, 2.0)
            self.first = nn.Conv2d(2, 5, 3, padding=1, neuron=nn.Bits(), norm=True)
            self.second = nn.Conv2d(5, 4, 3, padding=1, neuron=nn.Bits(), norm=True)
            self.joined = nn.ResidualConv2d(
                4, 5, 6, 3, padding=1, pool=2, neuron=nn.Bits(), norm=True
            )
            self.twice = nn.ResidualConv2d(6, 6, 6, 1, neuron=nn.Bits(), norm=True)
            self.scores = nn.Dense(54, 3)

        def forward(self, x):
            first = self.first(self.inputs(x))
            joined = self.joined(self.second(first), first)
            return self.scores(self.twice(joined, joined).flatten(1))

    torch.manual_seed(4)
    x = on_grid(120, 2, 6, 6)
    module = trained(Maps(), x)
    network = pimsim.export(module, x[:2], x.numpy())
    node = {node.name: node for node in network.nodes}["joined_sums"]
    assert node.inputs == ("second_sums", "first_sums")
    assert node.layer.matrix.n_rows == 9 * 4 + 5
    expected, scores = signals(module, x, ("second", "joined", "twice"))
    found = run_reference(network, np.moveaxis(x.numpy(), 1, -1))
    nodes = {"second": "second_sums", "joined": "joined", "twice": "twice_sums"}
    for name, node in nodes.items():
        bits = np.moveaxis(expected[name], 1, -1)
        assert 0.02 < bits.mean() < 0.98
        assert np.array_equal(found.signals[node], bits), name
    assert np.array_equal(found.predictions, scores.argmax(axis=1))
