"""A floorplan drawn to scale."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pimsim.mapping.floorplan import Floorplan
from pimsim.report import words
from pimsim.report.figures import one_look, save_figure
from pimsim.report.svg import WIDTH

COLOURS = {
    "array": "#d9e2ec",
    "weights": "#7fa6cf",
    "word_line_driver": "#e0a458",
    "input_driver": "#e0a458",
    "input_bus": "#e0a458",
    "dac": "#b5651d",
    "bit_line": "#b8b8b8",
    "clamp": "#8f9aa6",
    "sense_amplifier": "#c8553d",
    "adc": "#c8553d",
    "multiplier": "#8f9aa6",
    "adder_tree": "#c8553d",
    "mac_unit": "#c8553d",
    "comparator": "#a3b18a",
    "shift_and_add": "#e8a598",
    "gru_logic": "#8cb369",
    "activation_unit": "#b5c99a",
    "combining": "#84a98c",
    "register": "#8cb369",
    "input_encoder": "#b298dc",
    "front_end": "#9a8c98",
    "thermometer": "#b298dc",
    "output_unit": "#cdb4db",
    "link": "#e9c46a",
    "programming_periphery": "#b08968",
    "spare_pairs": "#d9c2a7",
    "sample_and_hold": "#a3b18a",
    "popcount": "#7f9172",
    "partial_sums": "#7f9172",
    "buffer": "#f4e285",
}
# of a component that has none of its own
OTHER = "#9a8c98"
WORDS = {"array": "cells without weights", "bit_line": "bit-line loads"}
# parts that have a name on them where there is room: width and height of a letter [inches]
NAMED = ("weights", "input_encoder", "output_unit")
LETTER = (0.07, 0.14)
# of names on weights, whose colours are the same on a dark page; not black, which is the page's own
LETTERS = "#181818"
# of a legend below
N_COLUMNS = 3
# of a chip that is higher than wide [inches]
MAX_HEIGHT = 6.0


def draw_floorplan(plan: Floorplan, title: str, path: Path) -> Path:
    """Write a floorplan as SVG or PNG, after the file's ending; axes in micrometres."""
    with one_look():
        width = 6.4
        figure = Figure(figsize=(width, height_of(plan, width)), layout="constrained")
        draw_plan(figure, plan)
        figure.axes[0].set_title(title)
        return save_figure(figure, path.with_suffix(""), path.suffix[1:])[0]


def height_of(plan: Floorplan, width: float = WIDTH) -> float:
    """Height of a figure of some width with a floorplan and its legend [inches]."""
    kinds = len({part.kind for part in plan.rectangles})
    drawn = min((width - 0.6) * plan.height / plan.width, MAX_HEIGHT)
    return 0.75 + drawn + 0.19 * -(-kinds // N_COLUMNS)


def draw_plan(figure: Figure, plan: Floorplan) -> None:
    """Draw a floorplan with its legend below; axes in micrometres."""
    um = 1e6
    axes = figure.subplots()
    axes.grid(visible=False)
    # inches of a metre, beside the numbers of an axis
    scale = min((figure.get_figwidth() - 0.6) / plan.width, MAX_HEIGHT / plan.height)
    for part in plan.rectangles:
        axes.add_patch(
            Rectangle((part.x * um, part.y * um), part.width * um, part.height * um,
                      facecolor=COLOURS.get(part.kind, OTHER), edgecolor="white", linewidth=0.3)
        )  # fmt: skip
        lines = part.label.replace("_", " ").split(".")
        room = (LETTER[0] * max(map(len, lines)), LETTER[1] * len(lines))
        if part.kind in NAMED and part.width * scale > room[0] and part.height * scale > room[1]:
            name = "\n".join(lines)
            axes.text((part.x + part.width / 2) * um, (part.y + part.height / 2) * um,
                      name, ha="center", va="center", fontsize=8, color=LETTERS)  # fmt: skip
    kinds = dict.fromkeys(part.kind for part in plan.rectangles)
    handles = [Rectangle((0, 0), 1, 1, facecolor=COLOURS.get(kind, OTHER)) for kind in kinds]
    figure.legend(handles, [WORDS.get(k, words.named(k)) for k in kinds], fontsize=8,
                  loc="outside lower left", ncols=N_COLUMNS, handlelength=1.0,
                  columnspacing=1.0)  # fmt: skip
    axes.set_xlim(0, plan.width * um)
    axes.set_ylim(0, plan.height * um)
    axes.set_aspect("equal")
    axes.set_xlabel("\N{MICRO SIGN}m")
    axes.set_ylabel("\N{MICRO SIGN}m")
