"""Drives: how inputs become word-line signals; one file each, with the same verbs."""

from pimsim.chip.drive.base import Drive
from pimsim.chip.drive.binary import BinaryDrive
from pimsim.chip.drive.bit_serial import BitSerialDrive
from pimsim.config.chip import ChipConfig

# drives by the `kind` that a chip file names
DRIVES: dict[str, type[Drive]] = {"binary": BinaryDrive, "bit_serial": BitSerialDrive}


def drive(config: ChipConfig) -> Drive:
    """The drive that a chip file names."""
    return DRIVES[config.drive.kind](config)


__all__ = ["DRIVES", "BinaryDrive", "BitSerialDrive", "Drive", "drive"]
