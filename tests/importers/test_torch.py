"""Networks in plain torch: exported, exact, and run on chips."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pimsim[train]")

from torch import nn  # noqa: E402
from user_networks import HAS_STEPS, USERS, Mlp, build  # noqa: E402

import pimsim  # noqa: E402
from pimsim.errors import DataError  # noqa: E402
from pimsim.importers import float_run, layers, lstm  # noqa: E402
from pimsim.importers.activations import function  # noqa: E402
from pimsim.importers.build import Builder, Choices  # noqa: E402
from pimsim.importers.ops import Activation, Conv, Dense, Lstm, NetworkImportError  # noqa: E402
from pimsim.importers.torch_export import read  # noqa: E402
from pimsim.workload import ENCODER, run_reference  # noqa: E402


def exported(name, **choices):
    module, inputs, features = build(name)
    with torch.no_grad():
        labels = module(inputs).argmax(1).numpy()
    data = pimsim.Dataset(features, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = pimsim.export(module, inputs[:2], data, **choices)
    return module, data, network


@pytest.mark.parametrize("name", USERS)
def test_operations_are_those_of_the_module(name):
    module, inputs, features = build(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trained = read(module, inputs[:2])
    with torch.no_grad():
        expected = module(inputs).numpy()
    # in 64 bits what torch computes in 32
    np.testing.assert_allclose(
        float_run.scores(trained, features), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max()
    )


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("name", USERS)
def test_every_code_is_the_rounded_value(name, bits):
    """Code for code: weights of whole levels, values of codes, rounding at the end of each layer.

    The values are computed from real numbers, with the framework's padding of zeros; the network
    computes whole sums and counts limits.
    """
    module, inputs, features = build(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trained = read(module, inputs[:2])
    data = pimsim.Dataset(features, np.zeros(len(features), int), classes=["a"])
    builder = Builder(trained, data, Choices(bits, bits, 8))
    network = builder.network("n")
    run = run_reference(network, features)
    outputs = {ENCODER: ENCODER, **{node.name: node.output for node in network.nodes}}
    checked = 0
    for group in builder.groups:
        head = group.head
        signal = builder.signals.get(group.name)
        is_digital = group.source == ("input",) and network.encoder.has_weights
        if not isinstance(head, Dense | Conv) or signal is None or is_digital:
            continue
        source = builder._source(group.source[0])
        values = run.signals[outputs[source.node]] * source.scale + source.offset
        product = layers.product(head, [source], bits)
        if isinstance(head, Dense):
            values = values.reshape(*values.shape[: source.shape.leading], -1)
            scale, _ = source.of_rows()
            rounded = product.levels * product.line.slope / scale[:, None]
            sums = values @ rounded + head.bias
        else:
            scale = layers._of_windows(head, source.scale)
            rounded = product.levels * product.line.slope / scale
            weight = rounded.reshape(head.weight.shape)
            plain = Conv(head.name, ("x",), weight, head.bias, head.stride, head.padding,
                         head.dilation, head.groups)  # fmt: skip
            sums = float_run.evaluate(plain, values)
        for norm in group.norms:
            sums = sums * norm.scale + norm.shift
        if group.pool is not None:
            sums = float_run.evaluate(group.pool, sums)
        for norm in group.norms_after:
            sums = sums * norm.scale + norm.shift
        found = function(group.activation or Activation("x", (), "identity")).of(sums)
        codes = (found - signal.offset) / signal.scale
        if np.abs(signal.scale[0]) == 2:  # bits of -1 and +1
            expected = (codes > 0.5).astype(int)
        else:
            bits_of = signal.shape.codes.bits
            expected = np.clip(np.floor(codes + 0.5), 0, 2**bits_of - 1)
        got = run.signals[outputs[signal.node]]
        # values within rounding of a limit may go either way
        near = np.abs(codes - np.floor(codes) - 0.5) < 1e-6
        assert ((got == expected.reshape(got.shape)) | near.reshape(got.shape)).all(), group.name
        checked += 1
    assert checked or name in HAS_STEPS


@pytest.mark.parametrize("name", USERS)
def test_classes_stay_those_of_the_module(name):
    _, data, network = exported(name)
    facts = network.provenance["import"]
    found = run_reference(network, data.features).predictions
    assert facts["same_class"] == (found == data.labels).mean()
    # 8-bit codes of random networks, whose scores lie close together
    assert facts["same_class"] >= 0.93
    assert facts["compared_samples"] == len(data)


# one of each kind of layer; the others with -m slow
QUICK = (
    "binary cnn",
    "depthwise cnn",
    "residual cnn",
    "one-dimensional cnn",
    "gru with reset gate",
)


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in USERS]
)
def test_a_users_network_runs_on_two_chips(name, tmp_path):
    """Five lines: export, save, load, run; noise, trace and page."""
    choices = {"weight_bits": 3} if name.startswith("binary") else {"bits": 4, "weight_bits": 4}
    _, data, network = exported(name, **choices)
    path = network.save(tmp_path / "net.safetensors")
    network = pimsim.load(path)
    second = "ba_mlw_16nm" if name.startswith("binary") else "isaac_32nm"
    for chip in ("adc_pim_16nm", second):
        result = pimsim.run(network, data=data.limit(20), chip=chip, device="reram", chips=2)
        assert result.energy > 0
        assert result.document.energy.by_component_j["array"] > 0
        assert (tmp_path / chip).joinpath("report.html") in result.save(tmp_path / chip)


def test_bits_of_a_first_layer_come_from_a_digital_unit():
    _, _, network = exported("binary mlp", weight_bits=3)
    assert network.encoder.kind == "dense"
    assert network.is_of_bits
    assert {m.n_levels for _, m in network.matrices()} <= {3, 7}


def test_an_array_has_the_layout_of_the_module():
    module, inputs, features = build("strided cnn")
    one = pimsim.export(module, inputs[:2], inputs.numpy())
    other = pimsim.export(
        module, inputs[:2], pimsim.Dataset(features, np.zeros(len(features), int))
    )
    assert np.array_equal(
        run_reference(one, features).scores, run_reference(other, features).scores
    )


def test_bytes_are_their_own_codes():
    module, inputs, _ = build("strided cnn")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 12, 12, 3)).astype(np.uint8)
    data = pimsim.Dataset(pixels, np.zeros(40, int), classes=list("abcd"))
    network = pimsim.export(module, inputs[:2], data)
    assert np.array_equal(run_reference(network, pixels).signals["encoder"], pixels)


class Refused(nn.Module):
    def __init__(self, part, shape=(4,)):
        super().__init__()
        self.first, self.part, self.last = nn.Linear(4, 4), part, nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.part(self.first(x)))


@pytest.mark.parametrize(
    ("part", "message", "remedy"),
    [
        (nn.GELU(), "part uses gelu", "ReLU"),
        (nn.LayerNorm(4), "part uses layer_norm", "BatchNorm"),
        (nn.LeakyReLU(), "part uses leaky_relu", "ReLU"),
        (nn.Softplus(), "part uses softplus", "ReLU"),
    ],
)
def test_what_cannot_be_exported_is_named_by_its_path(part, message, remedy):
    with pytest.raises(NetworkImportError, match=message) as found:
        pimsim.export(Refused(part), torch.randn(2, 4), np.random.randn(9, 4))
    assert remedy in found.value.remedy


def test_other_refusals():
    two_ways = nn.GRU(6, 4, batch_first=True, bidirectional=True)
    with pytest.raises(NetworkImportError, match="bidirectional"):
        read(two_ways, torch.randn(2, 9, 6))
    projected = nn.LSTM(6, 4, batch_first=True, proj_size=2)
    with pytest.raises(NetworkImportError, match="projects its state"):
        read(projected, torch.randn(2, 9, 6))

    class Cells(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(6, 4, batch_first=True)

        def forward(self, x):
            return self.lstm(x)[1][1][-1]

    with pytest.raises(NetworkImportError, match="hands on its cells"):
        read(Cells(), torch.randn(2, 9, 6))
    with pytest.raises(NetworkImportError, match="no layer for an array"):
        pimsim.export(nn.Linear(4, 2), torch.randn(2, 4), np.random.randn(9, 4))
    with pytest.raises(DataError, match="samples of 5"):
        data = pimsim.Dataset(np.zeros((3, 5), np.float32), np.zeros(3, int))
        pimsim.export(Mlp(), torch.randn(2, 1, 8, 8), data)

    class Padded(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, padding=1)
            self.fc = nn.Linear(4 * 36, 2)

        def forward(self, x):
            return self.fc(torch.sign(self.b(torch.sign(self.a(x)))).flatten(1))

    with pytest.raises(NetworkImportError, match="b pads with 0, and its inputs have no code for"):
        pimsim.export(Padded(), torch.randn(2, 1, 8, 8), np.random.randn(9, 1, 8, 8))


def test_export_leaves_the_module_as_it_was():
    module, inputs, _ = build("mlp with batch normalisation")
    module.train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    pimsim.export(module, inputs[:2], inputs.numpy())
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("name", ["lstm", "two layers of lstm"])
def test_codes_of_an_lstm_are_those_of_its_equations(name, bits):
    """Code for code: rounded weights, then the equations in real numbers, rounded on the way."""
    module, inputs, features = build(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trained = read(module, inputs[:2])
    data = pimsim.Dataset(features, np.zeros(len(features), int), classes=["a"])
    builder = Builder(trained, data, Choices(bits, bits, 8))
    network = builder.network("n")
    run = run_reference(network, features)
    outputs = {ENCODER: ENCODER, **{node.name: node.output for node in network.nodes}}
    for group in builder.groups:
        if not isinstance(group.head, Lstm):
            continue
        source = builder._source(group.source[0])
        seen = builder.values.get(group.source[0], builder.first.values)
        head, codes = lstm._with_codes(group.head, source, seen, bits)
        levels, units, _ = lstm._levels(head, codes, source, bits)
        assert np.abs(levels).max() <= 2 ** (bits - 1) - 1
        rounded = dataclasses.replace(head, codes=codes, weight=levels * units / codes.hidden.scale)
        values = run.signals[outputs[source.node]] * source.scale + source.offset
        expected = np.round(float_run.evaluate(rounded, values) / codes.hidden.scale)
        node = builder.signals[group.name].node
        found = run.signals[outputs[node]].astype(int) + codes.hidden.lowest
        assert len(np.unique(found)) > min(2**bits, 100) / 2
        # sums within rounding of a limit may go either way, and a state goes on
        assert (found == expected).mean() > 0.9999


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_a_state_at_the_beginning_is_0_or_refused(kind):
    class Begun(nn.Module):
        def __init__(self, how):
            super().__init__()
            self.layer = (nn.GRU if kind == "gru" else nn.LSTM)(4, 5, batch_first=True)
            self.scores, self.how = nn.Linear(5, 3), how
            self.register_buffer("begin", torch.full((1, 1, 5), 0.5))

        def forward(self, x):
            state = {
                "zeros": lambda: x.new_zeros(1, len(x), 5),
                "numbers": lambda: self.begin.expand(1, len(x), 5).contiguous(),
                "inputs": lambda: x[:, 0].sum(dim=1)[None, :, None].repeat(1, 1, 5),
            }[self.how]()
            states, _ = self.layer(x, (state, state) if kind == "lstm" else state)
            return self.scores(states[:, -1])

    data = np.random.default_rng(0).normal(size=(20, 6, 4)).astype(np.float32)
    example = torch.zeros(2, 6, 4)
    assert len(pimsim.export(Begun("zeros").eval(), example, data).nodes) == 1
    for how in ("numbers", "inputs"):
        with pytest.raises(NetworkImportError, match="layer begins with a state that it is given"):
            pimsim.export(Begun(how).eval(), example, data)


def test_scores_of_every_step_of_a_recurrent_module_are_kept():
    class Every(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.scores = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 3)

        def forward(self, x):
            return self.scores(self.layer(x)[0])

    data = np.random.default_rng(0).normal(size=(20, 6, 4)).astype(np.float32)
    assert pimsim.export(Every().eval(), torch.zeros(2, 6, 4), data).output.every_step


def test_two_roundings_after_each_other_are_refused():
    from pimsim.nn import Codes, Dense, Lstm, Quantiser

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.quantiser = Quantiser(1, 0.0, 1.0)
            self.layer, self.scores = Lstm(4, 5, inputs=Codes(4, signed=True)), Dense(5, 3)

        def forward(self, x):
            return self.scores(self.layer(self.quantiser(x))[:, -1])

    data = np.random.default_rng(0).normal(size=(20, 6, 4)).astype(np.float32)
    with pytest.raises(NetworkImportError, match="layer.inputs is a further function of codes"):
        pimsim.export(Twice().eval(), torch.zeros(2, 6, 4), data)
