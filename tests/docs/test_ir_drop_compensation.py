"""The table of what makes up for losses along wires is of its data, and they say so."""

from __future__ import annotations

SCRIPT = "ir_drop_compensation"


def test_the_table_is_that_of_the_data(script, data):
    text = script.PAGE.read_text(encoding="utf-8")
    assert script.TABLE.page(text, data) == text
    assert (data["chips"], data["sequences"]) == (script.CHIPS, script.SEQUENCES)


def test_each_saves_decisions_by_the_ladder_and_to_first_order(script, data):
    for network in script.WORST:
        rows = {name: script.row_of(data, network, name) for name in script.OPTIONS}
        for factor in script.FACTORS:
            found = {
                form: {name: row["flipped"][f"{form} {factor}"] for name, row in rows.items()}
                for form in script.FORMS
            }
            exact = found["exact"]
            assert max(exact["scaled_levels"], exact["held_at"]) < 0.9 * exact["none"]
            assert exact["all"] < 0.65 * exact["none"]
            # an order saves some where much is lost, and nothing of LeNet5 where little is
            saves = exact["row_order"] < exact["none"]
            assert saves == ((network, factor) != ("lenet5", 8))
            for name, first in found["first_order"].items():
                assert first is None or abs(first - exact[name]) < 0.25 * exact["none"]


def test_accuracy_is_won_back_for_area_of_the_second_end_alone(script, data):
    for network in script.WORST:
        rows = {name: script.row_of(data, network, name) for name in script.OPTIONS}
        right = {name: script.hits_of(row).mean() for name, row in rows.items()}
        assert right["all"] > right["none"]
        area = {name: row["area_m2"] for name, row in rows.items()}
        assert area["row_order"] == area["scaled_levels"] == area["none"]
        assert area["held_at"] == area["all"] > area["none"]
        energy = {name: row["energy_j"] for name, row in rows.items()}
        assert energy["scaled_levels"] < energy["none"]


def test_a_row_is_what_the_script_gives(script):
    """The exact form, two sequences, wires of twenty times the resistance: the same order."""
    flipped = {name: script.flipped("gru", name, 20, "exact", 2) for name in script.OPTIONS}
    assert flipped["row_order"] < flipped["none"]
    assert flipped["scaled_levels"] < 0.5 * flipped["none"]
    assert flipped["held_at"] < 0.6 * flipped["none"]
    assert flipped["all"] < 0.4 * flipped["none"]
