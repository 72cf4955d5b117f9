"""The table of networks that were trained further for one chip is of its data."""

from __future__ import annotations

import pytest

import pimsim

pytest.importorskip("torch")


SCRIPT = "retraining"


def test_the_table_is_that_of_the_data(script, data):
    text = script.PAGE.read_text(encoding="utf-8")
    assert script.TABLE.page(text, data) == text
    assert f"took {data['seconds']} s on one thread" in text
    assert (data["rate"], data["limit"]) == (script.RATE, script.LIMIT)


def test_an_epoch_with_the_faults_of_a_chip_saves_what_one_without_does_not(script, data):
    means = {name: sum(found) / len(script.CHIPS) for name, found in data["rows"].items()}
    assert means["none"] < means["partner"] < means["aware"] < means["no faults"] + 0.02
    assert means["aware"] > means["unaware"] + 0.03


def test_chips_before_the_training_are_those_of_their_command(script, data):
    found = pimsim.run(
        "gru", set=script.settings(script.RATE, ("partner",)), chips=1, limit=script.LIMIT,
        contributions=False,
    )  # fmt: skip
    assert found.accuracy.per_chip[0] == data["rows"]["partner"][0]
