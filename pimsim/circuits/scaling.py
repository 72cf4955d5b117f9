"""Digital circuits at another node and supply: Stillmaker and Baas 2017.

Valid from 180 nm to 7 nm, for digital logic only: never for kT/C noise, read voltages,
cell currents or matching.  Their energy and delay are polynomials of the supply for each
node, their areas a table; nodes between (28 nm, 22 nm) are interpolated in the logarithm,
which is ours.  From 45 nm on they give two corners, high performance ("hp") and low power ("lp").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from numpy.polynomial import Polynomial

from pimsim.errors import MappingError

SOURCE = "Stillmaker and Baas, Integration 58 (2017)"
# how far from its nominal supply a node's polynomial is trusted: ours
SUPPLY_MARGIN = 0.3

Corner = Literal["hp", "lp"]


class _Node(NamedTuple):
    """Area relative to 65 nm, nominal supply [V], coefficients from V^0 up."""

    area: float
    supply: float
    delay: tuple[float, ...]
    energy: tuple[float, ...]


_NODES = {
    180: _Node(12.5, 1.8, (406.5, -356.7, 97.09), (-17.98, 24.64)),
    130: _Node(4.35, 1.3, (275.8, -493.4, 334.9, -76.65), (2.904, -6.709, 7.171)),
    90: _Node(1.89, 1.2, (210.9, -384.2, 262.5, -60.34), (2.092, -4.781, 4.762)),
    65: _Node(1.0, 1.1, (178.6, -333.9, 230.4, -53.3), (1.975, -4.398, 3.755)),
    45: _Node(0.66, 1.0, (566.1, -1619.0, 1567.0, -501.6), (0.1539, -0.3107, 1.018)),
    32: _Node(0.31, 0.9, (873.5, -2797.0, 2982.0, -1047.0), (0.1701, -0.4341, 0.8367)),
    20: _Node(0.14, 0.9, (41.15, -66.37, 34.63), (0.04104, -0.1582, 0.373)),
    16: _Node(0.13, 0.8, (28.87, -47.52, 24.8), (0.03024, -0.1241, 0.2958)),
    14: _Node(0.12, 0.8, (35.92, -100.6, 109.2, -40.66), (0.02239, -0.09675, 0.2363)),
    10: _Node(0.068, 0.75, (30.4, -85.99, 93.65, -34.95), (0.02375, -0.09311, 0.2068)),
    7: _Node(0.039, 0.7, (24.69, -70.26, 76.6, -28.58), (0.02447, -0.09097, 0.1776)),
}


# delay and energy of low-power transistors; older nodes have one kind
_LOW_POWER = {
    45: ((898.8, -1795.0, 1239.0, -285.7), (0.2767, -0.362, 1.103)),
    32: ((913.2, -1922.0, 1374.0, -325.9), (0.471, -0.7823, 0.9559)),
    20: ((217.5, -558.6, 514.1, -160.5), (0.06841, -0.14, 0.2632)),
    16: ((153.6, -397.4, 366.7, -114.6), (0.05639, -0.1187, 0.2139)),
    14: ((111.4, -292.2, 271.6, -85.37), (0.03066, -0.06472, 0.1556)),
    10: ((93.91, -246.3, 228.6, -71.76), (0.02769, -0.0518, 0.1261)),
    7: ((79.55, -210.3, 196.1, -61.79), (0.02043, -0.03409, 0.09365)),
}
_CORNERS = {
    "hp": _NODES,
    "lp": {
        nm: node._replace(delay=_LOW_POWER[nm][0], energy=_LOW_POWER[nm][1])
        if nm in _LOW_POWER
        else node
        for nm, node in _NODES.items()
    },
}


class Scaling(NamedTuple):
    """Factors that convert energy, delay and area from one node and supply to another."""

    energy: float
    delay: float
    area: float


def nominal_supply(node: float) -> float:
    """Nominal supply of a node [V].

    Raises
    ------
    MappingError
        Outside of 180 nm to 7 nm.
    """
    return _between(_NODES, _nanometres(node), lambda entry: entry.supply)


def scaling(
    node: float, supply: float, to_node: float, to_supply: float, corner: Corner = "hp"
) -> Scaling:
    """Factors from one node [m] and supply [V] to another, within a corner.

    Raises
    ------
    MappingError
        Outside of 180 nm to 7 nm, or far from a node's nominal supply.
    """
    if (node, supply) == (to_node, to_supply):
        return Scaling(1.0, 1.0, 1.0)
    begin, end = _factors(node, supply, corner), _factors(to_node, to_supply, corner)
    return Scaling(*(there / here for here, there in zip(begin, end, strict=True)))


def _nanometres(node: float) -> float:
    nm = round(node * 1e9, 6)
    if not min(_NODES) <= nm <= max(_NODES):
        raise MappingError(
            f"logic of {nm:g} nm cannot be scaled; {SOURCE} covers 180 nm to 7 nm",
            remedy="Give the technology file numbers of its own node and supply",
        )
    return nm


def _factors(node: float, supply: float, corner: Corner) -> Scaling:
    nm, nodes = _nanometres(node), _CORNERS[corner]
    nominal = _between(nodes, nm, lambda entry: entry.supply)
    if abs(supply / nominal - 1) > SUPPLY_MARGIN + 1e-9:
        raise MappingError(
            f"logic of {nm:g} nm cannot be scaled at {supply:g} V, more than "
            f"{SUPPLY_MARGIN:.0%} from its nominal {nominal:.2g} V",
            remedy="Give the technology file numbers of its own node and supply",
        )
    return Scaling(
        energy=_between(nodes, nm, lambda entry: float(Polynomial(entry.energy)(supply))),
        delay=_between(nodes, nm, lambda entry: float(Polynomial(entry.delay)(supply))),
        area=_between(nodes, nm, lambda entry: entry.area),
    )


def _between(nodes: Mapping[int, _Node], nm: float, value: Callable[[_Node], float]) -> float:
    if nm in nodes:
        return value(nodes[int(nm)])
    above = min(node for node in nodes if node > nm)
    below = max(node for node in nodes if node < nm)
    share = math.log(nm / below) / math.log(above / below)
    return math.pow(value(nodes[below]), 1 - share) * math.pow(value(nodes[above]), share)
