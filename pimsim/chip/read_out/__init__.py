"""Read-outs: from currents or words to bits or codes; one file each, with the same verbs."""

from pimsim.chip.read_out.adc import AdcReadOut
from pimsim.chip.read_out.adder_tree import AdderTreeReadOut
from pimsim.chip.read_out.base import ReadOut
from pimsim.chip.read_out.lines import LineReadOut
from pimsim.chip.read_out.sense_amplifier import SenseAmplifierReadOut
from pimsim.circuits.lines import Lines

# read-outs by the `kind` that a chip file names
READ_OUTS: dict[str, type[ReadOut]] = {
    "sense_amplifier": SenseAmplifierReadOut,
    "adc": AdcReadOut,
    "adder_tree": AdderTreeReadOut,
}


def read_out(lines: Lines) -> ReadOut:
    """The read-out that a chip file names, on the lines of its arrays."""
    return READ_OUTS[lines.config.read_out.kind](lines.config, lines)


__all__ = [
    "READ_OUTS",
    "AdcReadOut",
    "AdderTreeReadOut",
    "LineReadOut",
    "ReadOut",
    "SenseAmplifierReadOut",
    "read_out",
]
