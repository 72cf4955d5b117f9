"""Ways through a chip that part and meet again, as around a residual connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from pimsim.chip.demand import Demand


class Reader(Protocol):
    """A component, as far as its tokens go."""

    @property
    def name(self) -> str: ...

    @property
    def sources(self) -> tuple[str, ...]: ...

    @property
    def demand(self) -> Demand: ...


def tokens_ahead(source: str, target: Reader, components: Mapping[str, Reader]) -> int:
    """Most tokens of a source that wait at its reader for those that come on a longer way.

    Where ways part and meet again, as around a residual connection, the source must go on before
    its first tokens are used.
    """
    of_source = target.demand.readings[target.sources.index(source)]
    released, most = [0, *of_source.releases[:-1]], 0
    for name, reading in zip(target.sources, target.demand.readings, strict=False):
        if name != source:
            needed = _needed(source, components[name], reading.needs, components)
            most = max(most, max(n - gone for n, gone in zip(needed, released, strict=True)))
    return most


def _needed(
    source: str, component: Reader, tokens: Sequence[int], components: Mapping[str, Reader]
) -> list[int]:
    """Tokens of a source that a component takes to emit so many of its own, each."""
    if component.name == source:
        return list(tokens)
    emitted = np.cumsum(component.demand.emits)
    last = np.searchsorted(emitted, tokens)
    most = [0] * len(tokens)
    for name, reading in zip(component.sources, component.demand.readings, strict=False):
        own = [reading.needs[index] for index in last]
        found = _needed(source, components[name], own, components)
        most = [max(pair) for pair in zip(most, found, strict=True)]
    return most
