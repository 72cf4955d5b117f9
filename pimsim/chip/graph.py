"""A chip as components and links, with their operations, tokens and costs.

Timing turns components into stages, cost folds their bills, the floorplan draws their parts and
traces name their signals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from pimsim.chip.branches import tokens_ahead
from pimsim.chip.build import Chip
from pimsim.chip.demand import Demand, Reading, all_at_once, by_window, step_by_step
from pimsim.chip.front_end import FRONT_ENDS
from pimsim.chip.one_array import parts_once
from pimsim.chip.phase import Phase, cycles_of, pipelined
from pimsim.chip.tile import Tile
from pimsim.chip.tile_components import TILE_COMPONENTS, Work
from pimsim.circuits import digital_mac, link
from pimsim.circuits.bill import Action, Bill, renamed, total
from pimsim.circuits.clock import clocked
from pimsim.circuits.combining import combining_bill
from pimsim.circuits.logic import LogicCosts
from pimsim.workload.graph import ENCODER, Network, Node
from pimsim.workload.layers import Layer
from pimsim.workload.layers.base import map_sides

OUTPUT = "output"
# block of the chip file under which read-outs know their own numbers
READ_OUT = "chip.read_out"
# tokens between a component and its link: two, so that each works while the other does
REGISTER = 2


@dataclass(frozen=True)
class Component:
    """A part of a chip that performs operations one after the other.

    Attributes
    ----------
    name : str
    sources : tuple of str
        Components whose tokens it reads, in the order of `demand.readings`.
    demand : Demand
        Operations of one inference.
    phases : tuple of Phase
        Phases of each operation.
    token_bits : int
        Bits of a token that it hands on.
    bill : Bill
    actions : tuple of Action
        Actions that every operation takes, whatever the bits.
    """

    name: str
    sources: tuple[str, ...]
    demand: Demand
    phases: tuple[Phase, ...]
    token_bits: int
    bill: Bill
    actions: tuple[Action, ...] = ()

    @property
    def cycles(self) -> int:
        """Cycles of one operation."""
        return _cycles(self.phases)


@dataclass(frozen=True)
class ArrayComponent(Component):
    """A component with arrays; the number of its actions depends on the bits."""

    tile: Tile = field(kw_only=True)


@dataclass(frozen=True)
class LinkComponent:
    """Wires and buffers between two components.

    Attributes
    ----------
    name, source, target : str
    tokens : int
        Tokens that pass in an inference.
    register, capacity : int
        Tokens that the buffers at its beginning and at its end hold.
    cycles : int
        Cycles of one token.
    bill : Bill
    """

    name: str
    source: str
    target: str
    tokens: int
    register: int
    capacity: int
    cycles: int
    bill: Bill


@dataclass(frozen=True)
class ChipGraph:
    """Components of a chip in order (encoder, tiles, output unit), and the links between them.

    `combining` holds the bills of layers without arrays that compute with codes: pools and sums.
    They work as tokens come, and are no stages.
    """

    chip: Chip
    components: tuple[Component, ...]
    links: tuple[LinkComponent, ...]
    transfer: Phase
    combining: dict[str, Bill] = field(default_factory=dict)

    @property
    def tiles(self) -> list[ArrayComponent]:
        """Components with arrays."""
        return [c for c in self.components if isinstance(c, ArrayComponent)]

    @cached_property
    def bills(self) -> dict[str, Bill]:
        """Bills by component and link: tiles first, then digital units, then links."""
        digital = [c for c in self.components if c not in self.tiles]
        found = {c.name: c.bill for c in (*self.tiles, *digital)} | self.combining
        return found | {link.name: link.bill for link in self.links}

    def component(self, name: str) -> Component:
        return next(c for c in self.components if c.name == name)


def _clocked_tile(bill: Bill, reads: int, phases: Sequence[Phase], costs: LogicCosts) -> Bill:
    """A tile's bill with its clock; what the last phase writes is clocked in that phase alone."""
    written = [part for part in bill.parts if part.component in ("gru_logic", "register")]
    others = [part for part in bill.parts if part not in written]
    clocks = [
        clocked(Bill(tuple(parts)), reads * _cycles(during), costs).prices
        for parts, during in ((written, phases[-1:]), (others, phases[:-1]))
    ]
    return total([bill, *(Bill((), prices) for prices in clocks)])


def stepping_sources(network: Network) -> set[str]:
    """Components of whose outputs every time step is read; of the others with steps, the last."""
    readers = [
        reader
        for node in network.nodes
        if node.matrices() and network.shapes[node.name].has_steps
        for reader in _sources(network, node)
    ]
    if network.output.every_step:
        readers += _of_output(network)
    return {reader.source for reader in readers}


