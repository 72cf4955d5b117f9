"""Blocks: evaluation mode is what their operations mean, and training moves what it should."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn as torch_nn  # noqa: E402

from pimsim import nn  # noqa: E402
from pimsim.errors import PimsimError  # noqa: E402
from pimsim.importers.float_run import evaluate  # noqa: E402
from pimsim.importers.ops import INPUT, Flatten, LastStep, Pool  # noqa: E402
from pimsim.workload.layers import LAYERS  # noqa: E402
from pimsim.workload.signals import CodeFormat, CodeNumbers, Shape  # noqa: E402


def channels_last(x):
    """Maps as importers hold them."""
    return np.moveaxis(x, 1, -1) if x.ndim > 2 else x


def by_operations(chain, x):
    """Output of a chain of blocks and torch's own modules, by plain numpy in double precision."""
    has_steps = any(getattr(module, "takes_steps", False) for module in chain)
    values = {INPUT: x.double().numpy() if has_steps else channels_last(x.double().numpy())}
    name = INPUT
    for index, module in enumerate(chain):
        source, name = (name,), f"block{index}"
        if isinstance(module, torch_nn.MaxPool2d):
            size = (module.kernel_size, module.kernel_size)
            found = [Pool(name, source, "max", size, size)]
        elif isinstance(module, torch_nn.Flatten):
            found = [Flatten(name, source)]
        else:
            found = module.as_ops(name, source)
        for op in found:
            values[op.name] = evaluate(op, *(values[key] for key in op.inputs))
        assert found[-1].name == name
    return values[name]


def settle(chain, x, steps=3):
    """A few training passes: statistics of norms and ranges of codes are then far from 0 and 1."""
    rate = torch.optim.SGD(chain.parameters(), lr=0.05)
    for _ in range(steps):
        rate.zero_grad()
        chain.train()(x).square().mean().backward()
        rate.step()
    return chain.eval()


def same(chain, x):
    settle(chain, x)
    with torch.no_grad():
        found = chain(x)
    expected = by_operations(chain, x)
    own = found.double().numpy()
    assert np.array_equal(own if own.shape == expected.shape else channels_last(own), expected)
    return expected


BITS = [nn.Bits("nna"), nn.Bits("ste"), nn.Bits("mixed", sigma=(0.5, 0.1))]


@pytest.mark.parametrize("neuron", BITS, ids=lambda n: n.method)
@pytest.mark.parametrize("levels", [2, 3, 7, 15, None])
@pytest.mark.parametrize("norm", [False, True])
def test_dense_bits_equal_their_operations(neuron, levels, norm):
    torch.manual_seed(1)
    chain = torch_nn.Sequential(
        nn.Quantiser(8, -2.0, 2.0),
        nn.Dense(20, 30, levels, neuron, norm=norm, cell_error=0.03, sum_noise=0.1),
        nn.Dense(30, 25, levels, neuron, norm=norm),
    )
    out = same(chain, torch.randn(400, 20))
    assert set(np.unique(out)) == {0.0, 1.0}


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_convolutions_of_codes_equal_their_operations(bits, signed):
    torch.manual_seed(2)
    neuron = nn.Codes(bits, signed)
    chain = torch_nn.Sequential(
        nn.Quantiser(4, [0.0, -1.0, 1.0], [1.0, 2.0, 5.0]),
        nn.Conv2d(3, 6, 3, stride=(1, 2), padding=1, norm=True, neuron=nn.Codes(bits, signed)),
        nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=6, neuron=nn.Codes(bits), levels=31),
        torch_nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 1, neuron=neuron, norm=True),
        torch_nn.Flatten(),
        nn.Dense(8 * 4 * 2, 5, neuron=nn.Codes(bits, signed, range=2.0)),
    )
    out = same(chain, torch.randn(60, 3, 8, 8) * 2)
    codes = out / chain[-1].neuron.step
    assert np.array_equal(codes, np.round(codes))
    assert codes.min() < 0 if signed else codes.min() == 0
    assert len(np.unique(codes)) > 2


