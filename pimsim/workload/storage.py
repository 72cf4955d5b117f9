"""Networks on disk: one `.safetensors` file each, versioned and checked on reading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from pimsim.errors import DataError, PimsimError, Place, shown
from pimsim.files import open_regular, write_whole
from pimsim.workload.layers import (
    ArrayLayer,
    Conv2d,
    ConvEncoder,
    Dense,
    DenseEncoder,
    Encoder,
    Gru,
    ImageInput,
    LevelMatrix,
    MaxPool,
    Output,
    SpeechInput,
)
from pimsim.workload.network import Network

FORMAT_VERSION = 2
MAX_FILE_BYTES = 128 * 2**20

Tensors = dict[str, NDArray[Any]]


def write_network(network: Network, path: Path | str) -> Path:
    """Write a network; the file appears whole or not at all."""
    path = Path(path)
    tensors: Tensors = {}
    header = {
        "format_version": format_of(network),
        "name": network.name,
        "classes": list(network.classes),
        "input": _pack_input(network.input, tensors),
        "encoder": _pack_encoder(network.encoder, tensors),
        "layers": [_pack_layer(f"layers.{i}", x, tensors) for i, x in enumerate(network.layers)],
        "provenance": network.provenance,
    }
    tensors["output.weights"] = network.output.weights.astype(np.float32)
    tensors["output.biases"] = network.output.biases.astype(np.float32)
    whole = {k: np.ascontiguousarray(v) for k, v in tensors.items()}
    content = save(whole, metadata={"pimsim": json.dumps(header)})
    return write_whole(path, lambda file: file.write(content))


def format_of(network: Network) -> int:
    """The oldest format that tells all of a network: 2 where clips are brought to a level."""
    return 1 if getattr(network.input, "level", None) is None else 2


def read_network(path: Path | str) -> Network:
    """Read a network.

    Raises
    ------
    DataError
        If the file is missing, too large, damaged, no pimsim network, of a newer format, or
        describes a network that does not fit together.
    """
    place = Place(Path(path))
    header, tensors = _read_file(Path(path), place)
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
        return Network(
            name=_text(header["name"]),
            input=_unpack_input(header["input"], tensors),
            encoder=_unpack_encoder(header["encoder"], tensors),
            layers=tuple(
                _unpack_layer(f"layers.{i}", entry, tensors)
                for i, entry in enumerate(header["layers"])
            ),
            output=Output(tensors["output.weights"], tensors["output.biases"]),
            classes=tuple(_text(name) for name in header["classes"]),
            provenance=dict(header.get("provenance") or {}),
        )
    except KeyError as error:
        raise DataError(f"lacks the entry {error}", place=place, remedy="Export it anew") from error
    except PimsimError as error:
        raise DataError(error.message, place=place, remedy=error.remedy) from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(f"is damaged: {error}", place=place, remedy="Export it anew") from error


def _read_file(path: Path, place: Place) -> tuple[dict[str, Any], Tensors]:
    # safetensors opens it by its name
    open_regular(path, "a .safetensors file", MAX_FILE_BYTES, DataError).close()
    if path.suffix in (".yaml", ".yml"):
        raise DataError(
            "is a YAML file, and a network is expected here",
            place=place,
            remedy="Networks are .safetensors files; a model file's `network:` names one",
        )
    try:
        with safe_open(path, framework="numpy") as file:
            packed = (file.metadata() or {}).get("pimsim")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise DataError(
            f"is no whole safetensors file ({error})",
            place=place,
            remedy="It may have been cut short in copying: fetch or export it again",
        ) from error
    try:
        header = json.loads(packed) if packed is not None else None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise DataError(
            "is a safetensors file, but holds no pimsim network",
            place=place,
            remedy="Networks come from `pimsim export`",
        )
    return header, tensors


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{shown(value)} is no name")
    return value


def _whole(entry: dict[str, Any], key: str) -> int:
    value = entry[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{key} is {shown(value)}, which is no whole number")
    return value


def _number(entry: dict[str, Any], key: str) -> float:
    value = entry[key]
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{key} is {shown(value)}, which is no number")
    return float(value)


def _pack_input(scaling: SpeechInput | ImageInput, tensors: Tensors) -> dict[str, Any]:
    if isinstance(scaling, SpeechInput):
        tensors["input.mean"] = scaling.mean.astype(np.float32)
        tensors["input.deviation"] = scaling.deviation.astype(np.float32)
        entry = {"kind": "speech", "frame_average": scaling.frame_average}
        return entry if scaling.level is None else entry | {"level": scaling.level}
    return {"kind": "image", "mean": scaling.mean, "deviation": scaling.deviation}


def _unpack_input(entry: dict[str, Any], tensors: Tensors) -> SpeechInput | ImageInput:
    match entry["kind"]:
        case "speech":
            return SpeechInput(
                tensors["input.mean"],
                tensors["input.deviation"],
                _whole(entry, "frame_average"),
                _number(entry, "level") if "level" in entry else None,
            )
        case "image":
            return ImageInput(_number(entry, "mean"), _number(entry, "deviation"))
    raise ValueError(f"unknown input kind {shown(entry['kind'])}")


def _pack_encoder(encoder: Encoder, tensors: Tensors) -> dict[str, Any]:
    tensors["encoder.weights"] = encoder.weights.astype(np.float32)
    tensors["encoder.thresholds"] = encoder.thresholds.astype(np.float32)
    if isinstance(encoder, ConvEncoder):
        return {"kind": "conv", "stride": encoder.stride, "padding": encoder.padding}
    return {"kind": "dense"}


def _unpack_encoder(entry: dict[str, Any], tensors: Tensors) -> Encoder:
    weights, thresholds = tensors["encoder.weights"], tensors["encoder.thresholds"]
    match entry["kind"]:
        case "dense":
            return DenseEncoder(weights, thresholds)
        case "conv":
            return ConvEncoder(
                weights, thresholds, _whole(entry, "stride"), _whole(entry, "padding")
            )
    raise ValueError(f"unknown encoder kind {shown(entry['kind'])}")


def _pack_matrix(name: str, matrix: LevelMatrix, tensors: Tensors) -> dict[str, Any]:
    tensors[f"{name}.levels"] = matrix.levels
    tensors[f"{name}.thresholds"] = matrix.thresholds
    if matrix.weights is not None:
        tensors[f"{name}.weights"] = matrix.weights.astype(np.float32)
    return {
        "n_levels": matrix.n_levels,
        "alpha": matrix.alpha,
        "preactivation_range": matrix.preactivation_range,
        "preactivation_spread": matrix.preactivation_spread,
    }


def _unpack_matrix(name: str, entry: dict[str, Any], tensors: Tensors) -> LevelMatrix:
    return LevelMatrix(
        levels=tensors[f"{name}.levels"],
        n_levels=_whole(entry, "n_levels"),
        alpha=_number(entry, "alpha"),
        thresholds=tensors[f"{name}.thresholds"],
        preactivation_range=_number(entry, "preactivation_range"),
        preactivation_spread=_number(entry, "preactivation_spread"),
        weights=tensors.get(f"{name}.weights"),
    )


def _pack_layer(name: str, layer: ArrayLayer, tensors: Tensors) -> dict[str, Any]:
    match layer:
        case Dense():
            return {"kind": "dense", "matrix": _pack_matrix(name, layer.matrix, tensors)}
        case Conv2d():
            return {
                "kind": "conv2d",
                "kernel": layer.kernel,
                "stride": layer.stride,
                "padding": layer.padding,
                "matrix": _pack_matrix(name, layer.matrix, tensors),
            }
        case MaxPool():
            return {"kind": "maxpool", "size": layer.size, "stride": layer.stride}
        case Gru():
            return {
                "kind": "gru",
                "gate": _pack_matrix(f"{name}.gate", layer.gate, tensors),
                "candidate": _pack_matrix(f"{name}.candidate", layer.candidate, tensors),
            }


def _unpack_layer(name: str, entry: dict[str, Any], tensors: Tensors) -> ArrayLayer:
    match entry["kind"]:
        case "dense":
            return Dense(_unpack_matrix(name, entry["matrix"], tensors))
        case "conv2d":
            return Conv2d(
                _unpack_matrix(name, entry["matrix"], tensors),
                _whole(entry, "kernel"),
                _whole(entry, "stride"),
                _whole(entry, "padding"),
            )
        case "maxpool":
            return MaxPool(_whole(entry, "size"), _whole(entry, "stride"))
        case "gru":
            return Gru(
                _unpack_matrix(f"{name}.gate", entry["gate"], tensors),
                _unpack_matrix(f"{name}.candidate", entry["candidate"], tensors),
            )
    raise ValueError(f"unknown layer kind {shown(entry['kind'])}")