def _of_output(network: Network) -> list[_Reader]:
    """Components that the output layer reads."""
    last = network.nodes[-1]
    return [_Reader(last.name, ())] if last.matrices() else _sources(network, last)


class _Reader(NamedTuple):
    """A component that reads another one, through layers without arrays."""

    source: str
    layers: tuple[Layer, ...]


def chip_graph(
    chip: Chip, costs: LogicCosts, n_steps: int, in_real_time: bool = False
) -> ChipGraph:
    """Components and links of a chip.

    Parameters
    ----------
    chip : Chip
    costs : LogicCosts
        Unit costs of the chip's technology.
    n_steps : int
        Time steps of a sequence; of no meaning for images.
    in_real_time : bool
        Whether the encoder waits for inputs, or always has them at hand.
    """
    network, layout = chip.network, chip.layout
    readers = {node.name: _sources(network, node) for node in network.nodes}
    encoder, components = layout.encoder, list[Component]()
    if encoder.is_there:
        components = [_encoder(chip, costs, n_steps, in_real_time)]
    stepping, in_turn = stepping_sources(network), chip.config.array.shared
    for tile in chip.tiles:
        emitted = {c.name: c.demand.n_emitted for c in components}
        readings: dict[str, Reading] = {}
        for reader in readers[tile.name]:
            if reader.source == ENCODER and not encoder.is_there:
                continue
            reading = _reading(network, tile.node, reader, n_steps, emitted, in_turn)
            # a source that is read by several ways has one link
            other = readings.get(reader.source, reading)
            readings[reader.source] = reading.together(other)
        shape = network.shapes[tile.name]
        # of columns in groups, the last one completes a token
        emits = (n_steps if shape.has_steps else shape.n_places) * ([0] * (tile.groups - 1) + [1])
        if shape.has_steps and tile.name not in stepping:
            # only the last step is read
            emits = [0] * (n_steps - 1) + [1]
        # without an encoder the first tile waits for inputs itself
        waiting: tuple[Reading, ...] = ()
        if in_real_time:
            waiting = (step_by_step(n_steps) if shape.has_steps else all_at_once(len(emits), 1),)
        phases = tile_phases(chip, tile, costs)
        components.append(
            ArrayComponent(
                tile.name,
                tuple(readings),
                Demand(tuple(readings.values()) or waiting, emits),
                phases,
                shape.width * layout.bits_of(tile.name),
                _clocked_tile(tile_bill(chip, tile, costs), len(emits), phases, costs),
                tile=tile,
            )
        )
    if in_turn:
        at = [i for i, c in enumerate(components) if isinstance(c, ArrayComponent)]
        for i, bill in zip(at, parts_once([components[i].bill for i in at]), strict=True):
            components[i] = replace(components[i], bill=bill)
    front, first = FRONT_ENDS[network.input.normalisation], components[0]
    components[0] = replace(
        first,
        bill=total([first.bill, front.bill(network.input, n_steps, chip.config, costs)]),
        demand=front.arrivals(network.input, first.demand) if in_real_time else first.demand,
    )
    if network.output.has_weights:
        components.append(_output(chip, costs, n_steps, components))
    transfer = link_phase(chip, costs)
    combining = {
        node.name: combining_bill(node.name, network.shapes[node.name].width, bits, costs)
        for node in network.nodes
        if node.name not in chip.tile_of
        and (bits := layout.bits_of(node.name)) > 1
        and node.layer.operations(*network.input_shapes(node))
    }
    links = _links(chip, costs, components, transfer)
    return ChipGraph(chip, tuple(components), links, transfer, combining)


def _sources(network: Network, node: Node) -> list[_Reader]:
    """Components that a node reads, and the layers from each to the node.

    Nodes without matrices are no components: they are gates that work as tokens come.
    """
    nodes = {other.name: other for other in network.nodes}
    found: list[_Reader] = []
    for name in node.inputs:
        before = nodes.get(name)
        if before is None or before.matrices():
            found.append(_Reader(name, (node.layer,)))
            continue
        for reader in _sources(network, before):
            found.append(_Reader(reader.source, (*reader.layers, node.layer)))
    return found


def _reading(
    network: Network,
    node: Node,
    reader: _Reader,
    n_steps: int,
    emitted: dict[str, int],
    in_turn: bool,
) -> Reading:
    """Tokens of one of its sources that a tile reads; all of them where layers work in turn."""
    shape, source = network.shapes[node.name], network.shapes[reader.source]
    if shape.has_steps:
        return step_by_step(n_steps)
    groups = node.layer.groups
    if shape.places and source.places and not in_turn:
        return by_window(map_sides(source), reader.layers, map_sides(shape), groups)
    return all_at_once(shape.n_places * groups, emitted[reader.source])


