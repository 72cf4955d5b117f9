"""Windows of convolutions and pools along the sides of a map or a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import FLAT_MAP, MAP, SEQUENCE, Signal

Pair = tuple[int, int]


class Windows(NamedTuple):
    """Windows as (y, x), and the sizes that they leave, as many as the signal has.

    Padding that is not equal on both sides is (top, left, bottom, right).
    """

    size: Pair
    stride: Pair
    padding: Pair | tuple[int, int, int, int]
    dilation: Pair
    sizes: tuple[int, ...]


def require_map(node: Node, x: Signal) -> None:
    """Refuse a signal that is no map or sequence with its channels first."""
    if x.axes not in (MAP, SEQUENCE, FLAT_MAP):
        raise node.refuse(
            f"reads {x}; it needs items, channels and the sides of a map or a sequence",
            "Transpose the signal to this order before it",
        )


def windows(node: Node, x: Signal, kernel: Sequence[int]) -> Windows:
    """Stride, padding and dilation from the attributes of a node."""
    n = len(x.axes) - 2
    sides = x.known[2:]
    stride = _sides(node, "strides", n)
    dilation = _sides(node, "dilations", n)
    pads = _padding(node, sides, kernel, stride, dilation)
    before, after = pads[:n], pads[n:]
    sizes = []
    for side, size, step, first, last, apart in zip(
        sides, kernel, stride, before, after, dilation, strict=True
    ):
        room = side + first + last - apart * (size - 1) - 1
        if size < 1 or room < 0:
            raise node.refuse(
                f"has a window of {list(kernel)} on {x}, which is smaller", "Use a smaller window"
            )
        sizes.append(room // step + 1)
    if x.axes == FLAT_MAP and (kernel[0] != 1 or before[0] or after[0]):
        raise node.refuse(
            f"has a window of {list(kernel)} on a sequence", "Use windows of height 1 on sequences"
        )
    return Windows(
        size=_pair(kernel, 1),
        stride=_pair(stride, 1),
        padding=_pair(before, 0) if before == after else (*_pair(before, 0), *_pair(after, 0)),
        dilation=_pair(dilation, 1),
        sizes=tuple(sizes),
    )


def _pair(values: Sequence[int], fill: int) -> Pair:
    """(y, x) of sides; a sequence has one row."""
    y, x = (fill, *values)[-2:]
    return y, x


def _sides(node: Node, name: str, n: int) -> list[int]:
    values = list(node.attribute(name, [1] * n))
    if len(values) != n or min(values, default=0) < 1:
        raise node.refuse(f"has {name} {values} for {n} sides", "Export it again")
    return values


def _padding(
    node: Node,
    sides: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    n = len(sides)
    pads = list(node.attribute("pads", [0] * (2 * n)))
    automatic = node.attribute("auto_pad", "NOTSET")
    if automatic == "VALID":
        pads = [0] * (2 * n)
    elif automatic in ("SAME_UPPER", "SAME_LOWER"):
        pads = []
        for side, size, step, apart in zip(sides, kernel, stride, dilation, strict=True):
            needed = max((-(-side // step) - 1) * step + apart * (size - 1) + 1 - side, 0)
            pads.append((needed // 2, needed - needed // 2))
        if automatic == "SAME_LOWER":
            pads = [(after, before) for before, after in pads]
        pads = [before for before, _ in pads] + [after for _, after in pads]
    elif automatic != "NOTSET":
        raise node.refuse(f"has auto_pad = '{automatic}'", "Give the padding in numbers")
    if len(pads) != 2 * n or min(pads) < 0:
        raise node.refuse(f"has pads {pads} for {n} sides", "Export it again")
    return pads
