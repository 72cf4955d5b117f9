"""The worst that a small file can ask for, read in a process of its own: below 1 GB of memory."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from data_files import idx, wav_bytes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this system"),
]
MOST = 1_000_000_000  # bytes
READ = """
import re, sys
from pathlib import Path
from pimsim.errors import PimsimError
{code}
try:
    said = read(Path(sys.argv[1]))
except PimsimError as error:
    said = str(error)
# of this program alone: that of `resource` begins with what the parent held
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1], str(said)[:300])
"""


def peak(code: str, path: Path) -> tuple[int, str]:
    """Most memory that a process held while it read a file [bytes], and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", READ.format(code=code), str(path)],
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    memory, _, said = done.stdout.partition(" ")
    return int(memory) * 1024, said


def tar_of(count: int, name: str, content: bytes) -> bytes:
    """An uncompressed archive of many files of one content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number in range(count):
            member = tarfile.TarInfo(name.format(number))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def jpeg(n_bytes: int, size: tuple[int, int] = (40, 98)) -> bytes:
    """A grey image, made longer by a comment."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    out = io.BytesIO()
    image.new("L", size).save(out, "JPEG")
    plain = out.getvalue()
    comment = bytes(max(0, n_bytes - len(plain) - 4))
    return plain[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + plain[2:]


def squeezed(content: bytes) -> bytes:
    return lzma.compress(content, preset=0)


JPEGS = "from pimsim.data.speech_commands import load_training_logmels as read"
# what is held is what counts: the front end itself, which works on chunks, would take minutes
CLIPS = """
import numpy as np
from pimsim.data import frontend
frontend.logmel = lambda clips: np.ones((len(clips), 98, 40), np.uint8)
from pimsim.data.speech_commands import load_test_archive as read
"""
NOISES = CLIPS.replace("load_test_archive", "load_background")


def test_images_as_many_as_an_archive_may_hold(tmp_path):
    path = tmp_path / "a.tar.xz"
    path.write_bytes(squeezed(tar_of(119_000, "yes/{}_nohash_0.yes.jpg", jpeg(1500))))
    assert path.stat().st_size < 2_000_000
    memory, said = peak(JPEGS, path)
    assert "TrainingClips" in said
    assert memory < MOST


@pytest.mark.parametrize("size", [(65_500, 65_500), (20_000, 8_000)])
def test_images_of_many_pixels_are_not_decoded(tmp_path, size):
    """Their header says so many; it is looked at before room is made for them."""
    plain = bytearray(jpeg(0))
    at = plain.index(b"\xff\xc0") + 5  # start of frame: height and width
    plain[at : at + 4] = size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big")
    path = tmp_path / "a.tar.xz"
    path.write_bytes(squeezed(tar_of(3, "yes/{}_nohash_0.yes.jpg", bytes(plain))))
    memory, said = peak(JPEGS, path)
    assert "exceeds limit" in said or f"of {size[1]} by {size[0]} pixels" in said
    assert memory < MOST / 4


def test_clips_as_many_as_an_archive_may_hold(tmp_path):
    path = tmp_path / "a.tar.xz"
    path.write_bytes(squeezed(tar_of(50_001, "yes/{}.wav", wav_bytes(np.arange(9)))))
    memory, said = peak(CLIPS, path)
    assert "holds more than 50,000 clips" in said
    assert memory < MOST


def test_recordings_as_long_as_an_archive_may_hold(tmp_path):
    path = tmp_path / "a.tar.xz"
    sound = wav_bytes(np.zeros(120 * 16_000))
    path.write_bytes(squeezed(tar_of(50, "_background_noise_/{}.wav", sound)))
    memory, said = peak(NOISES, path)
    assert "[" in said
    assert memory < MOST


@pytest.mark.parametrize("name", ["yes/a.wav", "a.txt"])
def test_an_archive_of_nothing_without_end(tmp_path, name):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(tar_of(1, name, bytes(1 << 29)), 1))
    memory, said = peak(CLIPS, path)
    assert "are the most for one file" in said or "unpacks to more than" in said
    assert memory < MOST / 4


def test_arrays_of_digits(tmp_path):
    path = tmp_path / "a-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(np.zeros((1 << 27) - 16, np.uint8), (2, 1 << 13, 8191)), 1))
    code = "from pimsim.data.mnist import read_idx\nread = lambda path: read_idx(path, 3).shape"
    memory, said = peak(code, path)
    assert "(2, 8192, 8191)" in said or "promises" in said or "goes on" in said
    assert memory < MOST / 2


