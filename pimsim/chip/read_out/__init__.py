"""Read-outs: from line currents to bits or codes; one file each, with the same verbs."""

from pimsim.chip.read_out.adc import AdcReadOut
from pimsim.chip.read_out.base import ReadOut
from pimsim.chip.read_out.sense_amplifier import SenseAmplifierReadOut
from pimsim.config.chip import ChipConfig

# read-outs by the `kind` that a chip file names
READ_OUTS: dict[str, type[ReadOut]] = {
    "sense_amplifier": SenseAmplifierReadOut,
    "adc": AdcReadOut,
}


def read_out(config: ChipConfig) -> ReadOut:
    """The read-out that a chip file names."""
    return READ_OUTS[config.read_out.kind](config)


__all__ = [
    "READ_OUTS",
    "AdcReadOut",
    "ReadOut",
    "SenseAmplifierReadOut",
    "read_out",
]
