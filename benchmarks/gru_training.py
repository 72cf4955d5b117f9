"""An epoch of GRU training: pimsim's layers against the same network in plain autograd.

    python -m benchmarks.gru_training [--frames 98] [--threads 2] [--rounds 3]

Both train the shipped network's shape with 7-level weights, binary neurons and noise, on
batches of random frames; steps alternate, and medians are compared, so that what else the
machine does falls on both.  An epoch is 36,000 clips, as of Speech Commands; reading and
varying the clips is not in it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from pimsim.nn import fused
from pimsim.nn.neurons import NoisyBinaryNeuron, fire
from pimsim.nn.noise import NoiseSource
from pimsim.nn.quantize import quantizer_for
from pimsim.train.gru import GruNetwork
from pimsim.train.layers import Mode
from pimsim.train.memory import keep_memory

CLIPS = 36_000
BATCH = 256


class PlainGru(GruNetwork):
    """The same network, step by step, by torch's own graph."""

    def forward(self, frames: Tensor) -> Tensor:
        mode = self.mode
        below = fire(self.encoder(frames), mode.neuron, mode.source)
        for gate, candidate in zip(self.gates, self.candidates, strict=True):
            weights = torch.cat([gate.used(mode), candidate.used(mode)], dim=1)
            state = below.new_zeros(below.shape[1], weights.shape[1] // 2)
            states = []
            for x in below:
                fired = fire(torch.cat([state, x], dim=1) @ weights, mode.neuron, mode.source)
                kept, new = fired.chunk(2, dim=1)
                state = kept * state + (1 - kept) * new
                states.append(state)
            below = torch.stack(states)
        scores: Tensor = self.output(below[-1])
        return scores


def training_step(
    network: nn.Module, optimizer: torch.optim.Optimizer
) -> Callable[[Tensor, Tensor], None]:
    """Forward, backward, update."""

    def step(inputs: Tensor, labels: Tensor) -> None:
        loss = nn.functional.cross_entropy(network(inputs), labels)
        network.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def step_of(network: GruNetwork, operands: torch.dtype | None) -> Callable[[Tensor, Tensor], None]:
    """One training step of a network."""
    for matrix in network.matrices().values():
        matrix.quantize_by(quantizer_for(7))
    neuron = NoisyBinaryNeuron(0.3, 0.5)
    network.mode = Mode(neuron, quantized=True, operands=operands, source=NoiseSource(0))
    optimizer = torch.optim.AdamW(network.parameters())
    return training_step(network, optimizer)


def compare(
    steps: dict[str, Callable[[Tensor, Tensor], None]],
    inputs: Tensor,
    labels: Tensor,
    rounds: int,
    n_examples: int,
) -> None:
    """Print seconds per epoch of several kinds of steps, which take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            begin = time.perf_counter()
            step(inputs, labels)
            if number:  # the first compiles and warms up
                seconds[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    slowest = max(medians.values())
    for name, median in medians.items():
        epoch = median * n_examples / len(labels)
        print(f"{name:<26} {epoch:7.1f} s per epoch of {n_examples}   x{slowest / median:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=98)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_memory()
    torch.manual_seed(1)
    frames = torch.randn(options.frames, BATCH, 40)
    labels = torch.randint(0, 12, (BATCH,))
    shape = (40, 128, 2, 12)
    chosen = fused.operands("bfloat16")
    steps = {
        f"{str(chosen).removeprefix('torch.')}, fused (pimsim)": step_of(
            GruNetwork(*shape), operands=chosen
        ),
        "float32, one node a layer": step_of(GruNetwork(*shape), operands=None),
        "float32, plain autograd": step_of(PlainGru(*shape), operands=None),
    }
    print(f"{options.frames} frames, batch {BATCH}, {options.threads} threads")
    compare(steps, frames, labels, options.rounds, CLIPS)


if __name__ == "__main__":
    main()
