"""Operations gathered into what one layer of a chip does: a sum, then a function of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pimsim.importers.ops import (
    INPUT,
    Activation,
    Add,
    Conv,
    Dense,
    NetworkImportError,
    Norm,
    Op,
    Pool,
    Quantise,
    Trained,
)


@dataclass
class Group:
    """A layer.

    Attributes
    ----------
    head : Op or None
        Operation that gives its sums; None where only a function of one signal follows.
    source : tuple of str
        Names of the groups' last operations that it reads.
    norms : list of Norm
        Scales and shifts of each channel, before the pool.
    pool : Pool or None
        Largest value of windows.
    norms_after : list of Norm
        Scales and shifts between pool and activation.
    activation : Activation or None
    rescale : list of Norm
        Scales, above 0, and shifts after the activation.
    quantise : Quantise or None
    names : list of str
        Operations in it; the last one is the group's name for its readers.
    """

    head: Op | None
    source: tuple[str, ...]
    norms: list[Norm] = field(default_factory=list)
    pool: Pool | None = None
    norms_after: list[Norm] = field(default_factory=list)
    activation: Activation | None = None
    rescale: list[Norm] = field(default_factory=list)
    quantise: Quantise | None = None
    names: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def title(self) -> str:
        """Name of the operation that gives its sums, for the node of the network."""
        return self.names[0]

    @property
    def is_linear(self) -> bool:
        """Whether no activation and no rounding follows its sums."""
        return self.activation is None and self.quantise is None and self.pool is None

    def takes(self, op: Op) -> bool:
        """Whether an operation that reads the group alone belongs to it; if so, it is added."""
        if self.head is not None and not isinstance(self.head, Dense | Conv | Add):
            return False
        if isinstance(op, Norm) and self.quantise is None:
            if self.activation is None:
                (self.norms if self.pool is None else self.norms_after).append(op)
            elif (np.asarray(op.scale) > 0).all():
                self.rescale.append(op)
            else:
                return False
        elif isinstance(op, Activation) and self.activation is None and self.quantise is None:
            self.activation = op
        elif isinstance(op, Quantise) and self.quantise is None:
            self.quantise = op
        elif isinstance(op, Pool) and op.kind == "max" and self.is_linear and self.head is not None:
            self.pool = op
        else:
            return False
        self.names.append(op.name)
        return True


def groups_of(trained: Trained) -> list[Group]:
    """Groups in order; each reads groups before it, or the input.

    Raises
    ------
    NetworkImportError
        If an operation reads one that does not come before it.
    """
    readers: dict[str, int] = {}
    for op in trained.ops:
        for name in op.inputs:
            readers[name] = readers.get(name, 0) + 1
    found: list[Group] = []
    of_name: dict[str, Group] = {}
    for op in trained.ops:
        missing = [name for name in op.inputs if name not in of_name and name != INPUT]
        if missing:
            raise NetworkImportError(f"{op.name} reads {missing[0]}, which does not come before it")
        before = of_name.get(op.inputs[0])
        is_function = isinstance(op, Norm | Activation | Quantise | Pool)
        alone = is_function and before is not None and readers[op.inputs[0]] == 1
        if alone and before is not None and before.name == op.inputs[0] and before.takes(op):
            of_name[op.name] = before
            continue
        sources = tuple(of_name[name].name if name in of_name else INPUT for name in op.inputs)
        if isinstance(op, Norm | Activation | Quantise):
            group = Group(None, sources)
            group.takes(op)
        else:
            group = Group(op, sources, names=[op.name])
        found.append(group)
        of_name[op.name] = group
    return found
