"""Reports of bundled models on bundled chips are those of the commit that the file names."""

from __future__ import annotations

import copy

import golden_reports
import pytest

GOLDEN = golden_reports.read_golden()


@pytest.mark.parametrize("case", golden_reports.CASES)
def test_reports_are_those_of_the_stated_commit(case):
    differ = golden_reports.compare(case, GOLDEN["cases"][case], golden_reports.observe(case))
    assert not differ, f"since {GOLDEN['commit']}:\n" + "\n".join(differ)


def test_the_file_holds_every_case():
    assert GOLDEN["cases"].keys() == golden_reports.CASES.keys()
    assert all(entry.case in golden_reports.CASES for entry in golden_reports.EXPLAINED)


def test_a_difference_is_found():
    """What moves by more than 1e-12, goes or comes is named; bits that are new are not."""
    golden = GOLDEN["cases"]["gru on adc_pim_16nm"]
    found = copy.deepcopy(golden)
    found["bits"]["another"] = ["new"]
    found["energy"]["array: gru0.gate"][1] *= 1 + 1e-14
    assert list(golden_reports.differences(golden, found)) == []
    found["energy"]["array: gru0.gate"][1] *= 1 + 1e-11
    found["actions"]["adc: conversions"] += 1
    del found["area"]["adc: gru0"]
    found["phases"]["rest"] = [0.0, 1, 1]
    paths = [path for path, _ in golden_reports.differences(golden, found)]
    assert sorted(paths) == [
        "actions.adc: conversions", "area.adc: gru0", "energy.array: gru0.gate", "phases.rest",
    ]  # fmt: skip
