"""One run: measurement and costs of a plan.

`pimsim.studies.plan` reads and checks everything and simulates the chip's cycles; `measure`
simulates bits and finds accuracies, or another metric; `price` turns counted actions into energy,
and components into area.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip
from pimsim.chip.check import Check
from pimsim.chip.plausibility import check_chip, line_currents
from pimsim.circuits.bill import Part
from pimsim.config import NoiseConfig
from pimsim.cost.area import area_items
from pimsim.cost.efficiency import Scope, operations, scopes
from pimsim.cost.energy import Item, energy_items, time_items
from pimsim.cost.layers import LayerCosts, layer_costs
from pimsim.errors import ConfigError, Place
from pimsim.simulate import ChipRun, run_chips
from pimsim.simulate.kept import Keep
from pimsim.studies.attribution import (
    TIE_DRAWS,
    NoiseSource,
    Ties,
    paired_change,
    tie_noise,
)
from pimsim.studies.bits import BitStore
from pimsim.studies.half_levels import HalfLevels, half_levels
from pimsim.studies.monte_carlo import draw
from pimsim.studies.options import DEFAULTS, RunOptions
from pimsim.studies.plan import Plan, n_steps, plan, plan_prepared
from pimsim.studies.prepare import Model, Prepared, Shared
from pimsim.studies.probe import CurrentsOfLines, Probe, Sums, probe
from pimsim.studies.progress import Progress, silent
from pimsim.studies.statistics import Sample
from pimsim.timing.schedule import Timing
from pimsim.workload.metrics import ACCURACY

# each noise source alone is simulated on at most so many of the run's chips
MAX_CHIPS_PER_SOURCE = 5


@dataclass(frozen=True)
class Measured:
    """Results of the simulation of a plan.

    Attributes
    ----------
    sample : Sample
        The network's metric over the chips that were drawn.
    noise_sources : tuple of NoiseSource
        One for each noise source that is on.
    chips : ChipRun
        Predictions (n_chips, n_reads * n_sequences), counts, and bits of the first read where kept.
    wall_s : float
        Time of all simulations, those of single noise sources included [s].
    main_s : float
        Time of the main run [s].
    ties : Ties or None
        Reference of the single sources, where they were simulated on a chip of bits.
    predictions_each : int
        Predictions of an inference, as `Network.n_predictions` says.
    half_levels : HalfLevels or None
        What half-level thresholds save, on chips that have them.
    exact : (n_predictions,) integers
        Predictions of the exact network.
    sums : dict of matrix -> Sums
        Sums beside their thresholds; empty where single sources are not simulated.
    """

    sample: Sample
    noise_sources: tuple[NoiseSource, ...]
    chips: ChipRun
    wall_s: float
    main_s: float
    ties: Ties | None = None
    predictions_each: int = 1
    half_levels: HalfLevels | None = None
    exact: NDArray[Any] | None = None
    sums: dict[str, Sums] = field(default_factory=dict)

    @property
    def n_inferences(self) -> int:
        """Predictions of the main run: chips x reads x sequences."""
        return int(self.chips.predictions.size) // self.predictions_each


@dataclass(frozen=True)
class RunResult:
    """A plan, its results, and its costs.

    Attributes
    ----------
    energy : tuple of Item
        Energy of the main run, all inferences together.
    area : tuple of Part
        What one chip is made of.
    operations : int
        Of one inference (`pimsim.cost.efficiency`).
    checks : tuple of Check
        Whether such a chip can be built, from the currents that were drawn.
    scopes : tuple of Scope
        Macro, chip without encoder, and chip.
    layers : tuple of LayerCosts
        Energy and area of each component and link.
    line_currents : dict of matrix -> CurrentsOfLines
        Of the first drawn chip, at the exact network's inputs.
    first_order_errors : dict of tile -> float
        Likewise, of losses along wires (`Probe.first_order_errors`).
    """

    plan: Plan
    measured: Measured
    energy: tuple[Item, ...]
    area: tuple[Part, ...]
    operations: int
    checks: tuple[Check, ...]
    scopes: tuple[Scope, ...]
    layers: tuple[LayerCosts, ...]
    line_currents: dict[str, CurrentsOfLines]
    first_order_errors: dict[str, float]

    @property
    def prepared(self) -> Prepared:
        return self.plan.prepared

    @property
    def chip(self) -> Chip:
        return self.plan.chip

    @property
    def timing(self) -> Timing:
        return self.plan.timing

    @property
    def labels(self) -> NDArray[np.int64]:
        """Labels of the sequences, (n_sequences,) or (n_sequences, n_scored) int64."""
        return self.plan.labels

    @property
    def sample(self) -> Sample:
        """The network's metric over the chips."""
        return self.measured.sample

    @property
    def accuracy(self) -> Sample:
        """Accuracy over the chips.

        Raises
        ------
        ConfigError
            If the network is measured by something else, which is in `sample`.
        """
        if self.sample.metric is not ACCURACY:
            raise ConfigError(
                f"'{self.prepared.network.name}' is measured in {self.sample.metric.name}",
                place=Place("accuracy"),
                remedy="Take `sample`",
            )
        return self.sample

    @property
    def noise_sources(self) -> tuple[NoiseSource, ...]:
        return self.measured.noise_sources

    @property
    def chips(self) -> ChipRun:
        return self.measured.chips


