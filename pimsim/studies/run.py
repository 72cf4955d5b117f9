"""Run a model: accuracy over chips, what each noise source costs, actions counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip
from pimsim.circuits.logic import logic_of
from pimsim.config import NoiseConfig
from pimsim.cost.area import AreaItem, area_account, leakage
from pimsim.cost.efficiency import operations
from pimsim.cost.energy import Item, energy_account, standing_account
from pimsim.simulate import ChipRun, run_chips
from pimsim.studies.monte_carlo import draw
from pimsim.studies.prepare import Prepared, Shared, prepare
from pimsim.studies.statistics import Accuracy
from pimsim.timing.parts import chip_parts
from pimsim.timing.plausibility import Check, check_chip, line_currents
from pimsim.timing.schedule import Timing, time_chip
from pimsim.workload import ImageInput

# noise sources are looked at one by one on at most so many of the run's chips
CONTRIBUTION_CHIPS = 5

# (stage in words, inferences of the stage, inferences done since the last call)
Progress = Callable[[str, int, int], None]


def _silent(stage: str, total: int, done: int) -> None:
    return None


@dataclass(frozen=True)
class Contribution:
    """Accuracy with a single noise source on; `is_present` is False where the files have none."""

    source: str
    accuracy: Accuracy
    is_present: bool


@dataclass(frozen=True)
class RunResult:
    """What a run found, and what it ran.

    Attributes
    ----------
    accuracy : Accuracy
        Over the chips that were drawn.
    contributions : tuple of Contribution
        One for each noise source that is on.
    chips : ChipRun
        Predictions (n_chips, n_reads * n_sequences), counts, and bits of the first read where kept.
    labels : (n_sequences,) int64
    batch : int
        Sequences per kernel call.
    wall_s : float
        Time of everything from the encoder on, the single sources included [s].
    inferences_per_s : float
        Inferences of the main run over its time, all threads together.
    timing : Timing
        Cycles of the chip.
    energy : tuple of Item
        Energy of the main run, all chips and sequences together.
    area : tuple of AreaItem
        Area of one chip.
    operations : int
        Of one inference (`pimsim.cost.efficiency`).
    checks : tuple of Check
        Whether such a chip can be built, from the currents that were drawn.
    """

    prepared: Prepared
    chip: Chip
    accuracy: Accuracy
    contributions: tuple[Contribution, ...]
    chips: ChipRun
    labels: NDArray[np.int64]
    threads: int
    batch: int
    wall_s: float
    inferences_per_s: float
    timing: Timing
    energy: tuple[Item, ...]
    area: tuple[AreaItem, ...]
    operations: int
    checks: tuple[Check, ...]


def run(
    model: str | Path,
    *,
    device: str | Path | None = None,
    chip: str | Path | None = None,
    data: str | Path | None = None,
    chips: int | None = None,
    seed: int | None = None,
    limit: int | None = None,
    time_since_programming: str | None = None,
    reads: int | None = None,
    until_ci95: str | float | None = None,
    accuracy_target: str | float | None = None,
    ideal: bool = False,
    set: Iterable[str] = (),
    threads: int | None = None,
    batch: int = 256,
    kernel: str | None = None,
    keep_bits: bool = False,
    contributions: bool = True,
    progress: Progress = _silent,
    shared: Shared | None = None,
) -> RunResult:
    """Simulate a network on chips drawn from a device and a chip description.

    Parameters
    ----------
    model
        Model file, or the name of a bundled one.
    device, chip, data, chips, seed, limit, time_since_programming, reads, until_ci95,
    accuracy_target
        Replace the model file's entries.
    ideal
        Everything off: the exact network on one chip.
    set
        `key=value` texts that replace single keys of the YAML files.
    threads, batch
        Threads and sequences per kernel call; they change speed, never a bit.
    kernel
        Force one of `pimsim.simulate.BACKENDS`: speed, never a bit.
    keep_bits
        Keep every decision of every chip.
    contributions
        Also run with each noise source alone.
    progress
        Called as the work goes on.
    shared
        What runs of one study load once.

    Raises
    ------
    PimsimError
        If something named is missing, damaged or does not fit.
    """
    options: dict[str, Any] = {
        "device": device,
        "chip": chip,
        "data": None if data is None else str(data),
        "chips": chips,
        "seed": seed,
        "limit": limit,
        "time_since_programming": time_since_programming,
        "reads": reads,
        "until_ci95": until_ci95,
        "accuracy_target": accuracy_target,
    }
    return run_prepared(
        prepare(model, options, set, shared),
        ideal=ideal,
        threads=threads,
        batch=batch,
        kernel=kernel,
        keep_bits=keep_bits,
        contributions=contributions,
        progress=progress,
    )


def run_prepared(
    prepared: Prepared,
    *,
    ideal: bool = False,
    threads: int | None = None,
    batch: int = 256,
    kernel: str | None = None,
    keep_bits: bool = False,
    contributions: bool = True,
    progress: Progress = _silent,
) -> RunResult:
    """As `run`, on what `prepare` loaded."""
    noise = NoiseConfig.ideal() if ideal else prepared.setup.noise
    labels = prepared.data.labels
    begin = time.perf_counter()
    setup, steps = prepared.setup, n_steps(prepared)
    logic = logic_of(setup.technology)
    chip = prepared.chip(noise)
    parts = chip_parts(chip, logic, steps)
    place = setup.chip_source.place(("bit_line",))
    # what cannot be built, or cannot keep up, is refused before anything is run
    check_chip(chip, setup.technology, parts, place=place)
    timing = time_chip(chip, logic, steps, frame_interval=setup.run.frame_interval)

    def simulate(
        stage: str,
        switches: NoiseConfig,
        indices: range = range(1),
        samples: NDArray[np.int64] = prepared.data.sample_indices,
        bits: bool = False,
        reads: int = 1,
        read: int = 0,
    ) -> ChipRun:
        on_chip = prepared.chip(switches, read)
        total = len(indices) * len(labels) * reads
        progress(stage, total, 0)
        return run_chips(
            on_chip,
            # the encoder is digital: all runs share its bits, rounded or exact
            prepared.shared.encoded(on_chip, prepared.data),
            indices,
            prepared.setup.run.seed,
            sample_indices=samples,
            batch=batch,
            threads=threads,
            kernel=kernel,
            keep_bits=bits,
            progress=lambda done: progress(stage, total, done),
        )

    ideal_run = simulate("ideal chip", NoiseConfig.ideal())
    exact = float((ideal_run.predictions == labels).mean())
    block = 1 if chip.is_exact else setup.run.chips
    reads = 1 if chip.is_exact else setup.run.reads
    main_begin = time.perf_counter()
    chips, accuracy = draw(
        lambda indices, samples, read: simulate(
            _stage(indices), noise, indices, samples, keep_bits and read == 0, reads, read
        ),
        labels,
        prepared.data.sample_indices,
        ideal=exact,
        chips=block,
        reads=reads,
        until_ci95=None if chip.is_exact else setup.run.until_ci95,
    )
    main_wall = time.perf_counter() - main_begin
    found = []
    for source in noise.active() if contributions else []:
        switches = noise.only(source)
        is_exact = prepared.chip(switches).is_exact
        is_present = switches.fixed_point or not is_exact
        few = range(1 if is_exact else min(setup.run.chips, CONTRIBUTION_CHIPS))
        # with a source that is in none of the files a chip is the ideal one
        alone = simulate(f"only {source}", switches, few) if is_present else ideal_run
        right = (alone.predictions == labels).mean(axis=1)
        found.append(Contribution(source, Accuracy(exact, right[:, None]), is_present))
    n_inferences = int(chips.predictions.size)
    area = area_account(chip, logic, parts)
    work = energy_account(chip, logic, chips.counts, parts, n_inferences)
    standing = standing_account(setup.chip, timing, leakage(area), n_inferences)
    currents = line_currents(chip, parts, chips.counts.drawn, n_inferences)
    return RunResult(
        prepared=prepared,
        chip=chip,
        accuracy=accuracy,
        contributions=tuple(found),
        chips=chips,
        labels=labels,
        threads=chips.threads,
        batch=batch,
        wall_s=time.perf_counter() - begin,
        inferences_per_s=chips.predictions.size / main_wall,
        timing=timing,
        energy=(*work, *standing),
        area=tuple(area),
        operations=operations(chip, parts),
        checks=tuple(check_chip(chip, setup.technology, parts, currents, place)),
    )


def n_steps(prepared: Prepared) -> int:
    """Time steps of a sequence; 1 for images."""
    scaling = prepared.network.input
    if isinstance(scaling, ImageInput):
        return 1
    return int(prepared.data.features.shape[1]) // scaling.frame_average


def _stage(indices: range) -> str:
    """Words for a block of chips."""
    if indices.start == 0:
        return f"{len(indices)} chips"
    return f"chips {indices.start + 1} to {indices.stop}"
