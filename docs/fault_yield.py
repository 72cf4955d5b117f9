"""Figure and table of docs/theory/array.md: accuracy and yield of the shipped GRU on broken chips.

`python docs/fault_yield.py` draws chips with more and more cells that fail, without repair and with
each, writes docs/data/fault_yield.json and docs/figures/fault_yield.svg, and fills the table of the
page. Half of the cells that fail are open, a quarter short, and a quarter stuck at a level.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tables import MeasuredTable, Row

import pimsim

HERE = Path(__file__).parent
PAGE = HERE / "theory" / "array.md"
DATA = HERE / "data" / "fault_yield.json"
FIGURE = HERE / "figures" / "fault_yield"
RATES = (0.0, 0.003, 0.01, 0.02, 0.03, 0.05)
SPARES = 8
# repairs by the words of the table; spares have their own number
REPAIRS: dict[str, tuple[str, ...]] = {
    "none": (),
    "sides": ("sides",),
    "spares": ("spares",),
    "columns": ("columns",),
    "rows": ("rows",),
    "partner": ("partner",),
    "all": ("rows", "columns", "sides", "spares", "partner"),
}
RUN: dict[str, Any] = {"chips": 20, "limit": 200, "contributions": False}
# a chip is good that loses at most so much of the exact network's accuracy
MARGIN = 0.05
SHARES = {"open": 0.5, "short": 0.25, "stuck": 0.25}


def settings(rate: float, repair: tuple[str, ...]) -> list[str]:
    """Options `--set` of a run."""
    found = [f"noise.faults.{kind}={share * rate:g}" for kind, share in SHARES.items()]
    if repair:
        found.append(f"noise.faults.repair=[{', '.join(repair)}]")
    if "spares" in repair:
        found.append(f"noise.faults.spares={SPARES}")
    return found


def measured() -> dict[str, Any]:
    """Accuracy of every chip, for each repair and rate."""
    points = []
    exact = 0.0
    for name, repair in REPAIRS.items():
        for rate in RATES:
            # without faults there is nothing to repair
            if rate == 0 and repair:
                continue
            found = pimsim.run("gru", set=settings(rate, repair), **RUN).accuracy
            exact = found.ideal
            points.append({"repair": name, "rate": rate, "accuracies": list(found.per_chip)})
    return {"exact": exact, "spares": SPARES, **RUN, "points": points}


def curve(data: dict[str, Any], repair: str) -> dict[float, list[float]]:
    """Accuracies of the chips by rate; those without faults are of every repair."""
    return {
        point["rate"]: point["accuracies"]
        for point in data["points"]
        if point["repair"] == repair or point["rate"] == 0
    }


def mean_of(accuracies: list[float]) -> float:
    """Mean accuracy of the chips."""
    return sum(accuracies) / len(accuracies)


def yield_of(data: dict[str, Any], accuracies: list[float]) -> float:
    """Share of the chips that lose at most `MARGIN`."""
    target = data["exact"] - MARGIN
    return sum(a >= target - 1e-9 for a in accuracies) / len(accuracies)


def rows(data: dict[str, Any]) -> list[Row]:
    """Mean accuracy and yield, a row for each repair."""
    head = ("repair", *(f"{100 * rate:g} % fail" for rate in RATES))
    body = []
    for name in REPAIRS:
        cells = [
            f"{100 * mean_of(found):.1f} %, {100 * yield_of(data, found):.0f} %"
            for _, found in sorted(curve(data, name).items())
        ]
        body.append((f"`{name}`" if REPAIRS[name] and name != "all" else name, *cells))
    return [head, *body]


def draw(data: dict[str, Any]) -> None:
    """Write the figure."""
    from matplotlib.figure import Figure

    from pimsim.report.figures import COLOURS, MARKERS, one_look, save_figure

    with one_look():
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for index, name in enumerate(REPAIRS):
            found = sorted(curve(data, name).items())
            look = {"color": COLOURS[index], "marker": MARKERS[index], "markersize": 4,
                    "linewidth": 1.2}  # fmt: skip
            at = [100 * rate for rate, _ in found]
            left.plot(at, [100 * mean_of(a) for _, a in found], label=name, **look)
            right.plot(at, [100 * yield_of(data, a) for _, a in found], **look)
        left.set(xlabel="cells that fail [%]", ylabel="mean accuracy [%]")
        right.set(xlabel="cells that fail [%]", ylabel="yield [%]")
        left.legend(title="repair", fontsize=8)
        save_figure(figure, FIGURE, "svg")


TABLE = MeasuredTable("yield with faults", PAGE, DATA, rows)

if __name__ == "__main__":
    TABLE.write(measured(), draw)
