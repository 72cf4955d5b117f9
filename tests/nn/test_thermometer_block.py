"""Thermometer bits as a block: values, slopes, and the same bits in torch, exact machine, chip."""

from __future__ import annotations

import numpy as np
import pytest
from files import bundled_chip, bundled_device

torch = pytest.importorskip("torch")

from torch import nn as torch_nn  # noqa: E402

import pimsim  # noqa: E402
from pimsim import nn  # noqa: E402
from pimsim.chip import build_chip  # noqa: E402
from pimsim.config import NoiseConfig  # noqa: E402
from pimsim.errors import PimsimError  # noqa: E402
from pimsim.importers.ops import NetworkImportError  # noqa: E402
from pimsim.nn.thermometer import _step  # noqa: E402
from pimsim.simulate import encode_inputs, run_chips  # noqa: E402
from pimsim.workload import run_reference  # noqa: E402
from pimsim.workload.thermometer import step_of  # noqa: E402


def test_bits_by_hand_along_any_axis():
    block = nn.Thermometer([-0.5, 0.25, 1.0], [0, 1, 1])
    x = torch.tensor([[-0.5, 1.0], [-0.49, 0.26], [9.0, 1.01]])
    expected = torch.tensor([[0.0, 1, 0], [1, 1, 0], [1, 1, 1]])
    assert torch.equal(block(x), expected)
    assert torch.equal(block.eval()(x), expected)
    maps = x[:, :, None, None].expand(3, 2, 4, 5)
    assert torch.equal(block(maps)[..., 2, 3], expected)
    steps = x[:, None].expand(3, 6, 2)
    last = nn.Thermometer([-0.5, 0.25, 1.0], [0, 1, 1], channel_axis=-1)
    assert torch.equal(last(steps)[:, 4], expected)


def test_limits_are_numbers_of_few_bits():
    # from -4 to 4 in steps of 1/32
    block = nn.Thermometer([0.3, -3.0], [0, 0])
    assert block.limits().tolist() == [10 / 32, -3.0]
    # 4 bits: steps of 1/2, from -4 to 3.5, of which 3 is the largest limit
    assert nn.Thermometer([0.3, -3.0], [0, 0], bits=4).limits().tolist() == [0.5, -3.0]
    for largest in (0.0, 1e-3, 3.9375, 3.94, 4.0, 700.0):
        for bits in (3, 8, 16):
            limits = torch.tensor([largest], dtype=torch.float64)
            assert float(_step(limits, bits)) == step_of(limits.numpy(), bits)


def test_the_slope_of_a_learned_limit_is_that_of_a_sigmoid():
    block = nn.Thermometer([0.5, -1.0], [0, 1], learned=True, window=[0.25, 2.0]).train()
    x = torch.tensor([[0.6, -3.0], [0.5, -1.0]], requires_grad=True)
    out = block(x)
    assert out.tolist() == [[1.0, 0.0], [0.0, 0.0]]
    out.sum().backward()
    # shifts are in windows: d bit / d shift = - s (1 - s)
    s = torch.sigmoid(torch.tensor([[0.1 / 0.25, -2.0 / 2], [0.0, 0.0]]))
    slope = s * (1 - s)
    assert torch.allclose(block.shift.grad, -slope.sum(dim=0))
    assert torch.allclose(x.grad, slope / torch.tensor([0.25, 2.0]))
    with torch.no_grad():
        block.shift.copy_(torch.tensor([1.0, -0.5]))
    assert block.limits().tolist() == [0.75, -2.0]
    assert not list(nn.Thermometer([0.0], [0]).parameters())


def test_a_learned_limit_finds_its_place():
    torch.manual_seed(0)
    x = torch.rand(4000, 1)
    block = nn.Thermometer([0.2], [0], learned=True, window=0.1).train()
    optimizer = torch.optim.Adam(block.parameters(), 0.05)
    for _ in range(150):
        optimizer.zero_grad()
        (block(x) - (x > 0.65).float()).square().mean().backward()
        optimizer.step()
    assert float(block.limits()) == pytest.approx(0.65, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "limits of shape"),
        (([1.0, 2.0], [0]), "limits of shape"),
        (([1.0, 2.0], [1, 0]), "0 or more, and ascend"),
        (([1.0], [-1]), "0 or more, and ascend"),
        (([float("nan")], [0]), "limits must be finite"),
        (([1.0], [0], 1, False, 0.25, 2), "bits is 2"),
        (([1.0], [0], 1, True, 0.0), "window is 0.0"),
        (([1.0], [3], 1, True, [0.1, 0.1]), "windows of 2 channels, and limits of channel 3"),
    ],
)
def test_wrong_numbers_are_refused(arguments, message):
    with pytest.raises(PimsimError, match=message):
        nn.Thermometer(*arguments)


