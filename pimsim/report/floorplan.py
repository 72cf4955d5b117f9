"""A floorplan drawn to scale."""

from __future__ import annotations

from pathlib import Path

from matplotlib.patches import Rectangle

from pimsim.mapping.floorplan import Floorplan
from pimsim.report import words
from pimsim.report.figures import new_figure, one_look, save_figure

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
# parts narrower than this share of the chip have no name on them
NAMED_FROM = 0.08


def draw_floorplan(plan: Floorplan, title: str, path: Path) -> Path:
    """Write a floorplan as SVG or PNG, after the file's ending; axes in micrometres."""
    um = 1e6
    with one_look():
        figure, axes = new_figure(8.0, 6.4 * plan.height / plan.width + 0.8)
        axes.grid(visible=False)
        for part in plan.rectangles:
            axes.add_patch(
                Rectangle((part.x * um, part.y * um), part.width * um, part.height * um,
                          facecolor=COLOURS.get(part.kind, OTHER), edgecolor="white", linewidth=0.3)
            )  # fmt: skip
            is_wide = part.width >= NAMED_FROM * plan.width
            if is_wide and part.kind in ("weights", "input_encoder", "output_unit"):
                name = part.label.replace("_", " ").replace(".", "\n")
                axes.text((part.x + part.width / 2) * um, (part.y + part.height / 2) * um,
                          name, ha="center", va="center", fontsize=8)  # fmt: skip
        kinds = dict.fromkeys(part.kind for part in plan.rectangles)
        handles = [Rectangle((0, 0), 1, 1, facecolor=COLOURS.get(kind, OTHER)) for kind in kinds]
        figure.legend(handles, [WORDS.get(k, words.named(k)) for k in kinds],
                      loc="outside right upper")  # fmt: skip
        axes.set_xlim(0, plan.width * um)
        axes.set_ylim(0, plan.height * um)
        axes.set_aspect("equal")
        axes.set_xlabel("um")
        axes.set_ylabel("um")
        axes.set_title(title)
        return save_figure(figure, path.with_suffix(""), path.suffix[1:])[0]
