"""What the documentation takes from the code.

`python docs/generate.py` fills what stands in pages between `<!-- NAME -->` and `<!-- end -->`, and
writes the notebooks and the figures of the theory.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types
import click
import numpy as np
from notebooks import write_notebooks
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pimsim.cli.main import COMMANDS, command_of
from pimsim.config import ChipConfig, DeviceConfig, RunConfig, TechnologyConfig
from pimsim.config.faults import Faults
from pimsim.config.kinds import alternatives
from pimsim.config.validation import ValidationCase
from pimsim.report.documents import (
    comparison,
    costs,
    decisions,
    device,
    electrical,
    layers,
    measured,
    noise,
    provenance,
    reproduction,
    run,
    sensitivity,
    sweep,
    validation,
)
from pimsim.report.documents.base import Unit
from pimsim.studies.options import declared

HERE = Path(__file__).parent
# of validation files, where the key says it all
MEANINGS = {
    "citation": "the publication",
    "count": "how many",
    "dac_bits": "of a digital-to-analogue converter",
    "inputs": "of the array",
    "outputs": "of the array",
    "swing": "of the line",
    "pulse": "how long the current flows",
    "published": "the figure as published",
    "unit": "of the figure",
    "basis": "what the model makes the figure from",
}
FILES: dict[str, type[BaseModel]] = {
    "model file": RunConfig,
    "device file": DeviceConfig,
    "chip file": ChipConfig,
    "technology file": TechnologyConfig,
    "validation file": ValidationCase,
}


def key_lines() -> Iterator[str]:
    """A heading for every file, a table for every block of it."""
    for title, schema in FILES.items():
        yield f"## Keys of a {title}\n"
        yield from _table(schema, "")


def _table(schema: type[BaseModel], path: str) -> Iterator[str]:
    yield "| key | unit or type | default | range | meaning |\n|---|---|---|---|---|"
    blocks: list[tuple[str, type[BaseModel]]] = []
    for name, field in schema.model_fields.items():
        key = field.alias or name
        inside = alternatives(field)
        blocks += [(f"{path}{key}", model) for model in inside]
        default = "required" if field.is_required() else _shown(field.get_default())
        meaning = field.description or ""
        if not meaning and inside:
            meaning = (inside[0].__doc__ or "").split("\n")[0]
        elif not meaning:
            meaning = _known(path, key)
        cells = [f"`{key}`", _kind(field, bool(inside)), default, _range(field), meaning]
        yield "| " + " | ".join(cell.replace("|", "or") for cell in cells) + " |"
    yield ""
    for at, model in blocks:
        several = len([1 for other, _ in blocks if other == at]) > 1
        told = next((name for name in ("model", "kind") if name in model.model_fields), "")
        words = get_args(model.model_fields[told].annotation) if several else ()
        yield f"### `{at}`{f', {told} {words[0]}' if words else ''}\n"
        yield (model.__doc__ or "").split("\n")[0] + "\n"
        yield from _table(model, f"{at}.")


def _kind(field: FieldInfo, is_block: bool) -> str:
    """Unit of a quantity, words of a choice, else what sort of value it is."""
    unit = _unit_in(field.annotation)
    if isinstance(field.json_schema_extra, dict):
        unit = str(field.json_schema_extra.get("unit"))
    if unit is not None:
        return unit.replace("meter", "m").replace(" ** ", "^") or "ratio"
    if words := _words_in(field.annotation):
        return " or ".join(f"`{word}`" for word in words)
    text = str(field.annotation)
    listed = "list of " if re.search(r"tuple\[.*\.\.\.\]", text) else ""
    for found, said in (("Model", "block"), ("schema.Current", "current or ratio"),
                        ("Certainty", "word"), ("bool", "switch"), ("int", "whole number"),
                        ("float", "number"), ("str", "text")):  # fmt: skip
        if found in text or (is_block and said == "block"):
            return listed + said
    return "value"


def _unit_in(annotation: Any) -> str | None:
    """The unit in a type, such as that of `Seconds | None`; "" is a ratio's."""
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, FieldInfo) and isinstance(part.json_schema_extra, dict):
            return str(part.json_schema_extra.get("unit"))
    found = (_unit_in(part) for part in get_args(annotation))
    return next((unit for unit in found if unit is not None), None)


