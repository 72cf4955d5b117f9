"""A drive of this file alone: word lines boosted by a charge pump."""

from __future__ import annotations

import dataclasses
from typing import Literal

import pytest
from files import write_model
from walk import Walk, chip_file

from pimsim.chip.drive import DRIVES, BinaryDrive
from pimsim.circuits.bill import Bill, Part
from pimsim.config.drive import DRIVE_BLOCKS, DriveBlock
from pimsim.config.schema import Ratio, Sourced


class BoostedBlock(DriveBlock, Sourced):
    takes = "bits"
    kind: Literal["boosted"]
    boost: Ratio


class Boosted(BinaryDrive):
    """Raises lines to a higher voltage, from a pump beside the drivers."""

    def bill(self, tile, costs):
        parts, prices = super().bill(tile, costs)
        pump = Part("pump", tile.name, 1, 50e-12, 1e-9, ("chip.drive",), "drivers")
        more = self.config.drive.boost**2
        dearer = [
            dataclasses.replace(price, each=price.each * more, rests_on=("chip.drive",))
            for price in prices
        ]
        return Bill((*parts, pump), tuple(dearer))


def test_a_drive_is_one_class_and_its_block(tmp_path, monkeypatch):
    monkeypatch.setitem(DRIVE_BLOCKS, "boosted", BoostedBlock)
    monkeypatch.setitem(DRIVES, "boosted", Boosted)
    chip = chip_file(tmp_path, drive={"kind": "boosted", "boost": 1.5})
    model = write_model(tmp_path)
    boosted, plain = Walk(model, tmp_path, chip), Walk(model, tmp_path)
    assert boosted.equals_the_exact_network()
    found, before = (walk.run.report for walk in (boosted, plain))
    energies = [
        report["energy"]["by_component_j"]["word_line_driver"] for report in (found, before)
    ]
    assert energies[0] == pytest.approx(2.25 * energies[1])
    assert found["area"]["by_component_m2"]["pump"] == pytest.approx(2 * 50e-12)
    assert found["area"]["leakage_w"] - before["area"]["leakage_w"] == pytest.approx(2e-9)
    assert found["provenance"]["rests_on"]["energy"]["word_line_driver"] == ["chip.drive"]
    assert found["actions"] == before["actions"]
    assert "pump" in boosted.page
