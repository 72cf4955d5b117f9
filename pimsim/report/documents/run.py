"""The document of a run: report.json, schema 1 (docs/report.md)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from pimsim.report.documents.base import (
    Document,
    Part,
    PerSecond,
    Second,
)
from pimsim.report.documents.costs import (
    AreaFacts,
    CheckFacts,
    EfficiencyFacts,
    EnergyFacts,
    LatencyFacts,
    PlacementFacts,
    ProgrammingFacts,
)
from pimsim.report.documents.decisions import ClassesFacts, SumsFacts
from pimsim.report.documents.electrical import ElectricalFacts
from pimsim.report.documents.layers import FloorplanFacts, LayerFacts, TimelineFacts
from pimsim.report.documents.measured import (
    MetricFacts,
    OfMetric,
    require_one_metric,
    without_absent,
)
from pimsim.report.documents.noise import NoiseFacts
from pimsim.report.documents.provenance import Provenance


class RunFacts(Part):
    """Network, chip, device and data of a run."""

    model: str = Field(description="name in the model file")
    network: str = Field(description="name in the network file")
    chip: str = Field(description="name in the chip file")
    device: str = Field(description="name in the device file")
    without_device: str = Field(
        default="",
        description="why the device file has no effect on a chip with cells of its own; else empty",
    )
    data: str = Field(description="name of the data set")
    data_description: str = Field(description="description of the data set")
    is_synthetic_data: bool = Field(
        description="true for speech from a synthesiser; such accuracies are not comparable with "
        "published ones"
    )
    n_sequences: int = Field(ge=1, description="clips, images or other samples run on each chip")
    n_chips: int = Field(
        ge=1, description="chips drawn; 1 where nothing that differs between chips is on"
    )
    seed: int = Field(description="seed of every random number")
    kernel: str = Field(
        description="inner loops that ran, several where layers differ "
        "([performance](performance.md)); results do not depend on it"
    )
    threads: int = Field(description="threads used; results do not depend on it")
    batch: int = Field(
        description="sequences per kernel call, which bound the memory; results do not depend on it"
    )
    wall_s: Second = Field(description="time of all simulations, single sources included")
    inferences_per_s: PerSecond = Field(
        description="inferences of the main run over its time, all threads together"
    )


class RunDocument(Document, OfMetric):
    """Results of a run, with everything needed to check and repeat it."""

    schema_: Literal[1] = Field(
        default=1,
        validation_alias="schema",
        serialization_alias="schema",
        description="1; a change that would break a reader raises it",
    )
    pimsim: str = Field(description="version that wrote it")
    run: RunFacts = Field(description="network, chip, device and data")
    accuracy: MetricFacts | None = Field(
        default=None, description="accuracy over chips, of networks that are measured by it"
    )
    bits_per_character: MetricFacts | None = Field(
        default=None,
        description="bits per character over chips, of networks that are measured by them; one "
        "of both keys is there",
    )
    classes: ClassesFacts | None = Field(
        default=None,
        description="classes taken for others; null where it is not accuracy that is measured, "
        "for more than 64 classes, and in documents of before",
    )
    noise: NoiseFacts = Field(description="noise of the run, and the effect of each source alone")
    sums: list[SumsFacts] = Field(
        default_factory=list,
        description="sums of each matrix that sense amplifiers decide, beside their thresholds; "
        "documents of before have none",
    )
    latency: LatencyFacts = Field(description="duration of inferences on the chip")
    energy: EnergyFacts = Field(description="energy of the counted actions")
    area: AreaFacts = Field(description="area and leakage of the chip")
    efficiency: EfficiencyFacts = Field(description="operations per second, joule and area")
    programming: ProgrammingFacts | None = Field(
        default=None, description="writing the network into the chip; null in documents of before"
    )
    electrical: list[ElectricalFacts] = Field(
        default_factory=list,
        description="electrical chain of each weight matrix; documents of before have none",
    )
    plausibility: list[CheckFacts] = Field(description="whether such a chip can be built")
    actions: dict[str, dict[str, int]] = Field(description="number of actions of each component")
    placement: list[PlacementFacts] = Field(description="arrays of each layer")
    layers: list[LayerFacts] = Field(
        default_factory=list,
        description="energy and area layer by layer; documents of before have none",
    )
    floorplan: FloorplanFacts | None = Field(
        default=None,
        description="sketch of the chip; null where it has more than 2000 parts, and in documents "
        "of before",
    )
    timeline: TimelineFacts | None = Field(
        default=None, description="the first inference; null in documents of before"
    )
    provenance: Provenance = Field(description="files, sources and versions behind the numbers")

    @model_validator(mode="after")
    def _one_metric(self) -> RunDocument:
        require_one_metric(self)
        return self

    @model_serializer(mode="wrap")
    def _own_metric(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_absent(self, handler(self))

    @property
    def n_inferences(self) -> int:
        """Inferences of the main run: chips x reads x sequences."""
        return self.run.n_chips * self.measured.n_reads * self.run.n_sequences

    @property
    def doubtful(self) -> list[CheckFacts]:
        """Limits that are not kept."""
        return [check for check in self.plausibility if not check.passes]