def run(
    model: Model | None = None,
    *,
    progress: Progress = silent,
    shared: Shared | None = None,
    **options: Any,
) -> RunResult:
    """Simulate a network on chips drawn from a device and a chip description.

    Parameters
    ----------
    model
        Model file, or the name of a bundled one; or a network or its file, which is run on
        `pimsim.config.load.DEFAULTS` unless options say more.
    progress
        Called as the work goes on.
    shared
        What runs of one study load once.
    options
        Fields of `RunOptions`, by their keywords in Python.

    Raises
    ------
    PimsimError
        If something named is missing, damaged or does not fit.
    TypeError
        If there is no such option.
    """
    planned = plan(model, RunOptions.of(**options), shared)
    return price(planned, measure(planned, progress))


def run_prepared(
    prepared: Prepared, options: RunOptions = DEFAULTS, progress: Progress = silent
) -> RunResult:
    """Run a model that is already loaded by `prepare`."""
    planned = plan_prepared(prepared, options)
    return price(planned, measure(planned, progress))


def measure(plan: Plan, progress: Progress = silent, folder: Path | None = None) -> Measured:
    """Simulate the ideal chip, the drawn chips, and each noise source alone.

    Decisions that are to be kept are on disk until then, in `folder` or else in the system's folder
    for temporary files.
    """
    begin = time.perf_counter()
    ideal = _simulate(plan, Pass("ideal chip", NoiseConfig.ideal()), progress)
    exact = float(_values(plan, ideal).mean())
    main_begin = time.perf_counter()
    chips, sample = _draw_chips(plan, exact, progress, folder)
    main_s = time.perf_counter() - main_begin
    sources = plan.sources if plan.options.noise_sources else []
    ties, probed, saved, sums = None, None, None, {}
    if sources and any(tile.read_out.tosses_ties for tile in plan.chip.tiles):
        probed = probe(plan.prepared, plan.chip)
        ties = _ties(plan, probed, exact, progress)
        saved = half_levels(probed, plan.noise)
        sums = probed.sums(plan.chip)
    alone = tuple(_only(source, plan, ideal, exact, ties, probed, progress) for source in sources)
    each = plan.prepared.network.n_predictions(n_steps(plan.prepared))
    wall = time.perf_counter() - begin
    found = ideal.predictions[0]
    return Measured(sample, alone, chips, wall, main_s, ties, each, saved, found, sums)


def price(plan: Plan, measured: Measured) -> RunResult:
    """Energy from the counted actions, area, operations, and whether the chip can be built."""
    graph, setup = plan.graph, plan.setup
    counts, n = measured.chips.counts, measured.n_inferences
    area = area_items(graph)
    actions = energy_items(graph, counts, n)
    of_time = time_items(setup.chip, plan.timing, area, n)
    currents = line_currents(graph, counts.drawn, n)
    probed = probe(plan.prepared, plan.chip)
    of_lines = probed.line_currents(plan.chip)
    highest = {name: found.highest for name, found in of_lines.items()}
    place = setup.chip_source.place(("bit_line",))
    return RunResult(
        plan=plan,
        measured=measured,
        energy=(*actions, *of_time),
        area=tuple(area),
        operations=operations(graph),
        checks=tuple(check_chip(graph, currents, highest, place)),
        scopes=scopes(graph, counts, of_time, n),
        layers=tuple(layer_costs(graph, counts, plan.timing, area, of_time, n)),
        line_currents=of_lines,
        first_order_errors=probed.first_order_errors(plan.chip),
    )


@dataclass(frozen=True)
class Pass:
    """One pass of the simulator: some chips read some sequences under some noise.

    Attributes
    ----------
    stage : str
        Its name while it runs.
    samples : (n_sequences,) int64 or None
        Indices that key the noise; those of the data set if None.
    read, reads : int
        The read of the chips that this is, and of how many.
    """

    stage: str
    noise: NoiseConfig
    chips: range = range(1)
    samples: NDArray[np.int64] | None = None
    read: int = 0
    reads: int = 1
    keep: Keep | None = None


