"""A read-out of this file alone: a latch that is evaluated twice before it decides."""

from __future__ import annotations

from typing import Literal

from files import write_model
from walk import Walk, chip_file

from pimsim.chip.phase import Phase, cycles_of
from pimsim.chip.read_out import READ_OUTS, SenseAmplifierReadOut
from pimsim.circuits.bill import Action, Bill, Part, Price
from pimsim.config.read_out import READ_OUT_BLOCKS, SenseAmplifier
from pimsim.config.schema import Seconds


class LatchBlock(SenseAmplifier):
    kind: Literal["latch"]
    evaluation_time: Seconds


class Latch(SenseAmplifierReadOut):
    """A sense amplifier with a latch behind it, and a phase in which it settles."""

    def phases(self, tile, pulses):
        time = self.config.read_out.evaluation_time
        cycles = cycles_of(time, self.config.clock.frequency)
        evaluate = Phase("evaluate", time, cycles, ("chip.read_out",), 2)
        return (*super().phases(tile, pulses), evaluate)

    def bill(self, tile, tiles, costs):
        parts, prices = super().bill(tile, tiles, costs)
        latch = Part("latch", tile.name, tile.n_outputs, 2e-12, 0.0, ("chip.read_out",))
        price = Price("latch", "evaluations", 1e-15, ("chip.read_out",))
        return Bill((*parts, latch), (*prices, price))

    def actions(self, tile, reads, pulses):
        evaluations = Action("latch", "evaluations", 2 * reads * tile.n_outputs)
        return [*super().actions(tile, reads, pulses), evaluations]


def test_a_read_out_is_one_class_and_its_block(tmp_path, monkeypatch):
    monkeypatch.setitem(READ_OUT_BLOCKS, "latch", LatchBlock)
    monkeypatch.setitem(READ_OUTS, "latch", Latch)
    chip = chip_file(tmp_path, read_out={"kind": "latch", "evaluation_time": "12 ns"})
    model = write_model(tmp_path)
    latch, plain = Walk(model, tmp_path, chip), Walk(model, tmp_path)
    assert latch.equals_the_exact_network()
    report, actions = latch.run.report, latch.run.report["actions"]
    assert actions["latch"]["evaluations"] == 2 * actions["sense_amplifier"]["decisions"]
    inferences = latch.run.simulated.measured.n_inferences
    each = actions["latch"]["evaluations"] * 1e-15 / inferences
    assert abs(report["energy"]["by_component_j"]["latch"] / each - 1) < 1e-9
    assert report["latency"]["first_cycles"] > plain.run.report["latency"]["first_cycles"]
    assert "latch" in latch.drawn
    assert "evaluate" in {event["name"] for event in latch.events}
    assert "latch" in latch.page
