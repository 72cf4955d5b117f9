"""Read-outs: from currents or words to bits or codes; one file each, with the same verbs."""

from dataclasses import replace

from pimsim.chip.read_out.adc import AdcReadOut
from pimsim.chip.read_out.adder_tree import AdderTreeReadOut
from pimsim.chip.read_out.base import ReadOut
from pimsim.chip.read_out.lines import LineReadOut
from pimsim.chip.read_out.multipliers import MultiplierReadOut
from pimsim.chip.read_out.partial_sums import PartialSumsReadOut
from pimsim.chip.read_out.sense_amplifier import SenseAmplifierReadOut
from pimsim.circuits.lines import Lines

# read-outs by the `kind` that a chip file names
READ_OUTS: dict[str, type[ReadOut]] = {
    "sense_amplifier": SenseAmplifierReadOut,
    "adc": AdcReadOut,
    "partial_sums": PartialSumsReadOut,
    "adder_tree": AdderTreeReadOut,
    "multipliers": MultiplierReadOut,
}


def read_out(lines: Lines) -> ReadOut:
    """The read-out that a chip file names, on the lines of its arrays."""
    return READ_OUTS[lines.config.read_out.kind](lines.config, lines)


def tall_read_out(lines: Lines) -> ReadOut | None:
    """The read-out of layers that are too tall for the first one, where a chip file names one."""
    tall = lines.config.tall_layers
    if tall is None:
        return None
    coding = lines.config.weight_coding.of_whole_levels
    config = lines.config.model_copy(update={"read_out": tall, "weight_coding": coding})
    return READ_OUTS[tall.kind](config, replace(lines, config=config), "tall_layers")


__all__ = [
    "READ_OUTS",
    "AdcReadOut",
    "AdderTreeReadOut",
    "LineReadOut",
    "MultiplierReadOut",
    "PartialSumsReadOut",
    "ReadOut",
    "SenseAmplifierReadOut",
    "read_out",
    "tall_read_out",
]