def test_a_sequence_is_a_map_of_height_1():
    torch.manual_seed(3)
    chain = torch_nn.Sequential(
        nn.Quantiser(1, 0.0, 3.0),
        nn.Conv2d(4, 5, (1, 3), padding=(0, 1), neuron=nn.Bits(), norm=True),
    )
    out = same(chain, torch.rand(50, 4, 9) * 3)
    assert out.shape == (50, 9, 5)


@pytest.mark.parametrize(
    "neuron", [nn.Bits(), nn.Codes(4), nn.Codes(3, signed=True)], ids=["bits", "codes", "signed"]
)
def test_gru_equals_its_operations(neuron):
    torch.manual_seed(4)
    chain = torch_nn.Sequential(
        nn.Quantiser(4, -2.0, 2.0, channel_axis=2), nn.Gru(6, 9, neuron=neuron, cell_error=0.02)
    )
    out = same(chain, torch.randn(40, 7, 6))
    assert len(np.unique(out)) > 1
    last = evaluate(LastStep("last", ("x",)), out)
    assert last.shape == (40, 9)


def test_gru_of_codes_mixes_as_the_exact_machine():
    torch.manual_seed(5)
    gru = nn.Gru(4, 5, neuron=nn.Codes(4, signed=True, range=1.0)).eval()
    g = torch.randint(0, 16, (200, 5)).double()
    h, c = (torch.randint(-7, 8, (200, 5)).double() for _ in range(2))
    step = gru.neuron.step
    found = gru._mix(g, h * step, c * step) / step
    codes = ((t.numpy() + z).astype(np.uint8) for t, z in ((g, 0), (h, 8), (c, 8)))
    assert np.array_equal(found.numpy() + 8, CodeNumbers(4).mix(*codes))


@pytest.mark.parametrize("signed", [False, True])
def test_mean_of_codes_is_rounded_as_the_deployed_layer_rounds_it(signed):
    torch.manual_seed(6)
    codes = nn.Codes(4, signed, range=1.7)
    chain = torch_nn.Sequential(codes, nn.AvgPool2d(codes, 2)).eval()
    x = torch.randn(30, 3, 6, 6)
    zero = 8 if signed else 0
    inside = np.moveaxis(np.round(codes(x).numpy() / codes.step) + zero, 1, -1).astype(np.uint8)
    layer = LAYERS["averagepool"](2, 2)
    expected = layer.combine([inside], [Shape(3, (6, 6), codes=CodeFormat(4, zero))])
    found = np.round(chain(x).numpy() / codes.step) + zero
    assert np.array_equal(np.moveaxis(found, 1, -1), expected)


