"""Fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.grid import require
from pimsim.workload.layers.base import Layer, concatenated
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.signals import Shape


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected array layer; a feature map is flattened as (y, x, channel).

    A signal with time steps is read step by step.
    """

    matrix: LevelMatrix
    kind: ClassVar[str] = "dense"

    def shape(self, *inputs: Shape) -> Shape:
        width = concatenated(inputs)
        require(self.matrix.n_rows == width, f"has {self.matrix.n_rows} rows and gets {width} bits")
        has_steps = any(shape.has_steps for shape in inputs)
        return Shape(self.matrix.n_columns, (), has_steps, self.matrix.output_format)

    def wiring(self, *inputs: Shape) -> NDArray[np.int64]:
        return np.arange(self.matrix.n_rows)[None]
