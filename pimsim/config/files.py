"""Hardware and model files of a study: each is found and read once."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

from pimsim.config.bundled import find_config
from pimsim.config.source import YamlSource, read_yaml
from pimsim.errors import Place
from pimsim.files import is_file


class Files:
    """YAML files of one study, as they were when it first asked for them.

    A file that is edited, moved or removed while the study goes on changes none of its points:
    neither the place of a name nor the content of a file is looked up again.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[str, str, Path | None], Path] = {}
        self._present: set[Path] = set()
        self._sources: dict[Path, YamlSource] = {}

    def find(self, name: str, kind: str, place: Place, base: Path | None = None) -> Path:
        """Path of a file or of a bundled one; see `pimsim.config.bundled.find_config`."""
        key = (name, kind, base)
        if key not in self._places:
            self._places[key] = find_config(name, kind, place, base)
        return self._places[key]

    def has(self, path: Path) -> bool:
        """Whether a file exists, or did when the study first asked."""
        if path not in self._present and is_file(path):
            self._present.add(path)
        return path in self._present

    def read(self, path: Path) -> YamlSource:
        """Content of a file, in a copy that options may change; see `read_yaml`."""
        if path not in self._sources:
            self._sources[path] = read_yaml(path)
        return deepcopy(self._sources[path])
