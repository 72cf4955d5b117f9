"""The text of a deck: drawn columns, their wires and read-out, as ngspice runs them.

    ngspice -b DECK.cir

prints the current of every bit line (`ip_`, `im_`), the difference of both loads (`dv_`) and the
decision (`y_`, 0 or the supply) at the end of the read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.circuits.spice.amplifiers import AMPLIFIERS
from pimsim.config.technology import TechnologyConfig

# resistance of a switch that is on [ohm]: nothing beside cells of kilohms; and of one that is off
_ON, _OFF = 1e-3, 1e15
# time in which a driver's output rises, before its line's own RC [s]
_RISE = 10e-12


@dataclass(frozen=True)
class DeckColumn:
    """A pair of bit lines.

    Attributes
    ----------
    name : str
        Letters and digits alone.
    plus, minus : (n_rows,) float64
        Currents of the cells at the full read voltage [A].
    offset : float
        Of its amplifier, at its input [V].
    """

    name: str
    plus: NDArray[np.float64]
    minus: NDArray[np.float64]
    offset: float


@dataclass(frozen=True)
class Deck:
    """A read of some columns of one drawn chip.

    Attributes
    ----------
    title : tuple of str
        Lines of the heading.
    columns : tuple of DeckColumn
    on : (n_rows,) bool
        Word lines that are up.
    is_resistor : bool
        Whether cells are resistors behind a switch, or current sources.
    read_voltage : float
        At which bit lines are held [V].
    word_line : tuple of float
        Voltage [V], resistance of driver and line [ohm], and capacitance of a word line [F].
    bit, source : float
        Resistance of a piece of bit and source line between two cells [ohm].
    capacitance : float
        Of a piece of bit line [F].
    length : int
        Cells along a line, used or not; row 0 is nearest to the read-out.
    bit_twice, source_twice : bool
        Whether bit lines are held at the read voltage, and source lines at 0, beyond their last
        cell, too.
    supply : float
        Of loads and amplifiers [V].
    load : float
        Transimpedance of the load [V/A]: a resistance, or time over capacitance.
    node : float
        Capacitance of the node that is read, per side [F].
    integrates : bool
        Whether the load is that capacitance, instead of a resistor.
    read_time : float
        Time from a raised word line to the decision [s].
    amplifier : str
        One of `AMPLIFIERS`.
    technology : TechnologyConfig
    """

    title: tuple[str, ...]
    columns: tuple[DeckColumn, ...]
    on: NDArray[np.bool_]
    is_resistor: bool
    read_voltage: float
    word_line: tuple[float, float, float]
    bit: float
    source: float
    capacitance: float
    length: int
    bit_twice: bool
    source_twice: bool
    supply: float
    load: float
    node: float
    integrates: bool
    read_time: float
    amplifier: str
    technology: TechnologyConfig

    @property
    def begin(self) -> float:
        """Time at which word lines rise [s]: lines are at rest before."""
        return 0.1 * self.read_time

    @property
    def settled(self) -> float:
        """Time at which an integration begins [s]: that of a resistor's read, word lines are up."""
        return self.begin + self.read_time

    @property
    def end(self) -> float:
        """Time of the decision [s]."""
        return self.settled + (self.load * self.node if self.integrates else 0.0)


def deck_text(deck: Deck) -> str:
    """The deck, with its analysis and what it prints."""
    return "\n".join(_lines(deck)) + "\n"


def _lines(deck: Deck) -> Iterator[str]:
    title, *more = deck.title
    yield f"* {title}"
    yield from (f"* {line}" for line in more)
    yield ""
    yield f".param supply={deck.supply:.9g} vread={deck.read_voltage:.9g}"
    yield f".param rbl={deck.bit:.9g} rsl={deck.source:.9g} cbit={deck.capacitance:.9g}"
    yield f".param load={deck.load:.9g} cnode={deck.node:.9g}"
    yield ".options method=gear reltol=1e-6 abstol=1e-14 vntol=1e-9 gmin=1e-18"
    yield ""
    yield from _drivers(deck)
    yield ""
    yield from _cell(deck)
    yield ""
    yield from AMPLIFIERS[deck.amplifier].lines(deck.technology)
    yield ""
    yield "Vsupply vdd 0 {supply}"
    yield f"Vstrobe strobe 0 PWL(0 0 {deck.end:.6g} 0 {deck.end + _RISE:.6g} {{supply}})"
    if deck.integrates:
        yield f"Vclose close 0 PWL(0 1 {deck.settled:.6g} 1 {deck.settled + _RISE / 100:.6g} 0)"
        yield f".model precharge SW(VT=0.5 VH=0 RON={_ON:g} ROFF={_OFF:g})"
    for column in deck.columns:
        yield ""
        yield from _column(deck, column)
    yield ""
    yield from _analysis(deck)


