"""Compiled kernels are kept on disk for these sources only."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pimsim import private
from pimsim.kernels import cache

CALLER = """
from numba import njit
from pimsim.kernels.callee import doubled

@njit(cache=True)
def told(x):
    return doubled(x)
"""
CALLEE = """
from numba import njit

@njit(cache=True)
def doubled(x):
    return FACTOR * x
"""
RUN = """
import pimsim.kernels
from pimsim.kernels.caller import told
print(told(5), sum(told.stats.cache_hits.values()))
"""


def run(package, folder, more=None):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(package),
                   "NUMBA_DISABLE_JIT": "0", **(more or {})}  # fmt: skip
    command = [sys.executable, "-P", "-c", RUN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_changed_callee_in_another_file_changes_the_result(tmp_path):
    package, folder = tmp_path / "copy", tmp_path / "cache"
    kernels = package / "pimsim" / "kernels"
    shutil.copytree(cache.SOURCES, kernels, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "pimsim" / "__init__.py").write_text("")
    shutil.copy(cache.SOURCES.parent / "private.py", package / "pimsim")
    (kernels / "caller.py").write_text(CALLER)
    (kernels / "callee.py").write_text(CALLEE.replace("FACTOR", "2"))
    assert run(package, folder) == ["10", "0"]
    assert run(package, folder) == ["10", "1"]
    (kernels / "callee.py").write_text(CALLEE.replace("FACTOR", "-2"))
    assert run(package, folder) == ["-10", "0"]


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root gives files away")
def test_a_folder_that_another_user_made_is_never_read(tmp_path):
    """Code in the place of kernels, in a shared sticky folder, runs for nobody else."""
    package, shared = tmp_path / "copy", tmp_path / "shared"
    kernels = package / "pimsim" / "kernels"
    shutil.copytree(cache.SOURCES, kernels, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "pimsim" / "__init__.py").write_text("")
    shutil.copy(cache.SOURCES.parent / "private.py", package / "pimsim")
    (kernels / "caller.py").write_text(CALLER)
    (kernels / "callee.py").write_text(CALLEE.replace("FACTOR", "2"))
    shared.mkdir()
    shared.chmod(0o1777)
    assert run(package, shared) == ["10", "0"]
    marker = tmp_path / "marker"
    planted = pickle.dumps(Planted(marker))
    for path in [path for path in shared.rglob("*") if path.is_file()]:
        path.write_bytes(planted + hashlib.sha256(planted).digest())
    (folder,) = shared.iterdir()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 12345, 12345)
    cache_home = {"XDG_CACHE_HOME": str(tmp_path / "own")}
    assert run(package, shared, cache_home) == ["10", "0"]
    assert run(package, shared, cache_home) == ["10", "1"]
    assert not marker.exists()


class Planted:
    """A pickle that makes a file when it is read."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


DAMAGE = {
    "empty": lambda content: b"",
    "zeroed": lambda content: bytes(len(content)),
    "zeroed at the end": lambda content: content[:-200] + bytes(200),
    "a zero in the middle": lambda content: content[:40] + b"\0" + content[41:],
    "cut": lambda content: content[: len(content) // 2],
    "less its digest": lambda content: content[: -cache.DIGEST_BYTES],
    "another file": lambda content: b"no pickle",
}


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_entry_is_compiled_anew(tmp_path, kind, how):
    kept = cache.CheckedFile(str(tmp_path), "kernel", "stamp")
    kept.save("key", ["machine code"] * 100)
    kept.save("other", ["more"] * 100)
    assert kept.load("key") == ["machine code"] * 100
    assert cache.damaged(tmp_path) == []
    for path in tmp_path.glob(f"*.{kind}"):
        path.write_bytes(DAMAGE[how](path.read_bytes()))
    assert cache.damaged(tmp_path) == sorted(tmp_path.glob(f"*.{kind}"))
    assert kept.load("key") is None
    kept.save("key", ["machine code, again"] * 100)
    assert kept.load("key") == ["machine code, again"] * 100


def test_numba_reads_what_is_kept_with_a_digest(tmp_path):
    cache.CheckedFile(str(tmp_path), "kernel", "stamp").save("key", ["machine code"])
    plain = cache.caching.IndexDataCacheFile.__mro__[1]
    assert plain is not cache.CheckedFile
    assert plain(str(tmp_path), "kernel", "stamp").load("key") == ["machine code"]


def test_compiled_kernels_are_kept_by_the_checked_file():
    assert cache.caching.IndexDataCacheFile is cache.CheckedFile
    from pimsim.kernels.philox import philox

    assert isinstance(philox._cache._cache_file, cache.CheckedFile)


def test_a_process_with_damaged_entries_gives_the_right_result(tmp_path):
    package, folder = tmp_path / "copy", tmp_path / "cache"
    kernels = package / "pimsim" / "kernels"
    shutil.copytree(cache.SOURCES, kernels, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "pimsim" / "__init__.py").write_text("")
    shutil.copy(cache.SOURCES.parent / "private.py", package / "pimsim")
    (kernels / "caller.py").write_text(CALLER)
    (kernels / "callee.py").write_text(CALLEE.replace("FACTOR", "2"))
    assert run(package, folder) == ["10", "0"]
    for kind, how in (("nbi", "empty"), ("nbc", "zeroed at the end")):
        for path in folder.rglob(f"*.{kind}"):
            path.write_bytes(DAMAGE[how](path.read_bytes()))
        assert run(package, folder) == ["10", "0"]
    assert run(package, folder) == ["10", "1"]


def test_the_key_changes_with_names_and_contents_of_python_files(tmp_path):
    (tmp_path / "a.py").write_text("a")
    key = cache.key_of(tmp_path)
    (tmp_path / "notes.txt").write_text("no kernel")
    assert cache.key_of(tmp_path) == key
    (tmp_path / "a.py").write_text("b")
    assert len({key, cache.key_of(tmp_path)}) == 2
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({key, cache.key_of(tmp_path)}) == 2


def test_old_folders_go_and_recent_or_foreign_ones_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    for number in range(8):
        old = tmp_path / f"pimsim-kernels-{number:016x}"
        old.mkdir()
        os.utime(old, (number, number))
    recent, foreign = tmp_path / f"pimsim-kernels-{9:016x}", tmp_path / "kernels"
    recent.mkdir(), foreign.mkdir()
    folder = cache.find_folder()
    left = sorted(path.name for path in tmp_path.iterdir())
    stay = [f"pimsim-kernels-{number:016x}" for number in (5, 6, 7, 9)]
    assert left == sorted([foreign.name, folder.name, *stay])
    # a second start finds its folder, and looks at no other
    (tmp_path / stay[0]).rename(tmp_path / f"pimsim-kernels-{1:016x}")
    assert cache.find_folder() == folder
    assert (tmp_path / f"pimsim-kernels-{1:016x}").is_dir()


@pytest.mark.parametrize("chosen", [True, False])
def test_where_nothing_can_be_written_the_folder_is_of_this_process(tmp_path, monkeypatch, chosen):
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "below"
    monkeypatch.setattr(cache.numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(cache.platformdirs, "user_cache_path", lambda *_, **__: below)
    monkeypatch.setattr(private.atexit, "register", lambda *_, **__: None)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    if chosen:
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(below))
    assert cache.find_folder() is None
    folder = cache.use_folder()
    assert folder.is_dir()
    assert str(folder) == cache.numba.config.CACHE_DIR
    folder.rmdir()


def test_what_the_user_chose_comes_first_and_else_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cache.platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "user")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    assert cache.find_folder().parent == tmp_path / "chosen"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    assert cache.find_folder().parent == tmp_path / "user"
