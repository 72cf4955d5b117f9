"""Which kernel runs a chip: speed, never a bit."""

from __future__ import annotations

from pimsim.chip import Chip, ProgrammedTile, Tile
from pimsim.errors import ConfigError
from pimsim.kernels import registers

# what each kernel is, and what it needs
KERNELS = {
    "registers": "tables of 5 rows in 512-bit registers, 128 sequences side by side (AVX-512)",
    "sliced": "bit planes, where all chips hold the same currents",
    "portable": "sums of rows, on any CPU",
}
# columns of a tile are numbered in 16 bits
MAX_COLUMNS = 2**16
# with fewer sequences most of the lanes would be idle
FEW_SEQUENCES = 16


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
            return "registers"
        return "sliced" if shared else "portable"
    if wanted not in KERNELS:
        raise ConfigError(
            f"there is no kernel {wanted!r}", remedy=f"There are {', '.join(KERNELS)}."
        )
    if wanted == "sliced" and not shared:
        raise ConfigError(
            "kernel sliced runs chips without static error, and cells or offsets of this one stray",
            remedy="Leave out --kernel, or use --kernel portable.",
        )
    if wanted == "registers" and not registers.available:
        raise ConfigError(
            "kernel registers needs AVX-512 with BW and VBMI2, which this CPU lacks",
            remedy="Leave out --kernel, or use --kernel portable.",
        )
    return wanted


def kernel_of_tile(kernel: str, tile: Tile, programmed: list[ProgrammedTile]) -> str:
    """The chosen kernel, or the one for sums of 32 bits where a chip's do not fit 16."""
    fits = all(p.fits_16_bits and len(p.offsets) <= MAX_COLUMNS for p in programmed)
    if kernel == "registers" and not fits:
        return "portable"
    return kernel
