"""Running level and mean of log-mel bands: a normalisation that needs no future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.grid import require

# bits behind the point of a register [pixels]: a whole frame average, and steps of the mean
FRACTION = 8
# steps that bands may wait: a second of frames of 10 ms, and some
MAX_DELAY = 128
# bits of the constant 1 / n_bands
RECIPROCAL = 16


@dataclass(frozen=True)
class Running:
    """Normalisation of log-mel bands by what has been heard so far, in whole numbers.

    Attributes
    ----------
    start : float
        Level at the beginning of a clip [pixels].
    decay : float
        What the level loses at each step [pixels].
    mean_shift : int
        The running means move by 2^-mean_shift of the difference at each step.
    delay : int
        Steps that the bands wait, so that level and means have heard as much more.

    Notes
    -----
    Registers hold multiples of 2^-8 pixel.  At step t, with the mean l(t) of the bands x(t)::

        L(t) = max(l(t), L(t-1) - decay)            level: a peak follower
        m(t) = m(t-1) + floor((x(t) - m(t-1)) / 2^mean_shift)     mean of each band
        g(t) = g(t-1) + floor((l(t) - g(t-1)) / 2^mean_shift)     mean of l

    and the bands x(t) become x - m + g - L, with the registers of step t + delay or of the last
    step.  A gain moves x, and in time L, by the same; a microphone adds the same to x and, in
    time, to m - g.  A clip begins with L = `start`, with the training set's means in m and with
    their mean in g; an always-on chip would go on with what it has.
    """

    start: float
    decay: float
    mean_shift: int
    delay: int = 0

    def __post_init__(self) -> None:
        require(
            0 <= self.start <= 255,
            f"running.start is {self.start}; it is a pixel's value, 0 to 255",
        )
        require(
            0 <= self.decay <= 255, f"running.decay is {self.decay}; it is 0 to 255 pixels a step"
        )
        require(
            isinstance(self.mean_shift, int) and 0 <= self.mean_shift <= FRACTION,
            f"running.mean_shift is {self.mean_shift}; it is a whole number, 0 to {FRACTION}",
        )
        require(
            isinstance(self.delay, int) and 0 <= self.delay <= MAX_DELAY,
            f"running.delay is {self.delay}; it is a whole number of steps, 0 to {MAX_DELAY}",
        )

    def normalised(
        self, bands: NDArray[np.floating], means: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Normalise clips step by step.

        Parameters
        ----------
        bands : (n, n_steps, n_bands) float
            Log-mel bands [pixels]; what is finer than 2^-8 is cut off.
        means : (n_bands,) float
            Means of the bands at the beginning [pixels], rounded to 2^-8.

        Returns
        -------
        (n, n_steps, n_bands) float64
            x - m + g - L [pixels], multiples of 2^-8.
        """
        n, n_steps, n_bands = bands.shape
        reciprocal = round(2**RECIPROCAL / n_bands)
        # step by step in memory, since that is how it is read and written; 32 bits hold all but
        # the product by the reciprocal
        numbers = np.floor(bands.swapaxes(0, 1) * 2.0**FRACTION).astype(np.int32)
        sums = numbers.sum(axis=2, keepdims=True, dtype=np.int64)
        frame_levels = (sums * reciprocal >> RECIPROCAL).astype(np.int32)
        first = np.round(means * 2.0**FRACTION).astype(np.int32)
        mean = np.tile(first, (n, 1))
        mean_level = np.full((n, 1), int(first.sum()) * reciprocal >> RECIPROCAL, np.int32)
        level = np.full((n, 1), round(self.start * 2**FRACTION), np.int32)
        decay = np.int32(round(self.decay * 2**FRACTION))
        out = np.empty((n_steps, n, n_bands), np.int32)
        # steps whose bands the registers of a step normalise; of the last one, all that wait
        ready = [range(step - self.delay, step - self.delay + 1) for step in range(n_steps)]
        ready[-1] = range(max(0, n_steps - 1 - self.delay), n_steps)
        for frame, frame_level, steps in zip(numbers, frame_levels, ready, strict=True):
            level = np.maximum(frame_level, level - decay)
            mean += frame - mean >> self.mean_shift
            mean_level += frame_level - mean_level >> self.mean_shift
            for step in steps:
                if step >= 0:
                    np.subtract(numbers[step], mean, out=out[step])
                    out[step] += mean_level - level
        pixels: NDArray[np.float64] = out.swapaxes(0, 1).astype(np.float64) * 2.0**-FRACTION
        return pixels
