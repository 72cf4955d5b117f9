"""Decks: ngspice as the judge of currents and decisions of random small arrays."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
from files import bundled_technology

from pimsim.chip.wired import exact_currents
from pimsim.circuits.spice import AMPLIFIERS, Deck, DeckColumn, deck_text
from pimsim.circuits.wires import Wires

NGSPICE = shutil.which("ngspice")
needs_ngspice = pytest.mark.skipif(NGSPICE is None, reason="needs ngspice (apt install ngspice)")
FULL_SCALE = 1e-6


def random_deck(seed: int, **fixed) -> Deck:
    """A few columns of a small array: cells of a microampere at most, wires that lose a little."""
    rng = np.random.default_rng(seed)
    n_rows, is_resistor = int(rng.integers(2, 21)), bool(seed % 2)
    integrates, wire = bool(rng.integers(2)), float(rng.uniform(5, 60))
    node = float(rng.uniform(5e-15, 2e-14))
    transimpedance = float(rng.uniform(5e3, 2e4))

    def cells() -> np.ndarray:
        return rng.integers(0, 8, n_rows) * FULL_SCALE / 7 + 2e-8

    columns = tuple(
        DeckColumn(f"c{i}", cells(), cells(), float(rng.normal(0, 1e-3))) for i in range(3)
    )
    keys = {
        "title": (f"random array {seed}",),
        "columns": columns,
        "on": rng.random(n_rows) < 0.6,
        "is_resistor": is_resistor,
        "read_voltage": 0.2,
        "word_line": (0.8, 3e3, 2e-14),
        "bit": wire,
        "source": 1.5 * wire,
        "capacitance": 1e-16,
        "length": n_rows + int(rng.integers(0, 9)),
        "source_twice": bool(rng.integers(2)),
        "bit_twice": seed % 3 == 0,
        "supply": 0.8,
        "load": transimpedance,
        "node": node,
        "integrates": integrates,
        "read_time": 5e-9,
        "amplifier": "ideal",
        "technology": bundled_technology(),
    }
    return Deck(**(keys | fixed))


def simulated(deck: Deck, folder) -> dict[str, float]:
    """What ngspice prints for a deck."""
    path = folder / "deck.cir"
    path.write_text(deck_text(deck), encoding="utf-8")
    done = subprocess.run([NGSPICE, "-b", str(path)], capture_output=True, text=True, check=False)
    found = {m[1]: float(m[2]) for m in re.finditer(r"^(\w+_c\d+)\s*=\s*(\S+)", done.stdout, re.M)}
    assert len(found) == 4 * len(deck.columns), done.stdout[-2000:] + done.stderr[-2000:]
    return found


def expected(deck: Deck, side: str) -> np.ndarray:
    """Currents of the bit lines by the exact ladder, or of current sources by their sum [A]."""
    cells = np.stack([getattr(column, side) for column in deck.columns], axis=1)
    if not deck.is_resistor:
        return cells[deck.on].sum(axis=0)
    ends = deck.bit_twice, deck.source_twice
    wires = Wires("exact", deck.bit, deck.source, deck.length, *ends, deck.read_voltage)
    return exact_currents(cells, deck.on, wires)


@needs_ngspice
@pytest.mark.parametrize("seed", range(30))
def test_currents_and_decisions_are_those_of_ngspice(seed, tmp_path):
    """Within 0.1 % of a cell's full scale, and every bit that is not within it of its threshold."""
    deck = random_deck(seed)
    found = simulated(deck, tmp_path)
    plus, minus = expected(deck, "plus"), expected(deck, "minus")
    tolerance = 1e-3 * FULL_SCALE
    for i, column in enumerate(deck.columns):
        assert abs(found[f"ip_{column.name}"] - plus[i]) < tolerance
        assert abs(found[f"im_{column.name}"] - minus[i]) < tolerance
        distance = plus[i] - minus[i] - column.offset / deck.load
        if abs(distance) > tolerance:
            assert (found[f"y_{column.name}"] > deck.supply / 2) == (distance > 0)


@needs_ngspice
def test_wires_show_in_the_currents(tmp_path):
    """The judge can fail: without their loss resistive cells are off by far more than allowed."""
    deck = random_deck(5)
    found = simulated(deck, tmp_path)
    sums = [column.plus[deck.on].sum() for column in deck.columns]
    lost = [s - found[f"ip_{c.name}"] for s, c in zip(sums, deck.columns, strict=True)]
    assert min(lost) > 1e-3 * FULL_SCALE


@needs_ngspice
@pytest.mark.parametrize("seed", [2, 3])
def test_a_latch_decides_as_the_ideal_amplifier(seed, tmp_path):
    """A difference of five millivolts is far beyond what its own nodes disturb."""
    deck = random_deck(seed, amplifier="latch")
    found = simulated(deck, tmp_path)
    for column in deck.columns:
        volts = found[f"dv_{column.name}"] - column.offset
        if abs(volts) > 5e-3:
            assert (found[f"y_{column.name}"] > deck.supply / 2) == (volts > 0)


def test_a_deck_has_every_cell_and_reads_as_text():
    deck = random_deck(7)
    text = deck_text(deck)
    cells = len(deck.on) * len(deck.columns) * 2
    assert len(re.findall(r"^Xc\d+_[pm]_\d+ ", text, re.M)) == cells
    assert text.startswith("* random array 7\n")
    assert text.endswith(".end\n")
    assert max(map(len, text.splitlines())) <= 132
    assert set(AMPLIFIERS) == {"ideal", "latch"}
