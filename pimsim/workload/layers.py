"""The layers that a chip must compute: integer levels, and the two real-valued ends.

A network is one encoder (real numbers in, bits out), array layers (bits in, bits
out), and one output layer (bits in, real scores out).  Only the layers between
bits go into crossbars; encoder and output layer become digital units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError

# Inputs and real-valued weights stand on binary grids, so that every product and
# every sum of an encoder is exact in double precision, whatever the order: that
# is what makes torch, the reference and the chip agree to the last bit.
INPUT_GRID = 2.0**-10
INPUT_LIMIT = 2.0**5
WEIGHT_GRID = 2.0**-20
WEIGHT_LIMIT = 2.0**3
_PART = 2**20


def to_grid(values: Any, grid: float, limit: float) -> NDArray[np.float64]:
    """Round to multiples of `grid`, clipped so that the magnitude stays below `limit`."""
    rounded = np.round(np.asarray(values, np.float64) / grid) * grid
    return np.clip(rounded, -limit + grid, limit - grid)


def require(condition: bool, message: str) -> None:
    """Raise a PimsimError with the message unless the condition holds."""
    if not condition:
        raise PimsimError(message)


def _require_on_grid(name: str, values: NDArray[np.floating]) -> None:
    # in parts, for the sake of memory: the file may be large
    flat = np.ravel(values)
    parts = (flat[i : i + _PART].astype(np.float64) for i in range(0, flat.size, _PART))
    on_grid = all(
        np.isfinite(part).all() and np.array_equal(part, to_grid(part, WEIGHT_GRID, WEIGHT_LIMIT))
        for part in parts
    )
    require(
        on_grid,
        f"{name} must be multiples of 2^-20 below 8 in magnitude (scale encoder weights and "
        "thresholds by a common factor, then round with workload.to_grid)",
    )


def _require_steps(kernel: int, stride: int, padding: int) -> None:
    require(
        stride >= 1 and 0 <= padding < max(kernel, 1),
        f"a stride of {stride} and a padding of {padding} do not go with a kernel of {kernel}: a "
        "stride is at least 1, a padding at least 0 and less than the kernel",
    )


@dataclass(frozen=True)
class LevelMatrix:
    """A weight matrix of integer levels, w = alpha k / L (contract, section 1).

    Attributes
    ----------
    levels : (n_rows, n_columns) int8
        k in -L..L; for two levels k is -1 or +1.
    n_levels : int
        2 L + 1, or 2 for binary weights.
    alpha : float
        Clipping range of the matrix [units of pre-activation].
    thresholds : (n_columns,) int32
        A column gives 1 if sum(k x) > threshold [level units].  Zero for the
        paper's networks; other values become word lines that are always on.
    preactivation_range : float
        Largest |sum(w x)| seen on training data [units of pre-activation]; the
        read-out maps it onto the sense amplifier's input range (section 3).
    preactivation_spread : float
        Standard deviation of sum(w x) on training data [units of pre-activation].
    weights : (n_rows, n_columns) float32 or None
        Full-precision weights that the levels stand for, in networks that were trained
        with such: no chip holds them, `run_smooth` does.
    """

    levels: NDArray[np.int8]
    n_levels: int
    alpha: float
    thresholds: NDArray[np.int32]
    preactivation_range: float
    preactivation_spread: float
    weights: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        require(
            self.levels.dtype == np.int8 and self.levels.ndim == 2,
            f"levels must be a 2-D int8 array, not {self.levels.ndim}-D {self.levels.dtype}",
        )
        require(
            self.n_levels == 2 or (3 <= self.n_levels <= 255 and self.n_levels % 2 == 1),
            f"n_levels is {self.n_levels}; it is 2 or an odd number from 3 to 255",
        )
        # -128 has no magnitude of its kind
        low, high = (int(end(initial=0)) for end in (self.levels.min, self.levels.max))
        require(
            self.levels.size > 0 and max(-low, high) <= self.top_level,
            f"levels reach {max(-low, high)}, outside "
            f"-{self.top_level}..{self.top_level} of {self.n_levels} levels",
        )
        require(
            self.n_levels != 2 or bool((np.abs(self.levels) == 1).all()),
            "binary weights are -1 or +1, and this matrix holds others",
        )
        require(
            self.thresholds.dtype == np.int32 and self.thresholds.shape == (self.levels.shape[1],),
            f"thresholds must be int32 of shape ({self.levels.shape[1]},)",
        )
        if self.weights is not None:
            require(
                self.weights.shape == self.levels.shape and bool(np.isfinite(self.weights).all()),
                f"weights must be finite numbers of shape {self.levels.shape}",
            )
        for name in ("alpha", "preactivation_range", "preactivation_spread"):
            value = getattr(self, name)
            require(1e-9 < value < 1e9, f"{name} is {value}; it must be positive and finite")

    @property
    def top_level(self) -> int:
        """L: the largest level."""
        return max(1, (self.n_levels - 1) // 2)

    @property
    def real_weights(self) -> NDArray[np.float32]:
        """w: full precision where the matrix has it, otherwise alpha k / L."""
        if self.weights is not None:
            return self.weights
        return (self.levels * (self.alpha / self.top_level)).astype(np.float32)

    @property
    def n_rows(self) -> int:
        return int(self.levels.shape[0])

    @property
    def n_columns(self) -> int:
        return int(self.levels.shape[1])


@dataclass(frozen=True)
class DenseEncoder:
    """Real-valued input layer: bit = 1 if x . weights > threshold, frame by frame.

    `weights` (n_in, n_out) and `thresholds` (n_out,) are float32 on `WEIGHT_GRID`.
    """

    weights: NDArray[np.float32]
    thresholds: NDArray[np.float32]

    def __post_init__(self) -> None:
        require(self.weights.ndim == 2, "dense encoder weights must be 2-D (n_in, n_out)")
        require(self.thresholds.shape == self.weights.shape[1:], "one threshold per encoder output")
        _require_on_grid("encoder weights", self.weights)
        _require_on_grid("encoder thresholds", self.thresholds)


@dataclass(frozen=True)
class ConvEncoder:
    """Real-valued first convolution, on images.

    `weights` (kernel, kernel, c_in, c_out) and `thresholds` (c_out,), as in `DenseEncoder`.
    """

    weights: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        require(
            self.weights.ndim == 4, "conv encoder weights must be (kernel, kernel, c_in, c_out)"
        )
        require(self.weights.shape[0] == self.weights.shape[1], "convolution kernels are square")
        require(
            self.thresholds.shape == self.weights.shape[3:], "one threshold per encoder channel"
        )
        _require_steps(self.weights.shape[0], self.stride, self.padding)
        _require_on_grid("encoder weights", self.weights)
        _require_on_grid("encoder thresholds", self.thresholds)


@dataclass(frozen=True)
class Dense:
    """Fully connected array layer; a preceding feature map is flattened as (y, x, channel)."""

    matrix: LevelMatrix


@dataclass(frozen=True)
class Conv2d:
    """Convolution on bits; matrix rows run over (kernel y, kernel x, channel in)."""

    matrix: LevelMatrix
    kernel: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        require(
            self.kernel >= 1 and self.matrix.n_rows % self.kernel**2 == 0,
            f"a {self.kernel} x {self.kernel} kernel does not divide {self.matrix.n_rows} rows",
        )
        _require_steps(self.kernel, self.stride, self.padding)


@dataclass(frozen=True)
class MaxPool:
    """Maximum of bits over size x size windows: an OR gate."""

    size: int
    stride: int

    def __post_init__(self) -> None:
        require(self.size >= 1 and self.stride >= 1, "pool size and stride are at least 1")


@dataclass(frozen=True)
class Gru:
    """GRU without reset gate (eq. 7-11); matrix rows are H(t-1) first, then the layer below."""

    gate: LevelMatrix
    candidate: LevelMatrix

    def __post_init__(self) -> None:
        require(
            self.gate.levels.shape == self.candidate.levels.shape,
            "gate and candidate matrices must have one shape",
        )
        require(
            self.gate.n_rows > self.gate.n_columns,
            "a GRU matrix has n_hidden + n_below rows and n_hidden columns",
        )

    @property
    def n_hidden(self) -> int:
        return self.gate.n_columns


@dataclass(frozen=True)
class Output:
    """Real-valued scores of the last bits: `weights` (n_in, n_classes), `biases` (n_classes,)."""

    weights: NDArray[np.float32]
    biases: NDArray[np.float32]

    def __post_init__(self) -> None:
        require(self.weights.ndim == 2, "output weights must be 2-D (n_in, n_classes)")
        require(self.biases.shape == self.weights.shape[1:], "one bias per class")
        _require_on_grid("output weights", self.weights)
        _require_on_grid("output biases", self.biases)


Encoder = DenseEncoder | ConvEncoder
ArrayLayer = Dense | Conv2d | MaxPool | Gru


@dataclass(frozen=True)
class SpeechInput:
    """Log-mel frames -> standardised MFCC frames on `INPUT_GRID`.

    `frame_average` neighbouring frames are averaged before the cosine transform;
    `mean` and `deviation` (n_coefficients,) come from the training set.  With a `level`
    [pixels] each clip is normalised before that: its loudest frame gets this mean over the
    bands, and its other coefficients get the training set's mean as theirs.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    frame_average: int = 1
    level: float | None = None

    def __post_init__(self) -> None:
        require(self.mean.shape == self.deviation.shape, "one mean and one deviation each")
        require(bool(np.isfinite(self.mean).all()), "input means must be finite")
        positive = np.isfinite(self.deviation) & (self.deviation > 0)
        require(bool(positive.all()), "input deviations must be positive and finite")
        # a power of two keeps averages on a binary grid, and so every sum exact
        require(
            self.frame_average in (1, 2, 4, 8, 16),
            f"frame_average is {self.frame_average}; it is 1, 2, 4, 8 or 16",
        )
        require(
            self.level is None or 0 <= self.level <= 255,
            f"level is {self.level}; it is a pixel's value, 0 to 255",
        )


@dataclass(frozen=True)
class ImageInput:
    """Grey pixels 0..255 -> (pixel / 255 - mean) / deviation on `INPUT_GRID`."""

    mean: float
    deviation: float

    def __post_init__(self) -> None:
        require(bool(np.isfinite(self.mean)), "input mean must be finite")
        require(0 < self.deviation < np.inf, "input deviation must be positive and finite")
