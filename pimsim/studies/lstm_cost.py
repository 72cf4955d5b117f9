"""Energy, area and time of one LSTM on several chips, beside published chips."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pimsim import __version__
from pimsim.cost.area import total_area
from pimsim.files import is_file
from pimsim.report.documents import ChipsDocument
from pimsim.report.documents.reproduction import ChipRow, PublishedChip
from pimsim.studies.document import assumed_of
from pimsim.studies.lstm import SOURCE, Variant, lacking_error, of_bits
from pimsim.studies.options import RunOptions
from pimsim.studies.origin import origin
from pimsim.studies.plan import plan
from pimsim.studies.prepare import Shared
from pimsim.studies.progress import Progress, labelled, silent
from pimsim.studies.run import RunResult, measure, price

# the paper's chip, one of 8 bits with slices and serial bits, and a digital accelerator
CHIPS = ("lstm_4b_16nm", "adc_pim_16nm", "digital_8b_16nm")
DEVICE = "reram"
FEW, MANY = of_bits(4), of_bits(8)
# 4 bits on all of them, 8 where they have them
RUNS = ((CHIPS[0], FEW), (CHIPS[1], FEW), (CHIPS[1], MANY), (CHIPS[2], FEW), (CHIPS[2], MANY))

TABLE = "Yang et al., Nature Communications 2025 (s41467-025-56254-6), Table 1"
TERA = 1e12
PUBLISHED = (
    ("LSTM, RRAM with nonlinear ADCs, 16 nm, 5 bits", (31.0, 31.0), 0.003),
    ("the same with 8 bits", (4.0, 4.0), 0.003),
    ("PCM, 14 nm (Nature 2023)", (6.94, 6.94), 111.2),
    ("PCM, 64 cores (Nature Electronics 2023)", (1.96, 1.96), 144.0),
    ("digital (VLSI 2017)", (1.28, 1.28), 19.0),
    ("digital (JSSC 2020)", (2.45, 8.93), 7.74),
    ("digital (CICC 2018)", (1.11, 1.11), 0.93),
)
SAYS = (
    "At least 2.4 times the computing efficiency and 40 times the area efficiency of GPU, FPGA and "
    "ASIC.",
)
OUR_CHOICE = (
    "Chips, their node of 16 nm and all circuits: the paper's could not be read. The digital "
    "accelerator has 8-bit multipliers, and reads weights from SRAM for every product.",
    "An operation is a multiplication or an addition; throughput over area is that of sequences in "
    "a row, without gaps.",
    "Published chips have other bits, nodes and networks: rows of one table, not one comparison.",
)


def cost_variants() -> tuple[Variant, ...]:
    """Networks that the table needs."""
    return FEW, MANY


def chips_document(
    networks: Path,
    options: RunOptions,
    runs: Sequence[tuple[str, Variant]] = RUNS,
    progress: Progress = silent,
) -> ChipsDocument:
    """Run each network on its chip, and put down what it costs.

    Parameters
    ----------
    networks : Path
        Folder of the networks.
    options : RunOptions
        With `data`; network, chip and device are those of the table.

    Raises
    ------
    PimsimError
        If a network is missing, or does not fit.
    """
    begin, shared, found = time.perf_counter(), Shared(), []
    for chip, variant in runs:
        path = networks / f"{variant.name}.safetensors"
        if not is_file(path):
            raise lacking_error(networks, [variant])
        chosen = RunOptions(
            network=path,
            chip=chip,
            device=DEVICE,
            data=options.data,
            chips=options.chips,
            seed=options.seed,
            limit=options.limit,
            threads=options.threads,
            noise_sources=False,
        )
        planned = plan(None, chosen, shared)
        measured = measure(planned, labelled(progress, f"{variant.name} on {chip}"))
        found.append((variant, price(planned, measured)))
    first = found[0][1]
    said: dict[str, Any] = {
        "pimsim": __version__,
        "name": "lstm_cost",
        "title": "One LSTM on three chips",
        "source": SOURCE,
        "paper_says": list(SAYS),
        "our_choice": list(OUR_CHOICE),
        "data": first.prepared.data.name,
        "is_synthetic_data": first.prepared.data.is_synthetic,
        "n_sequences": len(first.prepared.data),
        "seed": first.plan.setup.run.seed,
        "wall_s": time.perf_counter() - begin,
        "networks": {v.name: result.prepared.network_digest for v, result in found},
        "provenance": origin(),
        "metric": first.plan.metric.key,
    }
    published = [
        PublishedChip(
            name=name,
            operations_per_joule=(low * TERA, high * TERA),
            area_m2=area * 1e-6,
            source=TABLE,
        )
        for name, (low, high), area in PUBLISHED
    ]
    points = [_row(variant, result) for variant, result in found]
    return ChipsDocument(**said, points=points, published=published)


def _row(variant: Variant, result: RunResult) -> ChipRow:
    macro, _, chip = result.scopes
    steps = result.prepared.network.input.n_steps(result.prepared.data.features.shape)
    timing, area = result.timing, total_area(result.area)
    each = timing.interval_s
    return ChipRow(
        chip=result.plan.setup.chip.name,
        network=variant.name,
        operands=macro.operands,
        value=result.sample.mean,
        energy_per_step_j=chip.energy / steps,
        energy_per_inference_j=chip.energy,
        step_s=each / steps,
        latency_s=timing.first_s,
        area_m2=area,
        operations_per_joule=result.operations / chip.energy,
        macro_operations_per_joule=macro.operations / macro.energy,
        operations_per_second_per_m2=result.operations / each / area,
        assumed=assumed_of(result),
    )
