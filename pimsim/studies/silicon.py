"""Published silicon that a report shows beside the arrays of a run."""

from __future__ import annotations

from functools import cache

from pimsim.config import bundled_root, read_yaml, validate
from pimsim.config.silicon import SiliconConfig
from pimsim.report.documents.costs import FeatureExtractorFacts, SiliconFacts


@cache
def _read() -> SiliconConfig:
    return validate(read_yaml(bundled_root() / "hwconfigs" / "silicon.yaml"), SiliconConfig)


def published_silicon() -> list[SiliconFacts]:
    """Rows of hwconfigs/silicon.yaml, the least energy first."""
    return [
        SiliconFacts(
            name=array.name,
            node_m=array.node,
            kind=array.kind,
            energy_per_mac_j=array.energy_per_mac,
            cells_per_m2=None if array.cells_per_area is None else array.cells_per_area * 1e6,
            source=array.source,
            certainty=array.certainty.value,
        )
        for array in _read().arrays
    ]


def published_extractors() -> list[FeatureExtractorFacts]:
    """Published extractors of speech features in hwconfigs/silicon.yaml."""
    return [
        FeatureExtractorFacts(
            name=found.name,
            node_m=found.node,
            kind=found.kind,
            power_w=found.power,
            source=found.source,
            certainty=found.certainty.value,
        )
        for found in _read().feature_extractors
    ]
