"""Figures: one look for all, the same bytes from the same data."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from pimsim.errors import ConfigError, Place, printable, shown
from pimsim.files import write_whole

# Okabe and Ito's colours, which colour-blind readers can tell apart, darkest first; the last is not
# quite black, as a fill of black is written nowhere in an SVG, and stays so on a dark page
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#101010")

_STYLE: Any = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.hashsalt": "pimsim",
    # numbers beside an axis are those of the figure, and no differences from one above it
    "axes.formatter.useoffset": False,
    "text.parse_math": False,  # names may hold a dollar sign
}
MARKERS = "osD^vPX*"
# ages that are named at an axis: more names than these run into each other
MAX_AGES = 6


class NotebookFigure(Figure):
    """A figure that a notebook displays as the value of a cell."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=120)
        return picture.getvalue()


@contextmanager
def one_look() -> Iterator[None]:
    """Draw in pimsim's style, and leave the caller's as it was.

    Nothing of a user's own style is kept: it may ask for LaTeX, or for letters that are not there.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def log_scale(axes: Axes, *names: Literal["x", "y"]) -> None:
    """Scale axes by powers of ten, whose labels are plain numbers."""
    for name in names:
        axis = axes.xaxis if name == "x" else axes.yaxis
        (axes.set_xscale if name == "x" else axes.set_yscale)("log")
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())


def not_drawn(error: Exception) -> Figure:
    """A figure that says why another one cannot be drawn."""
    figure = Figure(figsize=(6.4, 1.0))
    text = f"This figure cannot be drawn: {type(error).__name__}: {shown(str(error))}"
    figure.text(0.02, 0.5, text, wrap=True)
    return figure


def new_figure(width: float = 6.4, height: float = 4.0) -> tuple[Figure, Axes]:
    """A figure of one plot [inches]; call within `one_look`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def check_picture(path: Path, option: str = "--out") -> Path:
    """Refuse a file name that no picture can have, before the work.

    Raises
    ------
    ConfigError
        If it ends in neither .svg nor .png.
    """
    if path.suffix not in (".svg", ".png"):
        raise ConfigError(
            f"is '{path}'", place=Place(option), remedy="Name a file that ends in .svg or .png"
        )
    return path


def save_figure(figure: Figure, stem: Path, *formats: str) -> list[Path]:
    """Write a figure as `stem`.svg, .png or both; call within `one_look`.

    One that matplotlib cannot draw is replaced by its reason: it must not cost the results that
    are written with it.
    """
    written = []
    for kind in formats:
        try:
            content = _picture(figure, kind)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            content = _picture(not_drawn(error), kind)

        def write(file: IO[bytes], content: bytes = content) -> object:
            return file.write(content)

        written.append(write_whole(stem.with_name(f"{stem.name}.{kind}"), write))
    return written


def _picture(figure: Figure, kind: str) -> bytes:
    # without a date, the same data give the same file
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    picture = io.BytesIO()
    figure.savefig(picture, format=kind, dpi=160, metadata=metadata)
    if kind != "svg":
        return picture.getvalue()
    return printable(picture.getvalue().decode()).encode()


def time_axis(axes: Axes, ages: Sequence[float]) -> None:
    """Logarithmic axis of times since programming, with a place for 0, the programmed state.

    Parameters
    ----------
    ages
        What is drawn [s].
    """
    positive = [age for age in ages if age > 0]
    if positive and len(positive) == len(ages):
        log_scale(axes, "x")
        axes.xaxis.set_major_locator(LogLocator(numticks=MAX_AGES))
    elif positive:
        first = min(positive)
        axes.set_xscale("symlog", linthresh=first)
        decades = 10.0 ** np.arange(np.ceil(np.log10(first)), np.log10(max(positive)) + 1e-9)
        axes.set_xticks([0.0, *decades[:: -(-len(decades) // MAX_AGES)]])
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_xlabel("time since programming [s]")
