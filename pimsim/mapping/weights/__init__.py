"""Weight codings: methods by which cells hold a matrix of integer levels; one file each."""

from pimsim.config.chip import ChipConfig
from pimsim.mapping.weights.base import CellPlan, WeightCoding
from pimsim.mapping.weights.binary_words import BinaryWords
from pimsim.mapping.weights.bit_slices import BitSlices
from pimsim.mapping.weights.differential_pair import DifferentialPair
from pimsim.mapping.weights.offset_slices import OffsetSlices
from pimsim.mapping.weights.unipolar import Unipolar

# weight codings by the `kind` that a chip file names
WEIGHT_CODINGS: dict[str, type[WeightCoding]] = {
    "differential_pair": DifferentialPair,
    "bit_slices": BitSlices,
    "offset_slices": OffsetSlices,
    "unipolar": Unipolar,
    "binary_words": BinaryWords,
}


def weight_coding(config: ChipConfig) -> WeightCoding:
    """The weight coding that a chip file names."""
    return WEIGHT_CODINGS[config.weight_coding.kind](config.weight_coding)


__all__ = [
    "WEIGHT_CODINGS",
    "BinaryWords",
    "BitSlices",
    "CellPlan",
    "DifferentialPair",
    "OffsetSlices",
    "Unipolar",
    "WeightCoding",
    "weight_coding",
]
