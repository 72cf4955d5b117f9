"""The digital ends of a chip: input encoder and output layer, the same for every backend."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip
from pimsim.circuits.digital_mac import encode_fixed, fixed_preactivations, score_fixed
from pimsim.simulate.signals import Values
from pimsim.workload.inputs import encoder_inputs
from pimsim.workload.quantized import Activation, encode_codes
from pimsim.workload.reference import encode

ENCODER_BATCH = 256  # sequences encoded at once: memory, not results


def activation_of(chip: Chip) -> Activation:
    """Neurons of a chip with ADCs: sigmoids of the temperature of the network's training."""
    temperature = float(chip.network.provenance.get("temperature", 1.0))
    return Activation(chip.config.slicing.activation_bits, temperature)


def encode_inputs(chip: Chip, features: NDArray[np.uint8]) -> Values:
    """Bits of the input layer, the same for every chip: (n, n_steps, n_bits) or (n, y, x, c).

    Of a chip with ADCs, codes.
    """
    encode_batch = _encode_codes if chip.config.has_converters else _encode_bits
    pieces = []
    for first in range(0, len(features), ENCODER_BATCH):
        inputs = encoder_inputs(chip.network, features[first : first + ENCODER_BATCH])
        pieces.append(encode_batch(chip, inputs))
    return np.concatenate(pieces)


def _encode_bits(chip: Chip, inputs: NDArray[np.float64]) -> Values:
    if chip.noise.fixed_point:
        return encode_fixed(chip.network.encoder, chip.config.input_encoder, inputs)
    return encode(chip.network.encoder, inputs)


def _encode_codes(chip: Chip, inputs: NDArray[np.float64]) -> Values:
    encoder, activation = chip.network.encoder, activation_of(chip)
    if not chip.noise.fixed_point:
        return encode_codes(encoder, inputs, activation)
    sums, unit = fixed_preactivations(encoder, chip.config.input_encoder, inputs)
    return activation.of_values(sums * unit)


def scores_of(chip: Chip, final: Values) -> NDArray[np.float64]:
    """Scores (n_chips, n, n_classes) of the last layer's values (n_chips, n, n_values)."""
    output = chip.network.output
    one = activation_of(chip).top if chip.config.has_converters else 1
    if chip.noise.fixed_point:
        return score_fixed(output, chip.config.output_unit, final, one)
    weights = np.asarray(output.weights, np.float64)
    return np.asarray(final.astype(np.float64) @ weights + one * output.biases.astype(np.float64))


def empty_classes(chip: Chip, n_chips: int, n_sequences: int) -> NDArray[np.unsignedinteger]:
    """An empty array (n_chips, n_sequences) of the smallest type that holds a class."""
    dtype = np.min_scalar_type(len(chip.network.classes) - 1)
    return np.empty((n_chips, n_sequences), dtype)
