"""Figures: one look for all, the same bytes from the same data."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pimsim.errors import ConfigError, Place
from pimsim.files import write_whole

# Okabe and Ito's colours, which colour-blind readers can tell apart, darkest first
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#000000")

_STYLE: Any = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.hashsalt": "pimsim",
}
MARKERS = "osD^vPX*"


class NotebookFigure(Figure):
    """A figure that a notebook displays as the value of a cell."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=120)
        return picture.getvalue()


@contextmanager
def one_look() -> Iterator[None]:
    """Draw in pimsim's style, and leave the caller's as it was."""
    with matplotlib.rc_context(_STYLE):
        yield


def new_figure(width: float = 6.4, height: float = 4.0) -> tuple[Figure, Axes]:
    """A figure of one plot [inches]; call within `one_look`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def check_picture(path: Path) -> Path:
    """Refuse a file name that no picture can have, before the work.

    Raises
    ------
    ConfigError
        If it ends in neither .svg nor .png.
    """
    if path.suffix not in (".svg", ".png"):
        raise ConfigError(
            f"is '{path}'", place=Place("--out"), remedy="Name a file that ends in .svg or .png"
        )
    return path


def save_figure(figure: Figure, stem: Path, *formats: str) -> list[Path]:
    """Write a figure as `stem`.svg, .png or both; call within `one_look`."""
    written = []
    for kind in formats:
        # without a date, the same data give the same file
        metadata = {"Date": None} if kind == "svg" else {"Software": None}

        def draw(file: Any, kind: str = kind, metadata: dict[str, Any] = metadata) -> None:
            figure.savefig(file, format=kind, dpi=160, metadata=metadata)

        written.append(write_whole(stem.with_name(f"{stem.name}.{kind}"), draw))
    return written


def time_axis(axes: Axes, ages: Sequence[float]) -> None:
    """Logarithmic axis of times since programming, with a place for 0, the programmed state.

    Parameters
    ----------
    ages
        What is drawn [s].
    """
    positive = [age for age in ages if age > 0]
    if len(positive) == len(ages) or not positive:
        axes.set_xscale("log" if positive else "linear")
    else:
        first = min(positive)
        axes.set_xscale("symlog", linthresh=first)
        decades = 10.0 ** np.arange(np.ceil(np.log10(first)), np.log10(max(positive)) + 1e-9)
        axes.set_xticks([0.0, *decades])
    axes.set_xlabel("time since programming [s]")
