"""YAML descriptions of devices, chips and runs: read, checked, frozen."""

from pimsim.config.bundled import bundled_names, bundled_root, find_config
from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.config.load import Setup, load_chip, load_device, load_setup
from pimsim.config.run import SOURCES, NoiseConfig, RunConfig
from pimsim.config.schema import Certainty, validate
from pimsim.config.source import read_yaml
from pimsim.config.technology import TechnologyConfig

__all__ = [
    "SOURCES",
    "Certainty",
    "ChipConfig",
    "DeviceConfig",
    "NoiseConfig",
    "RunConfig",
    "Setup",
    "TechnologyConfig",
    "bundled_names",
    "bundled_root",
    "find_config",
    "load_chip",
    "load_device",
    "load_setup",
    "read_yaml",
    "validate",
]
