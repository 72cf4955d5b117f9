"""The page of a validation: published figures beside the models'."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pimsim.report.blocks import Cell, Headline, Page, Section, Table, digits, signed
from pimsim.report.documents.validation import FigureFacts, ValidationDocument
from pimsim.report.provenance import study_again

# labels of figures, and words for them
BASES = {
    "predicted": "Predicted figures",
    "calibrated": "Calibrated figures",
    "arithmetic": "Sums of entered numbers",
}


def validation_page(document: ValidationDocument) -> Page:
    """Predictions first, then every figure of every case."""
    figures, found = document.figures, document.predictions
    cases = list(dict.fromkeys(figure.case for figure in figures))
    headlines = []
    if found is not None:
        headlines = [
            Headline(
                "Independent predictions",
                Cell(f"{found.n_within} of {found.n}", found.n_within),
                ["within their bound", f"of {found.cases} chips"],
            ),
            Headline(
                "Their median factor",
                Cell(f"{found.median_factor:.2f}", found.median_factor),
                [f"{k.kind}: {k.median_factor:.2f} of {k.n}" for k in found.kinds],
            ),
            Headline(
                "Worst factor", Cell(f"{found.worst_factor:.3g}", found.worst_factor), [found.worst]
            ),
        ]
    headlines += [
        _share(label, [figure for figure in figures if figure.basis == basis])
        for basis, label in BASES.items()
        if any(figure.basis == basis for figure in figures)
    ]
    return Page(
        title="Published figures beside the models",
        subtitle=f"{len(figures)} figures of {len(cases)} cases",
        headlines=headlines,
        sections=[
            *(_case(case, [f for f in figures if f.case == case]) for case in cases),
            Section("Get it again", study_again(document.provenance, document.pimsim)),
        ],
        version=document.pimsim,
        warnings=_missed(document),
    )


def _missed(document: ValidationDocument) -> list[str]:
    """A sentence on each figure that misses its bound, and one on all that are known to."""
    said = [
        (
            found.expected == "fail",
            f"{found.quantity} of {found.case}, by a factor of {found.factor_off:.3g}",
        )
        for found in document.missed
        if found.factor_off is not None
    ]
    known = [text for is_known, text in said if is_known]
    unknown = [f"Missed: {text}." for is_known, text in said if not is_known]
    return [*unknown, *([f"Missed, as known: {'; '.join(known)}."] if known else [])]


def summary_lines(document: ValidationDocument) -> list[str]:
    """Last lines in a terminal: independent predictions, unexpected misses, and all figures."""
    lines, found = [], document.predictions
    if found is not None:
        lines += [
            f"{found.n} independent predictions of {found.cases} chips, "
            f"{found.n_within} within their bound",
            f"median factor {found.median_factor:.2f}: "
            + ", ".join(f"{k.kind} {k.median_factor:.2f} ({k.n})" for k in found.kinds),
            f"worst factor {found.worst_factor:.3g}: {found.worst}",
        ]
    for figure in document.unexpected:
        lines.append(f"not expected to miss: {figure.quantity} of {figure.case}")
    passed = len(document.figures) - len(document.missed)
    lines.append(f"{passed} of {len(document.figures)} within their bound, of any label")
    return lines


def _case(case: str, figures: Sequence[FigureFacts]) -> Section:
    """Figures of a case, and what was entered from the chip."""
    first, notes = figures[0], []
    if first.from_the_chip:
        notes.append(f"Entered from the chip: {', '.join(first.from_the_chip)}.")
    if first.fitted:
        notes.append(f"Fitted to it: {', '.join(first.fitted)}.")
    return Section(case, [_table(figures)], " ".join(notes))


def _share(label: str, figures: Sequence[FigureFacts]) -> Headline:
    passed = sum(found.passes for found in figures)
    return Headline(label, Cell(f"{passed} of {len(figures)}", passed), ["within their bound"])


def _bound(found: FigureFacts) -> Cell:
    """Tolerance, and the position of the error in it: share of the published value, or factor.

    Half and twice as much are at the two ends of a factor of 2.
    """
    if found.factor is None:
        tolerance = found.tolerance or 0.0
        gauge = found.error / tolerance if tolerance else math.copysign(1.0, found.error)
        return Cell(f"{100 * tolerance:g} %", tolerance, gauge=gauge)
    ratio = max(found.error + 1, 1e-9)
    gauge = math.log(ratio) / math.log(found.factor)
    return Cell(f"x {found.factor:g}", found.factor, gauge=gauge)


def _table(findings: Sequence[FigureFacts]) -> Table:
    """Published and modelled figures, and the position of the error within the tolerance."""
    rows = [
        [Cell(f.quantity),
         Cell(f"{f.published:,.6g}", f.published),
         Cell(digits(f.modelled), f.modelled),
         Cell(f.unit),
         signed(100 * f.error, "+.2f", " %"),
         _bound(f),
         Cell(f.basis if f.passes else "MISSED"),
         Cell(f.basis),
         Cell(f"{f.source} ({f.certainty})")]
        for f in findings
    ]  # fmt: skip
    columns = ["figure", "published", "modelled", "", "error", "within", "basis", "label", "source"]
    return Table("", columns, rows, is_wide=True, page_only=("label", "source"))