def _simulate(plan: Plan, work: Pass, progress: Progress) -> ChipRun:
    prepared, options = plan.prepared, plan.options
    data, chip = prepared.data, prepared.chip(work.noise, work.read)
    total = len(work.chips) * len(data) * work.reads
    progress(work.stage, total, 0)
    return run_chips(
        chip,
        # the encoder is digital: all runs share its bits, rounded or exact
        prepared.shared.encoded(chip, data),
        work.chips,
        prepared.setup.run.seed,
        sample_indices=data.sample_indices if work.samples is None else work.samples,
        labels=data.labels,
        batch=options.batch,
        threads=options.threads,
        kernel=options.kernel,
        keep=work.keep,
        progress=lambda done: progress(work.stage, total, done),
    )


def _values(plan: Plan, run: ChipRun) -> NDArray[Any]:
    """Metric of every sequence on each chip of a run (n_chips, n_sequences)."""
    return plan.metric.of_predictions(run.predictions, run.scored, plan.labels)


def _draw_chips(
    plan: Plan, exact: float, progress: Progress, folder: Path | None
) -> tuple[ChipRun, Sample]:
    """Simulate the main run; without differences between chips, one chip and one read suffice."""
    settings, is_exact = plan.setup.run, plan.chip.is_exact
    reads = 1 if is_exact else settings.reads
    is_binary = plan.chip.layout.drive.bits == 1
    store = BitStore(len(plan.prepared.data), is_binary, folder)

    def block(chips: range, samples: NDArray[np.int64], read: int) -> ChipRun:
        keep = store.keep(chips.start) if plan.options.keep_bits and read == 0 else None
        work = Pass(_stage(chips), plan.noise, chips, samples, read, reads, keep)
        return _simulate(plan, work, progress)

    found, accuracy = draw(
        block,
        plan.labels,
        plan.prepared.data.sample_indices,
        ideal=exact,
        chips=1 if is_exact else settings.chips,
        reads=reads,
        until_ci95=None if is_exact else settings.until_ci95,
        metric=plan.metric,
    )
    return replace(found, bits=store), accuracy


def _ties(plan: Plan, probed: Probe, exact: float, progress: Progress) -> Ties:
    """Draws of the exact chip in which sums of exactly 0 are coin tosses."""
    steps = {m.name: m.matrix.alpha / m.matrix.top_level for m in plan.chip.matrices}
    noise = tie_noise(steps)
    found = _simulate(plan, Pass("ties by coin", noise, range(TIE_DRAWS)), progress)
    values = _values(plan, found)
    sample = Sample(exact, values.mean(axis=1)[:, None], metric=plan.metric)
    return Ties(sample, values, probed.ties(plan.chip), steps)


def _only(
    source: str,
    plan: Plan,
    ideal: ChipRun,
    exact: float,
    ties: Ties | None,
    probed: Probe | None,
    progress: Progress,
) -> NoiseSource:
    """A few of the run's chips with one noise source on, and its effect on single decisions.

    Where none of the files has anything for it, that is the ideal chip.
    """
    noise = plan.noise.only(source)
    is_exact = plan.prepared.chip(noise).is_exact
    is_present = noise.fixed_point or not is_exact
    chips = range(1 if is_exact else min(plan.setup.run.chips, MAX_CHIPS_PER_SOURCE))
    work = Pass(f"only {source}", noise, chips)
    found = _simulate(plan, work, progress) if is_present else ideal
    values = _values(plan, found)
    sample = Sample(exact, values.mean(axis=1)[:, None], metric=plan.metric)
    if ties is None or probed is None or not is_present:
        return NoiseSource(source, sample, is_present)
    paired = paired_change(values, ties.values)
    if is_exact:
        # the encoder's rounding changes inputs, and no decision at given inputs
        return NoiseSource(source, sample, is_present, paired)
    errors = probed.errors(noise)
    flipped = float(np.mean([error.flipped for error in errors.values()]))
    sizes = {name: error.size for name, error in errors.items()}
    beyond = max(0.0, flipped - ties.flipped)
    return NoiseSource(source, sample, is_present, paired, sizes, beyond)


def _stage(chips: range) -> str:
    """Progress label of a block of chips."""
    if chips.start == 0:
        return f"{len(chips)} chips"
    return f"chips {chips.start + 1} to {chips.stop}"
