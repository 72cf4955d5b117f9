"""Energy of every single operation of one inference, for traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.encoder import EncoderWork
from pimsim.chip.graph import ArrayComponent, ChipGraph, LinkComponent, tile_actions
from pimsim.chip.program import program_tile
from pimsim.chip.tile import lines_of_group
from pimsim.chip.tile_components import Work
from pimsim.circuits.bill import Bill
from pimsim.simulate.signals import Signals
from pimsim.timing.trace import operation_signals
from pimsim.workload.graph import ENCODER

Energies = NDArray[np.float64]
# counts of actions by (component, action): one for each operation, or one that holds for all
Counts = dict[tuple[str, str], Any]


def operation_energies(
    graph: ChipGraph, signals: Mapping[str, NDArray[np.uint8]], seed: int, chip_index: int
) -> dict[str, Energies]:
    """Energy of each operation by component, links included (n_operations,) [J].

    Parameters
    ----------
    signals : mapping of name -> (...) uint8
        Bits or codes of one inference on one chip.
    seed, chip_index
        Drawn chip, whose cells' currents count.

    Notes
    -----
    They add up to `pimsim.cost.energy.energy_items` of the same inference.
    """
    found = {
        link.name: _priced(link.bill, _link_counts(graph, link, signals), link.tokens)
        for link in graph.links
    }
    counts: dict[str, Counts] = {
        component.name: {(a.component, a.action): a.count for a in component.actions}
        for component in graph.components
    }
    if graph.chip.layout.encoder.is_there:
        counts[ENCODER] |= _encoder_counts(graph, signals[ENCODER])
    for tile in graph.tiles:
        counts[tile.name] |= _tile_counts(graph, tile, signals, seed, chip_index)
    for component in graph.components:
        n = component.demand.n_operations
        found[component.name] = _priced(component.bill, counts[component.name], n)
    return found


def _encoder_counts(graph: ChipGraph, values: NDArray[np.uint8]) -> Counts:
    """Actions of the input layer's unit in each operation."""
    layout, frames = graph.chip.layout, np.array(graph.component(ENCODER).demand.emits)
    tokens = values.reshape(frames.sum(), -1)
    changed = (tokens != np.vstack([np.zeros_like(tokens[:1]), tokens[:-1]])).sum(axis=1)
    flips = np.add.reduceat(changed, np.cumsum(frames) - frames)
    work = EncoderWork(frames, np.ones_like(frames), flips)
    actions = layout.encoder.actions(layout.circuits, work)
    return {(a.component, a.action): a.count for a in actions}


def _link_counts(
    graph: ChipGraph, link: LinkComponent, signals: Mapping[str, NDArray[np.uint8]]
) -> Counts:
    """Changes on the wires and in the buffers of a link, for each token (n_tokens,)."""
    network, config = graph.chip.network, graph.chip.config
    outputs = {ENCODER: ENCODER, **{node.name: node.output for node in network.nodes}}
    values = signals[outputs[link.source]]
    if network.shapes[link.source].has_steps:
        # the last step alone, where no reader takes every one
        values = values[len(values) - link.tokens :]
    tokens = values.reshape(link.tokens, -1)
    bits, width = graph.chip.layout.bits_of(link.source), config.link.width
    so_far = [
        Signals(1, tokens[None, None, :n]).flips(n, bits, width) for n in range(1, link.tokens + 1)
    ]
    return {
        ("link", "wire_flips"): np.diff([0, *(flips.wires for flips in so_far)]),
        ("link", "buffer_flips"): np.diff([0, *(flips.buffers for flips in so_far)]),
    }


def _priced(bill: Bill, counts: Counts, n_operations: int) -> Energies:
    """Energy of each operation; energy per inference is divided over all operations."""
    energy = np.zeros(n_operations)
    for price in bill.prices:
        counted = counts.get((price.component, price.counted or price.action), 0)
        energy += price.each * (price.times * counted + price.per_inference / n_operations)
    return energy


def _tile_counts(
    graph: ChipGraph,
    component: ArrayComponent,
    signals: Mapping[str, NDArray[np.uint8]],
    seed: int,
    chip_index: int,
) -> Counts:
    tile, chip = component.tile, graph.chip
    lines = operation_signals(chip, tile, signals)
    words = lines["word_lines"]
    # pulses in which each word line is up: the ones of its bits or code, or its levels
    drive = chip.layout.drive
    rows = drive.counted(
        np.sum(drive.amplitudes(tile, words), axis=0),
        lambda: np.bitwise_count(words ^ np.vstack([np.zeros_like(words[:1]), words[:-1]])),
    ).astype(np.float64)
    n = len(rows)
    always = np.ones((n, tile.n_always_on))
    drawn = program_tile(tile, seed, chip_index)
    counts: Counts = {}
    whole = np.hstack([rows, always])
    for matrix in tile.matrices:
        drawing = np.zeros(n)
        for group in range(tile.groups):
            own = lines_of_group(matrix, tile.groups, group)
            quanta = (drawn.plus + drawn.minus)[:, own].sum(axis=1, dtype=np.float64)
            drawing[group :: tile.groups] = whole[group :: tile.groups] @ quanta
        counts["array", matrix.name] = drawing
    flips = np.zeros(n)
    if tile.node.layer.has_state:
        state = lines[tile.node.layer.output]
        start = np.full_like(state[:1], chip.network.shapes[tile.name].zero)
        changed = state ^ np.vstack([start, state[:-1]])
        flips = np.bitwise_count(changed).sum(axis=1).astype(np.float64)
    ones = np.ones(n)
    work = Work(ones, rows.sum(axis=1), flips)  # type: ignore[arg-type]
    for action in tile_actions(chip, tile, work):
        key = action.component, action.action
        counts[key] = counts.get(key, 0) + np.asarray(action.count, np.float64)
    return counts
