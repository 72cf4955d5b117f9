"""Operations of an inference, for figures of merit such as operations per joule."""

from __future__ import annotations

from pimsim.chip.graph import OUTPUT, ChipGraph
from pimsim.workload.graph import ENCODER

DEFINITION = (
    "an operation is a multiplication or an addition of the network: two for every weight that is "
    "used, in encoder, arrays and output layer, as if each weight's row were on"
)


def operations(graph: ChipGraph) -> int:
    """Operations of one inference (`DEFINITION`)."""
    network = graph.chip.network
    weights = {ENCODER: network.encoder.weights.size, OUTPUT: network.output.weights.size}
    for component in graph.tiles:
        weights[component.name] = sum(p.matrix.levels.size for p in component.tile.matrices)
    uses = {c.name: c.demand.n_operations for c in graph.components}
    if ENCODER in uses:
        # an operation of the encoder is a group of frames
        uses[ENCODER] = graph.component(ENCODER).demand.n_emitted
    return 2 * sum(weights[name] * n for name, n in uses.items())
