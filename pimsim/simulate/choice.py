"""Which kernel runs a chip: speed, never a bit."""

from __future__ import annotations

from pimsim.chip import Chip, ProgrammedTile
from pimsim.errors import ConfigError
from pimsim.kernels import registers
from pimsim.simulate.level_units import LevelUnits

# what each kernel is, and what it needs
KERNELS = {
    "registers": "tables of rows in vector registers, 128 sequences side by side (AVX-512 or AVX2)",
    "levels": "tables of 6 rows in bytes, where all chips hold the same currents (AVX-512)",
    "portable": "sums of rows, on any CPU",
}
# those that take sequences side by side
IN_LANES = ("registers", "levels")
# columns of a tile are numbered in 16 bits
MAX_COLUMNS = 2**16
# with fewer sequences most of the lanes would be idle: measured on the shipped networks
FEW_SEQUENCES = 32 if registers.wide else 64


def choose_kernel(chip: Chip, n_sequences: int, wanted: str | None = None) -> str:
    """Name of the kernel for all tiles of a chip that it can run.

    Parameters
    ----------
    wanted
        Force one; None for the fastest.

    Raises
    ------
    ConfigError
        If the wanted kernel does not exist, or cannot run here or this chip.
    """
    shared = all(tile.is_shared for tile in chip.tiles if tile is not None)
    if chip.config.has_converters:
        if wanted not in (None, "products"):
            raise ConfigError(
                f"kernel {wanted} does not run chips with converters",
                remedy="Leave it out: they are run by matrix products.",
            )
        return "products"
    if wanted is None:
        if registers.available and n_sequences >= FEW_SEQUENCES:
            return "levels" if shared and registers.has_bytes else "registers"
        return "portable"
    if wanted not in KERNELS:
        raise ConfigError(
            f"there is no kernel {wanted!r}", remedy=f"There are {', '.join(KERNELS)}."
        )
    if wanted == "levels" and not shared:
        raise ConfigError(
            f"kernel {wanted} runs chips without static error, and cells or offsets of this one "
            "stray",
            remedy="Leave out --kernel, or use --kernel portable.",
        )
    lacks = {"registers": not registers.available, "levels": not registers.has_bytes}
    if lacks.get(wanted):
        needs = "with BW, VBMI and VBMI2" if wanted == "levels" else "with BW and VBMI2, or AVX2"
        raise ConfigError(
            f"kernel {wanted} needs AVX-512 {needs}, which this CPU lacks",
            remedy="Leave out --kernel, or use --kernel portable.",
        )
    return wanted


def kernel_of_tile(kernel: str, programmed: list[ProgrammedTile], units: LevelUnits | None) -> str:
    """The chosen kernel, or one that can run the tile.

    Parameters
    ----------
    units : LevelUnits or None
        Of "levels"; its tables need numbers that fit a byte.
    """
    if max(len(p.offsets) for p in programmed) > MAX_COLUMNS:
        return "portable"
    if units is not None and units.byte_groups and units.fit_16_bits:
        return "levels"
    if kernel in IN_LANES:
        return "registers" if all(p.fits_16_bits for p in programmed) else "portable"
    return kernel
