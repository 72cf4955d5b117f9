"""The verbs of a layer kind.

A layer with matrices is computed by arrays: `wiring` says which input drives which word line, the
matrices' columns are summed and decided, and `next_state` (of a layer with a state) makes the new
state of what was decided.  A layer without matrices is plain logic: `combine`.

A layer kind is a frozen dataclass whose fields are its matrices (`LevelMatrix`) and its plain
numbers; network files hold just these (`pimsim.workload.storage`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.signals import Numbers, Shape
from pimsim.workload.windows import Span


class Layer:
    """A layer kind.

    Attributes
    ----------
    kind : str
        The word that network files use for it.
    logic : str
        The logic that follows its decisions on a chip, one of `pimsim.chip.logic.LOGIC`.
    has_state : bool
        Whether it keeps a state from time step to time step, which drives word lines.
    output : str
        Name of its output where that is not all that it decides, such as `hidden`.
    """

    kind: ClassVar[str]
    logic: ClassVar[str] = "register"
    has_state: ClassVar[bool] = False
    output: ClassVar[str] = ""
    # groups of its columns that are read one after the other, each for its own inputs
    groups: int = 1

    @property
    def matrices(self) -> dict[str, LevelMatrix]:
        """Its matrices by label, in the order of their columns; the label of a single one is ''."""
        found = {}
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, LevelMatrix):
                found["" if field.name == "matrix" else field.name] = value
        return found

    @property
    def details(self) -> str:
        """Details for a table of layers beside the matrices, such as the size of a window."""
        return ""

    @property
    def n_states(self) -> int:
        """Bits or codes of its state; they drive the first word lines."""
        return 0

    def shape(self, *inputs: Shape) -> Shape:
        """Shape of its output.

        Raises
        ------
        PimsimError
            If inputs of these shapes do not fit.
        """
        raise NotImplementedError

    def wiring(self, *inputs: Shape) -> NDArray[np.int64]:
        """Index of the input that drives each word line, without state rows.

        Numbers count through the inputs of one time step, one after the other, each flattened;
        -1 stands for a word line that is held at the number 0.

        Returns
        -------
        (n_places * groups, n_rows) int64
            Place by place, and group by group at each.
        """
        raise NotImplementedError

    @property
    def n_memory(self) -> int:
        """Whole numbers that are kept from step to step beside its state; no word line has them."""
        return 0

    def next_state(self, decided: Sequence[Any], state: Any, memory: Any, numbers: Numbers) -> Any:
        """New state, from the decisions of its matrices in this step and what it keeps.

        Parameters
        ----------
        decided : sequence of (n, n_columns)
        state : (n, n_states)
        memory : (n, n_memory) int64
            0 before the first step; updated.
        numbers : Numbers
            Numbers that its gates are.
        """
        raise NotImplementedError

    def combine(self, inputs: Sequence[Any], shapes: Sequence[Shape]) -> Any:
        """Output of a layer without matrices.

        Parameters
        ----------
        inputs : sequence of (n_items, [n_steps,] *places, width)
            Bits, codes or reals.
        shapes : sequence of Shape
            Of the inputs.
        """
        raise NotImplementedError

    def combine_words(self, inputs: Sequence[Any], shapes: Sequence[Shape]) -> Any:
        """The same on packed bits (..., width, words); None if it has no such form."""
        return None

    def operations(self, *inputs: Shape) -> int:
        """Additions and comparisons of a layer without matrices, for each inference or step."""
        return 0

    def span(self, output: Span, axis: int) -> Span:
        """Rows (axis 0) or columns (axis 1) of the input map that those of the output need."""
        raise NotImplementedError


def concatenated(inputs: Sequence[Shape]) -> int:
    """Number of bits or codes of several inputs together, in one time step."""
    return sum(shape.size for shape in inputs)


def require_one(inputs: Sequence[Shape]) -> Shape:
    """The shape of a single input; raises a PimsimError for several."""
    if len(inputs) != 1:
        raise PimsimError(f"takes one input, and gets {len(inputs)}")
    return inputs[0]


def require_map(shape: Shape) -> tuple[int, int]:
    """Height and width of a feature map; raises a PimsimError for a signal that is none."""
    if len(shape.places) != 2:
        raise PimsimError(f"needs feature maps, and gets {shape}")
    return shape.places[0], shape.places[1]


def map_sides(shape: Shape) -> tuple[int, int]:
    """Height and width of a feature map, or of a sequence: 1 and its length."""
    if len(shape.places) not in (1, 2):
        raise PimsimError(f"needs feature maps, and gets {shape}")
    return (1, *shape.places)[-2], shape.places[-1]


def on_map(source: Shape, sides: tuple[int, int]) -> tuple[int, ...]:
    """Places of an output of these sides, of a layer on `source`: a sequence stays one."""
    return sides[2 - len(source.places) :]


def cut_side(side: int, window: int, stride: int, padding: int, name: str) -> int:
    """Windows along one side of a map; raises a PimsimError where not even one fits."""
    whole = side + 2 * padding
    if window > whole:
        raise PimsimError(name)
    return (whole - window) // stride + 1
