"""Model files and bundled descriptions for tests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from networks import random_gru, random_lenet

from pimsim.circuits.logic import LogicCosts, logic_of
from pimsim.config import (
    ChipConfig,
    DeviceConfig,
    TechnologyConfig,
    find_config,
    read_yaml,
    validate,
)
from pimsim.config.weight_coding import WEIGHT_CODING_BLOCKS
from pimsim.data.catalog import load
from pimsim.errors import Place
from pimsim.workload import Network, write_network

NOWHERE = Place("test")

MODEL = """\
schema: pimsim.run/1
name: test
network: {network}
chip: {chip}
device: {device}
data: {data}
chips: 3
seed: 11
limit: 12
"""


def bundled_device(name: str) -> DeviceConfig:
    return validate(read_yaml(find_config(name, "device", NOWHERE)), DeviceConfig)


def bundled_chip(name: str = "ba_mlw_16nm") -> ChipConfig:
    return validate(read_yaml(find_config(name, "chip", NOWHERE)), ChipConfig)


def bundled_technology(name: str = "16nm") -> TechnologyConfig:
    return validate(read_yaml(find_config(name, "technology", NOWHERE)), TechnologyConfig)


def bundled_logic(name: str = "16nm") -> LogicCosts:
    return logic_of(bundled_technology(name))


def write_model(folder: Path, kind: str = "gru", network: Network | None = None, **entries) -> Path:
    """A model file with a small random network beside it."""
    data = "synthetic-speech" if kind == "gru" else "mnist-1000"
    if network is None:
        network = random_gru() if kind == "gru" else random_lenet()
    network = dataclasses.replace(network, classes=load(data).classes)
    write_network(network, folder / f"{kind}.safetensors")
    values = {"chip": "ba_mlw_16nm", "device": "reram", "data": data} | entries
    path = folder / f"{kind}.yaml"
    path.write_text(MODEL.format(network=f"{kind}.safetensors", **values))
    return path


def coding(config: ChipConfig, sign: str):
    """The chip's slices, with the other coding of the sign."""
    kind = {"differential": "bit_slices", "offset": "offset_slices"}[sign]
    block = config.weight_coding.model_dump() | {"kind": kind}
    return WEIGHT_CODING_BLOCKS[kind].model_validate(block)
