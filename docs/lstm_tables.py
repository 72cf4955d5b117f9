"""Tables of docs/reproduction.md about LSTMs, from the documents in docs/data.

`pimsim reproduce lstm_bits`, `lstm_noise` and `lstm_cost` write these documents; the page says how.
A document that is not there leaves a row that says so.
"""

from __future__ import annotations

from pathlib import Path

from tables import Row, filled

from pimsim.report.documents import ChipsDocument, SettingsDocument
from pimsim.report.pages import read_document
from pimsim.workload.metrics import METRICS

HERE = Path(__file__).parent
PAGE = HERE / "reproduction.md"
TASKS = {"text": "text", "kws": "trigger words"}
FIGURES = ("lstm_bits", "lstm_noise", "lstm_cost")
TERA = 1e12


def path_of(figure: str, task: str) -> Path:
    """Document of a figure."""
    return HERE / "data" / f"{figure}_{task}.json"


def settings_rows(document: SettingsDocument, kind: str) -> list[Row]:
    """Means of the curves of one kind of setting, value by value."""
    metric = METRICS[document.metric]
    own = [point for point in document.points if point.setting == kind]
    xs = list(dict.fromkeys(point.x for point in own))
    rows: list[Row] = [(kind, *(f"{x:g}" for x in xs))]
    for curve in dict.fromkeys(point.curve for point in own):
        means = {point.x: point.mean for point in own if point.curve == curve}
        rows.append((curve, *(metric.number(means.get(x)) for x in xs)))
    return rows


def chips_rows(document: ChipsDocument) -> list[Row]:
    """What each network costs on each chip, and how much more than on the first."""
    metric, first = METRICS[document.metric], document.points[0]
    rows: list[Row] = [
        ("network and chip", metric.axis, "pJ a step", "ns a step", "mm2", "TOPS/W",
         "energy over the first", "TOPS/mm2")
    ]  # fmt: skip
    for row in document.points:
        rows.append(
            (
                f"`{row.network}` on `{row.chip}`",
                metric.number(row.value),
                f"{row.energy_per_step_j * 1e12:.3g}",
                f"{row.step_s * 1e9:.3g}",
                f"{row.area_m2 * 1e6:.3g}",
                f"{row.operations_per_joule / TERA:.3g}",
                f"{first.operations_per_joule / row.operations_per_joule:.2f}",
                f"{row.operations_per_second_per_m2 / 1e18:.3g}",
            )
        )
    return rows


def tables() -> dict[str, list[Row]]:
    """Every table by its name."""
    found: dict[str, list[Row]] = {}
    for task, words in TASKS.items():
        for figure in FIGURES:
            path = path_of(figure, task)
            kinds = {"lstm_bits": ["bits"], "lstm_noise": ["ADC noise", "weight noise"],
                     "lstm_cost": ["costs"]}[figure]  # fmt: skip
            document = read_document(path) if path.is_file() else None
            for kind in kinds:
                found[f"{kind} on {words}"] = rows_of(document, kind)
    return found


def rows_of(document: object, kind: str) -> list[Row]:
    """Rows of a document, or one that says that there is none."""
    if isinstance(document, SettingsDocument):
        whole = next(p.setting for p in document.points if p.setting.startswith(kind))
        rows = settings_rows(document, whole)
        if document.reference is not None:
            number = METRICS[document.metric].text(document.reference)
            rows.append(("floating point", number, *[""] * (len(rows[0]) - 2)))
        return rows
    if isinstance(document, ChipsDocument):
        return chips_rows(document)
    return [(kind, "value"), ("not computed yet", "")]


def page(text: str) -> str:
    """The page with its tables as they should be."""
    for name, rows in tables().items():
        text = filled(text, name, rows)
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
