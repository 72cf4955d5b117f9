"""Slow, obvious twins of the kernels."""

from __future__ import annotations

import numpy as np

MASK = 0xFFFFFFFF


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, ...]:
    """Philox 4x32-10 in Python integers."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK, (p0 >> 32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def decide(sums, chances, first, chip, sample, step, tag, key):
    """Every decision draws, whether or not it matters: skipping must not show."""
    limit = (len(chances) - 1) // 2
    bits = []
    for i, value in enumerate(int(s) for s in sums):
        column = first + i
        word = philox((chip, sample, step, tag | (column >> 2)), key)[column & 3]
        if value > limit:
            chance = 1 << 32
        elif value < -limit:
            chance = 0
        else:
            chance = int(chances[value + limit])
        bits.append(int(word < chance))
    return np.array(bits, np.uint8)


def run_gru(cells, start, below, gate_chances, candidate_chances, tag, key, chips, samples):
    """(gate, candidate, hidden), each (n_chips, n_sequences, n_steps, n_hidden)."""
    n_hidden = cells.shape[2] // 2
    shape = (len(chips), below.shape[1], below.shape[2], n_hidden)
    gates, candidates, hiddens = (np.zeros(shape, np.uint8) for _ in range(3))
    for c, chip in enumerate(chips):
        lines_below = below[c if len(below) > 1 else 0]
        for s, sample in enumerate(samples):
            hidden = np.zeros(n_hidden, np.uint8)
            for step in range(below.shape[2]):
                lines = np.concatenate([hidden, lines_below[s, step]]).astype(np.int64)
                sums = lines @ cells[c].astype(np.int64) + start[c]
                where = (int(chip), int(sample), step, tag, key)
                gate = decide(sums[:n_hidden], gate_chances, 0, *where)
                candidate = decide(sums[n_hidden:], candidate_chances, n_hidden, *where)
                hidden = np.where(gate, hidden, candidate).astype(np.uint8)
                gates[c, s, step], candidates[c, s, step], hiddens[c, s, step] = (
                    gate,
                    candidate,
                    hidden,
                )
    return gates, candidates, hiddens


def read_numbers(codes, place, sample, lines, converters, neurons, key, tag, chip):
    """Codes of one operation of a tile with converters: every conversion draws on its own."""
    n_blocks, n_lines = len(lines.cells), lines.cells.shape[2]
    block_rows, n_outputs = lines.cells.shape[1] - 1, len(lines.unit)
    whole = [0.0] * n_outputs
    for block in range(n_blocks):
        sums = [0] * (max(lines.owner) + 1)
        own = codes[block * block_rows : (block + 1) * block_rows]
        for bit in range(neurons.input_bits):
            on = (own.astype(np.int64) >> bit) & 1
            for line in range(n_lines):
                cells = lines.cells[block, : len(on), line].astype(np.int64)
                value = float(on @ cells)
                if len(converters.noise):
                    counter = (chip, sample, (place * n_blocks + block) * neurons.input_bits + bit)
                    word = philox((*counter, tag | (line // 8)), key)[(line % 8) // 2]
                    value += converters.noise[(word >> (16 * (line % 2))) & 0xFFFF]
                share = min(1.0, max(-1.0, value / (converters.code_quanta * converters.top)))
                value = value * (1.0 + converters.gain[line]) + converters.offset[line]
                value += converters.bow[line] * 1.5 * 3**0.5 * share * (1.0 - share * share)
                code = np.floor(value / converters.code_quanta + 0.5)
                code = int(min(converters.top, max(converters.low, code)))
                sums[lines.owner[line]] += code * int(lines.worth[block, line]) * 2**bit
        for output in range(n_outputs):
            whole[output] += sums[output]
            if lines.unit[output] >= 0:
                whole[output] += sums[lines.unit[output]] * lines.per_active[block, output]
    values = np.array(whole) * neurons.scale
    return (values[:, None] >= neurons.limits).sum(axis=1).astype(np.uint8)
