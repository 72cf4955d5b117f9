"""A bound of a tile, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass

# settling that lasts just as long as it is given
ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """One bound of one tile; beyond its limit a chip is doubtful.

    Attributes
    ----------
    name, tile : str
    value, limit : float
        In `unit`.
    unit : str
    possible : float or None
        Largest value with which a chip can work at all; None: 1, for a share.
    message, refusal : str
        What is wrong beyond it, and the remedy; no refusal where a chip is doubtful at worst.
    """

    name: str
    tile: str
    value: float
    limit: float
    unit: str
    possible: float | None = None
    message: str = ""
    refusal: str = ""

    @property
    def passes(self) -> bool:
        return self.value <= self.limit * (1 + ROUNDING)

    @property
    def is_possible(self) -> bool:
        """Whether a chip can work with this value."""
        return self.value <= (1.0 if self.possible is None else self.possible) * (1 + ROUNDING)
