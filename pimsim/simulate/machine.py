"""Drawn chips as a machine of the forward pass: tiles by a backend, gates in between.

Actions are counted on the way, once, from the simulated bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, ProgrammedTile, Tile
from pimsim.chip.encoder import EncoderWork
from pimsim.chip.graph import OUTPUT, stepping_sources, tile_actions
from pimsim.chip.tile import lines_of_group
from pimsim.chip.tile_components import Work
from pimsim.circuits.digital_mac import output_macs, score_fixed
from pimsim.simulate.backends import Batch, Loaded, Read, Wiring
from pimsim.simulate.backends.base import padded_wiring
from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.signals import Flips, Signals, Values, joined, row_changes, side_by_side
from pimsim.workload.graph import ENCODER, Network, Node
from pimsim.workload.inputs import Features
from pimsim.workload.signals import Shape

ENCODER_BATCH = 256  # sequences encoded at once: memory, not results


class TileOfGroup:
    """A tile of a group of chips on its backend, with the current of each of its rows.

    Attributes
    ----------
    tile : Tile
    loaded : Loaded
    row_currents : dict of matrix name -> (n_chips or 1, n_rows) int64
        Current that a row draws while it is on, on all bit lines of its cells [quanta];
        rows that are always on come last.
    """

    def __init__(self, tile: Tile, programmed: Sequence[ProgrammedTile], loaded: Loaded) -> None:
        self.tile, self.loaded, self._programmed = tile, loaded, programmed
        self.row_currents = {
            matrix.name: np.stack([row_currents(p, matrix.columns) for p in programmed])
            for matrix in tile.matrices
        }
        self._of_groups: dict[int, dict[str, NDArray[np.int64]]] = {}

    def of_lines(self, values: NDArray[Any], group: int | None) -> NDArray[Any]:
        """Values of all lines, or of those that one group reads."""
        if group is None:
            return values
        (matrix,) = self.tile.matrices
        return values[lines_of_group(matrix, self.tile.groups, group)]

    def currents_of(self, group: int | None) -> dict[str, NDArray[np.int64]]:
        """The row currents of all columns, or of those that one group reads."""
        if group is None:
            return self.row_currents
        if group not in self._of_groups:
            (matrix,) = self.tile.matrices
            own = lines_of_group(matrix, self.tile.groups, group)
            self._of_groups[group] = {
                matrix.name: np.stack([row_currents(p, own) for p in self._programmed])
            }
        return self._of_groups[group]


def row_currents(
    programmed: ProgrammedTile, columns: slice | NDArray[np.int64]
) -> NDArray[np.int64]:
    """Current of each row over some columns, (n_rows,) [quanta]."""
    total = programmed.plus[:, columns].astype(np.int64) + programmed.minus[:, columns]
    return np.asarray(total.sum(axis=1))


class ChipMachine:
    """A group of drawn chips on one batch of sequences.

    Parameters
    ----------
    chip : Chip
    tiles : dict of node name -> TileOfGroup
    batch : Batch
    counts : ActionCounts
        Added to: actions of all chips together.
    takes_words : bool
        Whether signals travel packed, with 128 sequences side by side.
    keep : bool
        Keep the decisions of layers with a state; all of them are then drawn.
    """

    def __init__(
        self,
        chip: Chip,
        tiles: dict[str, TileOfGroup],
        batch: Batch,
        counts: ActionCounts,
        *,
        takes_words: bool,
        keep: bool,
    ) -> None:
        self.chip, self.tiles, self.batch, self.counts = chip, tiles, batch, counts
        self.takes_words, self.keep = takes_words, keep
        self.stepping = stepping_sources(chip.network)

    def encode(self, network: Network, features: Signals) -> Signals:
        """Take over outputs of the input layer, which are the same for every chip."""
        layout = self.chip.layout
        unit = layout.encoder
        if not unit.is_there:
            return features
        # computed once here, but every chip has its own unit
        n_chips = len(self.batch.chips)
        flips = self._hand_on(ENCODER, features, n_chips).buffers
        sequences = n_chips * features.n
        work = EncoderWork(
            frames=sequences * features.n_places,
            operations=sequences * -(-features.n_places // unit.frames_at_once),
            flips=n_chips * flips // layout.bits_of(ENCODER),
        )
        for action in unit.actions(layout.circuits, work):
            self.counts.add(action.component, action.action, action.count, ENCODER)
        return features

    def _hand_on(self, name: str, signals: Signals, copies: int = 1) -> Flips:
        """Count the changes on the way from a component to the next, of so many equal ones.

        Returns
        -------
        Those of one.
        """
        network = self.chip.network
        if network.shapes[name].has_steps:
            if name != ENCODER and name not in self.stepping:
                signals = signals.last_step
                n_tokens = 1
            else:
                n_tokens = signals.places[0]
        else:
            n_tokens = signals.n_places
        flips = signals.flips(n_tokens, self.chip.layout.bits_of(name), self.chip.config.link.width)
        self.counts.add("link", "wire_flips", copies * flips.wires, name)
        self.counts.add("link", "buffer_flips", copies * flips.buffers, name)
        return flips

    def run(self, node: Node, inputs: list[Signals]) -> tuple[Signals, dict[str, Values]]:
        if node.name not in self.tiles:
            return self._combine(node, inputs), {}
        tile, layer = self.tiles[node.name], node.layer
        shapes = self.chip.network.input_shapes(node)
        has_steps = any(shape.has_steps for shape in shapes)
        below = joined(inputs, has_steps=has_steps, takes_words=self.takes_words)
        kept: dict[str, Values] = {}
        if layer.has_state:
            logic = self.chip.layout.logic(tile.tile).kernel(tile.tile)
            done = tile.loaded.recur(logic, below, self.batch, self.keep)
            out = done.signals
            streams = partial(self._recurrent_rows, below, out)
            if done.trace is not None:
                kept = _split(node, done.trace)
        else:
            wiring = layer.wiring(*shapes)
            places = self.chip.network.shapes[node.name].places
            if has_steps:
                n_steps = inputs[0].places[0]
                wiring, places = at_every_step(wiring, shapes, n_steps), (n_steps, *places)
            if layer.groups > 1:
                return self._in_groups(node, below, wiring).placed(*places), {}
            done = tile.loaded.read(wiring, below, self.batch)
            streams = partial(self._wired_rows, below, wiring)
            out = done.signals.placed(*places)
        driven = self._driven(done.driven, streams)
        self._count(tile, len(self.batch.samples) * out.n_places, driven, done)
        self._hand_on(node.name, out)
        return out, kept

    def _driven(
        self, on: NDArray[np.int64], streams: Callable[[], list[NDArray[Any]]]
    ) -> NDArray[np.int64]:
        """Times that each row was driven, from pulses and from the bits of its rows."""
        drive, n_chips = self.chip.layout.drive, len(self.batch.chips)
        return drive.counted(on, lambda: row_changes(streams(), n_chips))

    def _in_groups(self, node: Node, below: Signals, wiring: Wiring) -> Signals:
        """Read the columns of each group in turn, with the inputs of that group."""
        tile, groups = self.tiles[node.name], node.layer.groups
        each = tile.tile.n_outputs // groups
        found = []
        for group in range(groups):
            own = wiring[group::groups]
            done = tile.loaded.read(own, below, self.batch)
            # groups follow each other at every place: rows change from group to group
            streams = partial(self._wired_rows, below, wiring if group == 0 else own[:0])
            driven = self._driven(done.driven, streams)
            self._count(tile, len(self.batch.samples) * len(own), driven, done, group)
            found.append(done.signals.columns(slice(group * each, (group + 1) * each)))
        out = side_by_side(found, takes_words=self.takes_words)
        self._hand_on(node.name, out)
        return out

    def _recurrent_rows(self, below: Signals, out: Signals) -> list[NDArray[Any]]:
        """Bits of the rows of a recurrent tile in each step: the state so far, then the inputs."""
        state = out.in_form(self.takes_words)
        before = np.concatenate([np.zeros_like(state[:, :, :1]), state[:, :, :-1]], axis=2)
        return [before, below.in_form(self.takes_words)]

    def _wired_rows(self, below: Signals, wiring: Wiring) -> list[NDArray[Any]]:
        """Bits of the rows of a tile at each position."""
        values = below.in_form(self.takes_words)
        n_last = 1 if self.takes_words else 0
        flat = values.reshape(*values.shape[:2], -1, *values.shape[values.ndim - n_last :])
        # one bit beyond the last is 0, and stands for padding
        padded = np.concatenate([flat, np.zeros_like(flat[:, :, :1])], axis=2)
        return [padded[:, :, padded_wiring(wiring, flat.shape[2])]]

    def _combine(self, node: Node, inputs: list[Signals]) -> Signals:
        """A layer of plain logic."""
        n, layout = inputs[0].n, self.chip.layout
        shapes = self.chip.network.input_shapes(node)
        n_chips = max(signals.n_chips for signals in inputs)
        if layout.bits_of(node.name) > 1:
            n_steps = inputs[0].places[0] if shapes[0].has_steps else 1
            done = len(self.batch.chips) * n * n_steps * node.layer.operations(*shapes)
            self.counts.add("combining", "operations", done, node.name)
        if self.takes_words:
            words = [signals.copies(n_chips).words for signals in inputs]
            leading = words[0].shape[:2]
            found = node.layer.combine_words([w.reshape(-1, *w.shape[2:]) for w in words], shapes)
            if found is not None:
                return Signals(n, words=found.reshape(*leading, *found.shape[1:]))
        values = [signals.copies(n_chips).values for signals in inputs]
        found = node.layer.combine([v.reshape(-1, *v.shape[2:]) for v in values], shapes)
        return Signals(n, found.reshape(n_chips, n, *found.shape[1:]))

    def _count(
        self,
        of_chips: TileOfGroup,
        reads: int,
        driven: NDArray[np.int64],
        done: Read,
        group: int | None = None,
    ) -> None:
        """Count the actions of a tile.

        Parameters
        ----------
        reads : int
            Operations of each chip.
        driven : (n_chips, n_rows) int64
            Times that each row was driven (`Drive.counted`).
        done : Read
        group : int or None
            Group of columns that are read; None: all.
        """
        tile, counts = of_chips.tile, self.counts
        always = np.full((len(driven), tile.n_always_on), reads)
        for matrix, currents in of_chips.currents_of(group).items():
            counts.draw(matrix, (np.hstack([driven, always]) * currents).sum())
        if done.clipped is not None and tile.is_converted:
            clipped = of_chips.of_lines(done.clipped, group)
            each = len(tile.pulses.converted) * tile.placement.read_outs_each
            counts.convert(tile.name, reads * len(driven) * each * len(clipped), clipped.sum())
        work = Work(reads * len(driven), int(driven.sum()), done.flips)
        for action in tile_actions(self.chip, tile, work):
            counts.add(action.component, action.action, action.count, tile.name)

    def results(
        self, last: Signals, labels: NDArray[np.int64] | None
    ) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """Predictions of each chip, and what its scores are worth.

        Returns
        -------
        predictions : (n_chips, n * n_each)
            Class of the largest score, the first of equals; of each step, if all are scored.
            Without an output layer, the outputs of the last layer themselves.
        scored : (n_chips, n) float64 or None
            Values of the network's metric, where it needs scores and there are labels.
        """
        network, n_chips = self.chip.network, len(self.batch.chips)
        if not network.output.has_scores:
            return np.asarray(self._final(last).reshape(n_chips, -1)), None
        predictions, scored = [], []
        # chip by chip: scores of every step take a hundred times the memory of the bits
        for scores in self.scores(last):
            predictions.append(scores.argmax(axis=-1).reshape(-1))
            if labels is not None and network.metric.needs_scores:
                trained = network.output.trained(scores, self.chip.layout.one)
                scored.append(network.metric.of_scores(trained, labels))
        return np.stack(predictions), np.stack(scored) if scored else None

    def _final(self, last: Signals) -> Values:
        """Bits or codes that the output layer reads (n_chips, n, [n_steps,] n_values)."""
        network, n_chips = self.chip.network, len(self.batch.chips)
        shape = network.shapes[network.nodes[-1].name]
        if shape.has_steps and not network.output.every_step:
            # the last step alone is unpacked
            last, shape = last.last_step, replace(shape, has_steps=False)
        return np.asarray(network.output.inputs(last.of_each(n_chips), shape))

    def scores(self, last: Signals) -> Iterator[NDArray[np.float64]]:
        """Scores (n, [n_steps,] n_classes) of the output layer, for one chip after the other."""
        network, config = self.chip.network, self.chip.config
        n_chips, output = len(self.batch.chips), network.output
        if output.has_weights:
            bits = self.chip.layout.bits_of(network.nodes[-1].name)
            macs = output_macs(output, config.output_unit, bits)
            every = n_chips * last.n * (last.places[0] if output.every_step else 1)
            for action in macs.actions(every, every):
                self.counts.add(action.component, action.action, action.count, OUTPUT)
        one = self.chip.layout.one
        for final in self._final(last):
            if self.chip.noise.fixed_point and output.has_weights:
                yield score_fixed(output, config.output_unit, final, one)
            else:
                yield output.scores(final, one)


def _split(node: Node, trace: Values) -> dict[str, Values]:
    """Decisions of each matrix of a layer, by name."""
    ends = np.cumsum([matrix.n_columns for _, matrix in node.matrices()])[:-1]
    groups = np.split(trace, ends, axis=-1)
    return {name: group for (name, _), group in zip(node.matrices(), groups, strict=True)}


def at_every_step(wiring: Wiring, shapes: Sequence[Shape], n_steps: int) -> Wiring:
    """Wiring of a layer without a state, for all time steps one after the other."""
    size = sum(shape.size for shape in shapes)
    first = size * np.arange(n_steps)[:, None, None]
    return np.where(wiring < 0, -1, wiring + first).reshape(-1, wiring.shape[-1])


def encode_inputs(chip: Chip, features: Features) -> Values:
    """Bits or codes of the input layer (n, [n_steps,] *places, n_values), the same for all chips.

    Parameters
    ----------
    features : (n, ...) uint8 or float32
        Stored features.
    """
    network, layout = chip.network, chip.layout
    return np.concatenate(
        [
            layout.encoder.outputs(
                network.input.numbers(features[first : first + ENCODER_BATCH]),
                layout.drive,
                chip.noise.fixed_point,
            )
            for first in range(0, len(features), ENCODER_BATCH)
        ]
    )


def empty_classes(
    chip: Chip, n_chips: int, n_sequences: int, n_steps: int
) -> NDArray[np.unsignedinteger[Any]]:
    """An empty array (n_chips, n predictions) of the smallest type that holds a class.

    For each sequence there are as many predictions as `Network.n_predictions` says.
    """
    network = chip.network
    dtype = np.min_scalar_type(len(network.classes) - 1)
    return np.empty((n_chips, n_sequences * network.n_predictions(n_steps)), dtype)