def _drivers(deck: Deck) -> Iterator[str]:
    voltage, resistance, capacitance = deck.word_line
    yield f"* word lines: {int(deck.on.sum())} of {len(deck.on)} are driven"
    for row, on in enumerate(deck.on):
        if on:
            wave = f"PWL(0 0 {deck.begin:.6g} 0 {deck.begin + _RISE:.6g} {voltage:.6g})"
            yield f"Vword{row} drive{row} 0 {wave}"
            yield f"Rword{row} drive{row} word{row} {resistance:.6g}"
            yield f"Cword{row} word{row} 0 {capacitance:.6g}"
        else:
            yield f"Vword{row} word{row} 0 0"


def _cell(deck: Deck) -> Iterator[str]:
    half = deck.word_line[0] / 2
    if deck.is_resistor:
        yield "* a cell: its access transistor is a switch, and its resistance in the cell's"
        yield f".model access SW(VT={half:.6g} VH=0 RON={_ON:g} ROFF={_OFF:g})"
        yield ".subckt cell bit source word params: r=1meg"
        yield "Saccess bit state word 0 access"
        yield "Rcell state source {r}"
    else:
        yield "* a cell: a transistor in saturation, which is a current source"
        yield ".subckt cell bit source word params: i=1u"
        yield f"Bcell bit source I = v(word) > {half:.6g} ? {{i}} : 0"
    yield ".ends"


def _column(deck: Deck, column: DeckColumn) -> Iterator[str]:
    for side, cells in (("p", column.plus), ("m", column.minus)):
        name = f"{column.name}_{side}"
        yield f"* column {column.name}, {'+' if side == 'p' else '-'} side"
        # a clamp holds the line; its load carries the same current
        yield f"Vclamp_{name} b{name}_in 0 {{vread}}"
        bit, source = f"b{name}_in", "0"
        for row, current in enumerate(cells):
            here = f"b{name}_{row}", f"s{name}_{row}"
            yield f"Rb{name}_{row} {bit} {here[0]} {{rbl}}"
            yield f"Rs{name}_{row} {source} {here[1]} {{rsl}}"
            yield f"Cb{name}_{row} {here[0]} 0 {{cbit}}"
            bit, source = here
            if deck.is_resistor and current > 0:
                size = f"r={deck.read_voltage / current:.9g}"
            elif not deck.is_resistor:
                size = f"i={current:.9g}"
            else:
                continue
            yield f"X{name}_{row} {bit} {source} word{row} cell {size}"
        pieces = deck.length + 1 - len(cells)
        if deck.source_twice:
            yield f"Rs{name}_end {source} 0 {{{pieces}*rsl}}"
        yield f"Fload_{name} out{name} 0 Vclamp_{name} -1"
        if deck.bit_twice:
            yield f"Rb{name}_end {bit} b{name}_far {{{pieces}*rbl}}"
            yield f"Vfar_{name} b{name}_far 0 {{vread}}"
            yield f"Ffar_{name} out{name} 0 Vfar_{name} -1"
        yield f"Cnode_{name} out{name} 0 {{cnode}}"
        if deck.integrates:
            yield f"Sload_{name} vdd out{name} close 0 precharge"
        else:
            yield f"Rload_{name} vdd out{name} {{load}}"
    name = column.name
    yield (
        f"Xamplifier_{name} out{name}_p out{name}_m y{name} vdd strobe amplifier "
        f"vos={column.offset:.9g}"
    )


def _analysis(deck: Deck) -> Iterator[str]:
    decided = deck.end + AMPLIFIERS[deck.amplifier].delay
    yield f".tran {deck.end / 200:.4g} {decided + _RISE:.6g} 0 {deck.end / 200:.4g}"
    for column in deck.columns:
        name = column.name
        at = f"at={deck.end:.6g}"
        for side in "pm":
            far = f"-i(Vfar_{name}_{side})" if deck.bit_twice else ""
            yield f".meas tran i{side}_{name} find par('-i(Vclamp_{name}_{side}){far}') {at}"
        yield f".meas tran dv_{name} find par('v(out{name}_m)-v(out{name}_p)') {at}"
        yield f".meas tran y_{name} find v(y{name}) at={decided:.6g}"
    yield ".end"
