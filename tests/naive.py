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


def decide(sums, table, first, chip, sample, step, tag, key):
    """Every decision draws, whether or not it matters: skipping must not show."""
    reach = (len(table) - 1) // 2
    bits = []
    for i, value in enumerate(int(s) for s in sums):
        column = first + i
        word = philox((chip, sample, step, tag | (column >> 2)), key)[column & 3]
        if value > reach:
            probability = 1 << 32
        elif value < -reach:
            probability = 0
        else:
            probability = int(table[value + reach])
        bits.append(int(word < probability))
    return np.array(bits, np.uint8)


def gru(decided, old):
    """A gate of 1 keeps the old bit."""
    gate, candidate = np.split(decided, 2)
    return np.where(gate, old, candidate).astype(np.uint8)


def register(decided, old):
    """The decided bit is the new one."""
    return decided


def recur(step, n_state, cells, start, below, tables, tag, key, chips, samples):
    """(decided, state), each (n_chips, n_sequences, n_steps, ...); a table for each column."""
    shape = (len(chips), below.shape[1], below.shape[2])
    trace, states = np.zeros((*shape, cells.shape[2]), np.uint8), np.zeros((*shape, n_state), int)
    for c, s, i in np.ndindex(shape):
        old = states[c, s, i - 1] if i else np.zeros(n_state, int)
        lines = np.concatenate([old, below[c if len(below) > 1 else 0, s, i]]).astype(np.int64)
        sums = lines @ cells[c].astype(np.int64) + start[c]
        place = (int(chips[c]), int(samples[s]), i, tag, key)
        for column, table in enumerate(tables):
            trace[c, s, i, column] = decide(sums[[column]], table, column, *place)[0]
        states[c, s, i] = step(trace[c, s, i], old)
    return trace, states.astype(np.uint8)


def driven_and_flips(states, below):
    """Counts of driven word lines (n_chips, n_rows), and of register bits that flip (n_chips,)."""
    old = np.concatenate([np.zeros_like(states[:, :, :1]), states[:, :, :-1]], axis=2)
    inputs = np.broadcast_to(below, (len(states), *below.shape[1:]))
    driven = np.concatenate([old, inputs], axis=-1).sum(axis=(1, 2), dtype=int)
    return driven, (old ^ states).sum(axis=(1, 2, 3))


