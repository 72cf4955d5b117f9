"""An epoch of LeNet5 training: fused passes against torch's own graph, our Muon against torch's.

    python -m benchmarks.lenet5_training [--channels 16 32] [--threads 1] [--rounds 9]

Steps of 128 random images with 15-level weights and noise, as of noisy neuron annealing; an
epoch is 55,000 images, as of MNIST without its validation part.  Varying them is not in it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.gru_training import compare, training_step
from pimsim.nn import fused
from pimsim.nn.neurons import NoisyContinuousNeuron
from pimsim.nn.noise import NoiseSource
from pimsim.nn.quantize import quantizer_for
from pimsim.train.layers import Mode
from pimsim.train.lenet5 import Lenet5
from pimsim.train.memory import keep_memory
from pimsim.train.optimizer import Muon

IMAGES = 55_000
BATCH = 128


def step_of(
    channels: tuple[int, int], operands: torch.dtype | None, muon: type[torch.optim.Muon]
) -> Callable[[Tensor, Tensor], None]:
    """One training step of a network."""
    network = Lenet5(channels, (120, 84), 10)
    matrices = list(network.matrices().values())
    for matrix in matrices:
        matrix.quantize_by(quantizer_for(15))
    neuron = NoisyContinuousNeuron(1.0, 0.3)
    network.mode = Mode(neuron, quantized=True, operands=operands, source=NoiseSource(0))
    optimizer = muon([matrix.weight for matrix in matrices], adjust_lr_fn="match_rms_adamw")
    return training_step(network, optimizer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, nargs=2, default=(16, 32))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_memory()
    torch.manual_seed(1)
    images, labels = torch.randn(BATCH, 1, 28, 28), torch.randint(0, 10, (BATCH,))
    channels = tuple(options.channels)
    steps = {
        "fused (pimsim)": step_of(channels, fused.SINGLE, Muon),
        "torch's graph": step_of(channels, None, Muon),
        "torch's graph and Muon": step_of(channels, None, torch.optim.Muon),
    }
    print(f"{channels} channels, batch {BATCH}, {options.threads} threads")
    compare(steps, images, labels, options.rounds, IMAGES)


if __name__ == "__main__":
    main()
