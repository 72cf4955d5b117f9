"""YAML files as trees that keep the line of every value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pimsim.config.scalars import MAX_NUMBER_LENGTH, NUMBERS, TAGS, Loader, value_of
from pimsim.errors import ConfigError, Place, shown, unprintable
from pimsim.files import open_regular

# pimsim's own files are below 20 kB; reading takes seconds from a megabyte on
MAX_FILE_BYTES = 200_000
MAX_VALUES = 20_000
MAX_DEPTH = 24
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
KeyPath = tuple[str | int, ...]


@dataclass
class YamlSource:
    """A YAML file as plain data, with the line of each key path.

    `overrides` keeps which option changed what, so that errors can say so.  `written` keeps
    the names that keys have in the file, or in the option, where they were translated.
    `is_file` is False for what was given without a file: `path` is then a name in words.
    `sha256` is that of the bytes that were read; without a file there is none.
    """

    path: Path
    tree: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    overrides: dict[KeyPath, str] = field(default_factory=dict)
    written: dict[KeyPath, KeyPath] = field(default_factory=dict)
    is_file: bool = True
    sha256: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the file as it was read, or of the content as JSON without a file."""
        if self.sha256 is not None:
            return self.sha256
        return hashlib.sha256(json.dumps(self.tree, sort_keys=True).encode()).hexdigest()

    def place(self, key_path: KeyPath) -> Place:
        """File, line and dotted key of a value, or the override that set it."""
        key = dotted(self.as_written(key_path))
        for cut in range(len(key_path), 0, -1):
            if key_path[:cut] in self.overrides:
                return Place(self.overrides[key_path[:cut]], None, key)
        for path, option in self.overrides.items():
            # an option that changed something below this key, or brought the key into being
            if path[: len(key_path)] == key_path and (
                len(key_path) > 1 or key_path not in self.lines
            ):
                return Place(option, None, key)
        for cut in range(len(key_path), -1, -1):
            if key_path[:cut] in self.lines:
                return Place(self.path, self.lines[key_path[:cut]], key)
        return Place(self.path, None, key)

    def as_written(self, key_path: KeyPath) -> KeyPath:
        """Key path under which the user wrote a value."""
        for cut in range(len(key_path), 0, -1):
            if key_path[:cut] in self.written:
                return self.written[key_path[:cut]] + key_path[cut:]
        return key_path

    def copy(self, old: KeyPath, new: KeyPath) -> None:
        """Let a value stand at another place too, with its lines and overrides."""
        value, target = self.tree, self.tree
        for key in old:
            value = value[key]
        for key in new[:-1]:
            target = target.setdefault(key, {})
        target[new[-1]] = value
        tables: tuple[dict[KeyPath, Any], ...] = (self.lines, self.overrides)
        for table in tables:
            below = {path: told for path, told in table.items() if path[: len(old)] == old}
            table.update({new + path[len(old) :]: told for path, told in below.items()})
        self.written[new] = old

    def remove(self, key_path: KeyPath) -> Any:
        """Take a value out, and return it."""
        parent = self.tree
        for key in key_path[:-1]:
            parent = parent[key]
        tables: tuple[dict[KeyPath, Any], ...] = (self.lines, self.overrides)
        for table in tables:
            for path in [path for path in table if path[: len(key_path)] == key_path]:
                del table[path]
        return parent.pop(key_path[-1])

    def override(self, key_path: tuple[str, ...], text: str, option: str) -> None:
        """Replace one value by the YAML in `text`, as the command line's `option` says."""
        place = Place(option)
        try:
            node = yaml.compose(text, Loader=Loader)
            value = None if node is None else _plain(node, (), YamlSource(Path(option), None))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise ConfigError("is no YAML value", place=place) from error
        except ConfigError as error:
            raise ConfigError(error.message, place=place) from error
        parent = self.tree
        for key in key_path[:-1]:
            step: Any = int(key) if isinstance(parent, list) and key.isdigit() else key
            try:
                parent = parent.setdefault(step, {}) if isinstance(parent, dict) else parent[step]
            except (IndexError, TypeError) as error:
                raise ConfigError("names no such key", place=place) from error
        last = key_path[-1]
        if isinstance(parent, dict):
            parent[last] = value
        elif isinstance(parent, list) and last.isdigit() and int(last) < len(parent):
            parent[int(last)] = value
        else:
            raise ConfigError("names no such key", place=place)
        changed = _as_indices(self.tree, key_path)
        earlier = self.overrides.get(changed, "")
        if earlier.startswith("--set") and option.startswith("--set"):
            raise ConfigError(
                f"sets {dotted(changed)}, which {earlier} sets too",
                place=place,
                remedy="Keep one of both",
            )
        self.overrides[changed] = option
        self.written[changed] = changed


