"""Content of a chip file: its kinds of circuits, its numbers, and their sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pimsim.config import Certainty, ChipConfig, bundled_names, find_config, read_yaml, validate
from pimsim.config.chip import BLOCKS
from pimsim.config.source import dotted
from pimsim.config.sources import block_sources
from pimsim.errors import Place
from pimsim.report.documents import ChipDocument
from pimsim.report.documents.chip import ValueFacts
from pimsim.report.documents.provenance import SourceFacts

# said once in the head of a page
_HEAD = ("schema", "name", "description", "technology", "network")
_ABOUT = ("source", "certainty", "kind")


def chip_rows() -> list[dict[str, Any]]:
    """One row for each bundled chip."""
    rows = []
    for name in bundled_names("chip"):
        document = chip_document(name)
        assumed = [s.block for s in document.sources if s.certainty == Certainty.ASSUMED]
        rows.append({"name": name, "document": document, "assumed": assumed})
    return rows


def chip_document(name: str | Path) -> ChipDocument:
    """Kinds, numbers and sources of a chip.

    Parameters
    ----------
    name
        Chip file, or the name of a bundled one.

    Raises
    ------
    ConfigError
        If there is no such chip, or it is not what its schema asks for.
    """
    source = read_yaml(find_config(str(name), "chip", Place("NAME")))
    chip = validate(source, ChipConfig)
    sources = block_sources(chip)
    certainty = {entry.block: entry.certainty for entry in sources}
    blocks = {key: getattr(chip, key) for key in BLOCKS}
    return ChipDocument(
        chip=chip.name,
        description=" ".join(chip.description.split()),
        technology=Path(chip.technology).stem,
        network=chip.network,
        rows=chip.array.rows,
        columns=chip.array.columns,
        kinds={key: block.kind for key, block in blocks.items() if block is not None},
        # as they stand in the file, with their units
        values=[
            ValueFacts(key=dotted(at), value=str(value), certainty=certainty.get(str(at[0])))
            for at, value in _values(source.tree, ())
            if at[0] not in _HEAD
        ],
        sources=[SourceFacts(**entry._asdict()) for entry in sources],
    )


def _values(tree: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every number or word below a key, in order; switches are on and off, as in the file."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key not in _ABOUT:
                yield from _values(value, (*at, key))
    elif isinstance(tree, list) and any(isinstance(entry, dict) for entry in tree):
        for index, value in enumerate(tree):
            yield from _values(value, (*at, index))
    elif isinstance(tree, list):
        yield at, ", ".join(map(str, tree))
    else:
        yield at, {True: "on", False: "off"}.get(tree, tree) if isinstance(tree, bool) else tree