def _words_in(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return [word for part in get_args(annotation) for word in _words_in(part)]


def _range(field: FieldInfo) -> str:
    signs = {annotated_types.Ge: ("ge", "≥"), annotated_types.Gt: ("gt", ">"),
             annotated_types.Le: ("le", "≤"), annotated_types.Lt: ("lt", "<")}  # fmt: skip
    found = [
        f"{sign} {getattr(rule, name):g}"
        for rule in field.metadata
        for kind, (name, sign) in signs.items()
        if isinstance(rule, kind)
    ]
    return ", ".join(found)


def _shown(default: object) -> str:
    if default is None:
        return "absent"
    if isinstance(default, bool):
        return "on" if default else "off"
    return "block of defaults" if isinstance(default, BaseModel) else f"`{default}`"


def _known(path: str, key: str) -> str:
    """What the pages say of a key in a table; tests hold their tables against the schemas."""
    if key in ("schema", "model", "kind"):
        return "kind and version of the file" if key == "schema" else f"which {key} it is"
    block = path.rstrip(".").rpartition(".")[2]
    for name in ("devices_and_chips.md", "validation.md"):
        page = (HERE / name).read_text(encoding="utf-8")
        parts = re.split(r"^#+ (.*)$", page, flags=re.MULTILINE)
        sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        for text in (sections.get(block, ""), page):
            if row := re.search(rf"^\| `{re.escape(key)}` \|(.*)\|$", text, re.MULTILINE):
                return row[1].split("|")[-1].strip()
    return MEANINGS.get(key, "")


def command_lines() -> Iterator[str]:
    """Every command with its arguments and options, as `--help` prints them."""
    for name in COMMANDS:
        yield from _command_lines(command_of(name), f"pimsim {name}", 2)


def _command_lines(command: click.Command, name: str, depth: int) -> Iterator[str]:
    # without --help, which all have; click keeps its spelling from the first time that it was shown
    shown = copy.copy(command)
    shown.add_help_option = False
    context = click.Context(shown, info_name=name, max_content_width=96, terminal_width=96)
    yield f"{'#' * depth} `{name}`\n"
    yield f"```text\n{shown.get_help(context)}\n```\n"
    for below, inner in getattr(command, "commands", {}).items():
        yield from _command_lines(inner, f"{name} {below}", depth + 1)


# parts of documents by the name that a page gives them
PARTS: dict[str, Any] = {
    name: part
    for module in (
        run,
        costs,
        decisions,
        layers,
        provenance,
        electrical,
        measured,
        noise,
        comparison,
        sweep,
        sensitivity,
        device,
        reproduction,
        validation,
    )
    for name, part in vars(module).items()
    if isinstance(part, type) and issubclass(part, BaseModel)
}
PARTS["Faults"] = Faults
_FILLED = re.compile(r"^<!-- (\w+) -->\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL)


def write_tables() -> None:
    """Fill the generated tables of the pages."""
    for page in HERE.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(filled(text), encoding="utf-8")


def filled(text: str) -> str:
    """A page with its generated tables as they should be."""
    return _FILLED.sub(lambda found: _filling(found[1]), text)


def _filling(name: str) -> str:
    lines = OF_CODE[name]() if name in OF_CODE else document_lines(PARTS[name])
    text = "\n".join(lines).rstrip("\n")
    return f"<!-- {name} -->\n{text}\n<!-- end -->"


def document_lines(part: type[BaseModel]) -> Iterator[str]:
    """A table of the keys of a part of a document."""
    yield "| key | type | meaning |\n|---|---|---|"
    hints = get_type_hints(part, include_extras=True)
    for name, field in part.model_fields.items():
        key = field.serialization_alias or name
        yield f"| `{key}` | {type_words(hints[name])} | {field.description} |"


def type_words(hint: Any) -> str:
    """A type as a table of keys says it."""
    units = [part.text for part in getattr(hint, "__metadata__", ()) if isinstance(part, Unit)]
    if units:
        return units[0]
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        shown = " or ".join(type_words(part) for part in parts if part is not NoneType)
        shown = "number" if shown == "integer or number" else shown
        return f"{shown} or null" if NoneType in parts else shown
    if origin is Literal:
        return "text" if isinstance(parts[0], str) else "integer"
    if origin is tuple:
        return f"list of two {_plural(parts[0])}"
    if origin is list:
        return f"list of {_plural(parts[0])}"
    if hasattr(hint, "__metadata__"):
        return type_words(parts[0])
    if origin is dict or (isinstance(hint, type) and issubclass(hint, BaseModel)):
        return "table"
    return {bool: "boolean", int: "integer", float: "number", str: "text"}[hint]


def _plural(hint: Any) -> str:
    word, _, unit = type_words(hint).partition(" ")
    return f"{word}s {unit}".rstrip()


def option_lines() -> Iterator[str]:
    """A table of the options of a run."""
    yield "| in Python | command line | default | meaning |\n|---|---|---|---|"
    for option in declared():
        default = "the model file's" if option.replaces else "none"
        if option.default not in (None, ()):
            default = f"`{option.default}`"
        flag = option.flag if option.metavar is None else f"{option.flag} {option.metavar}"
        yield f"| `{option.names[0]}` | `{flag}` | {default} | {option.help} |"


# what is no part of a document, by the name that a page gives it
OF_CODE: dict[str, Callable[[], Iterator[str]]] = {
    "RunOptions": option_lines,
    "Keys": key_lines,
    "Commands": command_lines,
}


def write_figures(folder: Path) -> None:
    """Figures of the theory pages, from the simulator's own numbers: `python docs/generate.py`."""
    from pimsim.report.figures import log_scale, new_figure, one_look, save_figure
    from pimsim.studies.document import describe_run
    from pimsim.studies.run import run

    folder.mkdir(exist_ok=True)
    result = run("gru", chips=1, limit=12, noise_sources=False)
    with one_look():
        figure, axes = new_figure(height=2.8)
        units = np.linspace(-0.5, 0.5, 401)
        for part in result.chip.matrices[:1]:
            sigma = part.read_out.sigma_units
            axes.plot(units, _normal(units / sigma), label=f"{part.name}: kT/C, {sigma:.2f} units")
            total = np.hypot(sigma, part.read_out.offset_units)
            axes.plot(units, _normal(units / total), "--", label=f"with offsets, {total:.2f} units")
        axes.set(xlabel="pre-activation [units]", ylabel="probability of a 1")
        axes.legend()
        save_figure(figure, folder / "theory_read_out", "svg")

        figure, axes = new_figure(height=2.4)
        components = describe_run(result)["latency"]["components"]
        names = [component["component"] for component in components]
        axes.barh(names, [component["utilisation"] for component in components])
        axes.set(xlabel="share of time at work")
        save_figure(figure, folder / "theory_timing", "svg")

        figure, axes = new_figure(height=2.8)
        by_component: dict[str, float] = {}
        for item in result.energy:
            by_component[item.component] = by_component.get(item.component, 0) + item.energy
        order = sorted(by_component, key=by_component.__getitem__)
        n_inferences = result.chips.predictions.size
        axes.barh(order, [by_component[name] / n_inferences * 1e9 for name in order])
        log_scale(axes, "x")
        axes.set_xlabel("energy of an inference [nJ]")
        save_figure(figure, folder / "theory_energy", "svg")


def _normal(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(ndtr(z))


if __name__ == "__main__":
    write_tables()
    write_notebooks(HERE)
    write_figures(HERE / "figures")
