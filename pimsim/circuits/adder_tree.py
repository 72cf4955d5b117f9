"""Adder trees beside static memory: gates that multiply, adders that sum, and a comparator.

Notes
-----
Ripple-carry adders in pairs: the first level adds words of `bits`, and each further one words that
are a bit longer, as zigzag-imc counts them (`DimcArrayUnit.py`), whose model is held against four
published macros at 28 nm. Weights are bit-parallel and inputs one bit at a time, as in the macro of
Chih et al. (ISSCC 2021): with inputs of one bit a multiplication takes a single pass.
"""

from __future__ import annotations

from typing import NamedTuple

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.logic import LogicCosts
from pimsim.config.read_out import AdderTree

# All gates of an adder switch once where its operands are random, so that half of their bits
# change. One change of an input then is paid for with twice its share of the whole tree: 7.9 full
# adders for words of 3 bits, and 9.9 for 4. In trees simulated on the shipped networks 5.8 to 8.2
# bits of sums change for each product that does, without glitches, and not in all gates of an adder
# (tests/circuits/test_adder_tree.py does the same with random inputs).
RANDOM_CHANGES = 0.5
# half of the bits of weights are 1, and let a change of their input through
ONES = 0.5


class Tree(NamedTuple):
    """Tree that adds one word of `bits` of each of `rows`."""

    rows: int
    bits: int

    @property
    def levels(self) -> int:
        """Adders from an input to the sum."""
        return (self.rows - 1).bit_length()

    @property
    def sum_bits(self) -> int:
        """Bits of the sum, its sign included."""
        return self.bits + self.levels

    @property
    def full_adders(self) -> int:
        """Full adders: half as many adders at each level, each a bit longer; an odd word passes."""
        found, words, width = 0, self.rows, self.bits
        while words > 1:
            found += words // 2 * width
            words, width = -(-words // 2), width + 1
        return found

    def delay_in_gates(self, block: AdderTree) -> float:
        """Delay from changed products to the sum [delays of a gate].

        Sums ripple down the levels, and the carry of the last adder along its bits.
        """
        return self.levels * block.sum_delay_in_gates + self.sum_bits * block.carry_delay_in_gates


class AdderCosts(NamedTuple):
    """Unit costs of a tree's circuits [J, m2, s]."""

    product_energy: float
    product_area: float
    adder_energy: float
    adder_area: float

    @classmethod
    def of(cls, block: AdderTree, costs: LogicCosts) -> AdderCosts:
        """Costs of a bit's gate and of a full adder."""
        return cls(
            block.multiplier_gates * costs.gate_energy,
            block.multiplier_gates * costs.gate_area,
            block.adder_energy_in_gates * costs.gate_energy,
            block.adder_area_in_gates * costs.gate_area,
        )


def change_energy(tree: Tree, each: AdderCosts) -> float:
    """Energy of a change of one row in one column [J]: the gates of a word, and its adders."""
    adders = tree.full_adders / tree.rows / RANDOM_CHANGES
    return ONES * tree.bits * each.product_energy + adders * each.adder_energy


def comparator_area(sum_bits: int, each: AdderCosts, costs: LogicCosts) -> float:
    """Area of a subtracting adder, and of the threshold in SRAM [m2]."""
    return sum_bits * (each.adder_area + costs.memory_area)


def bill(
    block: AdderTree,
    where: str,
    tree: Tree,
    n_trees: int,
    n_columns: int,
    n_joined: int,
    costs: LogicCosts,
) -> Bill:
    """Gates, trees, adders of partial sums and comparators of some arrays.

    Parameters
    ----------
    n_trees, n_columns : int
        Words across all arrays, and across those side by side.
    n_joined : int
        Arrays whose partial sums are added.
    """
    each, whole = AdderCosts.of(block, costs), Tree(tree.rows * n_joined, tree.bits).sum_bits
    silicon = ("chip.read_out", "chip.array", "technology.logic_area")
    energy = ("chip.read_out", "chip.array", "technology.gate")

    def part(name: str, count: int, area: float) -> Part:
        return Part(name, where, count, area, costs.leakage_of(area), silicon)

    comparator = comparator_area(whole, each, costs)
    return Bill(
        (
            part("multiplier", n_trees * tree.rows * tree.bits, each.product_area),
            part("adder_tree", n_trees, tree.full_adders * each.adder_area),
            part("partial_sums", n_columns * (n_joined - 1), whole * each.adder_area),
            part("comparator", n_columns, comparator),
        ),
        (
            Price("adder_tree", "products_changed", change_energy(tree, each), energy),
            Price("partial_sums", "sums", whole * each.adder_energy, energy),
            Price("comparator", "decisions", whole * each.adder_energy, energy),
        ),
    )
