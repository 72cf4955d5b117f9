"""Weights of one sign, and networks with one setting of weights, signals and ADCs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from files import bundled_chip, bundled_device  # noqa: E402

from pimsim import nn  # noqa: E402
from pimsim.chip import build_chip  # noqa: E402
from pimsim.config import NoiseConfig  # noqa: E402
from pimsim.config.weight_coding import Unipolar  # noqa: E402
from pimsim.data.dataset import Dataset  # noqa: E402
from pimsim.errors import PimsimError  # noqa: E402
from pimsim.importers.torch_export import export  # noqa: E402
from pimsim.nn.adcs import ArrayAdcs  # noqa: E402
from pimsim.nn.weights import LevelWeight  # noqa: E402
from pimsim.simulate import encode_inputs, run_chips  # noqa: E402
from pimsim.workload import read_network, run_reference, write_network  # noqa: E402

SCALE = nn.UniformScale(step=16, bits=6, shift=0, rows=16)


def uniform(polarity="positive", levels=7, scale=SCALE, widths=(24, 16, 4)):
    torch.manual_seed(1)
    layers = [nn.Quantiser(4, -1.0, 1.0)]
    for index, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
        is_last = index == len(widths) - 2
        neuron = nn.Codes(8, signed=True) if is_last else nn.Codes(4)
        layers.append(nn.Dense(n_in, n_out, levels, neuron, polarity=polarity))
    chain = torch.nn.Sequential(*layers)
    nn.make_uniform(chain, scale)
    return chain


def trained(chain, steps=60):
    torch.manual_seed(2)
    x = torch.randint(-255, 256, (200, 24)) / 256
    labels = (x[:, :12].sum(dim=1) > 0).long() + 2 * (x[:, 12:].sum(dim=1) > 0).long()
    rate = torch.optim.Adam(chain.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        rate.zero_grad()
        loss = torch.nn.functional.cross_entropy(chain.train()(x), labels)
        loss.backward()
        rate.step()
        losses.append(float(loss.detach()))
    return chain.eval(), x, losses


@pytest.mark.parametrize("levels", [3, 7, 31])
@pytest.mark.parametrize("polarity", ["positive", "negative", "halves"])
def test_weights_keep_their_sign_and_use_levels_from_0(polarity, levels):
    torch.manual_seed(0)
    matrix = LevelWeight((10, 40), levels, 0.0, polarity)
    expected = {"positive": 1, "negative": -1}.get(polarity)
    signs = np.full(10, expected) if expected else np.repeat([1, -1], 5)
    for _ in range(30):
        matrix.trained().square().sum().neg().backward()
        with torch.no_grad():
            matrix.weight -= 0.05 * torch.randn_like(matrix.weight)
        k, _ = matrix.deployed()
        own = k.numpy() * signs[:, None]
        assert own.min() == 0
        assert own.max() <= (levels - 1) // 2
    assert matrix.weight.grad is not None


def test_a_gradient_moves_weights_that_stand_at_0():
    """Shadow weights are kept at 0, not below it, where they would need long to come back."""
    matrix = LevelWeight((1, 3), 7, 0.0, "positive")
    with torch.no_grad():
        matrix.weight.copy_(torch.tensor([[-5.0, 0.0, 0.1]]))
    matrix.trained().sum().backward()
    assert matrix.weight.min() == 0
    assert (matrix.weight.grad == 1).all()


@pytest.mark.parametrize(("polarity", "levels"), [("positive", 2), ("up", 7)])
def test_weights_of_one_sign_that_do_not_exist_are_refused(polarity, levels):
    with pytest.raises(PimsimError, match="polarity is 'up'|levels is 2, -1 and \\+1"):
        LevelWeight((2, 2), levels, 0.0, polarity)


def test_codes_of_adcs_and_their_gradients():
    """Rounding passes gradients straight through, and a clipped sum has none."""
    adcs = ArrayAdcs(nn.UniformScale(4, 3, 0, 2), 0.5, 2, 0.25, False)
    x = torch.tensor([[1.0, 0.5, -1.0, -0.5], [6.5, 6.5, 0.0, 0.0]], requires_grad=True)
    weight = torch.tensor([[0.5, 0.75, 0.25, 0.25], [0.0, 0.25, 0.0, 0.75]], requires_grad=True)
    parts = nn.Dense(4, 2).of_arrays(x, weight, 2)
    found = adcs.sums(parts, weight, torch.tensor([0.3, 0.0]))
    # codes of inputs 4 3 0 1 and 15 15 2 2, levels 2 3 1 1 and 0 1 0 3; arrays of two rows
    # sums 17 1, 3 3 and 75 4, 15 6 over steps of 4: codes 4 0, 1 1 and 7 1, 4 2
    # the bias: 2.4 less what the code of 0 (2) adds, 14 and 8, over 4: -3 and -2
    expected = np.array([[4 - 3, 2 - 2], [8 - 3, 6 - 2]]) / 2
    assert np.array_equal(found.detach().numpy(), expected)
    found.sum().backward()
    # the first array of the first column clips for the second sample
    assert np.array_equal(x.grad[1].numpy(), [0.0, 0.25, 0.25, 1.0])
    assert np.array_equal(x.grad[0].numpy(), weight.detach().sum(dim=0).numpy())


@pytest.mark.parametrize("polarity", ["positive", "halves", "bipolar"])
@pytest.mark.parametrize("scale", [SCALE, nn.UniformScale(8, 8, 1, 16)], ids=["plain", "shifted"])
def test_the_same_steps_in_every_layer(polarity, scale):
    """Deployed limits are whole multiples of the ADC's step apart, the same in all layers."""
    chain, x, losses = trained(uniform(polarity, scale=scale))
    assert losses[-1] < losses[0]
    data = Dataset(x.numpy(), np.zeros(len(x), np.int64), tuple("abcd"), name="toy", kind="tensor")
    network = export(chain, torch.zeros(2, 24), data, name="toy")
    spacing = scale.step * 2**scale.shift
    *hidden, last = network.nodes
    for node in hidden:
        limits = node.layer.matrix.neurons.limits.astype(np.int64)
        assert limits.shape[1] == 15
        # halves are rounded to even: limits of odd codes lie one beyond the half
        assert set(np.unique(np.diff(limits))) <= {spacing - 1, spacing, spacing + 1}
        assert set(np.unique(np.diff(limits[:, ::2]))) == {2 * spacing}
    diff = np.diff(last.layer.matrix.neurons.limits.astype(np.int64)[:, ::2])
    assert set(np.unique(diff[:, 1:-2])) == {2 * scale.step}
    assert not network.output.has_weights


