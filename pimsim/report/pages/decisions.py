"""Classes and sums on a run's page: what is taken for what, and which sums noise can turn."""

from __future__ import annotations

from pimsim.report.blocks import NONE, Block, Cell, Picture, Table, count, percentage
from pimsim.report.decisions import (
    MAX_DRAWN,
    MAX_MATRICES,
    MAX_NUMBERED,
    draw_confusion,
    draw_sums,
)
from pimsim.report.documents.decisions import ClassesFacts
from pimsim.report.documents.run import RunDocument


def classes(report: RunDocument) -> list[Block]:
    """Confusion matrix, drawn and in numbers, and accuracy of each class; else nothing."""
    facts = report.classes
    if facts is None or not any(map(sum, facts.confusion)):
        return []
    numbered = "; numbers in % of a row" if len(facts.names) <= MAX_NUMBERED else ""
    caption = f"All chips and reads{numbered}. Right decisions are blue."
    picture = Picture(
        "Classes taken for others",
        lambda figure: draw_confusion(figure, facts),
        1.3 + 0.24 * len(facts.names),
        caption,
    )
    return [
        *([picture] if len(facts.names) <= MAX_DRAWN else []),
        _by_class(report, facts),
        _matrix(facts),
    ]


def _by_class(report: RunDocument, facts: ClassesFacts) -> Table:
    """Accuracy of each class on the exact network and the chips, and its most common error."""
    # what every sequence is decided on by the chips, against once by the exact network
    passes = report.run.n_chips * report.measured.n_reads
    rows = []
    for place, (name, found) in enumerate(zip(facts.names, facts.confusion, strict=True)):
        total, right = sum(found), found[place]
        others = [number if at != place else 0 for at, number in enumerate(found)]
        most = max(others)
        taken = f"{facts.names[others.index(most)]}, {100 * most / total:.1f} %" if most else NONE
        each = total / passes
        rows.append([
            Cell(name), count(each),
            percentage(facts.ideal[place] / each if each else None),
            percentage(right / total if total else None),
            Cell(taken),
        ])  # fmt: skip
    columns = ["class", "samples", "ideal", "chips", "most often taken for"]
    return Table("Accuracy of every class", columns, rows, on_terminal=False)


def _matrix(facts: ClassesFacts) -> Table:
    rows = [
        [Cell(name), *map(count, counts)]
        for name, counts in zip(facts.names, facts.confusion, strict=True)
    ]
    return Table(
        "Confusion matrix", ["right \\ found", *facts.names], rows, is_folded=True,
        note="Decisions of all chips and reads.",
    )  # fmt: skip


def sums(report: RunDocument) -> list[Block]:
    """Sums less thresholds beside the error of a sum, drawn and in numbers; else nothing."""
    facts = report.sums
    if not facts:
        return []
    drawn = facts[:MAX_MATRICES]
    more = f" The first {len(drawn)} of {len(facts)} matrices." if len(facts) > len(drawn) else ""
    caption = (
        "Exact sums at the exact network's inputs, and the error that drawn cells, offsets and "
        f"noise give them. A sum within it may be decided wrongly.{more}"
    )
    rows = [
        [Cell(one.matrix), Cell(f"{one.noise:.3g}", one.noise),
         percentage(one.n_at_threshold / (sum(one.counts) or 1)), percentage(one.flipped)]
        for one in facts
    ]  # fmt: skip
    columns = ["matrix", "error, level steps", "sums at the threshold", "decisions flipped"]
    return [
        Picture(
            "Sums and their thresholds",
            lambda figure: draw_sums(figure, drawn),
            0.75 + 0.95 * len(drawn),
            caption,
        ),
        Table(
            "Which layer decides wrongly",
            columns,
            rows,
            "Ties by coin are half flipped.",
            on_terminal=False,
        ),
    ]
