"""Bills: parts of a component and prices of its actions, stated by the component itself.

Energy, area, floorplan, provenance and traces are folds over bills; no list of components stands
anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TypeVar

FigureT = TypeVar("FigureT", bound="RestsOn")


@dataclass(frozen=True)
class Part:
    """Equal pieces of a component.

    Attributes
    ----------
    component : str
        Name of the component in reports.
    where : str
        The tile or link that it belongs to, or the piece of a digital unit.
    count : int
    area : float
        Area of one piece [m2].
    leakage : float
        Leakage of one piece [W].
    rests_on : tuple of str
        Blocks of the hardware files that area and leakage follow from, as `file.block`.
    strip : str
        Place in the floorplan: "cells", "drivers" (left of an array), "below" (under the bit
        lines of a tile), "beside" (right of an array) or "block" (beside the tiles).
    flip_flops : int
        Flip-flops of one piece, which the clock reaches while the component is at work.
    is_logic : bool
        Whether it is placed and routed logic, with wiring in between; arrays and what is drawn to
        their pitch abut.
    asleep : float
        Share of its leakage that remains in sleep: that of bits which are kept.
    is_volatile : bool
        Whether each piece is a bit of a weight that is lost without supply.
    """

    component: str
    where: str
    count: int
    area: float
    leakage: float
    rests_on: tuple[str, ...]
    strip: str = "below"
    flip_flops: int = 0
    is_logic: bool = False
    asleep: float = 0.0
    is_volatile: bool = False


@dataclass(frozen=True)
class Price:
    """Energy of one action of a component.

    Attributes
    ----------
    component, action : str
        Names in reports.
    each : float
        [J]
    rests_on : tuple of str
        Blocks of the hardware files that it follows from, as `file.block`.
    counted : str
        The counted action that it is paid for, where that has another name.
    counted_at : str
        Where that action is counted, if not in the component that the bill belongs to.
    times : int
        Factor from counted actions to paid actions.
    per_inference : int
        Number of paid actions in every inference, whatever the bits: not counted, but known.
    """

    component: str
    action: str
    each: float
    rests_on: tuple[str, ...]
    counted: str = ""
    counted_at: str = ""
    times: int = 1
    per_inference: int = 0


@dataclass(frozen=True)
class Action:
    """A counted action of a component; `count` is a number, or an array with one per operation."""

    component: str
    action: str
    count: int


class Bill(NamedTuple):
    """Parts and prices of a component."""

    parts: tuple[Part, ...] = ()
    prices: tuple[Price, ...] = ()


class RestsOn(Protocol):
    """A figure with the blocks of the hardware files that it follows from."""

    @property
    def rests_on(self) -> tuple[str, ...]: ...


def renamed(figures: Iterable[FigureT], block: str, really: str) -> tuple[FigureT, ...]:
    """Parts, prices or phases that rest on a block which really has another name."""
    return tuple(
        replace(f, rests_on=tuple(really if b == block else b for b in f.rests_on))  # type: ignore[type-var]
        for f in figures
    )


def total(bills: Iterable[Bill]) -> Bill:
    """Join the bills of several components."""
    bills = list(bills)
    return Bill(
        tuple(part for bill in bills for part in bill.parts),
        tuple(price for bill in bills for price in bill.prices),
    )