def test_scores_of_the_last_layer_are_its_codes(tmp_path):
    """The output layer stands in the array: no digital unit, the same classes."""
    chain, x, _ = trained(uniform())
    data = Dataset(x.numpy(), np.zeros(len(x), np.int64), tuple("abcd"), name="toy", kind="tensor")
    network = export(chain, torch.zeros(2, 24), data, name="toy")
    network = read_network(write_network(network, tmp_path / "toy.safetensors"))
    run = run_reference(network, x.numpy())
    with torch.no_grad():
        scores = chain(x).double().numpy()
    assert np.array_equal(run.predictions, scores.argmax(axis=1))
    assert np.array_equal(run.scores, run.signals[network.nodes[-1].output])
    assert len(np.unique(run.predictions)) > 2
    assert "codes of the last layer, 4 classes" in network.output.description


def convolutions():
    """Maps, pools and rows of several arrays; inputs of 0 and of padding have the code 8."""
    torch.manual_seed(3)
    chain = torch.nn.Sequential(
        nn.Quantiser(4, -1.0, 1.0),
        nn.Conv2d(3, 6, 3, 1, 1, neuron=nn.Codes(4), polarity="positive"),
        torch.nn.MaxPool2d(2),
        nn.Conv2d(6, 5, 3, 1, 1, pool=2, neuron=nn.Codes(4), polarity="positive"),
        torch.nn.Flatten(),
        nn.Dense(20, 4, neuron=nn.Codes(8, signed=True), polarity="positive"),
    )
    nn.make_uniform(chain, SCALE)
    with torch.no_grad():
        for layer in (chain[1], chain[3], chain[5]):
            # weights begin with few levels, and a step counts in those that there are
            layer.matrix.weight.flatten(1)[:, ::5] = layer.matrix.range
    x = torch.randint(-255, 256, (30, 8, 8, 3)) / 256
    chain.train()(x.movedim(-1, 1))  # sets the biases
    return chain, x


