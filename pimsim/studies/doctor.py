"""Check the installation: packages, kernels, caches, data, with remedies."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pimsim import __version__
from pimsim.config.bundled import FOLDERS, bundled_names, bundled_root
from pimsim.data import catalog
from pimsim.errors import PimsimError
from pimsim.files import check_folder, is_folder
from pimsim.private import guard_matplotlib, matplotlib_folders, trouble_with
from pimsim.units import cache_folder

SCHEMA = "pimsim.doctor/1"
# Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", known answers of philox4x32-10
PHILOX_OF_ZEROS = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
# extras that change what a command can do, and what they are for
EXTRAS = {
    "train": "pimsim train and export",
    "data": "making synthetic speech anew",
    "distributed": "sweeps over many processes and machines",
}


class State(StrEnum):
    """State of a finding: a problem stops `pimsim run`; a note concerns other commands only."""

    GOOD = "good"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """Result of one check.

    Attributes
    ----------
    what : str
        What was checked.
    state : State
    found : str
        What was found.
    remedy : str
        What to do; empty where all is well.
    """

    what: str
    state: State
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Check everything; no finding raises an error."""
    return [finding for check in CHECKS for finding in check()]


def describe(findings: list[Finding]) -> dict[str, Any]:
    """The findings as a document."""
    return {
        "schema": SCHEMA,
        "pimsim": __version__,
        "is_well": is_well(findings),
        "findings": [asdict(finding) for finding in findings],
    }


def is_well(findings: list[Finding]) -> bool:
    """Whether `pimsim run` works here."""
    return all(finding.state is not State.PROBLEM for finding in findings)


def _python() -> Iterator[Finding]:
    yield Finding("pimsim", State.GOOD, f"{__version__} in {bundled_root()}")
    yield Finding("Python", State.GOOD, f"{platform.python_version()} on {platform.platform()}")


def _packages() -> Iterator[Finding]:
    """Every requirement of the installed package, those of extras as notes."""
    try:
        requirements = importlib.metadata.requires("pimsim") or []
    except importlib.metadata.PackageNotFoundError:
        remedy = "Install it with `pip install -e .` in the folder of setup.cfg"
        yield Finding("packages", State.NOTE, "pimsim itself is not installed", remedy)
        return
    for requirement in requirements:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"](\w+)['\"]", requirement)
        if extra is not None and extra[1] not in EXTRAS:
            continue
        wanted = requirement.partition(";")[0].strip()
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if extra is None:
                remedy = f"pip install '{wanted}'"
                yield Finding(name, State.PROBLEM, "not installed", remedy)
            else:
                remedy = f"pip install 'pimsim[{extra[1]}]', for {EXTRAS[extra[1]]}"
                yield Finding(name, State.NOTE, "not installed", remedy)
        else:
            yield Finding(name, State.GOOD, f"{version} (needed: {wanted})")


def _kernels() -> Iterator[Finding]:
    """The processor that kernels are compiled for, and whether they run."""
    try:
        import llvmlite.binding as llvm
        import numba
        import numpy as np

        from pimsim.kernels.philox import philox

        features = llvm.get_host_cpu_features()
        wide = [name for name in ("avx512f", "avx2", "sse4.2", "neon", "sve") if features.get(name)]
        kind = f"{llvm.get_host_cpu_name()}, {wide[0] if wide else 'no wide registers known'}"
        if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
            remedy = "Unset NUMBA_DISABLE_JIT"
            yield Finding("kernels", State.NOTE, "interpreted: thousands of times slower", remedy)
        else:
            zero = np.uint64(0)
            words = tuple(map(int, philox(zero, zero, zero, zero, zero, zero)))
            if words != PHILOX_OF_ZEROS:
                raise RuntimeError(f"philox of zeros gives {words}")
            yield Finding("kernels", State.GOOD, f"compiled by numba for {kind}")
        threads = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        # macOS and Windows do not tell which processors a process may use
        of_process = getattr(os, "sched_getaffinity", None)
        usable = os.cpu_count() if of_process is None else len(of_process(0))
        said = f"{threads}, on {usable} processors that this process may use"
        yield Finding("threads", State.GOOD, said)
    except Exception as error:  # whatever a broken installation raises is the finding
        remedy = "pip install --force-reinstall numba llvmlite"
        yield Finding("kernels", State.PROBLEM, f"cannot be loaded: {error}", remedy)


