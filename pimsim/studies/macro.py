"""A macro as a network: a dense layer of random weights, and random inputs as its data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.config.macro import Macro
from pimsim.data.dataset import Dataset
from pimsim.streams import Purpose, uniforms
from pimsim.workload import Dense, LevelMatrix, Network, chain
from pimsim.workload.ends import NoEncoder, NoOutput
from pimsim.workload.inputs import DirectInput

# pre-activation of a full weight on a full input
ALPHA = 1.0


def macro_network(macro: Macro, name: str, input_bits: int, seed: int) -> tuple[Network, Dataset]:
    """Network and data of a macro.

    Parameters
    ----------
    name : str
        Of both, for reports.
    input_bits : int
        Bits of an input.
    seed : int
        Seed of weights and inputs.
    """
    levels = _weights(macro, seed)
    codes = _inputs(macro, input_bits, seed)
    top_level = max(1, (macro.levels - 1) // 2)
    sums = codes.astype(np.int64) @ levels.astype(np.int64)
    unit = ALPHA / top_level / (2**input_bits - 1)
    reached = max(float(np.abs(sums).max()) * unit, unit)
    matrix = LevelMatrix(
        levels,
        macro.levels,
        ALPHA,
        np.zeros(macro.outputs, np.int32),
        preactivation_range=reached,
        preactivation_spread=max(float(sums.std()) * unit, unit * 1e-3),
    )
    classes = tuple(str(code) for code in range(2**input_bits))
    network = Network(
        name=name,
        input=DirectInput(macro.inputs),
        encoder=NoEncoder(macro.inputs),
        nodes=chain([Dense(matrix)]),
        output=NoOutput(),
        classes=classes,
        # sigmoids of codes neither saturate nor vanish
        temperature=max(float(sums.std()) * unit, 1e-5),
        provenance={"macro": f"random weights of {macro.levels} levels"},
    )
    data = Dataset(
        name="random inputs",
        kind="direct",
        features=codes[:, None, :],
        labels=np.zeros(macro.samples, np.int64),
        classes=classes,
        description=f"random bits, {macro.active_inputs:.0%} of them 1; accuracy is the share of "
        "outputs that equal those of the exact macro",
        source={"licence": "none: drawn from the seed"},
    )
    return network, data


def _weights(macro: Macro, seed: int) -> NDArray[np.int8]:
    """Levels (n_inputs, n_outputs), all equally frequent."""
    shape = 1, macro.inputs, macro.outputs
    drawn = np.floor(macro.levels * uniforms(seed, Purpose.MACRO_WEIGHT, 0, 0, shape)[0])
    if macro.levels == 2:
        return np.asarray(2 * drawn - 1, np.int8)
    return np.asarray(drawn - (macro.levels - 1) // 2, np.int8)


def _inputs(macro: Macro, bits: int, seed: int) -> NDArray[np.uint8]:
    """Codes (n_samples, n_inputs), whose bits are 1 with one probability."""
    shape = bits, macro.samples, macro.inputs
    ones = uniforms(seed, Purpose.MACRO_INPUT, 0, 0, shape) < macro.active_inputs
    return np.asarray((ones << np.arange(bits)[:, None, None]).sum(axis=0), np.uint8)
