"""Scaling between nodes: the factors that its authors' polynomials give, and no others."""

from __future__ import annotations

import pytest

from pimsim.circuits.scaling import scaling
from pimsim.errors import MappingError


# energy and delay worked out by hand from the published polynomials, to 16 nm at 0.8 V
@pytest.mark.parametrize(
    ("node", "supply", "energy", "delay"),
    [(130, 1.2, 0.0232, 0.2006), (65, 1.1, 0.0716, 0.3512), (45, 1.0, 0.1397, 0.5381),
     (32, 0.9, 0.2631, 0.8048), (20, 0.9, 0.5990, 0.7104)],
)  # fmt: skip
def test_published_factors(node, supply, energy, delay):
    factors = scaling(node * 1e-9, supply, 16e-9, 0.8)
    assert factors.energy == pytest.approx(energy, rel=2e-3)
    assert factors.delay == pytest.approx(delay, rel=2e-3)


# the same of low-power transistors, from 45 nm on
@pytest.mark.parametrize(
    ("node", "supply", "energy", "delay"),
    [(45, 0.9, 0.1165, 0.1489), (32, 0.9, 0.1817, 0.1992), (20, 0.9, 0.6319, 0.8246),
     (65, 1.1, 0.0585, 0.6103)],
)  # fmt: skip
def test_published_factors_of_low_power(node, supply, energy, delay):
    factors = scaling(node * 1e-9, supply, 16e-9, 0.8, "lp")
    assert factors.energy == pytest.approx(energy, rel=5e-3)
    assert factors.delay == pytest.approx(delay, rel=5e-3)
    assert factors.area == scaling(node * 1e-9, supply, 16e-9, 0.8).area


# of their table, which has two digits
@pytest.mark.parametrize(
    ("node", "to", "area"),
    [(180, 65, 0.08), (90, 45, 0.35), (65, 16, 0.13), (45, 32, 0.46), (32, 16, 0.41),
     (20, 7, 0.28)],
)  # fmt: skip
def test_published_areas(node, to, area):
    supplies = {180: 1.8, 90: 1.2, 65: 1.1, 45: 1.0, 32: 0.9, 20: 0.9, 16: 0.8, 7: 0.7}
    factors = scaling(node * 1e-9, supplies[node], to * 1e-9, supplies[to])
    assert factors.area == pytest.approx(area, rel=0.04)


def test_nodes_in_between_lie_in_between():
    below, at, above = (scaling(nm * 1e-9, 0.9, 16e-9, 0.8) for nm in (20, 28, 32))
    for low, middle, high in zip(above, at, below, strict=True):
        assert min(low, high) < middle < max(low, high)
    # 28 to 16 nm: a third of the energy, half of the area
    assert at.energy == pytest.approx(1 / 3, rel=0.02)
    assert at.area == pytest.approx(0.51, rel=0.05)


def test_there_and_back_is_nothing():
    there, back = scaling(45e-9, 1.0, 7e-9, 0.7), scaling(7e-9, 0.7, 45e-9, 1.0)
    for one, other in zip(there, back, strict=True):
        assert one * other == pytest.approx(1)
    assert scaling(3e-9, 0.5, 3e-9, 0.5) == (1, 1, 1)


@pytest.mark.parametrize(("node", "supply"), [(5, 0.7), (250, 2.5), (16, 1.2), (16, 0.4)])
def test_outside_of_their_range_nothing_is_scaled(node, supply):
    with pytest.raises(MappingError, match="cannot be scaled.*its own node and supply"):
        scaling(node * 1e-9, supply, 16e-9, 0.8)