def _compile_cache() -> Iterator[Finding]:
    """Folder of compiled kernels."""
    try:
        from pimsim.kernels import cache
    except Exception:  # a finding of `_kernels`
        return
    folder, wanted = cache.find_folder(), cache.folder_in(cache.roots()[0])
    if folder != wanted:
        remedy = f"Set {cache.ENVIRONMENT} to a folder that you alone may write to"
        instead = f"kernels are kept in {folder}" if folder else "every start compiles anew"
        said = f"{cache.trouble(wanted)}: {instead}"
        yield Finding("compile cache", State.NOTE, said, remedy)
        return
    broken, said = cache.damaged(folder), f"{cache.n_kernels(folder)} kernels in {folder}"
    if broken:
        remedy = "Nothing: they are compiled anew when they are needed"
        found = f"{said}; {len(broken)} damaged files, such as {broken[0].name}"
        yield Finding("compile cache", State.NOTE, found, remedy)
    else:
        yield Finding("compile cache", State.GOOD, said)


def _unit_definitions() -> Iterator[Finding]:
    """Folder of pint's definitions of units."""
    folder = cache_folder(importlib.metadata.version("pint"))
    trouble = trouble_with(folder)
    if trouble:
        remedy = "Set XDG_CACHE_HOME to a folder that you alone may write to"
        said = f"{trouble}: definitions are read anew at every start"
        yield Finding("unit definitions", State.NOTE, said, remedy)
    else:
        yield Finding("unit definitions", State.GOOD, f"in {folder}")


def _figure_settings() -> Iterator[Finding]:
    """Folders from which matplotlib takes settings, styles and its list of fonts."""
    trouble = guard_matplotlib()
    if trouble:
        remedy = "Set MPLCONFIGDIR to a folder that you alone may write to"
        said = f"{trouble}: figures use a folder of this process"
        yield Finding("figure settings", State.NOTE, said, remedy)
    else:
        places = ", ".join(map(str, matplotlib_folders())) or "a folder of each process"
        yield Finding("figure settings", State.GOOD, f"in {places}")


def _data() -> Iterator[Finding]:
    """Data folders, and the sets in them; the embedded ones are read whole."""
    chosen = os.environ.get(catalog.ENVIRONMENT)
    if chosen and not _is_there(catalog.expanded(chosen)):
        remedy = f"Set {catalog.ENVIRONMENT} to the folder of your data sets, or unset it"
        said = f"{catalog.ENVIRONMENT} names {chosen}, which is no folder"
        yield Finding("data folder", State.PROBLEM, said, remedy)
    home = catalog.data_home()
    if _is_writable(home):
        yield Finding("downloads", State.GOOD, f"go to {home}")
    else:
        remedy = "Give `pimsim data get --to FOLDER`, and set PIMSIM_DATA to it"
        yield Finding("downloads", State.NOTE, f"{home} cannot be written", remedy)
    for name in catalog.EMBEDDED:
        try:
            yield Finding(name, State.GOOD, f"{len(catalog.load(name))} in the package")
        except (PimsimError, OSError) as error:
            yield Finding(name, State.PROBLEM, str(error), "Install pimsim again")
    for name, wanted in catalog.ON_DISK.items():
        try:
            path = catalog.find(name)
        except PimsimError as error:
            yield Finding(name, State.NOTE, str(error), wanted.how_to_get)
            continue
        if path is None:
            yield Finding(name, State.NOTE, "not on this machine", wanted.how_to_get)
        else:
            yield Finding(name, State.GOOD, str(path))


def _bundled() -> Iterator[Finding]:
    """Hardware and model files of the package, each kind at least once."""
    for kind in FOLDERS:
        names = bundled_names(kind)
        if names:
            yield Finding(f"{kind} files", State.GOOD, ", ".join(names))
        else:
            folder = bundled_root() / FOLDERS[kind]
            yield Finding(f"{kind} files", State.PROBLEM, f"none in {folder}", "Install it again")


def _output() -> Iterator[Finding]:
    here = Path.cwd()
    if _is_writable(here):
        yield Finding("this folder", State.GOOD, f"{here} can be written")
    else:
        remedy = "Give --out, or go to another folder"
        yield Finding("this folder", State.NOTE, f"{here} cannot be written", remedy)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _kernels,
    _compile_cache,
    _unit_definitions,
    _figure_settings,
    _bundled,
    _data,
    _output,
)


def _is_there(folder: Path) -> bool:
    """Whether there is a folder that may be looked at."""
    try:
        return is_folder(folder)
    except PimsimError:
        return False


def _is_writable(folder: Path) -> bool:
    """Whether a file can be made in a folder, or in the nearest one above that exists."""
    try:
        check_folder(folder)
    except PimsimError:
        return False
    return True