def test_arrays_of_numpy(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("features", "labels"):
            head = io.BytesIO()
            header = {"shape": (1 << 28,), "fortran_order": False, "descr": "|u1"}
            np.lib.format.write_array_header_1_0(head, header)
            with archive.open(f"{name}.npy", "w") as file:
                file.write(head.getvalue())
                for _ in range(16):
                    file.write(bytes(1 << 24))
    code = (
        "from pimsim.data.arrays import read_npz\n"
        "read = lambda path: len(read_npz(path, ['features', 'labels']))"
    )
    memory, said = peak(code, path)
    assert said.strip() == "2"
    assert memory < MOST


@pytest.mark.parametrize("kind", ["|u1", "<f4", "<f8"])
def test_features_of_users(tmp_path, kind):
    """Bytes of 0, or numbers that are not finite, which are looked for."""
    path, n_bytes = tmp_path / "a.npz", 1 << 29
    head = io.BytesIO()
    shape = (1024, n_bytes // 1024 // np.dtype(kind).itemsize)
    described = {"shape": shape, "fortran_order": False, "descr": kind}
    np.lib.format.write_array_header_1_0(head, described)
    labels = io.BytesIO()
    np.lib.format.write_array(labels, np.zeros(1024, np.int64))
    chunk = bytes(1 << 24) if kind == "|u1" else b"\xff" * (1 << 24)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("labels.npy", labels.getvalue())
        with archive.open("features.npy", "w") as file:
            file.write(head.getvalue())
            for _ in range(n_bytes >> 24):
                file.write(chunk)
    code = "from pimsim.data.npz import load_npz\nread = lambda path: load_npz(path).sha256"
    memory, said = peak(code, path)
    assert "numbers must be finite" in said or len(said.strip()) == 64, said
    assert memory < MOST


def test_networks(tmp_path):
    """Most of the file is a hole that takes no room on the disk."""
    path = tmp_path / "a.safetensors"
    size = 2**27 - 4096
    header = {
        "__metadata__": {"pimsim": json.dumps({"format_version": 1, "name": "x"})},
        "encoder.weights": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]},
    }
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + size)
    memory, said = peak("from pimsim.workload import read_network as read", path)
    assert "lacks the entry 'layers'" in said
    assert memory < MOST / 2


def test_yaml_that_refers_to_itself(tmp_path):
    path = tmp_path / "a.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 2000)]
    path.write_text("\n".join(lines))
    memory, said = peak("from pimsim.config import read_yaml as read", path)
    assert "nested too deeply or too large" in said
    assert memory < MOST / 4


@pytest.mark.parametrize("content", [b"[" + b"[]," * 5_590_000 + b"1]", b'{"a":' * 300_000])
def test_json(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    memory, _ = peak(
        "from pimsim.files import read_json\nread = lambda path: len(read_json(path))", path
    )
    assert memory < MOST


def test_tables_of_points(tmp_path):
    path = tmp_path / "a.csv"
    keys = ",".join(f"key{n}" for n in range(32)).encode()
    path.write_bytes(keys + b"\n" + (b",".join([b"22"] * 32) + b"\n") * 99_999)
    code = "from pimsim.studies.axes import read_points\nread = lambda path: len(read_points(path))"
    memory, said = peak(code, path)
    assert said.strip() == "99999"
    assert memory < MOST


def test_measured_cells_as_many_as_are_taken(tmp_path):
    path = tmp_path / "a.csv"
    heading = b"level,cell,cycle,time [s],temperature [K],current [uA]\n"
    rows = b"".join(b"%d,%d,%d,%d,300,%d\n" % (n % 2, n // 2, n, n + 1, n % 2 * 9 + n % 5 + 1)
                    for n in range(1000))  # fmt: skip
    with path.open("wb") as file:
        file.write(heading)
        for _ in range(4000):
            file.write(rows)
    code = (
        "from pimsim.devices.fit import fit_device\n"
        "from pimsim.devices.measurements import read_measurements\n"
        "read = lambda path: fit_device(read_measurements(path)).distribution"
    )
    memory, said = peak(code, path)
    assert said.strip() in ("normal", "lognormal", "quantiles"), said
    assert memory < MOST
