"""Provenance of a report's numbers, and the commands to repeat them, as blocks of a page."""

from __future__ import annotations

import json
import shlex
from typing import Literal

from pimsim.report import documents
from pimsim.report.blocks import Block, Cell, Code, Facts, Origin, Table
from pimsim.report.documents.provenance import Provenance
from pimsim.report.documents.run import RunDocument

Figure = Literal["energy", "area", "latency"]
FIGURES: tuple[Figure, ...] = ("energy", "area", "latency")


def all_origins(provenance: Provenance) -> list[Origin]:
    """Every block of the hardware files of a run, and the options that replaced its numbers."""
    found = []
    for file, entries in provenance.sources.items():
        for entry in entries:
            block = f"{file}.{entry.block}"
            changed = [
                text for text in provenance.overrides if text.startswith((f"{block}.", f"{block}["))
            ]
            source = "; ".join([entry.source, *(f"replaced: {text}" for text in changed)])
            found.append(Origin(block, source, entry.certainty))
    return found


def origins(provenance: Provenance, figure: str, name: str | None = None) -> list[Origin]:
    """Blocks that a component's figure rests on, or those of all components.

    Parameters
    ----------
    figure : {"energy", "area", "latency"}
    name : str or None
        A component; all of them if None.
    """
    rests_on = provenance.rests_on.get(figure, {})
    names = rests_on if name is None else [name]
    wanted = dict.fromkeys(block for one in names for block in rests_on.get(one, ()))
    known = {origin.block: origin for origin in all_origins(provenance)}
    return [known[block] for block in wanted if block in known]


def is_assumed(provenance: Provenance, figure: str, name: str) -> bool:
    """Whether a component's figure rests on a block that is assumed."""
    return any(origin.certainty == "assumed" for origin in origins(provenance, figure, name))


def assumed_figures(provenance: Provenance) -> list[Figure]:
    """Names among energy, area and latency, of figures that rest on an assumed block."""
    return [
        figure
        for figure in FIGURES
        if any(origin.certainty == "assumed" for origin in origins(provenance, figure))
    ]


def rests_on_assumed(provenance: Provenance, *blocks: str) -> bool:
    """Whether any of some blocks of the hardware files, or a part of one, is assumed."""
    return any(
        origin.certainty == "assumed"
        for origin in all_origins(provenance)
        if origin.block.startswith(blocks)
    )


def assumed_blocks(provenance: Provenance) -> str:
    """A sentence that names all blocks that are assumed; empty where there are none."""
    names = [o.block.replace(".", " ", 1) for o in all_origins(provenance)
             if o.certainty == "assumed"]  # fmt: skip
    return f"Assumed, without a published value: {', '.join(names)}." if names else ""


def sources_table(provenance: Provenance) -> Table:
    """All blocks with source and certainty."""
    rows = [[Cell(o.block), Cell(o.certainty), Cell(o.source)] for o in all_origins(provenance)]
    note = (
        "Blocks of the hardware files, as quoted there. A number that was replaced on the command "
        "line keeps its block's source."
    )
    return Table("All blocks", ["block", "certainty", "source"], rows, note, is_folded=True)


def command_of(provenance: documents.Origin) -> str:
    """The command line, or a remark that there was none."""
    command = provenance.command
    return shlex.join(command) if command else "# called from Python"


def versions_of(provenance: documents.Origin, pimsim: str) -> str:
    packages = [f"{name} {version}" for name, version in provenance.packages.items()]
    return ", ".join([f"pimsim {pimsim}", f"Python {provenance.python}", *packages])


def run_again(report: RunDocument) -> list[Block]:
    """Command, seed, versions, and digests of all files read."""
    provenance, run = report.provenance, report.run
    data = provenance.data
    pairs = [
        ("seed", str(run.seed)),
        ("replaced keys", ", ".join(provenance.overrides) or "none"),
        ("versions", versions_of(provenance, report.pimsim)),
        ("when", provenance.date_utc),
        ("machine", provenance.machine),
    ]
    digests = [
        [Cell(kind), Cell(file.name), Cell(file.sha256)] for kind, file in provenance.files.items()
    ]
    path = str((data.model_extra or {}).get("path", run.data))
    digests.append([Cell("data"), Cell(path), Cell(data.sha256)])
    return [
        Code(command_of(provenance)),
        Facts(pairs),
        Table("Files that were read", ["file", "name", "SHA-256"], digests, is_folded=True),
        Code(json.dumps(provenance.network, indent=2), "How the network came to be", True),
    ]


def study_again(provenance: documents.Origin, pimsim: str, *pairs: tuple[str, str]) -> list[Block]:
    """Command and versions of a study of many runs."""
    facts = [
        *pairs,
        ("versions", versions_of(provenance, pimsim)),
        ("when", provenance.date_utc),
    ]
    return [Code(command_of(provenance)), Facts(facts)]
