"""A node of an ONNX graph; what its reader does not ask for is refused, never ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
from numpy.typing import NDArray

from pimsim.errors import Place, shown
from pimsim.importers.onnx.values import Constant, Signal, Tensor, whole_numbers
from pimsim.importers.ops import NetworkImportError, Op, Real

# attributes that change nothing in evaluation, or only the type of numbers
_IDLE = frozenset(("momentum", "is_test", "seed", "ratio", "consumed_inputs"))
Kind = TypeVar("Kind", bound=Op)


class Node:
    """A node with its inputs, for the function that reads its type of operation.

    Parameters
    ----------
    proto
    name
        Name that is unique in the file.
    inputs
        Tensors that it reads; None for one that is left out.
    version
        Version of the operator set that it belongs to.
    file
    ops
        Operations so far; `emit` appends to them.
    """

    def __init__(
        self,
        proto: onnx.NodeProto,
        name: str,
        inputs: list[Tensor | None],
        version: int,
        file: Path,
        ops: list[Op],
    ) -> None:
        self.proto = proto
        self.name = name
        self.type = proto.op_type
        self.version = version
        self._inputs = inputs
        self._file = file
        self._ops = ops
        self._attributes = {a.name: a for a in proto.attribute}
        self._unread = {i for i, tensor in enumerate(inputs) if tensor is not None}

    def refuse(self, message: str, remedy: str) -> NetworkImportError:
        """Error that names file, node and type of operation."""
        place = Place(self._file, key=f"node '{self.name}' ({self.type})")
        return NetworkImportError(message, place=place, remedy=remedy)

    @property
    def n_inputs(self) -> int:
        return len(self._inputs)

    def peek(self) -> list[Tensor]:
        """Inputs that are there, which do not count as read by this."""
        return [tensor for tensor in self._inputs if tensor is not None]

    @property
    def tensors(self) -> list[Tensor]:
        """All its inputs."""
        self._unread.clear()
        return [tensor for tensor in self._inputs if tensor is not None]

    def tensor(self, index: int) -> Tensor | None:
        """One of its inputs; None where it is left out."""
        self._unread.discard(index)
        return self._inputs[index] if index < len(self._inputs) else None

    def signal(self, index: int = 0) -> Signal:
        """An input that has to be a signal."""
        found = self.tensor(index)
        if not isinstance(found, Signal):
            raise self.refuse(
                f"reads a constant as its input {index}, where a signal is expected",
                "Export the network with its constants folded",
            )
        return found

    def constant(self, index: int, takes_sizes: bool = False) -> Constant | None:
        """An input that has to be a constant; None where it is left out."""
        found = self.tensor(index)
        if isinstance(found, Signal):
            raise self.refuse(
                f"takes its input {index} from the signal of '{found.op}', where a constant of the "
                "file is expected",
                "Two signals meet in Add and Concat only",
            )
        if found is not None and found.is_size and not takes_sizes:
            raise self.refuse(
                f"computes with the size of a signal in its input {index}",
                "Export the network with fixed sizes",
            )
        return found

    def numbers(self, index: int) -> Real:
        """A constant input of finite real numbers."""
        found = self.constant(index)
        if found is None:
            raise self.refuse(f"lacks its input {index}", "Export the network again")
        values = np.asarray(found.values)
        if values.dtype.kind not in "fiub":
            raise self.refuse(f"has {values.dtype} as its input {index}", "Give it real numbers")
        return self.finite(values, f"numbers in its input {index}")

    def finite(self, values: NDArray[Any], what: str) -> Real:
        """Values as float64; refused if any is infinite or no number."""
        with np.errstate(invalid="ignore"):  # of damaged files
            numbers = np.asarray(values, np.float64)
        if not np.isfinite(numbers).all():
            raise self.refuse(f"has {what} that are not finite", "Train the network anew")
        return numbers

    def attribute(self, name: str, default: Any = None) -> Any:
        """Value of an attribute; texts as str."""
        found = self._attributes.pop(name, None)
        if found is None:
            return default
        value = onnx.helper.get_attribute_value(found)
        if isinstance(value, bytes):
            return value.decode(errors="replace")
        if isinstance(value, list) and value and isinstance(value[0], bytes):
            return [text.decode(errors="replace") for text in value]
        return value

    def require(self, name: str, default: Any, remedy: str) -> None:
        """Refuse an attribute that differs from its usual value."""
        value = self.attribute(name, default)
        if value != default:
            raise self.refuse(f"has {name} = {shown(value)}; {default} is supported", remedy)

    def axes(self, rank: int, index: int = 1) -> list[int] | None:
        """Axes in an attribute or, in newer files, an input; counted from 0. None for no choice."""
        given = self.attribute("axes")
        if given is None and (found := self.constant(index)) is not None:
            given = whole_numbers(found)
        return None if given is None else [self.axis_of(axis, rank) for axis in given]

    def axis_of(self, axis: int, rank: int) -> int:
        """An axis counted from 0."""
        if not -rank <= axis < rank:
            raise self.refuse(f"names axis {axis} of {rank}", "Export the network again")
        return axis % rank

    def emit(self, kind: type[Kind], /, *signals: Signal, suffix: str = "", **fields: Any) -> str:
        """Append an operation that reads these signals; returns its name."""
        name = self.name + suffix
        self._ops.append(kind(name=name, inputs=tuple(s.op for s in signals), **fields))
        return name

    def check_all_read(self) -> None:
        """Refuse what the reader did not ask for, which would be ignored otherwise."""
        left = sorted(set(self._attributes) - _IDLE)
        if left:
            raise self.refuse(
                f"has an attribute '{left[0]}' that pimsim does not know",
                "Export the network for an older version of ONNX, up to opset 21",
            )
        if self._unread:
            raise self.refuse(
                f"has an input {min(self._unread)}, which is not supported",
                "Leave it out in the export",
            )