def dotted(key_path: KeyPath) -> str:
    """Text of a key path: `levels[2].mean` for ("levels", 2, "mean")."""
    text = ""
    for key in key_path:
        text += f"[{key}]" if isinstance(key, int) else (f".{key}" if text else str(key))
    return text


def read_yaml(path: Path) -> YamlSource:
    """Read a YAML file.

    Raises
    ------
    ConfigError
        If the file is missing, too large, no YAML, nested without end, or holds
        a key twice or half of a character.
    """
    place = Place(path)
    try:
        with open_regular(path, "a YAML file", MAX_FILE_BYTES) as file:
            content = file.read()
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(
            "is not UTF-8 text", place=place, remedy="A YAML file is expected here"
        ) from error
    source = YamlSource(path, None, sha256=hashlib.sha256(content).hexdigest())
    try:
        node = yaml.compose(text, Loader=Loader)
        if node is None:
            raise ConfigError("is empty", place=place)
        source.tree = _plain(node, (), source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise ConfigError(
            f"is no valid YAML: {error.problem or error.context}", place=Place(path, line)
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"is no valid YAML: {error}", place=place) from error
    if not isinstance(source.tree, dict):
        raise ConfigError("must hold keys and values at its top level", place=place)
    return source


def _plain(node: yaml.Node, at: KeyPath, source: YamlSource) -> Any:
    """Convert a YAML node to plain data; an anchored node counts every time it is used."""
    source.lines[at] = node.start_mark.line + 1
    # one that holds itself is nested without end
    if len(at) > MAX_DEPTH or len(source.lines) > MAX_VALUES:
        raise ConfigError("is nested too deeply or too large", place=source.place(at))
    if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
        raise ConfigError(f"has the tag '{node.tag}', unknown here", place=source.place(at))
    if isinstance(node, yaml.MappingNode):
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node, at, source)
            if not isinstance(key, str):
                # `true:` and `1:` are names here
                key = str(key_node.value)
            here = (*at, key)
            if key in result:
                source.lines[here] = key_node.start_mark.line + 1
                raise ConfigError("stands here a second time", place=source.place(here))
            result[key] = _plain(value_node, here, source)
            source.lines[here] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*at, i), source) for i, item in enumerate(node.value)]
    return _scalar(node, at, source)


def _scalar(node: yaml.Node, at: KeyPath, source: YamlSource) -> Any:
    place = Place(source.path, node.start_mark.line + 1, dotted(at))
    if not isinstance(node, yaml.ScalarNode):
        raise ConfigError("has a key that is no plain word", place=place)
    if node.tag not in TAGS:
        raise ConfigError(f"has the tag '{node.tag}', unknown here", place=place)
    if node.tag in NUMBERS and len(node.value) > MAX_NUMBER_LENGTH:
        raise ConfigError("is too long for a number", place=place)
    try:
        value = value_of(node)
    except ValueError as error:
        kind = node.tag.rpartition(":")[2]
        raise ConfigError(f"is {shown(node.value)}, which is no {kind}", place=place) from error
    if isinstance(value, str) and (found := unprintable(value)):
        raise ConfigError(
            f"holds {found}, which is no letter, and would change what a terminal or a page shows",
            place=place,
            remedy="Leave it out",
        )
    return value


def _as_indices(tree: Any, key_path: tuple[str, ...]) -> KeyPath:
    result: list[str | int] = []
    for key in key_path:
        step: Any = int(key) if isinstance(tree, list) and key.isdigit() else key
        result.append(step)
        tree = tree[step]
    return tuple(result)
