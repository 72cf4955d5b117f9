"""Table of docs/validation.md: published figures of chips beside those of the models.

`python docs/validation_table.py` runs every published chip and fills the table of the page.
"""

from __future__ import annotations

from pathlib import Path

from pimsim.report.documents import ValidationDocument
from pimsim.studies.validate import validate_cases, validation_document

PAGE = Path(__file__).parent / "validation.md"
BEGIN, END = "<!-- published chips -->\n", "<!-- end -->"
# largest factor that a sentence counts
WITHIN = 2.0


def table(document: ValidationDocument) -> str:
    """What comes out in a sentence, and a row for each figure of a chip that runs."""
    found = document.predictions
    assert found is not None
    kinds = ", ".join(f"{kind.kind} {kind.median_factor:.2f} ({kind.n})" for kind in found.kinds)
    factors = [f.factor_off for f in document.figures if f.is_independent]
    near = sum(factor is not None and factor <= WITHIN for factor in factors)
    worst = f"{found.worst_factor:.1f} ({found.worst})"
    lines = [
        f"{found.n} independent predictions of {found.cases} chips; the median is off by a factor "
        f"of {found.median_factor:.2f}, the worst by {worst}.",
        f"By kind, with their number: {kinds}. {near} of {found.n} are within a factor of "
        f"{WITHIN:g}.",
        "",
        "| chip | figure | label | published | modelled | modelled over published |",
        "|---|---|---|---|---|---|",
    ]
    for figure in document.figures:
        if figure.chip:
            published = f"{figure.published:g} {figure.unit}".strip()
            lines.append(
                f"| {figure.case} (`{_case(figure.chip, figure.case)}`) | `{figure.quantity}` | "
                f"{figure.basis} | {published} | {figure.modelled:.3g} | "
                f"{figure.modelled / figure.published:.2f} |"
            )
    return "\n".join(lines)


def _case(chip: str, case: str) -> str:
    return "mochida_2018_ratio" if " over " in case else chip


def filled(page: str, text: str) -> str:
    """The page with the table in its place."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + text + "\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    document = validation_document(validate_cases([]))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), table(document)), encoding="utf-8")
