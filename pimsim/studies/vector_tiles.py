"""One layer in arrays in a file of test vectors: cells, read-out, and what drives each row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Characteristic, Chip, ProgrammedTile, Quantiser, Tile
from pimsim.chip.read_out import PartialSumsReadOut
from pimsim.config.array import Array
from pimsim.simulate.backends.bit_serial import BitSerial, BitSerialOperand
from pimsim.simulate.machine import at_every_step
from pimsim.workload.graph import Node

Arrays = dict[str, NDArray[Any]]


class TileVectors:
    """Arrays and facts of a tile of one drawn chip; the layout is that of docs/vectors.md.

    Parameters
    ----------
    chip : Chip
    tile : Tile
    programmed : ProgrammedTile
        The tile as drawn.
    seed : int
    n_steps : int
        Time steps of a sequence.
    """

    def __init__(
        self, chip: Chip, tile: Tile, programmed: ProgrammedTile, seed: int, n_steps: int
    ) -> None:
        self.chip, self.tile, self.programmed, self.n_steps = chip, tile, programmed, n_steps
        self.operand: BitSerialOperand | None = None
        if tile.is_converted and not isinstance(tile.read_out, PartialSumsReadOut):
            # what the kernel takes: a file cannot say anything else than what is computed
            self.operand = BitSerial().load(chip, tile, [programmed], seed)

    def arrays(self) -> Arrays:
        """Arrays by name, the layer's name left out."""
        found = self._places(self.chip.config.array) | {
            "plus": self.programmed.plus,
            "minus": self.programmed.minus,
            "offsets": self.programmed.offsets.astype(np.int32),
        }
        if self.tile.node.layer.has_state:
            arrays = {key: v for key, v in self.logic.items() if isinstance(v, np.ndarray)}
            found |= {f"state_{key}": v for key, v in arrays.items()}
        else:
            found["wiring"] = self._wiring()
        # of converted sums: what each ADC adds to them
        errors = self.programmed.errors.arrays
        for name in ("offset", "gain", "bow"):
            if name in errors:
                found[f"adc_{name}"] = errors[name]
        if isinstance(self.tile.read_out, PartialSumsReadOut):
            # the sum of codes from which on a bit is 1
            limits = [self.tile.read_out.code_limits(part) for part in self.tile.matrices]
            found["limits"] = np.concatenate(limits)
        return found | self._of_codes()

    @property
    def logic(self) -> dict[str, Any]:
        """Numbers of the logic between decisions and state."""
        kernel: Any = self.chip.layout.logic(self.tile).kernel(self.tile)
        return dict(kernel._asdict())

    def _places(self, array: Array) -> Arrays:
        """Arrays, word lines and bit lines that rows and lines stand on."""
        placed = self.tile.placement
        array_rows, array_pairs = array.rows, array.columns // placed.lines_each
        rows, pairs = self.tile.place, np.arange(placed.n_lines)
        # bit lines of a pair are neighbours, + and -; those of a word, from its lowest bit to its
        # sign
        first = placed.lines_each * (pairs % array_pairs)
        last = first + placed.lines_each - 1
        return {
            "rows": np.stack([rows // array_rows, rows % array_rows], axis=1),
            "columns": np.stack([pairs // array_pairs, first, last], axis=1),
        }

    def _wiring(self) -> NDArray[np.int32]:
        """Index of the number that drives each row in each operation; -1 where none does."""
        shapes = self.chip.network.input_shapes(self.tile.node)
        wiring = self.tile.node.layer.wiring(*shapes)
        if any(shape.has_steps for shape in shapes):
            wiring = at_every_step(wiring, shapes, self.n_steps)
        return wiring.astype(np.int32)

    def _of_codes(self) -> Arrays:
        """From codes on rows to codes of neurons: pulses, shift and add, activations."""
        if self.operand is None:
            return {}
        lines, pulses, _, activations, *_ = self.operand
        found: Arrays = {
            "subtracted": pulses.subtracted,
            "line_weight": lines.weight,
            "line_output": lines.sum_index,
            "reference": lines.reference,
            "reference_weight": lines.reference_weight,
            "scale": activations.scale,
            "code_limits": activations.thresholds,
        }
        if pulses.levels.size:
            found["row_levels"] = pulses.levels[:, 0]
        return found

    def facts(self) -> dict[str, Any]:
        """Facts of the layer, for the JSON document of the file."""
        tile, node = self.tile, self.tile.node
        shapes = self.chip.network.input_shapes(node)
        found: dict[str, Any] = {
            "name": tile.name,
            "kind": node.layer.kind,
            "inputs": [self._signal(name) for name in node.inputs],
            "output": node.output,
            "groups": tile.groups,
            "padding": int(shapes[0].zero),
            "start": int(self.chip.network.shapes[tile.name].zero),
            "steps": self.n_steps if any(shape.has_steps for shape in shapes) else 1,
            "row_bits": tile.input_bits,
            "output_bits": tile.output_bits,
            "n_always_on": tile.n_always_on,
            "read_out": tile.read_out.kind,
            "pulse_weights": list(tile.pulses.converted),
            "matrices": [
                {
                    "name": part.name,
                    "columns": [part.columns.start, part.columns.stop],
                    "outputs": part.matrix.n_columns,
                    "full_scale_quanta": part.read_out.full_scale_quanta,
                    "quantum_ampere": part.quantum_ampere,
                    "volts_per_quantum": part.read_out.volts_per_unit
                    / part.read_out.quanta_per_unit,
                    "sigma_dynamic_quanta": part.read_out.sigma_quanta,
                    **_codes(part.read_out),
                }
                for part in tile.matrices
            ],
        }
        if node.layer.has_state:
            top = 1 if self.operand is None else self.operand.activations.gate_top
            numbers = {key: v for key, v in self.logic.items() if isinstance(v, int | np.integer)}
            found["logic"] = {key: int(v) for key, v in (numbers | {"gate_top": top}).items()}
        return found

    def _signal(self, name: str) -> str:
        """Array of the file that holds the output of a node or of the input layer."""
        nodes: dict[str, Node] = {node.name: node for node in self.chip.network.nodes}
        return nodes[name].output if name in nodes else name


def _codes(numbers: Characteristic) -> dict[str, Any]:
    """Current of a code and the end codes of ADCs; nothing of a read-out that has none."""
    if not isinstance(numbers, Quantiser):
        return {}
    low = -numbers.top if numbers.signed else 0
    return {"code_quanta": numbers.code_quanta, "low_code": low, "top_code": numbers.top}
