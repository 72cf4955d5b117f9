"""Weights as two's complement words of bits, for chips that add them as numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pimsim.errors import MappingError
from pimsim.mapping.weights.base import CellPlan, WeightCoding
from pimsim.workload.matrix import LevelMatrix


class BinaryWords(WeightCoding):
    """One word for each weight, in as many bit columns as levels -L..L need, or as a word has.

    A line is such a group of bit columns, and its level the value of the word: 7 levels take 3
    bits, 15 levels take 4. Thresholds are numbers that a comparator holds, not cells.
    """

    def n_cell_levels(self, matrix: LevelMatrix) -> int:
        return 2

    def stored_bits(self, matrix: LevelMatrix) -> int:
        """Bits of a word, its sign included."""
        needed = int((2 * matrix.top_level).bit_length())
        return max(needed, self.config.word_bits or needed)

    def bit_lines(self, matrices: Iterable[LevelMatrix]) -> int:
        return max(self.stored_bits(matrix) for matrix in matrices)

    def plan(self, matrix: LevelMatrix, block_rows: int) -> CellPlan:
        bits, word = self.stored_bits(matrix), self.config.word_bits
        if word is not None and bits > word:
            raise MappingError(
                f"has {matrix.n_levels} levels, which need words of {bits} bits, and words of the "
                f"chip have {word}",
                remedy="Raise weight_coding.word_bits, or take a network with fewer weight levels",
            )
        n_columns, n_blocks = matrix.n_columns, -(-matrix.n_rows // block_rows)
        return CellPlan(
            sides=(matrix.levels,),
            n_always_on=0,
            weight_of_line=np.ones((n_blocks, n_columns), np.int64),
            owner=np.arange(n_columns),
            correction=np.zeros((n_blocks, n_columns), np.int64),
            stored_bits=bits,
        )
