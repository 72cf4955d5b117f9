"""Link: wires from a component's register to the next one's buffer."""

from __future__ import annotations

from typing import NamedTuple

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.wire import DISTRIBUTED
from pimsim.config.chip import Link


class BufferBits(NamedTuple):
    """Bits in the buffers of a link, and those of them that must outlast a sleep."""

    held: int
    kept: int


def wire_energy(link: Link, costs: LogicCosts) -> float:
    """Energy of a change on a wire: half C V^2 of it and the gate at its end, and registers [J]."""
    capacitance = costs.wire_capacitance * link.wire_length + costs.gate_capacitance
    return capacitance * costs.supply**2 / 2 + link.latency * costs.flip_flop_energy


def transfer_delay(link: Link, costs: LogicCosts) -> float:
    """Delay from a register along a wire of distributed R and C to the next register [s].

    A gate drives it: its delay, 0.38 R C of the wire, and the register's.
    """
    wire = costs.wire_resistance * costs.wire_capacitance * link.wire_length**2
    return costs.gate_delay + DISTRIBUTED * wire + costs.flip_flop_delay


def bill(
    link: Link, where: str, source: str, bits: BufferBits, costs: LogicCosts, retention: float
) -> Bill:
    """A link with its pipeline registers, and the buffers at both ends.

    Parameters
    ----------
    source : str
        Component at which the changes of its wires are counted.
    bits : BufferBits
    retention : float
        Share of its leakage with which a bit is kept in sleep.
    """
    bit = costs.flip_flop_area
    leakage = costs.leakage_of(bit)
    rests_on = ("chip.link", "technology.logic_area")
    flips = ("chip.link", "technology.flip_flop")
    wires = ("chip.link", "technology.wire", "technology.transistor", "technology.flip_flop")
    n_registers = link.width * link.latency
    asleep = retention * bits.kept / bits.held

    def part(name: str, count: int, kept: float) -> Part:
        return Part(name, where, count, bit, leakage, rests_on, "block",
                    flip_flops=1, is_logic=True, asleep=kept)  # fmt: skip

    def price(action: str, each: float, blocks: tuple[str, ...], times: int = 1) -> Price:
        return Price("link", action, each, blocks, action, source, times)

    return Bill(
        (part("link", n_registers, 0.0), part("buffer", bits.held, asleep)),
        (
            price("wire_flips", wire_energy(link, costs), wires),
            # a bit is written at both ends
            price("buffer_flips", costs.flip_flop_energy, flips, 2),
        ),
    )
