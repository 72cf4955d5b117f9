"""Cells of this file alone: SRAM with a bit of parity for each row."""

from __future__ import annotations

from typing import Literal

import pytest
import yaml
from files import write_model
from walk import Walk

from pimsim.chip.cells import CELLS, SramCells
from pimsim.circuits.bill import Bill, Part
from pimsim.config import bundled_root
from pimsim.config.weight_coding import WEIGHT_CODING_BLOCKS, BinaryWords
from pimsim.mapping.weights import WEIGHT_CODINGS
from pimsim.mapping.weights import BinaryWords as Coding


class ParityBlock(BinaryWords):
    kind: Literal["words_with_parity"]
    cells = "sram_with_parity"


class ParityCells(SramCells):
    """A further bit for each row."""

    without_device = "weights are bits of SRAM with parity"

    def programming_bill(self, tile):
        rows = tile.placement.n_arrays * self.config.array.rows
        return Bill((Part("parity", tile.name, rows, 1e-12, 0.0, ("chip.array",)),))


def test_a_kind_of_cells_is_one_class(tmp_path, monkeypatch):
    monkeypatch.setitem(WEIGHT_CODING_BLOCKS, "words_with_parity", ParityBlock)
    monkeypatch.setitem(WEIGHT_CODINGS, "words_with_parity", Coding)
    monkeypatch.setitem(CELLS, "sram_with_parity", ParityCells)
    text = (bundled_root() / "hwconfigs/chips/digital_cim_16nm.yaml").read_text()
    chip = yaml.safe_load(text) | {"technology": "16nm"}
    chip["weight_coding"] = {"kind": "words_with_parity"}
    (tmp_path / "toy_chip.yaml").write_text(yaml.safe_dump(chip))
    walk = Walk(write_model(tmp_path), tmp_path, str(tmp_path / "toy_chip.yaml"))
    assert walk.equals_the_exact_network()
    tiles = walk.run.simulated.chip.tiles
    rows = sum(tile.placement.n_arrays * 256 for tile in tiles)
    report = walk.run.report
    assert report["area"]["by_component_m2"]["parity"] == pytest.approx(rows * 1e-12)
    assert report["run"]["without_device"] == "weights are bits of SRAM with parity"
    assert "parity" in walk.drawn
    assert "bits of SRAM with parity" in walk.page
