"""Small random networks with the layers of the real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pimsim.workload import (
    WEIGHT_GRID,
    WEIGHT_LIMIT,
    Conv2d,
    ConvEncoder,
    Dense,
    DenseEncoder,
    Gru,
    ImageInput,
    LevelMatrix,
    MaxPool,
    Network,
    Output,
    SpeechInput,
    TensorInput,
    ThermometerEncoder,
    chain,
    limits_of,
    mfcc,
    to_grid,
)


def grid(values: np.ndarray) -> np.ndarray:
    return to_grid(values, WEIGHT_GRID, WEIGHT_LIMIT).astype(np.float32)


def random_matrix(
    rng: np.random.Generator, n_rows: int, n_columns: int, n_levels: int = 7, thresholds: int = 0
) -> LevelMatrix:
    top = max(1, (n_levels - 1) // 2)
    if n_levels == 2:
        levels = rng.choice([-1, 1], (n_rows, n_columns))
    else:
        levels = rng.integers(-top, top + 1, (n_rows, n_columns))
    shift = rng.integers(-thresholds, thresholds + 1, n_columns)
    return LevelMatrix(
        levels=levels.astype(np.int8),
        n_levels=n_levels,
        alpha=0.7,
        thresholds=shift.astype(np.int32),
        preactivation_range=12.0,
        preactivation_spread=3.0,
    )


def random_gru(
    seed: int = 0, hidden: int = 12, bits: int = 10, n_levels: int = 7, thresholds: int = 0
) -> Network:
    rng = np.random.default_rng(seed)

    def layer(below: int) -> Gru:
        shape = (hidden + below, hidden, n_levels, thresholds)
        return Gru(random_matrix(rng, *shape), random_matrix(rng, *shape))

    return Network(
        name="random-gru",
        input=SpeechInput(np.full(40, 1.0, np.float32), np.full(40, 200.0, np.float32), 2),
        encoder=DenseEncoder(grid(rng.normal(size=(40, bits))), grid(rng.normal(size=bits))),
        nodes=chain((layer(bits), layer(hidden))),
        output=Output(grid(rng.normal(size=(hidden, 12))), grid(rng.normal(size=12))),
        classes=tuple(f"word{i}" for i in range(12)),
    )


def random_lenet(seed: int = 0, n_levels: int = 15, thresholds: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    return Network(
        name="random-lenet",
        input=ImageInput(0.13, 0.31),
        encoder=ConvEncoder(grid(rng.normal(size=(5, 5, 1, 4))), grid(rng.normal(size=4))),
        nodes=chain(
            (
                MaxPool(2, 2),
                Conv2d(random_matrix(rng, 5 * 5 * 4, 6, n_levels, thresholds), kernel=5),
                MaxPool(2, 2),
                Dense(random_matrix(rng, 4 * 4 * 6, 20, n_levels, thresholds)),
                Dense(random_matrix(rng, 20, 14, n_levels, thresholds)),
            )
        ),
        output=Output(grid(rng.normal(size=(14, 10))), grid(rng.normal(size=10))),
        classes=tuple("0123456789"),
    )


def random_mlp(seed: int = 0, n_levels: int = 5) -> Network:
    rng = np.random.default_rng(seed)
    return Network(
        name="random-mlp",
        input=ImageInput(0.13, 0.31),
        encoder=DenseEncoder(grid(rng.normal(size=(784, 30)) / 9), grid(rng.normal(size=30))),
        nodes=chain(
            (
                Dense(random_matrix(rng, 30, 21, n_levels)),
                Dense(random_matrix(rng, 21, 13, n_levels)),
            )
        ),
        output=Output(grid(rng.normal(size=(13, 10))), grid(rng.normal(size=10))),
        classes=tuple("0123456789"),
    )


def random_tensor(
    sizes: tuple[int, ...] = (9,),
    has_steps: bool = False,
    n_levels: int = 7,
    classes: int = 4,
    seed: int = 0,
) -> Network:
    """A network on tensors: a GRU on time steps, a convolution on images, else dense layers."""
    rng = np.random.default_rng(seed)
    n_in, width = int(np.prod(sizes)), sizes[-1]
    if len(sizes) == 3:
        encoder = ConvEncoder(grid(rng.normal(size=(3, 3, width, 5))), grid(rng.normal(size=5)))
        n_flat = (sizes[0] - 2) * (sizes[1] - 2) * 5
        nodes = chain([Dense(random_matrix(rng, n_flat, 8, n_levels))])
    else:
        encoder = DenseEncoder(grid(rng.normal(size=(n_in, 10))), grid(rng.normal(size=10)))
        gru = (
            Gru(random_matrix(rng, 18, 8, n_levels), random_matrix(rng, 18, 8, n_levels))
            if has_steps
            else None
        )
        nodes = chain([gru or Dense(random_matrix(rng, 10, 8, n_levels))])
    return Network(
        name="random-tensor",
        input=TensorInput(
            sizes,
            rng.normal(size=width).astype(np.float32),
            rng.normal(size=width).astype(np.float32),
            has_steps,
        ),
        encoder=encoder,
        nodes=nodes,
        output=Output(grid(rng.normal(size=(8, classes))), grid(rng.normal(size=classes))),
        classes=tuple(f"class {i}" for i in range(classes)),
    )


def tensor_features(network: Network, n: int, seed: int = 1) -> np.ndarray:
    """Float32 features that fit a network of `random_tensor`."""
    steps = (6,) if network.has_steps else ()
    shape = (n, *steps, *network.input.sizes)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def random_features(network: Network, n: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (n, 28, 28) if isinstance(network.input, ImageInput) else (n, 24, 40)
    return rng.integers(0, 256, shape, dtype=np.uint8)


def thermometer_gru(seed: int = 0, hidden: int = 12, counts: int | tuple = 3, **kwargs) -> Network:
    """A GRU like `random_gru` whose first matrix reads comparators of its 40 inputs."""
    network = random_gru(seed, hidden, **kwargs)
    coefficients = mfcc(random_features(network, 20), 2).reshape(-1, 40)
    scaling = SpeechInput(
        coefficients.mean(axis=0).astype(np.float32),
        coefficients.std(axis=0).astype(np.float32),
        2,
    )
    network = replace(network, input=scaling)
    inputs = network.input.numbers(random_features(network, 20))
    encoder = ThermometerEncoder(*limits_of(inputs, counts))
    rng = np.random.default_rng(seed + 1)
    n_levels = network.layers[0].gate.n_levels
    n_bits = network.layers[0].gate.n_rows - hidden
    first = Dense(random_matrix(rng, encoder.n_bits, n_bits, n_levels))
    return replace(network, encoder=encoder, nodes=chain((first, *network.layers)))


def thermometer_lenet(seed: int = 0) -> Network:
    """A LeNet5 like `random_lenet` whose first convolution reads 2 comparators of each pixel."""
    network = random_lenet(seed)
    encoder = ThermometerEncoder(np.array([0.25, 1.5], np.float32), np.zeros(2, np.int32))
    first = Conv2d(random_matrix(np.random.default_rng(seed + 1), 5 * 5 * 2, 4, 15), kernel=5)
    return replace(network, encoder=encoder, nodes=chain((first, *network.layers)))
