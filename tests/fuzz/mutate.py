"""Changed bytes and changed trees, and how deep the fuzz tests go."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# PIMSIM_FUZZ=5000 for a deep run
EXAMPLES = int(os.environ.get("PIMSIM_FUZZ", "0"))

NASTY = [
    None, True, False, 0, 1, -1, 2, 3, 255, 2**31, 2**63, -(2**63), 10**30, 1e308, 0.5, -0.0,
    float("nan"), float("inf"), "", "x", "1", "\ud800", "\x00", "a" * 300, "../../../etc/passwd",
    [], {}, [[]], {"a": 1}, [1, 2, 3],
]  # fmt: skip


def fuzz(max_examples: int) -> Any:
    """Settings of a fuzz test that tries so many examples, more where a deep run is asked for."""
    return settings(
        max_examples=EXAMPLES or max_examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not EXAMPLES,
    )


@st.composite
def changed_bytes(draw: Any, content: bytes, head: int = 600) -> bytes:
    """The content with bytes flipped, cut, doubled or put in; mostly near the head."""
    raw = bytearray(content)
    for _ in range(draw(st.integers(1, 5))):
        end = min(len(raw), head) if draw(st.integers(0, 3)) else len(raw)
        at = draw(st.integers(0, max(0, end - 1)))
        match draw(st.sampled_from(["set", "cut", "drop", "double", "put", "word"])):
            case "set" if raw:
                raw[at] = draw(st.integers(0, 255))
            case "cut":
                del raw[at:]
            case "drop":
                del raw[at : at + draw(st.integers(1, 40))]
            case "double":
                raw[at:at] = raw[at : at + draw(st.integers(1, 80))]
            case "put":
                raw[at:at] = draw(st.binary(max_size=20))
            case _:
                raw[at : at + 4] = draw(st.sampled_from([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff",
                                                         b"\x00\x00\x00\x80"]))  # fmt: skip
    return bytes(raw)


@st.composite
def changed_tree(draw: Any, tree: Any) -> Any:
    """A JSON tree with one value of it another, or a key less."""
    if isinstance(tree, (dict, list)) and tree and draw(st.integers(0, 9)):
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        key = draw(st.sampled_from(keys))
        copy = dict(tree) if isinstance(tree, dict) else list(tree)
        if draw(st.integers(0, 9)):
            copy[key] = draw(changed_tree(tree[key]))
        else:
            del copy[key]
        return copy
    return draw(st.sampled_from(NASTY))
