"""Levels of the array matrices in a stage of a recipe."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from pimsim.errors import ConfigError
from pimsim.nn.quantize import Quantizer, quantizer_for
from pimsim.train.neuron_keys import Strict

Positive = Annotated[float, Field(gt=0)]
Levels = Annotated[int, Field(ge=2, le=255)]


class WeightsRecipe(Strict):
    """Levels of the array matrices; without this block, weights have full precision.

    Attributes
    ----------
    levels
        One number for all matrices, or one per name; a name may be a pattern such as
        "gru0.*", and the first match counts.
    range
        "fixed": taken once from the pre-trained weights (section 3.2); "learned":
        trained from there on.
    range_deviations
        The clipping range in standard deviations of a matrix's weights.
    cell_error
        Standard deviation of a cell pair's static error, as a share of the range.
    half_levels
        Names or patterns of matrices whose thresholds lie half a level up: no sum meets them.
    """

    levels: Levels | dict[str, Levels]
    range: Literal["fixed", "learned"] = "fixed"
    range_deviations: Positive = 2.0
    cell_error: Annotated[float, Field(ge=0)] = 0.0
    half_levels: str | tuple[str, ...] = ()

    def with_half_levels(self, matrices: Iterable[str]) -> set[str]:
        """Names of the matrices whose thresholds lie half a level up.

        Raises
        ------
        ConfigError
            If a pattern fits none of them.
        """
        patterns = [self.half_levels] if isinstance(self.half_levels, str) else self.half_levels
        found, names = set(), list(matrices)
        for pattern in patterns:
            fitting = {name for name in names if fnmatch.fnmatchcase(name, pattern)}
            if not fitting:
                raise ConfigError(
                    f"weights.half_levels names '{pattern}', and no matrix is called so",
                    remedy=f"Matrices are {', '.join(names)}; '*' takes all",
                )
            found |= fitting
        return found

    def quantizer(self, matrix: str) -> Quantizer:
        """Quantiser of a matrix: the paper's choice for its number of levels.

        Raises
        ------
        ConfigError
            If no pattern fits the name.
        """
        if isinstance(self.levels, int):
            return quantizer_for(self.levels, self.range_deviations)
        for pattern, levels in self.levels.items():
            if fnmatch.fnmatchcase(matrix, pattern):
                return quantizer_for(levels, self.range_deviations)
        raise ConfigError(
            f"weights.levels has no entry for matrix '{matrix}'",
            remedy=f"It has {', '.join(self.levels)}; add '{matrix}', or '*' for all others",
        )
