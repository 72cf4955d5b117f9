"""Link: wires from a component's register to the next one's buffer."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.wire import DISTRIBUTED
from pimsim.config.chip import Link


def bit_energy(link: Link, costs: LogicCosts) -> float:
    """Mean energy of a bit: its wire, the gate at the end and a register, by their switching rates.

    Half C V^2 of a wire at every change [J].
    """
    capacitance = costs.wire_capacitance * link.wire_length + costs.gate_capacitance
    change = capacitance * costs.supply**2 / 2 + costs.flip_flop_energy
    return link.activity * change


def transfer_delay(link: Link, costs: LogicCosts) -> float:
    """Delay from a register along a wire of distributed R and C to the next register [s].

    A gate drives it: its delay, 0.38 R C of the wire, and the register's.
    """
    wire = costs.wire_resistance * costs.wire_capacitance * link.wire_length**2
    return costs.gate_delay + DISTRIBUTED * wire + costs.flip_flop_delay


def bill(
    link: Link, where: str, tokens: int, token_bits: int, emitted: int, costs: LogicCosts
) -> Bill:
    """A link with its pipeline registers, and the buffers at both ends.

    Parameters
    ----------
    tokens : int
        Time steps or pixels that the buffers hold.
    token_bits : int
        Bits of each.
    emitted : int
        Tokens that pass in an inference.
    """
    bit = costs.flip_flop_area
    leakage = costs.leakage_of(bit)
    rests_on = ("chip.link", "technology.flip_flop")
    return Bill(
        (
            Part("link", where, link.width * link.latency, bit, leakage, rests_on, "block"),
            Part("buffer", where, tokens * token_bits, bit, leakage, rests_on, "block"),
        ),
        (
            Price(
                "link",
                "bits",
                bit_energy(link, costs),
                ("chip.link", "technology.wire", "technology.transistor", "technology.flip_flop"),
                per_inference=emitted * token_bits,
            ),
        ),
    )
