"""Pools, and operations that move or drop axes."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import (
    ROW,
    Axis,
    Constant,
    Signal,
    Tensor,
    whole_numbers,
)
from pimsim.importers.onnx.windows import require_map, windows
from pimsim.importers.ops import Flatten, LastStep, Pool

_SIDES = {Axis.Y, Axis.X}
_FLATTENS = "Flatten whole maps to one row for each item, as nn.Flatten() does"


def max_pool(node: Node) -> Signal:
    """Largest value of windows."""
    return _pool(node, "max")


def average_pool(node: Node) -> Signal:
    """Mean of windows, without padding."""
    return _pool(node, "average")


def _pool(node: Node, kind: str) -> Signal:
    x = node.signal()
    require_map(node, x)
    size = list(node.attribute("kernel_shape", []))
    if len(size) != len(x.axes) - 2:
        raise node.refuse(f"has a window of {size} on {x}", "Export it again")
    node.require("ceil_mode", 0, "Use ceil_mode=False, and a size that windows fill")
    node.attribute("storage_order")  # of the indices, which nothing reads
    node.attribute("count_include_pad")  # there is no padding that it could count
    window = windows(node, x, size)
    if window.dilation != (1, 1):
        raise node.refuse(f"has dilations {window.dilation}", "Pool neighbouring places")
    if kind == "average" and any(window.padding):
        raise node.refuse(
            f"pads by {window.padding}, and averages over the padding or not",
            "Average without padding",
        )
    name = node.emit(
        Pool,
        x,
        kind=kind,
        size=_pair(size),
        stride=window.stride,
        padding=window.padding,
    )
    return Signal(name, x.axes, (*x.sizes[:2], *window.sizes))


def _pair(size: list[int]) -> tuple[int, int]:
    y, x = (1, *size)[-2:]
    return y, x


def global_pool(node: Node) -> Signal:
    """Mean or largest value of a whole map."""
    x = node.signal()
    require_map(node, x)
    return _whole(node, x, "max" if node.type == "GlobalMaxPool" else "average")


def reduce(node: Node) -> Signal:
    """ReduceMean and ReduceMax over all sides of a map."""
    x = node.signal()
    axes = node.axes(len(x.axes))
    keeps = bool(node.attribute("keepdims", 1))
    node.require("noop_with_empty_axes", 0, "Name the axes of the map's sides")
    reduced = set(range(len(x.axes)) if axes is None else axes)
    sides = {i for i, axis in enumerate(x.axes) if axis in _SIDES}
    dropped = {i for i in reduced if x.axes[i] is not Axis.SINGLE}
    if not sides or dropped != sides:
        named = ", ".join(str(x.axes[i]) for i in sorted(reduced)) or "no axes"
        raise node.refuse(
            f"reduces {x} over {named}",
            "Reduce over all sides of a map or sequence, as AdaptiveAvgPool2d(1) does; of time "
            "steps take the last one",
        )
    pooled = _whole(node, x, "max" if node.type == "ReduceMax" else "average")
    return pooled if keeps else _drop(node, pooled, reduced)


def _whole(node: Node, x: Signal, kind: str) -> Signal:
    sizes = tuple(1 if axis in _SIDES else size for axis, size in zip(x.axes, x.sizes, strict=True))
    return Signal(node.emit(Pool, x, kind=kind, size=None), x.axes, sizes)


def flatten(node: Node) -> Signal:
    """Flatten to one row for each item."""
    x = node.signal()
    axis = int(node.attribute("axis", 1))
    if node.axis_of(axis, len(x.axes)) != 1 or x.axes[0] is not Axis.BATCH:
        raise node.refuse(f"flattens {x} from axis {axis} on", _FLATTENS)
    return _flat(node, x)


def _flat(node: Node, x: Signal) -> Signal:
    if x.core == ROW:  # only axes of size 1 go
        return Signal(x.op, ROW, (x.sizes[0], x.channels), x.is_class)
    orders = {
        (Axis.BATCH, Axis.CHANNEL, Axis.X): True,
        (Axis.BATCH, Axis.CHANNEL, Axis.Y, Axis.X): True,
        (Axis.BATCH, Axis.X, Axis.CHANNEL): False,
        (Axis.BATCH, Axis.Y, Axis.X, Axis.CHANNEL): False,
    }
    if x.core not in orders:
        raise node.refuse(f"flattens {x}", _FLATTENS)
    name = node.emit(Flatten, x, channels_first=orders[x.core])
    return Signal(name, ROW, (x.sizes[0], prod(x.known[1:])))


def reshape(node: Node) -> Signal:
    """Reshape, where it flattens a signal, drops axes of size 1, or changes nothing."""
    x = node.signal()
    shape = node.constant(1, takes_sizes=True)
    keeps_zero = bool(node.attribute("allowzero", 0))
    target = [] if shape is None else whole_numbers(shape)
    wanted = [
        x.known[i] if size == 0 and not keeps_zero and i < len(x.known) else size
        for i, size in enumerate(target)
    ]
    total = prod(x.known)
    rest = prod(size for size in wanted if size != -1)
    if -1 in wanted and rest > 0 and total % rest == 0:
        wanted[wanted.index(-1)] = total // rest
    if wanted == list(x.known):
        return x
    single = {i for i, axis in enumerate(x.axes) if axis is Axis.SINGLE}
    axes, sizes = x.without(single)
    if wanted == [size or 1 for size in sizes]:
        return replace(x, axes=axes, sizes=sizes)
    items = x.known[0]
    if x.axes[0] is Axis.BATCH and wanted == [items, total // items]:
        return _flat(node, x)
    raise node.refuse(f"gives {x} the shape {target}", _FLATTENS)


def transpose(node: Node) -> Signal:
    """Transposition: axes keep their meaning, in another order."""
    x = node.signal()
    order = list(node.attribute("perm", range(len(x.axes))[::-1]))
    if sorted(order) != list(range(len(x.axes))):
        raise node.refuse(f"has perm = {order} for {x}", "Export it again")
    return replace(x, axes=tuple(x.axes[i] for i in order), sizes=tuple(x.sizes[i] for i in order))


def squeeze(node: Node) -> Signal:
    """Axes of size 1 dropped."""
    x = node.signal()
    axes = node.axes(len(x.axes))
    if axes is None:
        axes = [i for i, size in enumerate(x.sizes) if size == 1]
    return _drop(node, x, set(axes))


def _drop(node: Node, x: Signal, dropped: set[int]) -> Signal:
    """A signal without axes of size 1; a map of one place becomes a row."""
    axes, sizes = x.without(dropped)
    lost = {x.axes[i] for i in dropped} - {Axis.SINGLE}
    if any(x.sizes[i] != 1 for i in dropped) or not lost <= _SIDES or (lost and _SIDES & set(axes)):
        raise node.refuse(
            f"drops axes {sorted(dropped)} of {x}",
            "Drop the direction of a GRU, or both sides of a map of one place",
        )
    if not lost:
        return replace(x, axes=axes, sizes=sizes)
    return Signal(node.emit(Flatten, x, suffix=".row" if node.type != "Squeeze" else ""), axes,
                  sizes)  # fmt: skip


def unsqueeze(node: Node) -> Signal:
    """New axes of size 1."""
    x = node.signal()
    given = node.attribute("axes")
    if given is None and (found := node.constant(1)) is not None:
        given = whole_numbers(found)
    rank = len(x.axes) + len(given or [])
    new = {node.axis_of(axis, rank) for axis in given or []}
    old = iter(zip(x.axes, x.sizes, strict=True))
    both = [(Axis.SINGLE, 1) if i in new else next(old) for i in range(rank)]
    return replace(x, axes=tuple(a for a, _ in both), sizes=tuple(s for _, s in both))


def gather(node: Node) -> Signal:
    """The last time step, or the only entry of an axis."""
    x = node.signal()
    axis = node.axis_of(int(node.attribute("axis", 0)), len(x.axes))
    found = node.constant(1)
    index = None if found is None else np.asarray(found.values)
    if index is None or index.size != 1 or index.ndim > 1:
        raise node.refuse(f"selects several entries of {x}", "Select the last time step alone")
    at, size = int(index.ravel()[0]), x.sizes[axis]
    last = at == -1 or (size is not None and at == size - 1)
    kept = (Axis.SINGLE,) if index.ndim else ()
    axes = (*x.axes[:axis], *kept, *x.axes[axis + 1 :])
    sizes = (*x.sizes[:axis], *(1 for _ in kept), *x.sizes[axis + 1 :])
    if x.axes[axis] is Axis.SINGLE and at in (0, -1):
        return replace(x, axes=axes, sizes=sizes)
    if x.axes[axis] is not Axis.TIME or not last:
        raise node.refuse(
            f"selects entry {at} of the axis '{x.axes[axis]}' of {x}",
            "Select the last time step alone",
        )
    return Signal(node.emit(LastStep, x), axes, sizes)


def cut(node: Node) -> Signal:
    """Slice, where it takes the last time step."""
    x = node.signal()
    names = ("starts", "ends", "axes", "steps")
    given = [node.attribute(name) for name in names]
    for i, values in enumerate(given):
        found = node.constant(i + 1) if values is None else None
        given[i] = whole_numbers(found) if found is not None else values
    starts, ends, axes, steps = given
    axis = node.axis_of(axes[0] if axes else 0, len(x.axes))
    is_last = starts == [-1] and bool(ends) and ends[0] > 2**30 and steps in (None, [1])
    if x.axes[axis] is not Axis.TIME or not is_last:
        raise node.refuse(
            f"cuts {starts}..{ends} out of {x}", "Take the last time step, as with x[:, -1]"
        )
    name = node.emit(LastStep, x)
    both = [(Axis.SINGLE, 1) if i == axis else pair
            for i, pair in enumerate(zip(x.axes, x.sizes, strict=True))]  # fmt: skip
    return Signal(name, tuple(a for a, _ in both), tuple(s for _, s in both))


def shape(node: Node) -> Constant:
    """Sizes of a signal, which only shapes and states of zeros may use."""
    x = node.signal()
    known = np.array(x.known, np.int64)[node.attribute("start", 0) : node.attribute("end")]
    return Constant(known, is_size=True)


def same(node: Node) -> Tensor:
    """Identity; Dropout, which does nothing in evaluation."""
    if node.type == "Dropout":
        training = node.constant(2)
        node.constant(1)  # its ratio
        if training is not None and np.any(training.values):
            raise node.refuse(
                "is in training mode", "Export the network in evaluation mode, by model.eval()"
            )
    return node.signal()
