"""Documents with one value that no document of pimsim holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]
NUMBERS = [0, -1, 1, 10**400, -(10**400), float("nan"), float("inf"), 1e300, 5e-324, -1e-30]
OTHERS = [
    None,
    True,
    "\ud800",
    "\x1b[31m",
    "\u202e",
    "x" * 300,
    "=1+1",
    [],
    {},
    [{}],
    {"a": {"b": []}},
    DEEP,
]


def damaged(tree: Any) -> Iterator[tuple[str, Any]]:
    """Trees with another value at one place, or none, and which; lists at their first entry."""
    for path, value in _places(tree, ()):
        name = ".".join(map(str, path))
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        hostile = [*NUMBERS, *OTHERS] if is_number or value is None else [*NUMBERS[:7:3], *OTHERS]
        for other in hostile:
            if not _same(other, value):
                yield f"{name} = {str(other)[:30]!r}", _with(tree, path, other)
        yield f"{name} left out", _with(tree, path, ...)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _places(tree: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if path:
        yield path, tree
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _places(value, (*path, key))
    elif isinstance(tree, list) and tree:
        yield from _places(tree[0], (*path, 0))


def _with(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a tree with another value at a path; without it where the value is `...`."""
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    first, *rest = path
    if rest:
        copy[first] = _with(tree[first], tuple(rest), value)
    elif value is ...:
        del copy[first]
    else:
        copy[first] = value
    return copy
