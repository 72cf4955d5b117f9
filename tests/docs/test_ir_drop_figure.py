"""The figure of wires is of its data, and its page claims what they say."""

from __future__ import annotations

import numpy as np

from pimsim.chip import program_tile

SCRIPT = "ir_drop_figure"


def test_the_table_is_that_of_the_data(script, data):
    text = script.PAGE.read_text(encoding="utf-8")
    assert script.TABLE.page(text, data) == text
    assert script.FIGURE.with_suffix(".svg").is_file()
    assert data["chips"] == script.CHIPS
    assert data["sequences"] == script.NETWORKS


def test_without_losses_the_resistance_of_wires_changes_nothing_that_is_drawn(script):
    """So one point stands for all of them."""
    first, last = (script.prepared_with("gru", f, 1) for f in (1, script.FACTORS[-1]))
    tiles = [prepared.chip(prepared.setup.noise).tiles[0] for prepared in (first, last)]
    assert tiles[0].matrices[0].read_out == tiles[1].matrices[0].read_out
    drawn = [program_tile(tile, 1, 0) for tile in tiles]
    assert np.array_equal(drawn[0].plus, drawn[1].plus)
    assert first.setup.technology.wire != last.setup.technology.wire


def test_accuracy_lasts_to_wires_of_eight_times_the_resistance_and_falls_beyond(script, data):
    for network in script.NETWORKS:
        none = script.mean_of(data, network, 1, "none")
        exact = {f: script.mean_of(data, network, f, "exact") for f in script.FACTORS}
        assert exact[1] > none - 0.02
        assert exact[8] > none - 0.02
        # 10 points of the GRU and 23 of LeNet5, as measured
        assert exact[40] < none - 0.08
        for factor in script.FACTORS:
            first = script.mean_of(data, network, factor, "first_order")
            assert (first is None) == (factor == 40 or (network, factor) == ("lenet5", 20))
            assert first is None or abs(first - exact[factor]) < 0.025
