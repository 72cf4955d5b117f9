"""The page of a validation: published figures beside the models'."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pimsim.report.blocks import Cell, Headline, Page, Section, Table, signed
from pimsim.report.documents.validation import FigureFacts, ValidationDocument
from pimsim.report.provenance import study_again


def validation_page(document: ValidationDocument) -> Page:
    """Number of figures within tolerance, and every figure of every case."""
    figures = document.figures
    cases = list(dict.fromkeys(found.case for found in figures))
    predicted = [found for found in figures if found.basis == "predicted"]
    headlines = [_share("Within their stated tolerance", figures)]
    if predicted:
        worst = max(predicted, key=lambda found: abs(_bound(found).gauge or 0.0))
        headlines += [
            _share("Of those, predicted", predicted, "nothing was chosen to meet them"),
            Headline(
                "Prediction nearest to its bound",
                Cell(f"{100 * worst.error:+.2f} %", worst.error),
                [f"{worst.quantity} of {worst.case}", f"allowed: {_bound(worst).text}"],
            ),
        ]
    return Page(
        title="Published figures beside the models",
        subtitle=f"{len(figures)} figures of {len(cases)} cases",
        headlines=headlines,
        sections=[
            *(Section(case, [_table([f for f in figures if f.case == case])]) for case in cases),
            Section("Get it again", study_again(document.provenance, document.pimsim)),
        ],
        version=document.pimsim,
        warnings=[
            f"Missed: {found.quantity} of {found.case}, by {100 * found.error:+.2f} %."
            for found in document.missed
        ],
    )


def _share(label: str, figures: Sequence[FigureFacts], note: str = "") -> Headline:
    passed = sum(found.passes for found in figures)
    return Headline(label, Cell(f"{passed} of {len(figures)}", passed), [note] if note else [])


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
         Cell(f"{f.modelled:,.6g}", f.modelled),
         Cell(f.unit),
         signed(100 * f.error, "+.2f", " %"),
         _bound(f),
         Cell(f.basis if f.passes else "MISSED"),
         Cell(f"{f.source} ({f.certainty})")]
        for f in findings
    ]  # fmt: skip
    columns = ["figure", "published", "modelled", "", "error", "within", "basis", "source"]
    return Table("", columns, rows, is_wide=True, page_only=("source",))
