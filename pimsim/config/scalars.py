"""Scalars of YAML 1.2, core schema: `010` is ten, `1:20` and `yes` are words.

The YAML library at hand reads version 1.1, where they are 8, 80 and true.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import yaml

MAX_NUMBER_LENGTH = 100
_TAG = "tag:yaml.org,2002:"
TEXT = f"{_TAG}str"
Value = None | bool | int | float | str


def _whole(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text, base)


def _real(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


# in the order in which a plain scalar is tried: tag -> its words, and what they mean
_KINDS: Mapping[str, tuple[re.Pattern[str], Callable[[str], Value]]] = {
    f"{_TAG}null": (re.compile(r"null|Null|NULL|~|"), lambda text: None),
    f"{_TAG}bool": (
        re.compile(r"true|True|TRUE|false|False|FALSE"),
        lambda text: text.lower() == "true",
    ),
    f"{_TAG}int": (re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), _whole),
    f"{_TAG}float": (
        re.compile(
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)"
            r"|\.(nan|NaN|NAN)"
        ),
        _real,
    ),
}
NUMBERS = (f"{_TAG}int", f"{_TAG}float")
TAGS = (*_KINDS, TEXT)


class Loader(yaml.SafeLoader):
    """Loader whose plain scalars get the tags of the core schema."""

    def resolve(self, kind: type[yaml.Node], value: object, implicit: object) -> str:
        """Tag of a node that has none."""
        if kind is not yaml.ScalarNode:
            return f"{_TAG}map" if kind is yaml.MappingNode else f"{_TAG}seq"
        is_plain = isinstance(implicit, tuple) and implicit[0]
        return _tag_of(str(value)) if is_plain else TEXT


def _tag_of(text: str) -> str:
    return next((tag for tag, (words, _) in _KINDS.items() if words.fullmatch(text)), TEXT)


def value_of(node: yaml.ScalarNode) -> Value:
    """Value of a scalar by its tag.

    Raises
    ------
    ValueError
        If its text is none of the words of its tag.
    """
    if node.tag == TEXT:
        return str(node.value)
    words, read = _KINDS[node.tag]
    if not words.fullmatch(node.value):
        raise ValueError(node.value)
    return read(node.value)


def whole_number(text: str) -> int:
    """A whole number as YAML 1.2 writes it, for options of commands.

    Raises
    ------
    ValueError
        If it is none, or as long as no number is.
    """
    if len(text) > MAX_NUMBER_LENGTH or _tag_of(text) != f"{_TAG}int":
        raise ValueError(text)
    return _whole(text)
