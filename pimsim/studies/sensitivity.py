"""Effect of a step of each parameter of a device and a chip on accuracy, energy, area and time.

One parameter is changed at a time, down and up by the same share; all others stay. The chips that
are drawn are the same ones, so that changes of accuracy are paired.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

from pimsim import __version__
from pimsim.config.source import YamlSource, dotted
from pimsim.config.sources import block_sources
from pimsim.errors import ConfigError, PimsimError, Place, nearest
from pimsim.report.documents import Origin, RunDocument, SensitivityDocument
from pimsim.report.documents.sensitivity import FiguresFacts, ParameterFacts, StepFacts
from pimsim.report.provenance import assumed_figures
from pimsim.studies.axes import Point
from pimsim.studies.options import DEFAULTS, RunOptions
from pimsim.studies.origin import origin
from pimsim.studies.prepare import Model, Prepared, Shared, prepare
from pimsim.studies.progress import Progress, silent
from pimsim.studies.sweep import Compute, compute_here, run_points
from pimsim.workload.metrics import METRICS

_QUANTITY = re.compile(
    r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?)(.*)", re.I | re.S
)
_LEFT_OUT = ("schema", "name", "description", "source", "certainty")
DEFAULT_STEP = 0.1


class Parameter(NamedTuple):
    """A number of a hardware file, or a list of them, which are changed together.

    Attributes
    ----------
    key : str
        As `--set` takes it, such as `chip.read_out.raw_offset`.
    value, low, high : str
        As a file has it: now, a step down, a step up.
    certainty : str or None
    """

    key: str
    value: str
    low: str
    high: str
    certainty: str | None


def parameters_of(prepared: Prepared, step: float, keys: Sequence[str] = ()) -> list[Parameter]:
    """Numbers of the device and the chip that are not 0; or those of some keys or blocks.

    Parameters
    ----------
    step
        Relative; a number of things changes by one at least.
    keys
        Such as `chip.array.rows`, `device.states`, `technology`; all of device and chip if empty.

    Raises
    ------
    ConfigError
        If a key names no number.
    """
    setup = prepared.setup
    sources: dict[str, tuple[YamlSource, Any]] = {
        "device": (setup.device_source, setup.device),
        "chip": (setup.chip_source, setup.chip),
        "technology": (setup.technology_source, setup.technology),
    }
    if prepared.layout.cells.without_device:
        del sources["device"]
    found: list[Parameter] = []
    for root, (source, described) in sources.items():
        certainty = {entry.block: entry.certainty.value for entry in block_sources(described)}
        for at, value in _numbers(source.tree, ()):
            low, high = (_scaled(value, factor) for factor in (1 - step, 1 + step))
            if _text(value) not in (low, high):
                key = dotted((root, *at))
                found.append(
                    Parameter(key, _text(value), low, high, certainty.get(str(at[0])))
                )  # fmt: skip
    if not keys:
        return [one for one in found if not one.key.startswith("technology.")]
    for key in keys:
        if not any(_is_within(one.key, key) for one in found):
            raise ConfigError(
                "names no number of the device, the chip or the technology",
                place=Place("--key", None, key),
                remedy=nearest(key, [one.key for one in found]),
            )
    return [one for one in found if any(_is_within(one.key, key) for key in keys)]


def _is_within(key: str, block: str) -> bool:
    return key == block or key.startswith((f"{block}.", f"{block}["))


def _numbers(tree: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Numbers and quantities below a key that are not 0; a list of them is one."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key not in _LEFT_OUT:
                yield from _numbers(value, (*at, key))
    elif isinstance(tree, list):
        if tree and all(_number_of(value) is not None for value in tree):
            yield at, tree
    elif _number_of(tree):
        yield at, tree


def _number_of(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if not isinstance(value, str):
        return float(value)
    # words such as 16nm name files; a quantity has its unit after a blank
    found = _QUANTITY.fullmatch(value)
    is_quantity = found is not None and (not found[2] or found[2][0] in " %")
    return float(found[1]) if found is not None and is_quantity else None


def _scaled(value: Any, factor: float) -> str:
    """A number times a factor, as a file has it; a whole number changes by one at least."""
    if isinstance(value, list):
        return f"[{', '.join(_scaled(one, factor) for one in value)}]"
    if isinstance(value, int):
        change = value * (factor - 1)
        least = math.copysign(max(1, round(abs(change))), change)
        return str(value + int(least))
    if isinstance(value, float):
        return f"{value * factor:.12g}"
    found = _QUANTITY.fullmatch(value)
    assert found is not None
    return f"{float(found[1]) * factor:.12g}{found[2]}"


def _text(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def sensitivity(
    model: Model,
    folder: Path,
    *,
    step: float = DEFAULT_STEP,
    keys: Sequence[str] = (),
    options: RunOptions = DEFAULTS,
    compute: Compute = compute_here,
    progress: Progress = silent,
) -> SensitivityDocument:
    """Run a model as it is, and with each parameter a step down and a step up.

    Parameters
    ----------
    folder
        Receives points/<key>.json as soon as a run is done; what is there is not run again.
    step, keys
        As of `parameters_of`.
    options
        Of all runs.

    Raises
    ------
    PimsimError
        If the model cannot be run, or a key names no number.

    Notes
    -----
    The interval of a change is Student's t over the chips, of the differences of each chip. It does
    not cover other sequences.
    """
    shared = Shared()
    chosen = replace(options, noise_sources=False, keep_bits=False)
    prepared = prepare(model, chosen.replaced_keys(), chosen.assignments, shared)
    parameters = parameters_of(prepared, step, keys)
    points: list[Point] = [{}]
    refused: dict[tuple[str, str], str] = {}
    for one in parameters:
        for value in (one.low, one.high):
            text = f"{one.key}={value}"
            try:
                prepare(model, chosen.replaced_keys(), (*chosen.assignments, text), shared)
                points.append({one.key: value})
            except PimsimError as error:
                refused[one.key, value] = error.texts[0]
    run_keys, finished, failed = run_points(
        model, points, folder, lambda report: report, options=chosen, compute=compute,
        progress=progress, shared=shared,
    )  # fmt: skip
    if run_keys[0] not in finished:
        raise PimsimError(failed[run_keys[0]])
    base = finished[run_keys[0]]
    at = {tuple(point.items()): key for point, key in zip(points, run_keys, strict=True)}

    def facts(one: Parameter, value: str) -> StepFacts:
        key = at.get(((one.key, value),), "")
        error = refused.get((one.key, value)) or failed.get(key)
        return StepFacts(value=value, error=error) if error else _step(value, finished[key], base)

    rows = [(one, facts(one, one.low), facts(one, one.high)) for one in parameters]
    listed = [
        ParameterFacts(
            key=one.key, value=one.value, certainty=one.certainty, low=low, high=high,
            influence=max(_influence(low, base), _influence(high, base)),
        )
        for one, low, high in rows
    ]  # fmt: skip
    return SensitivityDocument(
        pimsim=__version__,
        model=str(model) if isinstance(model, str | Path) else model.name,
        metric=base.metric.key,  # type: ignore[arg-type]
        step=step,
        n_chips=base.run.n_chips,
        base=FiguresFacts(
            metric=base.measured.mean,
            energy_per_inference_j=base.energy.per_inference_j,
            area_m2=base.area.total_m2,
            interval_s=base.latency.interval_s,
            assumed=assumed_figures(base.provenance),
        ),
        is_synthetic_data=base.run.is_synthetic_data,
        parameters=sorted(listed, key=lambda one: -one.influence),
        provenance=Origin(**origin()),
    )


def _step(value: str, report: RunDocument, base: RunDocument) -> StepFacts:
    own, other = (np.array(found.measured.per_chip) for found in (report, base))
    half = None
    if len(own) == len(other) > 1:
        n = len(own)
        half = float(stdtrit(n - 1, 0.975) * (own - other).std(ddof=1) / math.sqrt(n))
    return StepFacts(
        value=value,
        metric_change=report.measured.mean - base.measured.mean,
        metric_ci95_half_width=half,
        energy_percent=_percent(report.energy.per_inference_j, base.energy.per_inference_j),
        area_percent=_percent(report.area.total_m2, base.area.total_m2),
        interval_percent=_percent(report.latency.interval_s, base.latency.interval_s),
    )


def _percent(value: float, base: float) -> float:
    return 100 * (value / base - 1)


def _influence(step: StepFacts, base: RunDocument) -> float:
    """Largest change of any figure; of the metric, only what is beyond its interval."""
    costs = (step.energy_percent, step.area_percent, step.interval_percent)
    factor = METRICS[base.metric.key].factor if step.is_significant else 0.0
    return max(*(abs(cost or 0.0) for cost in costs), factor * abs(step.metric_change or 0.0))