def test_a_tie_is_0_in_evaluation():
    dense = nn.Dense(2, 1, levels=3, neuron=nn.Bits(), bias=False).eval()
    with torch.no_grad():
        dense.matrix.weight.copy_(torch.tensor([[1.0, -1.0]]))
    found = dense(torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    assert found.flatten().tolist() == [0.0, 1.0, 0.0]


def test_evaluation_holds_levels_and_training_has_errors():
    torch.manual_seed(7)
    dense = nn.Dense(50, 10, levels=7, cell_error=0.05, sum_noise=0.2)
    x = torch.rand(8, 50)
    assert not torch.equal(dense(x), dense(x))
    dense.eval()
    assert torch.equal(dense(x), dense(x))
    (product,) = dense.as_ops("dense", (INPUT,))
    assert product.scaled.levels.min() == -3
    assert product.scaled.levels.max() == 3
    assert np.array_equal(product.weight, product.scaled.levels * product.scaled.scale)


def test_cell_errors_have_the_size_that_is_asked_for():
    torch.manual_seed(8)
    weight = nn.Dense(400, 300, levels=7, cell_error=0.05).matrix
    k, step = weight.deployed()
    error = weight.trained().detach() - k * step
    assert float(error.std() / (3 * step)) == pytest.approx(0.05, rel=0.02)


def test_gradients_reach_weights_ranges_and_biases():
    torch.manual_seed(9)
    chain = torch_nn.Sequential(
        nn.Dense(10, 20, neuron=nn.Codes(4)),
        nn.Dense(20, 20, neuron=nn.Bits("ste")),
        nn.Dense(20, 3),
    )
    chain(torch.randn(64, 10)).square().mean().backward()
    for name, parameter in chain.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_anneal_moves_the_neurons_of_a_module():
    chain = torch_nn.Sequential(
        nn.Dense(3, 3, neuron=nn.Bits("mixed", (0.4, 0.2), (1.0, 0.25), (0.0, 1.0))),
        nn.Dense(3, 3, neuron=nn.Bits("ste", steepness=(1.0, 5.0))),
    )
    nn.anneal(chain, 0.5)
    mixed, ste = (block.neuron.trained() for block in chain)
    assert mixed.sigma == pytest.approx(0.3)
    assert mixed.temperature == pytest.approx(0.5)
    assert mixed.share == 0.5
    assert ste.steepness == 3.0
    with pytest.raises(PimsimError, match="runs from 0 to 1"):
        nn.anneal(chain, 7)


def test_the_range_of_codes_is_set_by_the_first_batch_and_saved():
    torch.manual_seed(10)
    codes = nn.Codes(4)
    codes(torch.randn(2000, 5) * 4)
    assert codes.range.item() == pytest.approx(12, rel=0.05)
    twin = nn.Codes(4)
    twin.load_state_dict(codes.state_dict())
    twin(torch.randn(10, 5))
    assert twin.range.item() == codes.range.item()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Dense(3, 3, levels=4), "levels is 4; a weight has 2 levels, or an odd number"),
        (lambda: nn.Dense(3, 3, cell_error=-1), "cell_error is -1; a standard deviation"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups is 2, which does not divide 3 and 4"),
        (lambda: nn.Codes(9), "bits is 9; codes have 2 to 8"),
        (lambda: nn.Codes(4, range=-1.0), "range is -1.0; it is 'learned' or"),
        (lambda: nn.Bits("nan"), "method is 'nan'"),
        (lambda: nn.Bits("mixed", sigma=0.0), "the noise chooses the neurons"),
        (lambda: nn.Bits(temperature=0.0), "temperature is 0.0; it must be above 0"),
        (lambda: nn.Bits(share=(0, 2)), "share is"),
        (lambda: nn.Quantiser(8, 1.0, 2.0), "does not contain 0"),
        (lambda: nn.Quantiser(8, 1.0, -1.0), "must be above `low`"),
        (lambda: nn.Quantiser(0), "bits is 0; codes have 1 to 8"),
        (lambda: nn.Gru(3, 3, neuron=nn.Real()), "a Gru has Real neurons"),
    ],
)
def test_what_is_wrong_is_named(make, message):
    with pytest.raises(PimsimError, match=message):
        make()


def test_a_factor_scales_the_noise_of_all_parts():
    torch.manual_seed(1)
    block = nn.Dense(50, 200, neuron=nn.Real(), cell_error=0.1, sum_noise=0.5, bias=False)
    x = torch.ones(1, 50)
    nn.set_noise(block, 0.0)
    assert torch.equal(block.train()(x), block(x))
    spread = {}
    for factor in (1.0, 0.5):
        nn.set_noise(block, factor)
        spread[factor] = torch.stack([block(x) for _ in range(400)]).std(dim=0).mean()
    assert float(spread[0.5] / spread[1.0]) == pytest.approx(0.5, abs=0.02)
    neuron = nn.Bits("nna", sigma=0.4).train()
    nn.set_noise(neuron, 0.5)
    assert neuron.trained().sigma == pytest.approx(0.2)
    with pytest.raises(PimsimError, match="negative"):
        nn.set_noise(neuron, -1.0)
