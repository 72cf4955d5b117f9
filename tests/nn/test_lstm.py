"""The LSTM block: its backward pass beside plain autograd, its operations, its export."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from test_exported_blocks import codes, on_grid, signals, trained  # noqa: E402
from torch import nn as torch_nn  # noqa: E402

import pimsim  # noqa: E402
from pimsim import nn  # noqa: E402
from pimsim.errors import PimsimError  # noqa: E402
from pimsim.importers.float_run import evaluate  # noqa: E402
from pimsim.importers.ops import INPUT, NetworkImportError  # noqa: E402
from pimsim.nn.lstm import GATES  # noqa: E402
from pimsim.nn.lstm_pass import LstmSteps, lstm_pass  # noqa: E402
from pimsim.workload import run_reference  # noqa: E402

CODES = LstmSteps(True, 255, 255, 1 / 64, 2.0, 7, 0.140625, 16.0, 127, 7)


def rounded(values, step, top):
    """Multiples of a step, halves to even, with a gradient that passes straight through."""
    found = torch.round(values / step).clamp(-top, top) * step
    return values + (found - values).detach()


def clipped(values, step, top, limit, half_up=False):
    """The same, with no gradient beyond a range, and one for it (learned step size)."""
    whole = torch.floor(values / step + 0.5) if half_up else torch.round(values / step)
    found = whole.clamp(-top, top) * step
    inside = (values.abs() <= (step * top if half_up else limit)).to(values)
    slope = ((found - values * inside) / limit).detach()
    through = values * inside + slope * limit
    return through + (found - through).detach()


def plain_lstm(below, weights, bias, sum_steps, sum_ranges, cell_range, noise, how):
    """The slow twin: the equations step by step in real numbers, and autograd."""
    n = weights.shape[1] // 4
    state = cell = below.new_zeros(below.shape[1], n)
    states = []
    for step, x in enumerate(below):
        a = torch.cat([state / how.hidden_step, x], dim=1) @ weights
        if noise is not None:
            a = a + noise[step]
        if how.sum_top:
            a = clipped(a, sum_steps, how.sum_top, sum_ranges)
        a = a + bias
        gates, new = torch.sigmoid(a[:, : 3 * n]), torch.tanh(a[:, 3 * n :])
        if how.rounds:
            gates = rounded(gates, 1 / how.gate_top, how.gate_top)
            new = rounded(new, how.candidate_step, how.code_top)
        forget, add, show = gates.chunk(3, dim=1)
        cell = forget * cell + add * new
        if how.rounds:
            cell = clipped(cell, how.cell_step, how.cell_top, cell_range, half_up=True)
        bent = torch.tanh(cell)
        if how.rounds:
            bent = rounded(bent, how.tanh_step, how.code_top)
        state = show * bent
        if how.rounds:
            found = torch.floor(state / how.hidden_step + 0.5)
            found = found.clamp(-how.hidden_top, how.hidden_top) * how.hidden_step
            state = state + (found - state).detach()
        states.append(state)
    return torch.stack(states)


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize(
    "how",
    [LstmSteps(), CODES, CODES._replace(sum_top=0)],
    ids=["real", "codes", "whole sums"],
)
def test_fused_backward_pass_equals_plain_autograd(how, noisy):
    generator = torch.Generator().manual_seed(1)

    def random(*shape, scale=1.0):
        values = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return (values * scale).requires_grad_()

    below = random(11, 5, 6, scale=3.0 if how.rounds else 1.0)
    weights = random(10, 16, scale=0.3 if how.rounds else 1.0)
    bias, wanted = random(16), random(11, 5, 4).detach()
    # cells pass their range, sums theirs
    ranges = torch.linspace(0.8, 2.0, 16, dtype=torch.float64).requires_grad_()
    steps = (ranges / 7).detach()
    how = how._replace(cell_top=60) if how.rounds else how
    cell_range = torch.tensor(60 / 64, dtype=torch.float64, requires_grad=True)
    noise = random(11, 5, 16, scale=0.2).detach() if noisy else None
    start = torch.zeros(2, 5, 4, dtype=torch.float64).unbind()
    hidden, *_ = lstm_pass(below, weights, bias, steps, ranges, cell_range, start, noise, how)
    expected = plain_lstm(below, weights, bias, steps, ranges, cell_range, noise, how)
    torch.testing.assert_close(hidden * how.hidden_step, expected, atol=1e-12, rtol=0)
    operands = [below, weights, bias]
    operands += [ranges] if how.sum_top else []
    operands += [cell_range] if how.rounds else []
    found = torch.autograd.grad((hidden * how.hidden_step * wanted).sum(), operands)
    plain = torch.autograd.grad((expected * wanted).sum(), operands)
    for one, other in zip(found, plain, strict=True):
        assert other.abs().max() > 0
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_a_layer_of_real_numbers_is_that_of_torch():
    torch.manual_seed(2)
    own, other = nn.Lstm(5, 7, levels=None, bits=None), torch_nn.LSTM(5, 7, batch_first=True)
    rows = [getattr(own, name).weight for name in ("input_gate", "forget_gate", "candidate",
                                                   "output_gate")]  # fmt: skip
    with torch.no_grad():
        other.weight_hh_l0.copy_(torch.cat([w[:, :7] for w in rows]))
        other.weight_ih_l0.copy_(torch.cat([w[:, 7:] for w in rows]))
        other.bias_hh_l0.zero_()
        other.bias_ih_l0.zero_()
        other.bias_ih_l0[7:14] = 1
    x = torch.randn(3, 9, 5)
    torch.testing.assert_close(own(x), other(x)[0])
    torch.testing.assert_close(own.eval()(x), other(x)[0])


BLOCKS = {
    "4/4/4": {"inputs": nn.Codes(4, signed=True), "sum_bits": 4},
    "whole sums, 8 bits": {"inputs": nn.Codes(8, signed=True), "bits": 8, "levels": 255},
    "2 bits": {"inputs": nn.Codes(2, signed=True), "bits": 2, "sum_bits": 3, "levels": 3},
    "inputs of 6 bits": {
        "inputs": nn.Codes(6, signed=True),
        "bits": 3,
        "sum_bits": 5,
        "bias": False,
    },
}


@pytest.mark.parametrize("name", BLOCKS)
def test_evaluation_is_what_its_operations_mean(name):
    torch.manual_seed(3)
    block = lively(nn.Lstm(6, 9, cell_error=0.05, **BLOCKS[name]))
    if block.sum_bits:
        block.sum_noise = 0.3
    x = torch.randn(40, 7, 6) * 2
    trained(block, x)
    values = {INPUT: x.double().numpy()}
    for op in block.as_ops("lstm", (INPUT,)):
        values[op.name] = evaluate(op, *(values[key] for key in op.inputs))
    found = block(x).double().detach().numpy()
    assert np.array_equal(found, values["lstm"].astype(np.float32))
    multiples = np.unique(found / block.neuron.step)
    assert np.array_equal(multiples, np.round(multiples))
    assert len(multiples) > 2


def test_training_without_noise_computes_the_codes_of_evaluation():
    torch.manual_seed(4)
    block = nn.Lstm(6, 9, inputs=nn.Codes(4, signed=True), sum_bits=4).double()
    x = torch.randn(60, 12, 6, dtype=torch.float64)
    block(x)
    found = block(x)
    assert torch.equal(found, block.eval()(x))


def test_a_sequence_in_two_parts_is_the_whole_one():
    torch.manual_seed(5)
    block = nn.Lstm(6, 9, inputs=nn.Codes(4, signed=True), sum_bits=4)
    x = torch.randn(8, 10, 6)
    block(x)
    whole = block(x)
    first, state = block.carried(x[:, :4], None)
    second, _ = block.carried(x[:, 4:], state)
    assert torch.equal(torch.cat([first, second], dim=1), whole)


def test_ranges_and_weights_learn():
    torch.manual_seed(6)
    block = nn.Lstm(6, 9, inputs=nn.Codes(4, signed=True), sum_bits=4, cell_error=0.02,
                    sum_noise=0.5)  # fmt: skip
    with torch.no_grad():
        block.cell_range.fill_(2.0)
        block.bias[:18] = 4.0
    block(torch.randn(64, 30, 6)).square().mean().backward()
    for name, parameter in block.named_parameters():
        assert parameter.requires_grad == (name != "neuron.range"), name
        if parameter.requires_grad:
            assert parameter.grad.abs().sum() > 0, name


def test_noise_has_the_size_that_is_asked_for(monkeypatch):
    torch.manual_seed(7)
    block = nn.Lstm(6, 40, inputs=nn.Codes(4, signed=True, range=1.0), sum_bits=8)
    x, drawn = torch.randn(100, 3, 6), []
    block(x)
    block.sum_noise = 3.0

    def kept(*arguments):
        drawn.append(arguments[7])
        return lstm_pass(*arguments)

    monkeypatch.setattr("pimsim.nn.lstm.lstm_pass", kept)
    for factor, sigma in ((1.0, 3.0), (0.5, 1.5)):
        nn.set_noise(block, factor)
        block(x)
        in_steps = drawn.pop() / block._sum_steps()
        assert float(in_steps.std()) == pytest.approx(sigma, rel=0.02)
    nn.set_noise(block, 0.0)
    block(x)
    nn.set_noise(block, 1.0)
    block.eval()(x)
    assert drawn == [None, None]


def lively(block):
    """The block with weights whose states fill their codes."""
    for name in GATES:
        matrix = getattr(block, name)
        with torch.no_grad():
            matrix.weight.mul_(3.0)
        matrix.reset_range()
    return block


class Text(torch_nn.Module):
    """One-hot inputs, two layers, scores of the last step."""

    def __init__(self, **choices):
        super().__init__()
        self.first = lively(nn.Lstm(6, 9, inputs=nn.Codes(4, signed=True), **choices))
        self.second = lively(nn.Lstm(9, 8, **choices))
        self.scores = nn.Dense(8, 3, levels=15)

    def forward(self, x):
        return self.scores(self.second(self.first(x))[:, -1])


@pytest.mark.parametrize("choices", [{"sum_bits": 4}, {}, {"levels": 3, "sum_bits": 6}], ids=str)
def test_an_export_gives_every_code_of_evaluation(choices):
    torch.manual_seed(8)
    x = on_grid(120, 9, 6)
    module = trained(Text(**choices), x)
    network = pimsim.export(module, x[:2], x.numpy())
    assert [node.layer.kind for node in network.nodes] == ["lstm", "lstm"]
    layer = network.nodes[0].layer
    assert {m.n_levels for _, m in network.matrices()} <= {3, 5, 7, 9, 11, 13, 15}
    assert layer.hidden_bits == 4
    assert layer.cell_range == pytest.approx(float(module.first.cell_range.detach()), rel=0.04)
    found = run_reference(network, x.numpy())
    expected, scores = signals(module, x, ("first", "second"))
    for name, values in expected.items():
        own = codes(values, getattr(module, name).neuron)
        assert len(np.unique(own)) > 4
        assert np.array_equal(found.signals[f"{name}.hidden"], own), name
    assert np.array_equal(found.predictions, scores.argmax(axis=1))


def test_a_layer_of_real_numbers_is_exported_with_codes_of_its_range():
    class Plain(torch_nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.Lstm(6, 9, levels=None, bits=None)
            self.scores = torch_nn.Linear(9, 3)

        def forward(self, x):
            return self.scores(self.lstm(x)[:, -1])

    torch.manual_seed(9)
    x = on_grid(200, 9, 6)
    module = trained(Plain(), x)
    network = pimsim.export(module, x[:2], x.numpy())
    assert network.provenance["import"]["same_class"] > 0.95


def test_inputs_of_another_step_are_refused():
    torch.manual_seed(10)
    module = Text()
    module.second = nn.Lstm(9, 8, bits=3)
    x = on_grid(50, 6, 6)
    with pytest.raises(NetworkImportError, match="second reads codes of the step 0.140625, and"):
        pimsim.export(trained(module, x), x[:2], x.numpy())


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"bits": None, "sum_bits": 4}, "real numbers has neither sum_bits nor inputs"),
        ({"sum_bits": 1}, "sum_bits is 1; sums have 2 to 16"),
        ({"sum_noise": 0.5}, "sum_noise is 0.5 steps of sums, which are not rounded"),
        ({"sum_noise": -1.0}, "standard deviation cannot be negative"),
        ({"inputs": nn.Codes(4)}, "codes without a sign"),
        ({"bits": 9}, "bits is 9; codes have 2 to 8"),
        ({"levels": 4}, "levels is 4"),
    ],
)
def test_what_is_wrong_is_named(choices, message):
    with pytest.raises(PimsimError, match=message):
        nn.Lstm(3, 4, **choices)


def test_steps_of_sums_are_whole_sums_of_levels_times_codes():
    """So that an ADC of a chip, whose sums are whole, rounds at the same places."""
    torch.manual_seed(11)
    block = nn.Lstm(6, 9, sum_bits=4)
    trained(block, torch.randint(-7, 8, (60, 9, 6)) * block.neuron.step)
    (op,) = block.as_ops("lstm", (INPUT,))
    units = op.scaled.scale * op.codes.hidden.scale
    steps = op.codes.sum_steps / units
    assert np.array_equal(steps, np.round(steps))
    assert steps.min() > 1
    learned = block.sum_range.detach().double().numpy() / 7
    assert op.codes.sum_steps[::9] == pytest.approx(learned, abs=units.max() / 2)


@pytest.mark.parametrize("bits", range(2, 9))
def test_an_input_of_one_is_the_largest_code(bits):
    """The line of a symbol is driven at full scale, whatever the bits of the state."""
    block = nn.Lstm(3, 4, bits=bits)
    x = torch.tensor([[[0.0, 1.0, -1.0]]])
    assert block._in_steps(x).tolist() == [[[0, block.neuron.top, -block.neuron.top]]]
    (op,) = block.as_ops("lstm", (INPUT,))
    codes = torch.arange(-block.neuron.top, block.neuron.top + 1) * block.neuron.step
    whole = block._in_steps(codes.view(1, -1, 1).float()).flatten().tolist()
    assert whole == list(range(-block.neuron.top, block.neuron.top + 1))
    found = evaluate(op, x.double().numpy())
    assert np.array_equal(found, block.eval()(x.double()).detach().numpy())


def test_inputs_may_be_codes_of_a_quantiser():
    torch.manual_seed(12)
    quantiser = nn.Quantiser(4, [-1.0] * 6, [1.0] * 6, -1)

    class Coded(torch_nn.Module):
        def __init__(self):
            super().__init__()
            self.quantiser, self.lstm = quantiser, nn.Lstm(6, 9, inputs=quantiser.step, sum_bits=4)
            self.scores = nn.Dense(9, 3)

        def forward(self, x):
            return self.scores(self.lstm(self.quantiser(x))[:, -1])

    x = on_grid(120, 9, 6)
    module = trained(Coded(), x)
    network = pimsim.export(module, x[:2], x.numpy())
    expected, _ = signals(module, x, ("lstm",))
    found = run_reference(network, x.numpy()).signals["lstm.hidden"]
    assert np.array_equal(found, codes(expected["lstm"], module.lstm.neuron))
    assert network.encoder.kind == "quantiser"


def test_dropout_acts_on_outputs_in_training_alone():
    torch.manual_seed(13)
    block = nn.Lstm(5, 40, levels=None, bits=None, dropout=0.25)
    x = torch.randn(30, 8, 5)
    found, whole = block(x), block.eval()(x)
    dropped = found == 0
    assert float(dropped.float().mean()) == pytest.approx(0.25, abs=0.03)
    torch.testing.assert_close(found[~dropped], whole[~dropped] / 0.75)
    with pytest.raises(PimsimError, match="dropout is 1.0; it is a share from 0, below 1"):
        nn.Lstm(5, 4, dropout=1.0)
