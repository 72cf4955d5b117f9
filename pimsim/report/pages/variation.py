"""Variation that cells have in common, on a run's page: variogram, gradients, chips of a wafer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pimsim.report.blocks import NONE, Block, Cell, Picture, Table, count
from pimsim.report.documents.noise import VariationFacts
from pimsim.report.documents.run import RunDocument
from pimsim.report.figures import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def variation(report: RunDocument) -> list[Block]:
    """Variogram drawn and in numbers; nothing where cells have nothing in common."""
    facts = report.noise.variation
    if facts is None:
        return []
    rows = [
        [count(point.lag), _semivariance(point.along_bit_line),
         _semivariance(point.along_word_line), _semivariance(point.expected)]
        for point in facts.variogram
    ]  # fmt: skip
    gains = facts.chip_gains
    note = (
        "Half of the mean square of the difference of two cells' errors, in variances of an error, "
        f"first chip. Gain by place in the array: {facts.lowest_gain:.4f} to "
        f"{facts.highest_gain:.4f}; of {len(gains)} chips by place on the wafer: "
        f"{min(gains):.4f} to {max(gains):.4f}."
    )
    columns = ["cells apart", "along a bit line", "along a word line", "expected"]
    return [
        Picture(f"Variogram of {facts.layer}", _drawing(facts), 2.0),
        Table(f"Variogram of {facts.layer}, in numbers", columns, rows, note),
    ]


def _semivariance(value: float | None) -> Cell:
    return Cell(NONE) if value is None else Cell(f"{value:.3f}", value)


def _drawing(facts: VariationFacts) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        lags = [point.lag for point in facts.variogram]
        for index, name in enumerate(("along_bit_line", "along_word_line")):
            seen = [(p.lag, getattr(p, name)) for p in facts.variogram]
            known = [(lag, value) for lag, value in seen if value is not None]
            label = name.replace("_", " ")
            axes.plot(*zip(*known, strict=True), "o", color=COLOURS[index], label=label)
        expected = [point.expected for point in facts.variogram]
        axes.plot(lags, expected, color=COLOURS[2], label="expected")
        axes.set_xlabel("cells apart")
        axes.set_ylabel("semivariance")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=8)

    return draw
