"""Networks on disk: one `.safetensors` file each, versioned and checked on reading.

The header is strict: an unknown key, an unknown kind, or a tensor that nothing reads is refused
by its name, since a network whose file says more than pimsim understands is another network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pimsim.errors import DataError, PimsimError, Place
from pimsim.files import open_regular, parse_json, write_whole
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.encoders import ENCODERS
from pimsim.workload.ends import Output
from pimsim.workload.entries import Entry
from pimsim.workload.graph import Network, Node
from pimsim.workload.inputs import INPUTS, Running
from pimsim.workload.layers import LAYERS, Layer
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.old_formats import as_format_3

FORMAT_VERSION = 3
MAX_FILE_BYTES = 128 * 2**20

Tensors = dict[str, NDArray[Any]]


class NetworkFile(NamedTuple):
    """A network with the format and the SHA-256 of the file that it was read from."""

    network: Network
    version: int
    sha256: str


def write_network(network: Network, path: Path | str) -> Path:
    """Write a network; the file appears whole or not at all."""
    content = network_bytes(network)
    return write_whole(Path(path), lambda file: file.write(content))


def network_bytes(network: Network) -> bytes:
    """Content of a network's file."""
    tensors: Tensors = {}
    header = {
        "format_version": FORMAT_VERSION,
        "name": network.name,
        "classes": list(network.classes),
        "temperature": network.temperature,
        "input": _pack("input", network.input, tensors),
        "encoder": _pack("encoder", network.encoder, tensors),
        "nodes": [
            {
                "name": node.name,
                "inputs": list(node.inputs),
                **_pack(node.name, node.layer, tensors),
            }
            for node in network.nodes
        ],
        "provenance": network.provenance,
    }
    # without what is as it always was, files stay those of before
    output = _pack("output", network.output, tensors)
    usual = {field.name: field.default for field in fields(Output)}
    said = {key: value for key, value in output.items() if value != usual[key]}
    if said:
        header["output"] = said
    whole = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    return save(whole, metadata={"pimsim": json.dumps(header)})


def _pack(name: str, described: Any, tensors: Tensors) -> dict[str, Any]:
    """Header entry of an input, encoder, layer, matrix or output; arrays go to `tensors`."""
    kind = getattr(described, "kind", None)
    entry: dict[str, Any] = {} if kind is None else {"kind": kind}
    for field in fields(described):
        value = getattr(described, field.name)
        if isinstance(value, LevelMatrix):
            label = name if field.name == "matrix" else f"{name}.{field.name}"
            entry[field.name] = _pack(label, value, tensors)
        elif isinstance(value, CodeNeurons | Running):
            entry[field.name] = _pack(f"{name}.{field.name}", value, tensors)
        elif isinstance(value, np.ndarray):
            tensors[f"{name}.{field.name}"] = value
        elif value is not None:
            entry[field.name] = value
    # without what is as it always was, files stay those of before
    if isinstance(described, LevelMatrix) and not described.half_levels:
        del entry["half_levels"]
    return entry


def read_network(path: Path | str) -> Network:
    """Read a network.

    Raises
    ------
    DataError
        If the file is missing, too large, damaged, no pimsim network, of a newer format, says
        something that pimsim does not know, or describes a network that does not fit together.
    """
    return read_network_file(path).network


def read_network_file(path: Path | str) -> NetworkFile:
    """A network with the format and digest of its file, which is read once; see `read_network`."""
    place = Place(Path(path))
    content = _read_file(Path(path), place)
    header, tensors = _split(content, place)
    version = header.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DataError("has no format version that pimsim knows", place=place)
    if version > FORMAT_VERSION:
        raise DataError(
            f"has network format {version}, and this pimsim reads up to {FORMAT_VERSION}",
            place=place,
            remedy="Update pimsim, or export the network with this version",
        )
    try:
        if version < FORMAT_VERSION:
            header, tensors = as_format_3(header, tensors)
        network = _unpack_network(Entry("", {"output": {}, **header}, tensors))
        return NetworkFile(network, version, hashlib.sha256(content).hexdigest())
    except KeyError as error:
        raise DataError(f"lacks the entry {error}", place=place, remedy="Export it anew") from error
    except PimsimError as error:
        raise DataError(error.message, place=place, remedy=error.remedy) from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(f"is damaged: {error}", place=place, remedy="Export it anew") from error


def _unpack_network(header: Entry) -> Network:
    header.whole("format_version")
    network = Network(
        name=header.text("name"),
        input=_unpack(header.inner("input"), INPUTS, "input", "input"),
        encoder=_unpack(header.inner("encoder"), ENCODERS, "encoder", "encoder"),
        nodes=tuple(_unpack_node(entry) for entry in header.list("nodes")),
        output=_made(Output, header.inner("output"), "output"),
        classes=tuple(header.texts("classes")),
        temperature=header.number("temperature"),
        provenance=header.free("provenance"),
    )
    header.require_all_read()
    return network


