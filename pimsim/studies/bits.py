"""Every decision of a run, written to disk as it comes: memory does not grow with the run."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import ConfigError, Place
from pimsim.files import Stored, look
from pimsim.simulate.kept import Keep
from pimsim.simulate.signals import Values


def _close(file: IO[bytes]) -> None:
    # a full disk has been told of by then, and what is still unwritten is not wanted
    with contextlib.suppress(OSError):
        file.close()


@dataclass
class _Signal:
    """Values of one name: `n_bytes` for each sequence of each chip, one chip after the other."""

    file: IO[bytes]
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    n_bytes: int
    n_chips: int = 0


class BitStore(Mapping[str, Values]):
    """Decisions of chips in files without a name, which end with the process at the latest.

    Bits are packed eight to a byte along their last axis; codes are stored as they are. An item is
    the array of a name, unpacked, (n_chips, n_sequences, ...).

    Parameters
    ----------
    n_sequences : int
    is_packed : bool
        Whether the values are bits.
    folder : Path or None
        Where there is room for them, or the nearest folder above that exists; that of the system
        for temporary files if None.
    """

    def __init__(self, n_sequences: int, is_packed: bool, folder: Path | None = None) -> None:
        self.n_sequences, self.is_packed = n_sequences, is_packed
        while folder is not None and look(folder) is None:
            folder = folder.parent
        self._folder = folder
        self._signals: dict[str, _Signal] = {}

    def keep(self, first: int) -> Keep:
        """A function that keeps decisions of chips, the first of which has the index `first`.

        It raises a ConfigError where the disk is full.
        """

        def keep(name: str, chip: int, sequence: int, values: Values) -> None:
            try:
                self._write(name, first + chip, sequence, values)
            except OSError as error:
                raise ConfigError(
                    f"cannot take the decisions of every chip ({error.strerror})",
                    place=Place(self._folder or Path(tempfile.gettempdir())),
                    remedy="Name a folder that has room, or leave out --bits",
                ) from error

        return keep

    def _write(self, name: str, chip: int, sequence: int, values: Values) -> None:
        stored = np.ascontiguousarray(np.packbits(values, axis=-1) if self.is_packed else values)
        if name not in self._signals:
            each = stored[0, 0].nbytes
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
            weakref.finalize(self, _close, file)
            self._signals[name] = _Signal(file, values.dtype, values.shape[2:], each)
        signal = self._signals[name]
        for row, block in enumerate(stored, start=chip):
            signal.file.seek((row * self.n_sequences + sequence) * signal.n_bytes)
            signal.file.write(block)
        signal.n_chips = max(signal.n_chips, chip + len(stored))

    def __iter__(self) -> Iterator[str]:
        return iter(self._signals)

    def __len__(self) -> int:
        return len(self._signals)

    def __getitem__(self, name: str) -> Values:
        signal, stored = self._signals[name], self.stored(name)
        signal.file.seek(0)
        packed = np.frombuffer(signal.file.read(), stored.dtype).reshape(stored.shape)
        if not self.is_packed:
            return packed
        return np.unpackbits(packed, axis=-1, count=signal.shape[-1]).astype(signal.dtype)

    def stored(self, name: str) -> Stored:
        """Values of a name as they are stored, for `pimsim.files.as_npz`."""
        signal = self._signals[name]
        shape, dtype = signal.shape, signal.dtype
        if self.is_packed:
            shape, dtype = (*shape[:-1], -(-shape[-1] // 8)), np.dtype(np.uint8)

        def copy(file: IO[bytes]) -> None:
            signal.file.seek(0)
            shutil.copyfileobj(signal.file, file)

        return Stored((signal.n_chips, self.n_sequences, *shape), dtype, copy)

    def arrays(self) -> dict[str, Stored | NDArray[Any]]:
        """Arrays of bits.npz: `<name>`, and where bits are packed, their number as `<name>.n`."""
        found: dict[str, Stored | NDArray[Any]] = {}
        for name, signal in self._signals.items():
            found[name] = self.stored(name)
            if self.is_packed:
                found[f"{name}.n"] = np.array(signal.shape[-1])
        return found
