"""A component of this file alone: a parity checker behind the outputs of every tile."""

from __future__ import annotations

import pytest
from files import write_model
from walk import Walk

from pimsim.chip.tile_components import TILE_COMPONENTS
from pimsim.circuits.bill import Action, Bill, Part, Price

LOGIC = ("technology.gate",)


class Parity:
    """A gate for each output; every operation switches half of them."""

    def bill(self, chip, tile, costs):
        area = costs.gate_area
        gates = Part("parity", tile.name, tile.n_outputs, area, costs.leakage_of(area), LOGIC)
        return Bill((gates,), (Price("parity", "checks", costs.gate_energy, LOGIC),))

    def actions(self, chip, tile, work):
        return [Action("parity", "checks", work.reads * (tile.n_outputs // 2))]


def test_a_component_is_one_class(tmp_path, monkeypatch):
    model = write_model(tmp_path)
    before = Walk(model, tmp_path).run.report
    monkeypatch.setitem(TILE_COMPONENTS, "parity", Parity())
    walk = Walk(model, tmp_path)
    assert walk.equals_the_exact_network()
    report, result = walk.run.report, walk.run.simulated
    checks = report["actions"]["parity"]["checks"]
    assert checks == report["actions"]["sense_amplifier"]["decisions"] // 2
    costs = [price for bill in result.plan.graph.bills.values() for price in bill.prices]
    each = next(price.each for price in costs if price.component == "parity")
    energy = checks * each / result.measured.n_inferences
    assert report["energy"]["by_component_j"]["parity"] == pytest.approx(energy)
    assert report["area"]["total_m2"] > before["area"]["total_m2"]
    assert report["provenance"]["rests_on"]["area"]["parity"] == ["technology.gate"]
    assert "parity" in walk.drawn
    assert "parity" in walk.page
    # the energies of a trace's operations hold it, too
    traced = sum(event.get("args", {}).get("energy_j", 0.0) for event in walk.events)
    assert traced > 0
