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

    A product bit is one of the n m bits of an n x m multiplier, a sum bit one of an adder. Leakage
    is that at the chip's temperature. `clock_energy` is that of a flip-flop in a cycle, with its
    share of the clock tree; `bit_line_energy` is that of one word more in a memory.
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
    clock_energy: float
    sensing_energy: float
    bit_line_energy: float
    memory_area: float
    memory_leakage: float
    supply: float
    gate_capacitance: float
    wire_capacitance: float
    wire_resistance: float

    def leakage_of(self, area: float) -> float:
        """Leakage of logic with this area: that of the gates that fit in it [W]."""
        return area / self.gate_area * self.gate_leakage

    def memory_energy(self, words: int) -> float:
        """Energy of reading a bit of a memory [J].

        Parameters
        ----------
        words : int
            Words of the memory, each as wide as its port.

        Notes
        -----
        A bit that is read discharges bit lines with as many cells as the memory has words: all rows
        of its column, times the columns that share an output.
        """
        return self.sensing_energy + words * self.bit_line_energy


def leakage_factor(technology: TechnologyConfig, temperature: float) -> float:
    """Leakage at a temperature [K] over that of `transistor.off_current`."""
    leakage = technology.leakage
    return float(2.0 ** ((temperature - leakage.temperature) / leakage.doubling))


def logic_of(technology: TechnologyConfig, temperature: float | None = None) -> LogicCosts:
    """Unit costs of a technology.

    Parameters
    ----------
    temperature : float or None
        Temperature of the chip, for its leakage [K]; that of the file's currents if None.

    Raises
    ------
    MappingError
        If its numbers cannot be scaled to its node and supply.
    """

    def factors(block: Anchored) -> tuple[float, float, float]:
        return scaling(
            block.node, block.supply, technology.node, technology.supply, technology.corner
        )

    gate, flip_flop = technology.gate, technology.flip_flop
    arithmetic, arithmetic_area = technology.arithmetic, technology.arithmetic_area
    energy, delay, _ = factors(gate)
    register_energy, register_delay, _ = factors(flip_flop)
    library, clock, memory = technology.logic_area, technology.clock_tree, technology.memory_read
    of_library = factors(library)[2]
    read = memory.energy_per_bit * factors(memory)[0]
    of_sums = factors(arithmetic)[0]
    of_their_area = factors(arithmetic_area)[2]
    off = technology.transistor.off_current * technology.supply
    if temperature is not None:
        off *= leakage_factor(technology, temperature)
    return LogicCosts(
        gate_energy=gate.energy_per_switching * energy,
        gate_area=library.gate * of_library,
        gate_delay=gate.delay * delay,
        gate_leakage=OFF_IN_GATE * off,
        flip_flop_energy=flip_flop.energy_per_flip * register_energy,
        flip_flop_area=library.flip_flop * of_library,
        flip_flop_delay=flip_flop.delay * register_delay,
        product_energy=arithmetic.energy_per_product_bit * of_sums,
        product_area=arithmetic_area.area_per_product_bit * of_their_area,
        sum_energy=arithmetic.energy_per_sum_bit * of_sums,
        sum_area=arithmetic_area.area_per_sum_bit * of_their_area,
        clock_energy=clock.energy_per_cycle * (1 + clock.tree) * factors(clock)[0],
        sensing_energy=read * memory.sensing,
        bit_line_energy=read * (1 - memory.sensing) / memory.words,
        memory_area=technology.memory_area.area_per_bit * factors(technology.memory_area)[2],
        memory_leakage=OFF_IN_MEMORY_BIT * off,
        supply=technology.supply,
        gate_capacitance=technology.transistor.gate_capacitance,
        wire_capacitance=technology.wire.capacitance_per_length,
        wire_resistance=technology.wire.resistance_per_length,
    )
