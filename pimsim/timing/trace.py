"""Traces of a chip's cycles: Perfetto's JSON for people, VCD for a bench's waveform viewer."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vcd import VCDWriter

from pimsim import __version__
from pimsim.chip.build import Chip
from pimsim.chip.graph import ArrayComponent
from pimsim.chip.tile import Tile
from pimsim.timing.engine import Stage, Status
from pimsim.timing.schedule import CycleRun
from pimsim.workload.exact import word_lines
from pimsim.workload.graph import ENCODER

Bits = NDArray[np.uint8]
WAITS = {Status.STARVED: 1, Status.BLOCKED: 2}


def phase_spans(stage: Stage) -> Iterator[tuple[int, str, int, int]]:
    """Phases of a stage as (operation, phase, first cycle, cycle after the last)."""
    for index, start in enumerate(stage.activity.started):
        begin = start
        for name, cycles in stage.phases:
            yield index, name, begin, begin + cycles
            begin += cycles


def perfetto(
    run: CycleRun, cycles: range, energies: Mapping[str, NDArray[np.float64]] | None = None
) -> str:
    """A trace in the Trace Event Format: a track for each stage, phases nested in operations.

    Parameters
    ----------
    run : CycleRun
    cycles : range
        Cycles whose operations and phases are shown.
    energies : mapping of stage -> (n_operations,)
        Energy of each operation of the inference [J]; shown with it.

    Notes
    -----
    Times are in microseconds, as the format has them.
    """
    to_us = 1e6 / run.graph.chip.config.clock.frequency
    per_inference = {c.name: c.demand.n_operations for c in run.graph.components}
    events: list[dict[str, Any]] = []
    for track, stage in enumerate(run.stages, start=1):
        events.append(
            {"name": "thread_name", "ph": "M", "pid": 1, "tid": track, "args": {"name": stage.name}}
        )

        def slice_of(name: str, begin: int, end: int, track: int = track, **args: Any) -> None:
            events.append(
                {"name": name, "ph": "X", "pid": 1, "tid": track, "ts": begin * to_us,
                 "dur": (end - begin) * to_us, "args": {"cycle": begin, **args}}
            )  # fmt: skip

        for index, begin in enumerate(stage.activity.started):
            if begin in cycles:
                count = per_inference.get(stage.name)
                where: dict[str, Any] = {} if count is None else {
                    "inference": index // count, "operation": index % count,
                }  # fmt: skip
                if energies is not None:
                    of_stage = energies[stage.name]
                    where["energy_j"] = float(of_stage[index % len(of_stage)])
                slice_of(stage.name, begin, begin + stage.duration, **where)
        for _, phase, begin, end in phase_spans(stage):
            if stage.activity.started and begin in cycles:
                slice_of(phase, begin, end)
    content = {
        "displayTimeUnit": "ns",
        "otherData": {"pimsim": __version__, "clock_hz": run.graph.chip.config.clock.frequency},
        "traceEvents": events,
    }
    return json.dumps(content)


def vcd(run: CycleRun, bits: Mapping[str, Bits], cycles: range) -> str:
    """A value change dump of the first inference, in picoseconds.

    For each stage: whether it waits (1 for inputs, 2 for room).  For each tile: the phase
    that it is in (0 none, else its place from 1), the numbers on its word lines while they are
    driven, its decisions and, of a recurrent layer, its state.  Vectors of codes have a parameter
    with the bits of each code.

    Parameters
    ----------
    run : CycleRun
    bits : dict of name -> (...) uint8
        Bits or codes of the inference that is shown, as `simulate.ChipRun.bits` of one chip and
        sequence.
    cycles : range
    """
    text = io.StringIO()
    period = 1e12 / run.graph.chip.config.clock.frequency
    changes: list[tuple[int, int, Any, Any]] = []
    with VCDWriter(text, timescale="1 ps", comment=f"pimsim {__version__}", date="") as writer:
        clock = writer.register_var("chip", "clock", "wire", size=1, init=0)
        for cycle in cycles:
            changes.append((round(cycle * period), 0, clock, 1))
            changes.append((round((cycle + 0.5) * period), 0, clock, 0))
        for stage in run.stages:
            scope = f"chip.{stage.name.replace(' ', '_')}"
            waits = writer.register_var(scope, "waits", "integer", size=8, init=0)
            for cycle, status in stage.activity.changes:
                if cycle in cycles:
                    changes.append((round(cycle * period), 0, waits, WAITS.get(status, 0)))
        for component in run.graph.tiles:
            changes += _tile_changes(writer, run, component, bits, cycles, period)
        # writers accept times in order only
        for time, _, variable, value in sorted(changes, key=lambda change: change[:2]):
            writer.change(variable, time, value)
    return text.getvalue()


def _tile_changes(
    writer: VCDWriter,
    run: CycleRun,
    component: ArrayComponent,
    bits: Mapping[str, Bits],
    cycles: range,
    period: float,
) -> list[tuple[int, int, Any, Any]]:
    stage, tile = run.stage(component.name), component.tile
    scope = f"chip.{tile.name}"
    phase = writer.register_var(scope, "phase", "integer", size=8, init=0)
    shows = {p.name: p.shows for p in component.phases}
    names = [name for name, _ in stage.phases]
    signals = operation_signals(run.graph.chip, tile, bits)
    widths = _widths(run.graph.chip, tile)
    variables = {}
    for name, values in signals.items():
        size = values.shape[1] * widths[name]
        variables[name] = writer.register_var(scope, name, "wire", size=size, init="x" * size)
        if widths[name] > 1:
            writer.register_var(
                scope, f"{name}_bits", "parameter", size=32, init=f"{widths[name]:b}"
            )
    changes: list[tuple[int, int, Any, Any]] = []

    def show(cycle: int, name: str, text: str) -> None:
        changes.append((round(cycle * period), 3, variables[name], text))

    output = tile.node.layer.output
    for index, name, begin, end in phase_spans(stage):
        if index >= component.demand.n_operations or begin not in cycles:
            continue
        changes.append((round(begin * period), 2, phase, names.index(name) + 1))
        if name == names[-1]:
            changes.append((round(end * period), 1, phase, 0))
        for signal, values in signals.items():
            text = _text(values[index], widths[signal])
            if signal == "word_lines":
                # lines are up from their phase on until the state is written, or the next input
                if "word_lines" in shows[name]:
                    show(begin, signal, text)
                elif "state" in shows[name] and not run.graph.chip.layout.drive.is_held:
                    show(begin, signal, "0" * len(text))
            # decisions stand when they are made, a state when it is written
            elif ("state" if signal == output else "decisions") in shows[name]:
                show(end, signal, text)
    return changes


def _text(numbers: Bits, width: int) -> str:
    """A VCD vector: the highest bit of the last number comes first."""
    return "".join(f"{number:0{width}b}" for number in numbers[::-1])


def _widths(chip: Chip, tile: Tile) -> dict[str, int]:
    """Bits of a number of each of a tile's signals, by their names in `operation_signals`."""
    layer, own = tile.node.layer, chip.layout.drive.bits
    decided = {
        label: own if matrix.neurons is None else matrix.neurons.bits
        for label, matrix in layer.matrices.items()
    }
    if not layer.has_state:
        decided = {"sense": next(iter(decided.values()))}
    return {"word_lines": tile.input_bits, **decided, layer.output: tile.output_bits}


def operation_signals(chip: Chip, tile: Tile, signals: Mapping[str, Bits]) -> dict[str, Bits]:
    """Values on a tile's lines in each operation, (n_operations, n_lines) by signal.

    `word_lines` first, then the decisions of each matrix and, of a layer with a state, that
    state; the decisions of a single matrix are `sense`.

    Parameters
    ----------
    signals : mapping of name -> array
        Signals of one inference, as `ExactRun.signals` without its first axis.
    """
    node, layer, network = tile.node, tile.node.layer, chip.network
    outputs = {ENCODER: ENCODER, **{other.name: other.output for other in network.nodes}}
    below = [signals[outputs[name]][None] for name in node.inputs]
    rows = word_lines(layer, below, network.input_shapes(node))
    rows = rows.reshape(-1, rows.shape[-1])
    if not layer.has_state:
        decided = signals[node.name]
        return {"word_lines": rows, "sense": decided.reshape(len(rows), -1)}
    state = signals[node.output]
    before = np.vstack([np.full_like(state[:1], network.shapes[node.name].zero), state[:-1]])
    decisions = {label: signals[node.named(label)] for label in layer.matrices}
    return {"word_lines": np.hstack([before, rows]), **decisions, layer.output: state}
