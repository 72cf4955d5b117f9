"""Processes of pimsim that can be killed, and folders and disks that cannot be written."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

PROC = Path("/proc/pimsim")  # a folder that nobody can make, root neither


def start(*arguments: object, largest_file: int | None = None, code: str | None = None):
    """A process that runs pimsim, or Python code instead, and can write no longer files."""

    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    what = ["-m", "pimsim"] if code is None else ["-c", code]
    return subprocess.Popen(
        [sys.executable, *what, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,
        env={**os.environ, "COLUMNS": "200", "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and what was said to stderr."""
    _, said = process.communicate(timeout=300)
    return process.returncode, said


def kill_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Kill -9 after some time; whether it was still running."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.005)
    was_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return was_running


def visible(folder: Path) -> list[str]:
    """Names of the files below a folder, without those that are being written."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if not name.rpartition("/")[2].startswith("."))
