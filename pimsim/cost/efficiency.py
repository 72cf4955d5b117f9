"""Operations of an inference, for figures of merit such as operations per joule."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pimsim.chip.graph import OUTPUT, ChipGraph
from pimsim.chip.tile_components import TILE_COMPONENTS
from pimsim.circuits.logic import logic_of
from pimsim.cost.area import leakage
from pimsim.cost.energy import Item, bill_energy
from pimsim.simulate import ActionCounts
from pimsim.workload.graph import ENCODER

# components of a tile that make up its macro
MACRO = ("arrays", "drive", "read_out")

DEFINITION = (
    "an operation is a multiplication or an addition of the network: two for every weight that is "
    "used, in encoder, arrays and output layer, as if each weight's row were on"
)


def operations(graph: ChipGraph) -> int:
    """Operations of one inference (`DEFINITION`)."""
    return operations_of(graph, [component.name for component in graph.components])


def operations_of(graph: ChipGraph, names: Collection[str]) -> int:
    """Operations of one inference in some components."""
    network = graph.chip.network
    weights = {ENCODER: network.encoder.n_weights, OUTPUT: network.output.weights.size}
    for component in graph.tiles:
        weights[component.name] = sum(p.matrix.levels.size for p in component.tile.matrices)
    uses = {c.name: c.demand.n_operations for c in graph.components}
    if ENCODER in uses:
        # an operation of the encoder is a group of frames
        uses[ENCODER] = graph.component(ENCODER).demand.n_emitted
    return 2 * sum(weights[name] * n for name, n in uses.items() if name in names)


@dataclass(frozen=True)
class Scope:
    """A part of the chip with its energy and operations, so that like is held against like.

    Attributes
    ----------
    name : str
    energy : float
        Of one inference [J].
    operations : int
        Of one inference; 0 where the part has none.
    operands : str
        Bits of its operands, such as "1 b x 2.8 b".
    """

    name: str
    energy: float
    operations: int
    operands: str


def scopes(
    graph: ChipGraph, counts: ActionCounts, of_time: Sequence[Item], inferences: int
) -> tuple[Scope, ...]:
    """The macro, the chip without encoder, and the whole chip.

    Parameters
    ----------
    of_time : sequence of Item
        Energy of leakage and wakes of all inferences; the encoder has its share by what it leaks.

    Notes
    -----
    The macro is what stands at the arrays: cells, drivers, lines, and read-out.
    """
    chip = graph.chip
    costs = logic_of(chip.layout.lines.logic)
    macro = sum(
        bill_energy(TILE_COMPONENTS[name].bill(chip, tile.tile, costs), counts, tile.name)
        for tile in graph.tiles
        for name in MACRO
    )
    by_place = {
        where: bill_energy(bill, counts, where, inferences) for where, bill in graph.bills.items()
    }
    leaks = {
        where: leakage([part for part in bill.parts if part.count])
        for where, bill in graph.bills.items()
    }
    share = leaks.get(ENCODER, 0.0) / (sum(leaks.values()) or 1.0)
    time = sum(item.energy for item in of_time)
    without = sum(by_place.values()) - by_place.get(ENCODER, 0.0) + (1 - share) * time
    tiles = operations_of(graph, [tile.name for tile in graph.tiles])
    names = [name for name in by_place if name != ENCODER]
    operands = _operands(graph)
    whole = operands
    if chip.layout.encoder.operands:
        whole = f"{operands}, and {chip.layout.encoder.operands} in the encoder"
    return (
        Scope("macro", macro / inferences, tiles, operands),
        Scope("chip without encoder", without / inferences, operations_of(graph, names), operands),
        Scope("chip", (sum(by_place.values()) + time) / inferences, operations(graph), whole),
    )


def _operands(graph: ChipGraph) -> str:
    """Bits of the inputs and weights of the arrays; weights of n levels have log2 n."""
    found = {
        f"{tile.input_bits} b x {math.log2(part.matrix.n_levels):.2g} b"
        for tile in graph.chip.tiles
        for part in tile.matrices
    }
    return " and ".join(sorted(found))
