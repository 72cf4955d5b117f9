"""The page of published figures beside the models', from `pimsim validate --out`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pimsim.report.blocks import Cell, Headline, Page, Section, Table, signed
from pimsim.report.provenance import study_again


def validation_page(document: Mapping[str, Any]) -> Page:
    """How many figures are met, and every figure of every case."""
    figures = document["figures"]
    cases = list(dict.fromkeys(found["case"] for found in figures))
    missed = [found for found in figures if not found["passes"]]
    predicted = [found for found in figures if found["basis"] == "predicted"]
    headlines = [_share("Within their stated tolerance", figures)]
    if predicted:
        worst = max(predicted, key=lambda found: abs(found["error"]))
        headlines += [
            _share("Of those, predicted", predicted, "nothing was chosen to meet them"),
            Headline(
                "Largest error of a prediction",
                Cell(f"{100 * worst['error']:+.2f} %", worst["error"]),
                [f"{worst['quantity']} of {worst['case']}"],
            ),
        ]
    return Page(
        title="Published figures beside the models",
        subtitle=f"{len(figures)} figures of {len(cases)} cases",
        headlines=headlines,
        sections=[
            *(Section(case, [_table([f for f in figures if f["case"] == case])]) for case in cases),
            Section("Get it again", study_again(document["provenance"], document["pimsim"])),
        ],
        version=document["pimsim"],
        warnings=[
            f"Missed: {found['quantity']} of {found['case']}, by {100 * found['error']:+.2f} %."
            for found in missed
        ],
    )


def _share(label: str, figures: Sequence[Mapping[str, Any]], note: str = "") -> Headline:
    passed = sum(found["passes"] for found in figures)
    return Headline(label, Cell(f"{passed} of {len(figures)}", passed), [note] if note else [])


def _table(findings: Sequence[Mapping[str, Any]]) -> Table:
    """Published and modelled, and where the error lies within the tolerance."""
    rows = [
        [Cell(f["quantity"]),
         Cell(f"{f['published']:,.6g} {f['unit']}", f["published"]),
         Cell(f"{f['modelled']:,.6g} {f['unit']}", f["modelled"]),
         signed(100 * f["error"], "+.2f", " %"),
         Cell(f"{100 * f['tolerance']:g} %", f["tolerance"], gauge=f["error"] / f["tolerance"]),
         Cell(f["basis"] if f["passes"] else "MISSED"),
         Cell(f"{f['source']} ({f['certainty']})")]
        for f in findings
    ]  # fmt: skip
    columns = ["figure", "published", "modelled", "error", "within", "basis", "source"]
    return Table("", columns, rows, is_wide=True)
