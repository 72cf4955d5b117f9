"""Figures as SVG within a page: small, in the page's own colours, the same from the same data."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pimsim.errors import printable
from pimsim.report.figures import COLOURS, not_drawn, one_look

# a phone's width, so that letters are as large there as the text around
WIDTH = 4.6
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 9.5,
    "axes.axisbelow": True,
    "axes.linewidth": 0.7,
}
_COLOURS = {colour.lower(): f"var(--c{index})" for index, colour in enumerate(COLOURS)}
_COLOURS |= {"#000000": "currentColor", "#b0b0b0": "var(--rule)", "#bbbbbb": "var(--rest)"}


def inline_svg(draw: Callable[[Figure], object], height: float, title: str) -> Markup:
    """SVG element of a figure `height` inches high, drawn by `draw`.

    Colours become those of the page (`--c0`, ..., `currentColor`), text stays text, and
    what the page does not need goes.
    """
    with one_look(), matplotlib.rc_context(_STYLE):
        try:
            svg = _drawn(draw, height)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            # a figure must not cost the page
            svg = _svg_of(not_drawn(error))
    svg = printable(svg[svg.index("<svg") :])
    for needless in (r"<!--.*?-->", r"<metadata>.*?</metadata>", r"<style.*?</style>"):
        svg = re.sub(needless, "", svg, flags=re.DOTALL)
    view = re.search(r'viewBox="[\d. ]+"', svg)
    assert view is not None
    label = Markup.escape(title)
    head = f'<svg {view[0]} role="img" aria-label="{label}" preserveAspectRatio="xMinYMin">'
    svg = re.sub(r"^<svg[^>]*>", lambda _: head, svg)
    svg = re.sub(r"font: ([^;\"']*)'[^;\"]*", r"font: \1system-ui, sans-serif", svg)
    svg = re.sub(r"#[0-9a-f]{6}\b", lambda m: _COLOURS.get(m[0], m[0]), svg)
    return Markup(re.sub(r"\n\s*", "\n", _own_names(svg, title)).strip())


def _drawn(draw: Callable[[Figure], object], height: float) -> str:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    draw(figure)
    return _svg_of(figure)


def _svg_of(figure: Figure) -> str:
    for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
        patch.set_visible(False)
    text = io.StringIO()
    # savefig would draw, and lay out, a second time
    FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
    return text.getvalue()


def _own_names(svg: str, title: str) -> str:
    """Drop unused ids, and make the others unique to this picture."""
    prefix = re.sub(r"\W+", "-", title.lower()) + "-"
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", svg)
    return re.sub(r'(href="#|url\(#)', lambda m: m[0] + prefix, svg)