class Rows(torch_nn.Module):
    def __init__(self):
        super().__init__()
        self.inputs = nn.Thermometer([-1, -0.3, 0, 0.7, 0.1, 1.2], [0, 0, 1, 1, 3, 4], learned=True)
        self.first = nn.Dense(6, 12, neuron=nn.Bits(), norm=True)
        self.second = nn.Dense(12, 10, neuron=nn.Bits(), norm=True)
        self.scores = nn.Dense(10, 3)

    def forward(self, x):
        return self.scores(self.second(self.first(self.inputs(x))))


class Maps(torch_nn.Module):
    def __init__(self):
        super().__init__()
        self.inputs = nn.Thermometer([-0.5, 0.5, 0.0, 0.3], [0, 0, 1, 2])
        self.first = nn.Conv2d(4, 6, 3, padding=1, neuron=nn.Bits(), norm=True)
        self.largest = torch_nn.MaxPool2d(2)
        self.scores = nn.Dense(6 * 3 * 3, 3)

    def forward(self, x):
        return self.scores(self.largest(self.first(self.inputs(x))).flatten(1))


class Steps(torch_nn.Module):
    def __init__(self):
        super().__init__()
        limits = [-0.5, 0.5, 0.0, 0.3, -0.9]
        self.inputs = nn.Thermometer(limits, [0, 0, 1, 2, 4], channel_axis=2)
        self.gru = nn.Gru(5, 8)
        self.scores = nn.Dense(8, 3)

    def forward(self, x):
        return self.scores(self.gru(self.inputs(x))[:, -1])


CASES = {
    "rows": (Rows, (5,), "first_sums"),
    "maps": (Maps, (3, 6, 6), "first_sums"),
    "steps": (Steps, (6, 5), "gru.hidden"),
}


@pytest.mark.parametrize("case", CASES)
def test_torch_exact_machine_and_chip_agree_bit_for_bit(case):
    kind, shape, name = CASES[case]
    torch.manual_seed(4)
    # many inputs meet a limit
    x = torch.round(torch.randn(60, *shape) * 64) / 64
    module = kind()
    optimizer = torch.optim.SGD(module.parameters(), 0.05)
    for _ in range(3):
        optimizer.zero_grad()
        module.train()(x).square().mean().backward()
        optimizer.step()
    module.eval()
    network = pimsim.export(module, x[:2], x.numpy())
    assert network.encoder.kind == "thermometer"
    assert network.is_of_bits
    features = x.numpy() if case != "maps" else np.ascontiguousarray(np.moveaxis(x.numpy(), 1, -1))
    exact = run_reference(network, features)
    with torch.no_grad():
        bits = module.inputs(x)
        first = module.gru(bits) if case == "steps" else module.first(bits)
        scores = module(x)
    if case == "maps":
        bits, first = bits.movedim(1, -1), first.movedim(1, -1)
    assert np.array_equal(exact.signals["encoder"], bits.numpy())
    assert np.array_equal(exact.signals[name], first.numpy())
    assert np.array_equal(exact.predictions, scores.argmax(dim=1).numpy())
    for noise in (
        NoiseConfig.ideal(),
        NoiseConfig.ideal().model_copy(update={"fixed_point": True}),
    ):
        chip = build_chip(network, bundled_chip(), bundled_device("reram"), noise)
        run = run_chips(chip, encode_inputs(chip, features), [0], 1, keep_bits=True)
        for key, values in exact.signals.items():
            assert np.array_equal(run.bits[key][0], values), key


def test_limits_far_below_the_largest_input_keep_their_grid():
    module = Rows().eval()
    # the grid of inputs up to 3000 is 1/4, and limits are multiples of 1/64
    x = torch.round(torch.randn(80, 5) * 64) / 64
    x[0, 2] = 3000.0
    network = pimsim.export(module, x[:2], x.numpy())
    found = run_reference(network, x.numpy()).signals["encoder"]
    assert np.array_equal(found, module.inputs(x).numpy())


class After(torch_nn.Module):
    """A module that begins with something else."""

    def __init__(self, *parts):
        super().__init__()
        self.parts = torch_nn.Sequential(*parts)

    def forward(self, x):
        return self.parts(x)


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (After(nn.Quantiser(4), nn.Thermometer([0.0], [0]), nn.Dense(1, 4, neuron=nn.Bits()),
               nn.Dense(4, 3)), (3,), "no other function of the input may have given"),
        (After(torch_nn.Flatten(), nn.Thermometer([0.0] * 2, [0, 5]),
               nn.Dense(2, 4, neuron=nn.Bits()), nn.Dense(4, 3)), (1, 4, 4),
         "numbers of a flattened map"),
    ],
)  # fmt: skip
def test_thermometers_that_are_not_first_are_refused(module, shape, message):
    x = torch.randn(40, *shape)
    with pytest.raises(NetworkImportError, match=message):
        pimsim.export(module.eval(), x[:2], x.numpy())
