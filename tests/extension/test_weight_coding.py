"""A weight coding of this file alone: weight plus L on one cell, L on the other one."""

from __future__ import annotations

from typing import Literal

import numpy as np
from files import write_model
from walk import Walk, chip_file

from pimsim.config.weight_coding import WEIGHT_CODING_BLOCKS, WeightCodingBlock
from pimsim.mapping.weights import WEIGHT_CODINGS, CellPlan, WeightCoding


class BiasedBlock(WeightCodingBlock):
    kind: Literal["biased"]


class Biased(WeightCoding):
    """Both cells of a pair conduct, and their difference is the weight."""

    def n_cell_levels(self, matrix):
        return 2 * matrix.top_level + 1

    def plan(self, matrix, block_rows):
        plus = (matrix.levels + np.int8(matrix.top_level)).astype(np.int8)
        n_columns = matrix.n_columns
        return CellPlan(
            sides=(plus, np.full_like(plus, matrix.top_level)),
            n_always_on=0,
            weight_of_line=np.ones((1, n_columns), np.int64),
            owner=np.arange(n_columns),
            correction=np.zeros((1, n_columns), np.int64),
            stored_bits=self.stored_bits(matrix),
        )


def test_a_weight_coding_is_one_class_and_its_block(tmp_path, monkeypatch):
    monkeypatch.setitem(WEIGHT_CODING_BLOCKS, "biased", BiasedBlock)
    monkeypatch.setitem(WEIGHT_CODINGS, "biased", Biased)
    chip = chip_file(tmp_path)
    text = (tmp_path / "toy_chip.yaml").read_text()
    (tmp_path / "toy_chip.yaml").write_text(text.replace("kind: differential_pair", "kind: biased"))
    model = write_model(tmp_path, device="ideal")
    biased, pairs = Walk(model, tmp_path, chip), Walk(model, tmp_path)
    assert biased.equals_the_exact_network()
    assert (biased.arrays["gru0.minus"] > 0).all()
    assert (pairs.arrays["gru0.minus"] == 0).any()
    # cells that are never at level 0 draw more
    energy = [walk.run.report["energy"]["by_component_j"]["array"] for walk in (biased, pairs)]
    assert energy[0] > 1.5 * energy[1]
