"""Every study on a model, for kinds that a test file brings along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import pimsim
import pimsim.workload
from pimsim.config import bundled_root
from pimsim.report.floorplan import draw_floorplan
from pimsim.report.html import PAGE
from pimsim.studies.floorplan import floorplan
from pimsim.studies.prepare import prepare
from pimsim.studies.trace import write_trace
from pimsim.studies.vectors import write_vectors

SOURCED = {"source": "a test", "certainty": "assumed"}


def chip_file(folder: Path, **blocks: Any) -> str:
    """A chip file like the bundled one, with entries of its blocks replaced."""
    chip = yaml.safe_load((bundled_root() / "hwconfigs/chips/ba_mlw_16nm.yaml").read_text())
    chip["technology"] = "16nm"
    for name, entries in blocks.items():
        chip[name] = chip[name] | SOURCED | entries
    path = folder / "toy_chip.yaml"
    path.write_text(yaml.safe_dump(chip))
    return str(path)


class Walk:
    """Results of all studies of a model.

    Attributes
    ----------
    ideal, run : pimsim.Run
        Without and with noise, two chips on six sequences.
    drawn : set of str
        Components on the floorplan.
    events : list of dict
        Of the Perfetto trace.
    arrays : dict
        Of the test vectors.
    page : str
    """

    def __init__(self, model: Path, folder: Path, chip: str = "ba_mlw_16nm") -> None:
        options = {"chip": chip, "limit": 6, "keep_bits": True, "contributions": False}
        self.ideal = pimsim.run(model, ideal=True, **options)
        self.run = pimsim.run(model, chips=2, **options)
        self.run.save(folder / "run")
        self.page = (folder / "run" / PAGE).read_text()
        prepared = prepare(model, {"chip": chip, "limit": 6})
        plan, _ = floorplan(prepared)
        draw_floorplan(plan, "toy", folder / "plan.svg")
        self.drawn = {rectangle.kind for rectangle in plan.rectangles}
        for form in ("perfetto", "vcd"):
            write_trace(prepared, folder / f"trace.{form}", form, (0, None))
        self.events = json.loads((folder / "trace.perfetto").read_text())["traceEvents"]
        write_vectors(prepared, 0, 2, folder / "vectors.npz")
        with np.load(folder / "vectors.npz") as stored:
            self.arrays = dict(stored)

    def exact(self) -> pimsim.workload.ExactRun:
        """The exact network on the same sequences."""
        prepared = self.ideal.simulated.prepared
        return pimsim.workload.run_reference(prepared.network, prepared.data.features)

    def equals_the_exact_network(self) -> bool:
        """Whether the ideal chip gives the bits of the exact network, and the drawn ones run."""
        exact, bits = self.exact().bits, self.ideal.simulated.chips.bits
        assert exact.keys() == bits.keys()
        return all(np.array_equal(bits[name][0], exact[name]) for name in exact)
