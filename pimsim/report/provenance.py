"""Where a report's numbers come from, and how to get them again, as parts of a page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from pimsim.report.blocks import Block, Cell, Code, Facts, Origin, Table


def all_origins(report: Mapping[str, Any]) -> list[Origin]:
    """Every block of the hardware files of a run, and what replaced numbers of it."""
    overrides = report["provenance"]["overrides"]
    found = []
    for file, entries in report["provenance"]["sources"].items():
        for entry in entries:
            block = f"{file}.{entry['block']}"
            changed = [text for text in overrides if text.startswith((f"{block}.", f"{block}["))]
            source = "; ".join([entry["source"], *(f"replaced: {text}" for text in changed)])
            found.append(Origin(block, source, entry["certainty"]))
    return found


def origins(report: Mapping[str, Any], figure: str, name: str | None = None) -> list[Origin]:
    """Blocks that a component's figure rests on, or those of all components.

    Parameters
    ----------
    figure : {"energy", "area", "latency"}
    name : str or None
        A component; all of them if None.
    """
    rests_on = report["provenance"]["rests_on"][figure]
    names = rests_on if name is None else [name]
    wanted = dict.fromkeys(block for one in names for block in rests_on.get(one, ()))
    known = {origin.block: origin for origin in all_origins(report)}
    return [known[block] for block in wanted if block in known]


def sources_table(report: Mapping[str, Any]) -> Table:
    """All blocks with source and certainty."""
    rows = [[Cell(o.block), Cell(o.certainty), Cell(o.source)] for o in all_origins(report)]
    return Table("All blocks", ["block", "certainty", "source"], rows, is_folded=True)


def command_of(provenance: Mapping[str, Any]) -> str:
    """The command line, or that there was none."""
    command = provenance["command"]
    return shlex.join(command) if command else "# called from Python"


def versions_of(provenance: Mapping[str, Any], pimsim: str) -> str:
    packages = [f"{name} {version}" for name, version in provenance["packages"].items()]
    return ", ".join([f"pimsim {pimsim}", f"Python {provenance['python']}", *packages])


def run_again(report: Mapping[str, Any]) -> list[Block]:
    """Command, seed, versions, and digests of all that was read."""
    provenance, run = report["provenance"], report["run"]
    data = provenance["data"]
    pairs = [
        ("seed", str(run["seed"])),
        ("replaced keys", ", ".join(provenance["overrides"]) or "none"),
        ("versions", versions_of(provenance, report["pimsim"])),
        ("when", provenance["date_utc"]),
        ("machine", f"{provenance['machine']}, {run['threads']} threads, {run['kernel']} kernel, "
                    f"{run['wall_s']:.1f} s, {run['inferences_per_s']:,.0f} inferences/s"),
    ]  # fmt: skip
    digests = [
        [Cell(kind), Cell(file["name"]), Cell(file["sha256"])]
        for kind, file in provenance["files"].items()
    ]
    digests.append([Cell("data"), Cell(str(data.get("path", run["data"]))), Cell(data["sha256"])])
    return [
        Code(command_of(provenance)),
        Facts(pairs),
        Table("Files that were read", ["file", "name", "SHA-256"], digests, is_folded=True),
        Code(json.dumps(provenance["network"], indent=2), "How the network came to be", True),
    ]


def study_again(provenance: Mapping[str, Any], pimsim: str, *pairs: tuple[str, str]) -> list[Block]:
    """Command and versions of a study of many runs."""
    facts = [
        *pairs,
        ("versions", versions_of(provenance, pimsim)),
        ("when", provenance["date_utc"]),
    ]
    return [Code(command_of(provenance)), Facts(facts)]
