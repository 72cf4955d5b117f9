"""Pages of devices: the list, one device, a fit to measurements, programmed levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pimsim.report import words
from pimsim.report.blocks import NONE, Cell, Page, Section, Table, count, percentage, quantity
from pimsim.report.documents.device import DeviceDocument

# a quantity of measured cells, by its micro-unit
MICRO_UNITS = {"current": "uA", "conductance": "uS"}


def devices_page(rows: Sequence[Mapping[str, Any]]) -> Page:
    """The bundled devices, one in a line; rows of `pimsim.studies.device.device_rows`."""
    cells = [
        [
            Cell(row["name"]),
            count(row["states"]),
            _micro(row["top_current_a"], ".3g"),
            percentage(row["largest_spread"], 1),
            Cell(row["drift"].replace("_", " ")),
            Cell(
                f"{row['device']}; {row['states_certainty']}; assumed: "
                + (", ".join(row["assumed"]).replace("_", " ") or "nothing")
            ),
        ]
        for row in rows
    ]
    columns = ["name", "states", "top uA", "std", "drift", "what it is; how sure its states are"]
    note = "std: largest standard deviation of four levels at the file's age, of full scale"
    return _page("Bundled devices", "", [Section("", [Table("Devices", columns, cells, note)])])


def device_page(document: DeviceDocument) -> Page:
    """Levels now, as they age, and the sources of the numbers."""
    facts = (
        f"Levels: {document.choice}. Full scale {document.full_scale_current_a * 1e6:.4g} uA, "
        f"cell {document.cell_area_m2 * 1e12:.4g} um2."
    )
    sources = [[Cell(s.block), Cell(s.certainty), Cell(s.source)] for s in document.sources]
    return _page(
        document.device,
        document.description,
        [
            Section("Levels", [_levels(document), _ages(document)], facts),
            Section("Sources", [Table("Sources", ["block", "certainty", "source"], sources)]),
        ],
    )


def _levels(document: DeviceDocument) -> Table:
    levels = document.levels
    parts = [name for name, part in levels.parts.items() if any(part)]
    shown = [levels.ideal, levels.mean, levels.spread, *(levels.parts[name] for name in parts)]
    rows = []
    for level in range(document.n_levels):
        errors = levels.error_to_next
        error = _rate(errors[level]) if level < len(errors) else Cell(NONE)
        rows.append([count(level), *(_hundredths(column[level]) for column in shown), error])
    title = f"Levels {words.age(document.age_s)} after programming, % of full scale"
    columns = ["level", "ideal", "mean", "std", *map(words.short_source, parts),
               "taken for the next"]  # fmt: skip
    return Table(title, columns, rows, is_wide=True)


def _ages(document: DeviceDocument) -> Table:
    rows = [
        [
            Cell(entry.age),
            *map(_hundredths, entry.mean),
            _hundredths(max(entry.spread)),
            _rate(max(entry.error_to_next)),
        ]
        for entry in document.ages
    ]
    levels = [str(level) for level in range(document.n_levels)]
    return Table(
        "As they age: mean of each level, % of full scale; worst error between two",
        ["age", *levels, "largest std", "worst error"],
        rows,
        is_wide=True,
    )


def fit_page(document: Mapping[str, Any]) -> Page:
    """A fit beside its data; a document of `pimsim.studies.device_fit.describe_fit`."""
    unit = MICRO_UNITS[document["quantity"]]
    levels = document["levels"]
    has_targets = any(level["target"] is not None for level in levels)
    rows = [
        [
            count(level["level"]),
            *([_micro(level["target"], ".4g")] if has_targets else []),
            count(level["n_cells"]),
            _micro(level["mean"], ".5g"),
            _micro(level["spread"] if level["n_cells"] > 1 else None, ".4g"),
            _micro(level["read_spread"], ".3g"),
            Cell(f"{level['normal']:.2g}", level["normal"]),
            Cell(f"{level['lognormal']:.2g}", level["lognormal"]),
        ]
        for level in levels
    ]
    columns = ["level", *(["target"] if has_targets else []), "cells", "mean", "std", "read noise",
               "normal", "lognormal"]  # fmt: skip
    note = "std: standard deviation over cells; normal, lognormal: p-value of such a sample"
    blocks = [
        Table(f"{document['n_reads']:,} reads of {document['file']} [{unit}]", columns, rows, note)
    ]
    if any(level["nu"] is not None for level in levels):
        blocks.append(_drift(levels, document["law"], unit))
    if document["ages"]:
        blocks.append(_beside(document["ages"]))
    alone = [str(level["level"]) for level in levels if level["n_cells"] == 1]
    facts = [
        f"distribution: {document['distribution']}",
        f"drift: {document['choice'] or 'no times, none that can be told'}",
        f"telegraph noise: {document['rtn']}",
    ]
    if alone:
        facts.insert(0, f"one cell alone, so that no standard deviation is known and 0 stands: "
                        f"level {', '.join(alone)}")  # fmt: skip
    if document["pooled"]:
        facts.append(f"too few cells, shape of all levels together: level {document['pooled']}")
    if document["left_out"]:
        facts.insert(0, f"left out for too few cells: level {document['left_out']}")
    if document["worst"]:
        facts.append(f"worst misfit: {'; '.join(document['worst'])}")
    if document["ignored"]:
        facts.append(f"columns left aside: {', '.join(document['ignored'])}")
    return _page(document["device"], "", [Section("", blocks, "\n".join(facts))])


def _beside(ages: Sequence[Mapping[str, Any]]) -> Table:
    """The device beside its cells at each time."""
    rows = [
        [
            Cell(f"{age['time_s']:.4g}", age["time_s"]),
            count(age["cells"]),
            Cell(f"{100 * age['off']:+.2f}", age["off"]),
            *(Cell(f"{age[key]:.3f}", age[key]) for key in ("lowest_ratio", "highest_ratio")),
        ]
        for age in ages
    ]
    columns = ["time, s", "cells", "mean off", "std from", "to"]
    note = (
        "cells: fewest of a level; mean off: the largest of all levels, % of the top level; std: "
        "of the device over that of the cells, of all levels"
    )
    return Table("Device beside the cells", columns, rows, note)


def _drift(levels: Sequence[Mapping[str, Any]], law: str, unit: str) -> Table:
    is_power = law == "power_law"
    factor = 1.0 if is_power else 1e6
    forms = {"nu": ".4f", "nu_error": ".2g", "nu_spread": ".4f"}

    def cell(value: float | None, form: str) -> Cell:
        return Cell(NONE) if value is None else Cell(format(factor * value, form), value)

    rows = [
        [count(level["level"]), *(cell(level[key], form) for key, form in forms.items())]
        for level in levels
    ]
    title = "Drift exponent" if is_power else f"Loss in a factor e of time [{unit}]"
    return Table(title, ["level", "mean", "error", "std over cells"], rows)


def programming_page(document: Mapping[str, Any]) -> Page:
    """Pulses of a cell, and levels of a scheme; of `studies.programming.describe_programming`."""
    tables = [_scheme(document)] if document["levels"] else []
    facts = f"{document['certainty']}: {document['source']}"
    if "accepted" in document:
        facts = (
            f"A check lets {100 * document['accepted']:.1f} % of the pulses pass, and what passes "
            f"has a standard deviation of {100 * document['spread_after']:.2f} % of the top "
            f"current. {facts}"
        )
    tables.append(_written(document))
    return _page(document["device"], "", [Section("", tables, facts)])


def _written(document: Mapping[str, Any]) -> Table:
    """Pulses, time and energy of a cell by level."""
    rows = [
        [count(cell["level"]), Cell(f"{cell['pulses']:.4g}", cell["pulses"]),
         count(cell["pulses_most"]), quantity(cell["time_s"], "s"),
         Cell(NONE) if cell["energy_j"] is None else quantity(cell["energy_j"], "J")]
        for cell in document["cells"]
    ]  # fmt: skip
    note = "of a cell: mean, what 99 % need at most, mean time with checks, energy of its pulses"
    columns = ["level", "pulses", "99 %", "time", "energy"]
    return Table("Writing a cell", columns, rows, note)


def _scheme(document: Mapping[str, Any]) -> Table:
    """Levels of a scheme of program and check."""
    rows = [
        [
            _micro(level["threshold_a"], ".4g"),
            Cell(f"{level['pulse_s'] * 1e3:.4g}", level["pulse_s"]),
            *(
                _micro(level[key], ".2f")
                for key in ("mean_a", "spread_a", "state_mean_a", "state_spread_a")
            ),
            Cell(f"{level['pulses']:.1f}", level["pulses"]),
            count(level["pulses_most"]),
            Cell(f"{level['time_s']:.3g}", level["time_s"]),
        ]
        for level in document["levels"]
    ]
    columns = ["below", "pulse", "mean", "std", "file's mean", "its std", "pulses", "99 %",
               "time, s"]  # fmt: skip
    note = (
        "pulses from the level before: mean, and what 99 % of the cells need at most; time: of all "
        "pulses since the fresh cell, mean, checks not counted"
    )
    return Table("Program and check (uA, ms)", columns, rows, note, is_wide=True)


def _page(title: str, subtitle: str, sections: Sequence[Section]) -> Page:
    return Page(title, subtitle, [], sections, version="")


def _micro(value: float | None, form: str) -> Cell:
    """A value in millionths of its unit."""
    return Cell(NONE) if value is None else Cell(format(value * 1e6, form), value)


def _hundredths(fraction: float) -> Cell:
    return Cell(f"{100 * fraction:.2f}", fraction)


def rate(share: float) -> str:
    """An error rate in a few characters."""
    return f"{share:.1e}" if 0 < share < 1e-4 else f"{100 * share:.2f} %"


def _rate(share: float) -> Cell:
    return Cell(rate(share), share)
