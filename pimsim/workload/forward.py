"""The forward pass: the only loop over a network's nodes, over any machine.

A machine computes nodes: the exact machines of `pimsim.workload.exact` in plain numpy, and
drawn chips in `pimsim.simulate`.
"""

from __future__ import annotations

from typing import Any, Protocol

from pimsim.workload.graph import ENCODER, Network, Node


class Machine(Protocol):
    """A machine that computes the nodes of a network, with signals of its own type."""

    def encode(self, network: Network, features: Any) -> Any:
        """Output of the input layer."""
        ...

    def run(self, node: Node, inputs: list[Any]) -> tuple[Any, dict[str, Any]]:
        """Output of a node, and other results to keep, by name."""
        ...


def forward(
    network: Network, machine: Machine, features: Any, keep: bool = True
) -> tuple[Any, dict[str, Any]]:
    """Run a network on a machine.

    Parameters
    ----------
    features
        Inputs in the form of the machine's `encode`.
    keep : bool
        Keep every signal; otherwise each is dropped after its last reader.

    Returns
    -------
    last
        Output of the last node.
    kept : dict of name -> signal
        `encoder`, the output of every node by `Node.output`, and what the machine kept of each.
    """
    signals = {ENCODER: machine.encode(network, features)}
    kept = dict(signals)
    for index, node in enumerate(network.nodes):
        signals[node.name], others = machine.run(node, [signals[name] for name in node.inputs])
        if keep:
            kept |= {**others, node.output: signals[node.name]}
            continue
        for name in [name for name in signals if network.last_reader(name) <= index]:
            del signals[name]
    return signals[network.nodes[-1].name], kept if keep else {}
