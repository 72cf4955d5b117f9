"""Drives: how inputs become word-line signals; one file each, with the same verbs."""

from pimsim.chip.drive.base import Drive
from pimsim.chip.drive.binary import BinaryDrive
from pimsim.chip.drive.bit_serial import BitSerialDrive
from pimsim.chip.drive.broadcast import BroadcastDrive
from pimsim.chip.drive.held import HeldDrive
from pimsim.chip.drive.multi_level import MultiLevelDrive
from pimsim.circuits.lines import Lines

# drives by the `kind` that a chip file names
DRIVES: dict[str, type[Drive]] = {
    "binary": BinaryDrive,
    "held": HeldDrive,
    "bit_serial": BitSerialDrive,
    "multi_level": MultiLevelDrive,
    "broadcast": BroadcastDrive,
}


def drive(lines: Lines) -> Drive:
    """The drive that a chip file names, on the lines of its arrays."""
    return DRIVES[lines.config.drive.kind](lines.config, lines)


__all__ = [
    "DRIVES",
    "BinaryDrive",
    "BitSerialDrive",
    "BroadcastDrive",
    "Drive",
    "HeldDrive",
    "MultiLevelDrive",
    "drive",
]
