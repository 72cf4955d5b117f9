"""Backends: ways to run programmed tiles, of different speed and with the same results.

`choose` picks the fastest backend that can run a chip, `load` arranges a tile for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pimsim.chip import Chip, ProgrammedTile, Tile
from pimsim.errors import ConfigError, Place, nearest, shown
from pimsim.simulate.backends.base import Backend, Batch, Read, Wiring
from pimsim.simulate.backends.bit_serial import BitSerial
from pimsim.simulate.backends.bytes import Bytes
from pimsim.simulate.backends.portable import Portable
from pimsim.simulate.backends.registers import Registers
from pimsim.simulate.signals import Signals

__all__ = ["BACKENDS", "Backend", "Batch", "Loaded", "Read", "Wiring", "choose", "load"]

# the fastest first
BACKENDS: dict[str, Backend[Any]] = {
    "bytes": Bytes(),
    "registers": Registers(),
    "portable": Portable(),
    "bit_serial": BitSerial(),
}


class Loaded(NamedTuple):
    """A tile of a group of chips, and the backend that runs it."""

    backend: Backend[Any]
    operand: Any

    def read(self, wiring: Wiring, signals: Signals, batch: Batch) -> Read:
        """Read the tile once at each position."""
        return self.backend.read(self.operand, wiring, signals, batch)

    def recur(self, logic: Any, signals: Signals, batch: Batch, keep: bool) -> Read:
        """Run the recurrent tile over all time steps."""
        return self.backend.recur(self.operand, logic, signals, batch, keep)


def choose(chip: Chip, n_sequences: int, wanted: str | None = None) -> Backend[Any]:
    """Choose the fastest backend that does not refuse a chip.

    Parameters
    ----------
    wanted
        Force one of `BACKENDS`; None for the fastest.

    Raises
    ------
    ConfigError
        If the wanted backend does not exist, or refuses the chip.
    """
    if wanted is None:
        return next(b for b in BACKENDS.values() if b.refuses(chip, n_sequences) is None)
    if wanted not in BACKENDS:
        raise ConfigError(
            f"is {shown(wanted)}, and there is no such kernel",
            place=Place("--kernel"),
            remedy=nearest(str(wanted), BACKENDS),
        )
    reason = BACKENDS[wanted].refuses(chip, None)
    if reason is not None:
        able = [name for name, b in BACKENDS.items() if b.refuses(chip, None) is None]
        raise ConfigError(
            f"kernel {wanted} cannot run this chip: {reason}",
            remedy=f"Leave out --kernel, or use --kernel {able[-1]}.",
        )
    return BACKENDS[wanted]


def load(
    backend: Backend[Any],
    chip: Chip,
    tile: Tile,
    programmed: Sequence[ProgrammedTile],
    seed: int,
) -> Loaded:
    """Load a tile for a backend, or for its substitute if it cannot run the tile.

    Parameters
    ----------
    programmed
        The tile of each chip of a group, or of one where all are equal.
    """
    operand = backend.load(chip, tile, programmed, seed)
    if operand is not None:
        return Loaded(backend, operand)
    assert backend.substitute is not None
    return load(backend.substitute, chip, tile, programmed, seed)
