"""A trace of one inference: the simulator's bits at the simulated cycles."""

from __future__ import annotations

from pathlib import Path

from pimsim.chip.graph import chip_graph
from pimsim.circuits.logic import logic_of
from pimsim.cost.operation import operation_energies
from pimsim.errors import ConfigError, Place
from pimsim.files import write_text
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.plan import n_steps
from pimsim.studies.prepare import Prepared
from pimsim.timing.schedule import run_cycles
from pimsim.timing.trace import perfetto, vcd


def write_trace(
    prepared: Prepared,
    path: Path,
    form: str,
    cycles: tuple[int, int | None],
    chip_index: int = 0,
    sequence: int = 0,
) -> tuple[Path, int]:
    """Write a trace of one sequence on one drawn chip; returns the path and all cycles.

    Parameters
    ----------
    form : "vcd" or "perfetto"
    cycles : (first, after the last)
        None: to the end.
    chip_index, sequence
        Which chip of the run's seed, and which sequence of the data set.

    Raises
    ------
    ConfigError
        If there are no such cycles or no such sequence.
    """
    if not 0 <= sequence < len(prepared.data):
        raise ConfigError(
            f"is {sequence}; the data set has sequences 0 to {len(prepared.data) - 1}",
            place=Place("--sequence"),
        )
    chip = prepared.chip(prepared.setup.noise)
    graph = chip_graph(
        chip,
        logic_of(prepared.setup.logic, prepared.setup.chip.temperature),
        n_steps(prepared),
    )
    run = run_cycles(graph, inferences=1)
    first, last = cycles[0], run.cycles if cycles[1] is None else cycles[1]
    if not 0 <= first < min(last, run.cycles):
        raise ConfigError(
            f"is {first}:{last}, and the inference takes {run.cycles} cycles",
            place=Place("--cycles"),
            remedy="Name them as FIRST:LAST, counted from 0",
        )
    shown = range(first, min(last, run.cycles))
    part = slice(sequence, sequence + 1)
    seed = prepared.setup.run.seed
    found = run_chips(
        chip,
        encode_inputs(chip, prepared.data.features[part]),
        [chip_index],
        seed,
        sample_indices=prepared.data.sample_indices[part],
        keep_bits=True,
    )
    bits = {name: of_chip[0, 0] for name, of_chip in found.bits.items()}
    if form == "perfetto":
        energies = operation_energies(graph, bits, seed, chip_index)
        text = perfetto(run, shown, energies)
    else:
        text = vcd(run, bits, shown)
    return write_text(path, text), run.cycles
