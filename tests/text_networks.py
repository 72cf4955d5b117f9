"""Small networks that foretell the next symbol of a text."""

from __future__ import annotations

import dataclasses

import numpy as np
from code_networks import coded_matrix, neurons
from networks import grid, random_gru

from pimsim.data import text
from pimsim.workload import Network, Node, OneHotEncoder, Output, TextInput
from pimsim.workload.layers import ResetGru

CLASSES = text.names_of(text.WAR_AND_PEACE)
SYMBOLS = len(CLASSES)


def scored(rng, n_in: int, top: int = 1) -> Output:
    """Scores of every step, in bits per character."""
    weights, biases = grid(rng.normal(size=(n_in, SYMBOLS)) / top), grid(rng.normal(size=SYMBOLS))
    return Output(weights, biases, every_step=True, metric="bits_per_character", scale=0.25)


def text_bits(seed: int = 0, hidden: int = 10) -> Network:
    """Two GRUs of bits, the first of which reads symbols."""
    rng = np.random.default_rng(seed)
    return dataclasses.replace(
        random_gru(seed, hidden, SYMBOLS),
        name="text-bits",
        input=TextInput(SYMBOLS),
        encoder=OneHotEncoder(),
        output=scored(rng, hidden),
        classes=CLASSES,
    )


def text_codes(seed: int = 0, hidden: int = 8, bits: int = 4) -> Network:
    """A GRU with reset gate of codes; the line of a symbol is driven at full scale."""
    rng, sum_bits = np.random.default_rng(seed), 6
    zero = 2 ** (bits - 1)
    parts = [coded_matrix(rng, hidden + SYMBOLS, hidden, bits, bits) for _ in range(2)]
    parts += [
        coded_matrix(rng, hidden + SYMBOLS, hidden, sum_bits, bits, zero=2 ** (sum_bits - 1))
        for _ in range(2)
    ]
    candidate = neurons(rng, hidden, bits, 2 ** (bits + sum_bits - 2), zero)
    return Network(
        "text-codes",
        TextInput(SYMBOLS),
        OneHotEncoder(bits),
        (Node("gru", ResetGru(*parts, candidate), ("encoder",)),),
        scored(rng, hidden, 2**bits - 1),
        CLASSES,
    )