def _unpack_node(entry: Entry) -> Node:
    name, inputs = entry.text("name"), tuple(entry.texts("inputs"))
    layer: Layer = _unpack(entry, LAYERS, "layer", name)
    return Node(name, layer, inputs)


def _unpack(entry: Entry, kinds: Mapping[str, type], what: str, name: str) -> Any:
    """An input, encoder or layer of the kind that its entry names."""
    return _made(kinds[entry.kind(kinds, what)], entry, name)


def _made(kind: Any, entry: Entry, name: str) -> Any:
    """A thing of a class, from the fields that its entry holds."""
    values = {field.name: _value(entry, name, field.name, field.type) for field in fields(kind)}
    return kind(**{key: value for key, value in values.items() if value is not None})


def _value(entry: Entry, name: str, field: str, annotation: Any) -> Any:
    """A field of a kind; None where the entry leaves it to its default."""
    text = str(annotation).removesuffix(" | None")
    if text == "LevelMatrix":
        label = name if field == "matrix" else f"{name}.{field}"
        return _unpack_matrix(entry.inner(field), label)
    if text == "CodeNeurons":
        return _unpack_neurons(entry.inner(field), f"{name}.{field}")
    if text.startswith("NDArray"):
        return entry.tensor(f"{name}.{field}")
    if field not in entry:
        return None
    if text == "Running":
        return _unpack_running(entry.inner(field))
    readers: dict[str, Callable[[str], Any]] = {
        "int": entry.whole,
        "str": entry.text,
        "bool": entry.switch,
        "tuple[int, ...]": entry.wholes,
        "Sides": entry.sides,
        "Edges": entry.sides,
    }
    return readers.get(text, entry.number)(field)


def _unpack_matrix(entry: Entry, name: str) -> LevelMatrix:
    return LevelMatrix(
        levels=entry.tensor(f"{name}.levels"),
        n_levels=entry.whole("n_levels"),
        alpha=entry.number("alpha"),
        thresholds=entry.tensor(f"{name}.thresholds"),
        preactivation_range=entry.number("preactivation_range"),
        preactivation_spread=entry.number("preactivation_spread"),
        weights=entry.tensor_or_none(f"{name}.weights"),
        neurons=_unpack_neurons(entry.inner("neurons"), f"{name}.neurons")
        if "neurons" in entry
        else None,
        half_levels="half_levels" in entry and entry.switch("half_levels"),
        adc_range=entry.number("adc_range") if "adc_range" in entry else None,
    )


def _unpack_neurons(entry: Entry, name: str) -> CodeNeurons:
    return CodeNeurons(entry.tensor(f"{name}.limits"), entry.whole("zero"))


def _unpack_running(entry: Entry) -> Running:
    return Running(
        entry.number("start"),
        entry.number("decay"),
        entry.whole("mean_shift"),
        entry.whole("delay") if "delay" in entry else 0,
    )


def _read_file(path: Path, place: Place) -> bytes:
    with open_regular(path, "a .safetensors file", MAX_FILE_BYTES, DataError) as file:
        content = file.read()
    if path.suffix in (".yaml", ".yml"):
        raise DataError(
            "is a YAML file, and a network is expected here",
            place=place,
            remedy="Networks are .safetensors files; a model file's `network:` names one",
        )
    if path.suffix == ".onnx":
        raise DataError(
            "is an ONNX file, which is brought over first",
            place=place,
            remedy=f"Use pimsim import {path.name} --data DATA -o {path.stem}.safetensors",
        )
    return content


def _split(content: bytes, place: Place) -> tuple[dict[str, Any], Tensors]:
    """pimsim's header and the tensors in the bytes of a safetensors file."""
    try:
        tensors = load(content)
        # the length of a header in JSON comes first
        size = int.from_bytes(content[:8], "little")
        packed = json.loads(content[8 : 8 + size]).get("__metadata__", {}).get("pimsim")
    except (SafetensorError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(
            f"is no whole safetensors file ({error})",
            place=place,
            remedy="It may have been cut short in copying: fetch or export it again",
        ) from error
    try:
        header = parse_json(packed) if packed is not None else None
    except ValueError as error:
        raise DataError(
            f"is damaged: its header is no JSON ({error})", place=place, remedy="Export it anew"
        ) from error
    if not isinstance(header, dict):
        raise DataError(
            "is a safetensors file, but holds no pimsim network",
            place=place,
            remedy="Networks come from `pimsim export`",
        )
    return header, tensors