def drawn_noise(table, index, sample, place, tag, line, key):
    """An entry of a noise table: each half of a random word picks one."""
    word = philox((index, sample, place, tag | (line // 8)), key)[(line % 8) // 2]
    return table[(word >> (16 * (line % 2))) & 0xFFFF]


def read_codes(codes, position, sample, chip, index, lines, pulses, adcs, activations, key, tag):
    """Codes of one operation of a tile with ADCs: every conversion draws on its own.

    `chip` is the chip's index in the arrays, `index` the one that keys its noise.
    """
    all_cells, offset, gain, bow = (
        x[chip] for x in (lines.cells, adcs.offset, adcs.gain, adcs.bow)
    )
    n_blocks, n_lines = len(all_cells), all_cells.shape[2]
    block_rows, n_outputs = all_cells.shape[1] - 1, len(lines.reference)
    whole = [0.0] * n_outputs
    for block in range(n_blocks):
        sums, totals = [0.0] * (n_lines + 1), [0.0] * n_lines
        own = codes[block * block_rows : (block + 1) * block_rows]
        rows = slice(block * block_rows, block * block_rows + len(own))
        sums[n_lines] = int((own.astype(np.int64) - pulses.subtracted[rows]).sum())
        for pulse, weight in enumerate(pulses.weight):
            if len(pulses.levels):
                of_chip = pulses.levels[pulse, chip if pulses.levels.shape[1] > 1 else 0, rows]
                # multiples of 1/64
                on = [int(64 * of_row[code]) for of_row, code in zip(of_chip, own, strict=True)]
                per_step = 64
            else:
                on, per_step = (own.astype(np.int64) >> pulse) & 1, 1
            place = (position * n_blocks + block) * len(pulses.weight) + pulse
            for line in range(n_lines):
                cells = all_cells[block, : len(on), line].astype(np.int64)
                value = int(np.asarray(on, np.int64) @ cells) / per_step
                if len(adcs.noise):
                    drawn = drawn_noise(adcs.noise, index, sample, place, tag, line, key)
                    value += drawn * adcs.noise_share[line]
                share = min(1.0, max(-1.0, value / (adcs.code_quanta[line] * adcs.top)))
                value = value * (1.0 + gain[block, line]) + offset[block, line]
                value += bow[block, line] * 1.5 * 3**0.5 * share * (1.0 - share * share)
                code = np.floor(value / adcs.code_quanta[line] + 0.5)
                code = min(adcs.top, max(adcs.low, code))
                if len(adcs.after):
                    after = int(adcs.after_tag)
                    code += drawn_noise(adcs.after, index, sample, place, after, line, key)
                totals[line] += code * weight
        for line in range(n_lines):
            sums[lines.sum_index[line]] += totals[line] * int(lines.weight[block, line])
        for output in range(n_outputs):
            whole[output] += sums[output]
            if lines.reference[output] >= 0:
                correction = sums[lines.reference[output]] * lines.reference_weight[block, output]
                whole[output] += correction
    values = np.array(whole) * activations.scale
    return (values[:, None] >= activations.thresholds).sum(axis=1).astype(np.uint8)


def ladder(cells, rows, bit, source, length, bit_twice, source_twice):
    """Current of a bit line at 1 V, of all its ends, by the equations of all nodes."""
    matrix, driven = np.zeros((2 * length, 2 * length)), np.zeros(2 * length)

    def join(a, b, conductance):
        for node, other in ((a, b), (b, a)):
            if node is not None:
                matrix[node, node] += conductance
                if other is not None:
                    matrix[node, other] -= conductance

    for k in range(length):
        join(k, k - 1 if k else None, 1 / bit)
        join(length + k, length + k - 1 if k else None, 1 / source)
    driven[0] += 1 / bit
    if bit_twice:
        join(length - 1, None, 1 / bit)
        driven[length - 1] += 1 / bit
    if source_twice:
        join(2 * length - 1, None, 1 / source)
    for row in rows:
        join(row, length + row, float(cells[row]))
    found = np.linalg.solve(matrix, driven)
    far = (1 - found[length - 1]) / bit if bit_twice else 0.0
    return (1 - found[0]) / bit + far


def drop_weights(drop, loads):
    """1 - v^2 of each block in parts, by the equations of all nodes of the mean column."""
    loads = [*(loads * drop.unit[0]), *drop.always[: len(drop.places) - len(loads)]]
    n = len(loads)
    matrix, driven = np.zeros((2 * n, 2 * n)), np.zeros(2 * n)
    gaps = np.diff(drop.places, prepend=0.0)
    for line, resistance in ((0, drop.bit), (n, drop.source)):
        for k in range(n):
            wire = 1 / (gaps[k] * resistance)
            matrix[line + k, line + k] += wire
            if k:
                matrix[line + k - 1, line + k - 1] += wire
                matrix[line + k, line + k - 1] -= wire
                matrix[line + k - 1, line + k] -= wire
    driven[0] += 1 / (gaps[0] * drop.bit)
    beyond = drop.length + 1 - drop.places[-1]
    if drop.source_twice:
        matrix[-1, -1] += 1 / (beyond * drop.source)
    if drop.bit_twice:
        matrix[n - 1, n - 1] += 1 / (beyond * drop.bit)
        driven[n - 1] += 1 / (beyond * drop.bit)
    for k, load in enumerate(loads):
        matrix[k, k] += load
        matrix[n + k, n + k] += load
        matrix[k, n + k] -= load
        matrix[n + k, k] -= load
    found = np.linalg.solve(matrix, driven)
    return np.floor((1 - (found[:n] - found[n:]) ** 2) * 2**13 + 0.5)


def drop_sums(tile, on):
    """Sums of one read less their losses: block by block, column by column."""
    drop, n_rows = tile, len(on)
    cells = tile.sums[0, :n_rows].astype(int)
    order = np.argsort(drop.place)
    firsts = range(0, n_rows, drop.block_rows)
    blocks = [order[first : first + drop.block_rows] for first in firsts]
    loads = np.array([int(on[b] @ drop.conductance[0, b].astype(int)) for b in blocks])
    weights = drop_weights(drop, loads).astype(int)
    sums = []
    for j, start in enumerate(tile.start[0]):
        lost = sum(int(w) * int(on[b] @ cells[b, j]) for w, b in zip(weights, blocks, strict=False))
        if len(weights) > len(blocks):
            lost += int(weights[-1]) * int(drop.always_on[0, j])
        scaled = np.float32(lost) * drop.scale[0, j]
        sums.append(int(on @ cells[:, j]) + int(start) - int(np.floor(scaled + np.float32(0.5))))
    return np.array(sums)
