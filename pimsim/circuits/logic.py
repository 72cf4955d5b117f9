"""Unit costs of digital building blocks at a technology's node and supply."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.circuits.scaling import scaling
from pimsim.config.technology import Anchored, TechnologyConfig

# of a gate's four transistors, the two of one polarity are off
OFF_IN_GATE = 2
# of an SRAM cell's six, one in each inverter and an access transistor
OFF_IN_MEMORY_BIT = 3


@dataclass(frozen=True)
class LogicCosts:
    """Unit costs, scaled to the technology's node and supply [J, m2, s, W]; wires per length.

    A product bit is one of the n m bits of an n x m multiplier, a sum bit one of an adder.
    """

    gate_energy: float
    gate_area: float
    gate_delay: float
    gate_leakage: float
    flip_flop_energy: float
    flip_flop_area: float
    flip_flop_delay: float
    product_energy: float
    product_area: float
    sum_energy: float
    sum_area: float
    memory_energy: float
    memory_area: float
    memory_leakage: float
    supply: float
    gate_capacitance: float
    wire_capacitance: float
    wire_resistance: float

    def leakage_of(self, area: float) -> float:
        """Leakage of logic with this area: that of the gates that fit in it [W]."""
        return area / self.gate_area * self.gate_leakage


def logic_of(technology: TechnologyConfig) -> LogicCosts:
    """Unit costs of a technology.

    Raises
    ------
    MappingError
        If its numbers cannot be scaled to its node and supply.
    """

    def factors(block: Anchored) -> tuple[float, float, float]:
        return scaling(block.node, block.supply, technology.node, technology.supply)

    gate, flip_flop = technology.gate, technology.flip_flop
    arithmetic, arithmetic_area = technology.arithmetic, technology.arithmetic_area
    energy, delay, area = factors(gate)
    register_energy, register_delay, register_area = factors(flip_flop)
    of_sums = factors(arithmetic)[0]
    of_their_area = factors(arithmetic_area)[2]
    off = technology.transistor.off_current * technology.supply
    return LogicCosts(
        gate_energy=gate.energy_per_switching * energy,
        gate_area=gate.area * area,
        gate_delay=gate.delay * delay,
        gate_leakage=OFF_IN_GATE * off,
        flip_flop_energy=flip_flop.energy_per_flip * register_energy,
        flip_flop_area=flip_flop.area * register_area,
        flip_flop_delay=flip_flop.delay * register_delay,
        product_energy=arithmetic.energy_per_product_bit * of_sums,
        product_area=arithmetic_area.area_per_product_bit * of_their_area,
        sum_energy=arithmetic.energy_per_sum_bit * of_sums,
        sum_area=arithmetic_area.area_per_sum_bit * of_their_area,
        memory_energy=technology.memory_read.energy_per_bit * factors(technology.memory_read)[0],
        memory_area=technology.memory_area.area_per_bit * factors(technology.memory_area)[2],
        memory_leakage=OFF_IN_MEMORY_BIT * off,
        supply=technology.supply,
        gate_capacitance=technology.transistor.gate_capacitance,
        wire_capacitance=technology.wire.capacitance_per_length,
        wire_resistance=technology.wire.resistance_per_length,
    )
