"""The figure of yields is of its data, and its page claims what they say."""

from __future__ import annotations

import pimsim

SCRIPT = "fault_yield"


def test_the_table_is_that_of_the_data(script, data):
    text = script.PAGE.read_text(encoding="utf-8")
    assert script.TABLE.page(text, data) == text
    assert script.FIGURE.with_suffix(".svg").is_file()


def test_each_point_has_all_its_chips(script, data):
    assert (data["chips"], data["spares"]) == (script.RUN["chips"], script.SPARES)
    for name in script.REPAIRS:
        found = script.curve(data, name)
        assert sorted(found) == sorted(script.RATES)
        assert all(len(accuracies) == data["chips"] for accuracies in found.values())


def test_a_point_is_what_its_command_gives(script, data):
    """Two of its chips: the first ones of a run are the same whatever their number is."""
    rate, repair = 0.02, "all"
    options = script.RUN | {"chips": 2}
    found = pimsim.run("gru", set=script.settings(rate, script.REPAIRS[repair]), **options)
    assert list(found.accuracy.per_chip) == script.curve(data, repair)[rate][:2]


def test_accuracy_falls_with_the_share_that_fails_and_all_repairs_together_save_most(script, data):
    worst = script.RATES[-1]
    means = {
        name: {rate: script.mean_of(a) for rate, a in script.curve(data, name).items()}
        for name in script.REPAIRS
    }
    assert means["none"][worst] < means["none"][0.01] < means["none"][0.0]
    for name in ("rows", "partner"):
        assert means[name][worst] > means["none"][worst] + 0.05
    assert means["all"][worst] == max(found[worst] for found in means.values())
    good = {name: script.yield_of(data, script.curve(data, name)[0.02]) for name in means}
    assert (good.pop("none"), good.pop("all")) == (0, 1)
    assert max(good.values()) <= 0.2
    lost = {name: means["none"][0.0] - found[0.01] for name, found in means.items()}
    assert all(lost[name] > 0.8 * lost["none"] for name in ("sides", "spares"))
    assert all(lost[name] < 0.5 * lost["none"] for name in ("columns", "rows", "partner"))
