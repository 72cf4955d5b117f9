"""One reader under atheris, which looks for inputs that reach new code; not a part of the tests.

    pip install atheris
    python tests/fuzz/atheris_readers.py yaml -max_total_time=300 -rss_limit_mb=1000 -timeout=20

What follows the reader's name goes to libFuzzer; a folder given there is its corpus. It ends at the
first input that gives a traceback, a hang or too much memory, and leaves that input as a file.
"""

from __future__ import annotations

import contextlib
import gzip
import lzma
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pimsim"]):
    from pimsim.config import RunConfig, read_yaml, validate
    from pimsim.data import frontend
    from pimsim.data.archives import files_in_tar
    from pimsim.data.arrays import read_npz
    from pimsim.data.mnist import read_idx
    from pimsim.data.speech_commands import load_training_logmels
    from pimsim.devices.fit import fit_device
    from pimsim.devices.measurements import read_measurements
    from pimsim.errors import PimsimError
    from pimsim.files import read_json
    from pimsim.studies.axes import read_points
    from pimsim.workload import read_network

FOLDER = Path(tempfile.mkdtemp())


def written(name: str, content: bytes) -> Path:
    path = FOLDER / name
    path.write_bytes(content)
    return path


def images(content: bytes) -> None:
    folder = FOLDER / "yes"
    folder.mkdir(exist_ok=True)
    (folder / "0_nohash_0.yes.jpg").write_bytes(content)
    load_training_logmels(FOLDER)


READERS: dict[str, Callable[[bytes], object]] = {
    "yaml": lambda content: validate(read_yaml(written("a.yaml", content)), RunConfig),
    "safetensors": lambda content: read_network(written("a.safetensors", content)),
    "wav": lambda content: frontend.decode_wav(content, "a.wav"),
    "idx": lambda content: read_idx(written("a-idx3-ubyte", content), 3),
    "idx.gz": lambda content: read_idx(
        written("a-idx3-ubyte.gz", gzip.compress(content, 1, mtime=0)), 3
    ),
    "npz": lambda content: read_npz(written("a.npz", content), ["features"]),
    "measurements": lambda content: fit_device(read_measurements(written("a.csv", content))),
    "points": lambda content: read_points(written("p.csv", content)),
    "json": lambda content: read_json(written("a.json", content)),
    "tar": lambda content: list(
        files_in_tar(written("a.tar.xz", lzma.compress(content, preset=0)), ".wav", 1 << 16)
    ),
    "jpeg": images,
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in READERS:
        sys.exit(f"which reader: {', '.join(READERS)}")
    read = READERS[sys.argv.pop(1)]

    def once(content: bytes) -> None:
        with contextlib.suppress(PimsimError):
            read(content)

    atheris.Setup(sys.argv, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
