"""A deck for ngspice of one read: some columns of a layer of one drawn chip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim import __version__
from pimsim.chip import Chip, ProgrammedTile, Tile, program_tile
from pimsim.chip.read_out import SenseAmplifierReadOut
from pimsim.chip.tile import MatrixOnChip
from pimsim.chip.wired import exact_currents
from pimsim.circuits.chain import Chain
from pimsim.circuits.spice import AMPLIFIERS, Deck, DeckColumn, deck_text
from pimsim.circuits.wire import DISTRIBUTED
from pimsim.circuits.wires import Wires, column_wires
from pimsim.errors import ConfigError, Place, nearest
from pimsim.files import write_text
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.prepare import Prepared
from pimsim.timing.trace import operation_signals

# columns of a deck: one of 256 rows has a thousand elements
MAX_COLUMNS = 64


@dataclass(frozen=True)
class SpiceOptions:
    """Read and columns of a deck.

    Attributes
    ----------
    layer : str
        Name of a node with arrays.
    columns : (first, end) of int
        Pairs of bit lines, from the first up to but not with the end.
    sequence, step : int
        Sequence of the data set, and operation of the layer in it: a time step, or a position.
    chip_index : int
        Index of the chip, from 0.
    amplifier : str
        One of `AMPLIFIERS`.
    """

    layer: str
    columns: tuple[int, int]
    sequence: int
    step: int
    chip_index: int = 0
    amplifier: str = "ideal"


class Expected(NamedTuple):
    """Currents and bits that pimsim has for the columns of a deck, without noise.

    Attributes
    ----------
    plus, minus : (n_columns,) float64
        Currents of the bit lines, of resistive cells with the exact loss along their wires [A].
    decisions : (n_columns,) uint8
        Bits that follow from them and from the offsets.
    """

    plus: NDArray[np.float64]
    minus: NDArray[np.float64]
    decisions: NDArray[np.uint8]


def write_deck(prepared: Prepared, options: SpiceOptions, path: Path) -> Path:
    """Write the deck of a read.

    Raises
    ------
    PimsimError
        If there is no such layer, column, sequence or step, or the chip has other read-outs than
        sense amplifiers.
    """
    deck, _ = spice_deck(prepared, options)
    return write_text(path, deck_text(deck))


def spice_deck(prepared: Prepared, options: SpiceOptions) -> tuple[Deck, Expected]:
    """The deck of a read, and what pimsim has for it."""
    if prepared.layout.drive.numbers.name != "bits":
        raise ConfigError(
            f"'{prepared.setup.chip.name}' passes codes from layer to layer, and a deck has sense "
            "amplifiers",
            place=prepared.setup.chip_source.place(("drive",)),
            remedy="Take a chip with sense amplifiers",
        )
    chip = prepared.chip(prepared.setup.noise)
    tile = _tile(chip, options)
    read_out = tile.read_out
    assert isinstance(read_out, SenseAmplifierReadOut)
    if options.amplifier not in AMPLIFIERS:
        raise ConfigError(
            f"is '{options.amplifier}'", place=Place("--amplifier"),
            remedy=f"There are {', '.join(AMPLIFIERS)}",
        )  # fmt: skip
    rows = _word_lines(prepared, chip, tile, options)
    drawn = program_tile(tile, prepared.setup.run.seed, options.chip_index)
    on = np.concatenate([rows, np.ones(tile.n_always_on, np.uint8)]).astype(bool)[tile.row_at]
    lines = chip.layout.lines
    wires = column_wires(lines, tile.name, tile.placement.rows_on_bit_line, "exact")
    chosen = range(*options.columns)
    part, chain = _chain(tile, chosen, options)
    columns = tuple(_column(drawn, part, chain, index, tile.row_at) for index in chosen)
    is_resistor = lines.device.read.kind == "resistor"
    expected = _expected(columns, on, wires if is_resistor else None, chain)
    config, n_cells = lines.config, lines.config.array.columns
    deck = Deck(
        title=_title(prepared, options, tile, expected),
        columns=columns,
        on=on,
        is_resistor=is_resistor,
        read_voltage=lines.device.read.voltage,
        word_line=(
            config.word_line_driver.voltage,
            config.word_line_driver.resistance + DISTRIBUTED * lines.word_line_resistance * n_cells,
            lines.word_line_capacitance * n_cells,
        ),
        bit=wires.bit,
        source=wires.source,
        capacitance=lines.bit_line_capacitance,
        length=wires.length,
        bit_twice=wires.bit_twice,
        source_twice=wires.source_twice,
        supply=config.bit_line.supply,
        load=chain.transimpedance,
        node=chain.capacitance,
        integrates=chain.integration > 0,
        # without the integration, which the deck adds
        read_time=read_out.needed_time(tile) - chain.integration,
        amplifier=options.amplifier,
        technology=lines.technology,
    )
    return deck, expected


def _tile(chip: Chip, options: SpiceOptions) -> Tile:
    if options.layer not in chip.tile_of:
        names = list(chip.tile_of)
        raise ConfigError(
            f"is '{options.layer}', and no layer with arrays has that name",
            place=Place("--layer"),
            remedy=nearest(options.layer, names),
        )
    tile = chip.tile_of[options.layer]
    first, end = options.columns
    if not 0 <= first < end <= tile.placement.n_lines or end - first > MAX_COLUMNS:
        raise ConfigError(
            f"is {first}:{end}; {tile.name} has pairs of bit lines 0 to "
            f"{tile.placement.n_lines - 1}, and a deck at most {MAX_COLUMNS} of them",
            place=Place("--columns"),
            remedy="Write first:end, such as 0:8 for the first eight",
        )
    if not isinstance(tile.read_out, SenseAmplifierReadOut):
        raise ConfigError(
            f"is '{options.layer}', which {tile.read_out.kind} reads; a deck has sense amplifiers",
            place=Place("--layer"),
        )
    return tile


def _word_lines(
    prepared: Prepared, chip: Chip, tile: Tile, options: SpiceOptions
) -> NDArray[np.uint8]:
    """Word lines of the read on the drawn chip, whose own earlier decisions they follow from."""
    data = prepared.data
    if not 0 <= options.sequence < len(data):
        raise ConfigError(
            f"names sequence {options.sequence}; there are 0 to {len(data) - 1}",
            place=Place("--input"),
        )
    which = slice(options.sequence, options.sequence + 1)
    run = run_chips(
        chip,
        encode_inputs(chip, data.features[which]),
        [options.chip_index],
        prepared.setup.run.seed,
        sample_indices=data.sample_indices[which],
        keep_bits=True,
    )
    signals = {name: bits[0, 0] for name, bits in run.bits.items()}
    rows = operation_signals(chip, tile, signals)["word_lines"]
    if not 0 <= options.step < len(rows):
        raise ConfigError(
            f"names step {options.step}; {tile.name} has 0 to {len(rows) - 1}",
            place=Place("--input"),
        )
    return np.asarray(rows[options.step], np.uint8)


def _chain(tile: Tile, chosen: range, options: SpiceOptions) -> tuple[MatrixOnChip, Chain]:
    """The matrix of all chosen columns, and its chain: a deck has one load."""
    for part, chain in tile.read_out.chains(tile):
        if part.columns.start <= chosen.start and chosen.stop <= part.columns.stop:
            return part, chain
    ends = ", ".join(f"{p.name} {p.columns.start}:{p.columns.stop}" for p in tile.matrices)
    raise ConfigError(
        f"is {chosen.start}:{chosen.stop}, which are columns of two matrices with loads of their "
        "own",
        place=Place("--columns"),
        remedy=f"Matrices are {ends}",
    )


def _column(
    drawn: ProgrammedTile, part: MatrixOnChip, chain: Chain, index: int, row_at: NDArray[np.int64]
) -> DeckColumn:
    of_quantum = part.quantum_ampere * chain.drawn
    volts = part.read_out.volts_per_unit / part.read_out.quanta_per_unit
    return DeckColumn(
        f"c{index}",
        np.asarray(drawn.plus[row_at, index] * of_quantum, np.float64),
        np.asarray(drawn.minus[row_at, index] * of_quantum, np.float64),
        float(drawn.offsets[index]) * volts,
    )


def _expected(
    columns: tuple[DeckColumn, ...], on: NDArray[np.bool_], wires: Wires | None, chain: Chain
) -> Expected:
    """Currents at the end of the read; without wires, of current sources, those of the cells."""
    sides = [np.stack([getattr(c, side) for c in columns], axis=1) for side in ("plus", "minus")]
    if wires is None:
        plus, minus = (side[on].sum(axis=0) for side in sides)
    else:
        plus, minus = (exact_currents(side, on, wires) for side in sides)
    # volts at the amplifier, of currents as they are drawn
    gain = chain.gain / chain.drawn
    offsets = np.array([column.offset for column in columns])
    return Expected(plus, minus, ((plus - minus) * gain > offsets).astype(np.uint8))


def _title(
    prepared: Prepared, options: SpiceOptions, tile: Tile, expected: Expected
) -> tuple[str, ...]:
    setup, (first, _) = prepared.setup, options.columns
    found = zip(*expected, strict=True)
    return (
        f"pimsim {__version__}: {tile.name} of {prepared.network.name}, {setup.device.name}",
        f"chip {options.chip_index} of seed {setup.run.seed}, sequence {options.sequence}, "
        f"step {options.step}; run it with ngspice -b",
        "bit lines are held at the read voltage by ideal clamps; loads are matched, and the",
        "mismatch of a pair is in the currents of its - side. No noise. Expected of pimsim:",
        *(
            f"  c{first + i}: {plus * 1e6:.6g} uA, {minus * 1e6:.6g} uA, bit {bit}"
            for i, (plus, minus, bit) in enumerate(found)
        ),
    )