def test_of_arrays_divides_rows_as_a_chip_places_them():
    layer, x = nn.Conv2d(3, 4, (2, 3)), torch.randn(2, 3, 5, 5)
    weight = torch.randn(4, 3, 2, 3)
    parts = list(layer.of_arrays(x, weight, 7))
    assert len(parts) == 3
    rows = [own.permute(2, 3, 1, 0).reshape(18, 4) for _, own in parts]
    for index, own in enumerate(rows):
        assert set(own.abs().sum(dim=1).nonzero()[:, 0].tolist()) == set(
            range(7 * index, min(18, 7 * index + 7))
        )
    assert torch.allclose(sum(s for s, _ in parts), layer.sums(x, weight, None), atol=1e-5)


@pytest.mark.parametrize("kind", ["rows", "maps"])
def test_the_chip_is_the_network_as_it_was_trained(kind):
    """ADCs of the chip file with the scale's full scale give the sums of the training pass."""
    chain, x = trained(uniform())[:2] if kind == "rows" else convolutions()
    data = Dataset(x.numpy(), np.zeros(len(x), np.int64), tuple("abcd"), name="toy", kind="tensor")
    example = torch.zeros(2, 24) if kind == "rows" else torch.zeros(2, 3, 8, 8)
    network = export(chain.eval(), example, data, name="toy")
    config = bundled_chip("lstm_4b_16nm")
    coding = Unipolar(kind="unipolar", source="a test", certainty="assumed")
    full = SCALE.full_scale(7, 4)
    changed = {"bits": 6, "range": None, "full_scale": full}
    config = config.model_copy(
        update={
            "weight_coding": coding,
            "drive": config.drive.model_copy(update={"bits": 8, "signed_codes": "offset"}),
            "array": config.array.model_copy(update={"rows": 16}),
            "read_out": config.read_out.model_copy(update=changed),
        }
    )
    # ADCs round and clip, and nothing else is wrong with them
    noise = NoiseConfig.ideal().model_copy(update={"fixed_point": True})
    chip = build_chip(network, config, bundled_device("ideal"), noise)
    assert {m.read_out.step for t in chip.tiles for m in t.matrices} == {16.0}
    found = run_chips(chip, encode_inputs(chip, x.numpy()), [0], 3, keep_bits=True)
    blocks = [m for m in chain if not isinstance(m, torch.nn.Flatten | torch.nn.MaxPool2d)]
    with torch.no_grad():
        signal, signals = x if kind == "rows" else x.movedim(-1, 1), {}
        for module in chain:
            signal = module.train()(signal)
            signals[module] = signal if signal.ndim == 2 else signal.movedim(1, -1)
    nodes = [node.output for node in network.nodes if node.matrices()]
    for index, module in enumerate(blocks):
        if getattr(module, "pool", (1, 1)) != (1, 1):
            continue  # a node of its own pools its codes
        step = module.step if index == 0 else module.neuron.step
        lowest = module.lowest if index == 0 else module.neuron.lowest
        codes = np.round(signals[module].double().numpy() / step) - lowest
        own = found.bits[nodes[index - 1]] if index else encode_inputs(chip, x.numpy())
        assert np.array_equal(np.asarray(own).reshape(codes.shape), codes), index
        assert len(np.unique(codes)) > 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop(0), "begins without a quantiser"),
        (lambda c: setattr(c[1].matrix, "levels", 15), "several numbers of levels"),
        (lambda c: setattr(c[1], "bias", None), "a normalisation, or no bias"),
        (lambda c: setattr(c[1], "neuron", nn.Codes(3)), "no unsigned codes of 4 bits"),
        (lambda c: setattr(c[2], "neuron", nn.Real()), "scores that are no codes"),
        (lambda c: c.insert(1, torch.nn.ReLU()), "several numbers of levels"),
    ],
)
def test_networks_that_cannot_be_uniform_are_refused(change, message):
    chain = uniform()
    change(chain)
    with pytest.raises(PimsimError, match=message):
        nn.make_uniform(chain, SCALE)


@pytest.mark.parametrize(
    ("keys", "message"),
    [({"step": 12}, "power of two"), ({"step": 8, "bits": 1}, "bits is 1; it is 2 to 14")],
)
def test_settings_that_do_not_exist_are_refused(keys, message):
    with pytest.raises(PimsimError, match=message):
        nn.UniformScale(**keys)
