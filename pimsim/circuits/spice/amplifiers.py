"""Amplifiers of a deck: what decides a column, by kind.

Each gets the nodes `p` and `m` of both loads, of which the one with more current is lower, and the
supply `vdd`; its output `y` is high where the + side has more current. It decides at `strobe`.
"""

from __future__ import annotations

from collections.abc import Callable

from pimsim.config.technology import TechnologyConfig

# size of the transistors of the latch, in smallest ones
_INPUT_WIDTH, _LATCH_WIDTH, _TAIL_WIDTH = 8, 4, 8
# width over length of a smallest transistor of the level-1 model; only K' W / L counts
_WIDTH, _LENGTH = 100e-9, 20e-9


def _ideal(technology: TechnologyConfig) -> list[str]:
    return [
        "* ideal amplifier: the sign of the difference, less its offset",
        ".subckt amplifier p m y vdd strobe params: vos=0",
        "Bdecide y 0 V = v(m) - v(p) > {vos} ? v(vdd) : 0",
        ".ends",
    ]


def _latch(technology: TechnologyConfig) -> list[str]:
    transistor, supply = technology.transistor, technology.supply
    # on-resistance at a small drain voltage: 1 / (K' W / L (V_s - V_T))
    beta = 1 / (transistor.on_resistance * (supply - transistor.threshold))
    gain = beta * _LENGTH / _WIDTH
    load, own = transistor.drain_capacitance, 4 * transistor.gate_capacitance

    def mos(name: str, drain: str, gate: str, source: str, kind: str, width: float) -> str:
        bulk = "0" if kind == "nmos1" else "vdd"
        size = f"W={width * _WIDTH:.4g} L={_LENGTH:.4g}"
        return f"M{name} {drain} {gate} {source} {bulk} {kind} {size}"

    return [
        "* latch (StrongARM): its nodes are charged to the supply until the strobe, then the side",
        "* with the higher input falls first, and the cross-coupled inverters take over; PMOS and",
        "* NMOS have the technology's threshold and on-resistance, in the level-1 model",
        f".model nmos1 NMOS (LEVEL=1 VTO={transistor.threshold:.4g} KP={gain:.6g} LAMBDA=0.05)",
        f".model pmos1 PMOS (LEVEL=1 VTO={-transistor.threshold:.4g} KP={gain:.6g} LAMBDA=0.05)",
        ".subckt amplifier p m y vdd strobe params: vos=0",
        "Vos m in {vos}",
        mos("tail", "tail", "strobe", "0", "nmos1", _TAIL_WIDTH),
        mos("inm", "xm", "in", "tail", "nmos1", _INPUT_WIDTH),
        mos("inp", "xp", "p", "tail", "nmos1", _INPUT_WIDTH),
        mos("n1", "qm", "qp", "xm", "nmos1", _LATCH_WIDTH),
        mos("n2", "qp", "qm", "xp", "nmos1", _LATCH_WIDTH),
        mos("p1", "qm", "qp", "vdd", "pmos1", _LATCH_WIDTH),
        mos("p2", "qp", "qm", "vdd", "pmos1", _LATCH_WIDTH),
        *(
            mos(f"r{node}", node, "strobe", "vdd", "pmos1", _LATCH_WIDTH)
            for node in ("qm", "qp", "xm", "xp")
        ),
        *(
            f"C{node} {node} 0 {8 * load + (own if node[0] == 'q' else 0):.4g}"
            for node in ("qm", "qp", "xm", "xp")
        ),
        "* the side of the lower input stays high",
        "Bout y 0 V = v(qp) > v(qm) ? v(vdd) : 0",
        ".ends",
    ]


# amplifiers by their names
AMPLIFIERS: dict[str, Callable[[TechnologyConfig], list[str]]] = {"ideal": _ideal, "latch": _latch}
