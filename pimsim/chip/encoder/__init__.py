"""Units of the input layer: from inputs to the bits or codes of the first array; one file each."""

from pimsim.chip.encoder.base import EncoderUnit, EncoderWork
from pimsim.chip.encoder.fixed_point import FixedPointUnit
from pimsim.chip.encoder.thermometer import ThermometerUnit
from pimsim.config.chip import ChipConfig
from pimsim.errors import Place
from pimsim.workload.graph import Network

# units by the kind of a network's encoder
ENCODER_UNITS: dict[str, type[EncoderUnit]] = {
    "none": EncoderUnit,
    "quantiser": EncoderUnit,
    "one_hot": EncoderUnit,
    "dense": FixedPointUnit,
    "conv": FixedPointUnit,
    "thermometer": ThermometerUnit,
}


def encoder_unit(network: Network, config: ChipConfig, place: Place | None = None) -> EncoderUnit:
    """The unit of a network's encoder on a chip; `place` is that of its file, for errors."""
    return ENCODER_UNITS[network.encoder.kind](network, config, place)


__all__ = [
    "ENCODER_UNITS",
    "EncoderUnit",
    "EncoderWork",
    "FixedPointUnit",
    "ThermometerUnit",
    "encoder_unit",
]