def _encoder(chip: Chip, costs: LogicCosts, n_steps: int, in_real_time: bool) -> Component:
    unit, shape = chip.layout.encoder, chip.network.shapes[ENCODER]
    n = n_steps if shape.has_steps else shape.n_places
    # frames of each operation; the last one may have fewer
    ends = [*range(unit.frames_at_once, n, unit.frames_at_once), n]
    frames = [end - begin for begin, end in pairwise([0, *ends])]
    readings: tuple[Reading, ...] = ()
    if in_real_time:
        readings = (Reading(ends, ends, n) if shape.has_steps else all_at_once(len(ends), 1),)
    return Component(
        ENCODER,
        (),
        Demand(readings, frames),
        unit.phases(costs),
        shape.width * chip.layout.bits_of(ENCODER),
        unit.bill(chip.layout.circuits, costs, n, len(ends)),
    )


def _output(
    chip: Chip, costs: LogicCosts, n_steps: int, components: Sequence[Component]
) -> Component:
    output, config = chip.network.output, chip.config
    emitted = {c.name: c.demand.n_emitted for c in components}
    sources = tuple(dict.fromkeys(reader.source for reader in _of_output(chip.network)))
    n_operations = n_steps if output.every_step else 1
    readings = tuple(
        step_by_step(n_steps) if output.every_step else all_at_once(1, emitted[source])
        for source in sources
    )
    macs = digital_mac.output_macs(
        output, config.output_unit, chip.layout.bits_of(chip.network.nodes[-1].name)
    )
    phases = (pipelined("multiply", macs.cycles, macs.name),)
    return Component(
        OUTPUT,
        sources,
        Demand(readings, [1] * n_operations),
        phases,
        0,
        clocked(macs.bill(costs, config.power), n_operations * _cycles(phases), costs),
        tuple(macs.actions(1, 1)),
    )


def _cycles(phases: Sequence[Phase]) -> int:
    return sum(phase.cycles * phase.repeats for phase in phases)


def tile_phases(chip: Chip, tile: Tile, costs: LogicCosts) -> tuple[Phase, ...]:
    """Phases of a tile's operation, from word lines to the output's register."""
    layout = chip.layout
    reading = tile.read_out.phases(tile, layout.drive.pulses_for(tile))
    looked_up = layout.circuits.phase(tile, costs, layout.logic(tile).lookups(tile))
    phases = (*reading, looked_up)
    return renamed(phases, READ_OUT, f"chip.{tile.read_out.key}")


def tile_bill(chip: Chip, tile: Tile, costs: LogicCosts) -> Bill:
    """Bill of all components of a tile."""
    parts, prices = total(c.bill(chip, tile, costs) for c in TILE_COMPONENTS.values())
    block = f"chip.{tile.read_out.key}"
    return Bill(renamed(parts, READ_OUT, block), renamed(prices, READ_OUT, block))


def tile_actions(chip: Chip, tile: Tile, work: Work) -> list[Action]:
    """Actions of all components of a tile, without the currents of cells."""
    return [
        action
        for component in TILE_COMPONENTS.values()
        for action in component.actions(chip, tile, work)
    ]


def link_phase(chip: Chip, costs: LogicCosts) -> Phase:
    """One word over a link."""
    delay = link.transfer_delay(chip.config.link, costs)
    rests_on = ("chip.clock", "chip.link", "technology.wire", "technology.gate",
                "technology.flip_flop")  # fmt: skip
    return Phase("transfer", delay, cycles_of(delay, chip.config.clock.frequency), rests_on)


def _links(
    chip: Chip, costs: LogicCosts, components: Sequence[Component], transfer: Phase
) -> tuple[LinkComponent, ...]:
    block, of_name, found = chip.config.link, {c.name: c for c in components}, []
    retention, has_steps = chip.config.power.retention, chip.network.has_steps
    for target in components:
        for name, reading in zip(target.sources, target.demand.readings, strict=False):
            source = of_name[name]
            ahead = tokens_ahead(name, target, of_name)
            capacity = max(reading.most_held, ahead) + block.spare_tokens
            where = f"{name} to {target.name}"
            emitted, register = source.demand.n_emitted, register_tokens(source)
            bits = link.BufferBits(
                (register + capacity) * source.token_bits,
                # what a reader holds beyond the token that it waits for; images come whole
                max(0, reading.most_held - 1) * source.token_bits * has_steps,
            )
            cycles = -(-source.token_bits // block.width) * transfer.cycles
            bill = link.bill(block, where, name, bits, costs, retention)
            bill = clocked(bill, emitted * cycles, costs)
            found.append(
                LinkComponent(where, name, target.name, emitted, register, capacity, cycles, bill)
            )
    return tuple(found)


def register_tokens(source: Component) -> int:
    """Tokens between a component and each of its links: all that an operation writes at once."""
    return max(REGISTER, *source.demand.emits)
