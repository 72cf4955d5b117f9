"""Points of a sweep on many processes or machines, by dask.

A worker gets the names of files, prepares the point itself and answers with the point's key,
made from all that determines it: an answer from other files, or another version of pimsim, has
another key and is refused.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pimsim.errors import ConfigError, DistributionError, Place
from pimsim.files import look, read_json
from pimsim.studies.options import RunOptions
from pimsim.studies.prepare import Model, Shared
from pimsim.studies.sweep import Compute, Found, compute_here, run_point

if TYPE_CHECKING:
    from distributed import Client, Future

# seconds to wait for a scheduler, and after which a word is said of what is waited for
PATIENCE = 30
# seconds between looks for finished points
PAUSE = 0.05
Tell = Callable[[str], object]
GUARD = 'if __name__ == "__main__":'
# a worker's threads share its folder, and numba's: one point at a time, whatever their number
_ONE_POINT = threading.Lock()


@contextmanager
def client_of(scheduler: str | None, workers: int | None) -> Iterator[Client]:
    """A connection to a scheduler, or to workers of our own on this machine.

    Parameters
    ----------
    scheduler
        Address such as `tcp://host:8786`, or a path of its `--scheduler-file`.
    workers
        Processes to start on this machine instead; each gets its share of the cores.

    Raises
    ------
    ConfigError
        If dask is not installed, or no scheduler answers.
    DistributionError
        If workers cannot be started, as from a script without a guard.

    Notes
    -----
    A worker of our own begins by importing the script that started it. A script that asks for
    workers as it is imported would do so without end: such a worker ends at once.
    """
    place = Place("--scheduler", None, scheduler) if scheduler else Place("--workers")
    try:
        import distributed
    except ImportError as error:
        raise ConfigError(
            "needs dask, which is not installed",
            place=place,
            remedy="pip install 'pimsim[distributed]'",
        ) from error
    if scheduler is None:
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise SystemExit(1)
        # workers keep files there that they read again
        with tempfile.TemporaryDirectory(prefix="pimsim-workers-") as folder:
            try:
                cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                    local_directory=folder,
                )
            except RuntimeError:  # of hundreds of lines, and none says why
                raise DistributionError(
                    "worker processes cannot be started",
                    place=place,
                    remedy=f"In a script, call it below `{GUARD}`: every worker imports the script",
                ) from None
            with cluster, distributed.Client(cluster) as client:
                yield client
        return
    address = _address(scheduler, place)
    try:
        connected = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise ConfigError(
            "is no scheduler that answers",
            place=place,
            remedy="Start one with `dask scheduler`, and name its address, such as tcp://host:8786",
        ) from error
    with connected as client:
        yield client


def _address(scheduler: str, place: Place) -> str:
    """Address of a scheduler, from its file where one is named."""
    if look(Path(scheduler)) is None:
        return scheduler
    found = read_json(Path(scheduler))
    address = found.get("address") if isinstance(found, dict) else None
    if not isinstance(address, str) or not address:
        raise ConfigError(
            "is a file without the address of a scheduler",
            place=place,
            remedy="Name the file that `dask scheduler --scheduler-file` wrote",
        )
    return address


@contextmanager
def computing(
    scheduler: str | None, workers: int | None, tell: Tell = warnings.warn
) -> Iterator[Compute]:
    """Function that computes points: on dask workers, or in this process if neither is given."""
    if scheduler is None and workers is None:
        yield compute_here
        return
    with client_of(scheduler, workers) as client:
        yield partial(compute, client, tell=tell)


def threads_of(workers: int | None, threads: int | None) -> int | None:
    """Threads of a point: as asked for, else a local worker's share of the cores."""
    if threads is not None or workers is None:
        return threads
    return max(1, (os.cpu_count() or 1) // workers)


def compute(
    client: Client,
    model: Model,
    points: Mapping[str, RunOptions],
    shared: Shared | None = None,
    tell: Tell = warnings.warn,
) -> Iterator[Found]:
    """Results of the points, in the order in which workers finish them.

    Parameters
    ----------
    points
        Options by the key of the point.
    shared
        Workers share nothing with this process.
    tell
        Called with a sentence where work does not go on.

    Raises
    ------
    PimsimError
        What a point raises; `DistributionError` if workers are lost again and again, see other
        files than this process or have other code, or if the scheduler does not answer.
    """
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    folder = str(Path.cwd())
    futures = {
        client.submit(_work, model, options, folder, key=f"pimsim-{key}"): key
        for key, options in points.items()
    }
    try:
        for future in _finished(client, futures, tell):
            try:
                key, found = future.result()
            except KilledWorker as error:
                raise DistributionError(
                    f"point {futures[future]} lost its worker several times",
                    remedy="See the workers' logs: they may lack memory; finished points are kept",
                ) from error
            except FutureCancelledError as error:
                raise DistributionError(
                    "the scheduler is gone", remedy="Finished points are kept"
                ) from error
            if key != futures[future]:
                raise DistributionError(
                    f"point {futures[future]} was computed from other files, or by another pimsim",
                    remedy="Workers need the same files at the same paths, and the same pimsim",
                )
            yield key, found
            future.release()
    finally:
        for future in futures:
            future.cancel()


def _finished(
    client: Client, futures: Iterable[Future[Found]], tell: Tell
) -> Iterator[Future[Found]]:
    """Points as they are finished; says what keeps workers from finishing any."""
    from distributed import as_completed

    waiting, heard, told = as_completed(futures), time.monotonic(), ""
    while not waiting.is_empty():
        found = waiting.next_batch(block=False)
        yield from found
        if found:
            heard = time.monotonic()
        elif time.monotonic() - heard < PATIENCE:
            time.sleep(PAUSE)
        else:
            said = _trouble(client)
            if said and said != told:
                tell(said)
            heard, told = time.monotonic(), said


def _trouble(client: Client) -> str:
    """What keeps workers from finishing a point; empty where one is at work.

    Raises
    ------
    DistributionError
        If the scheduler does not answer.
    """
    scheduler = client.scheduler
    assert scheduler is not None  # connected
    try:
        found = client.sync(scheduler.identity, callback_timeout=PATIENCE)["workers"]
    except (TimeoutError, OSError) as error:
        raise DistributionError(
            f"the scheduler has not answered for {PATIENCE} s",
            remedy="See whether it runs. Finished points are kept",
        ) from error
    if not found:
        return (
            "The scheduler has no worker; waiting for one. Start it with `dask worker` and the "
            "scheduler's address, or end with Ctrl-C: finished points are kept."
        )
    if any(worker.get("status") == "running" for worker in found.values()):
        return ""
    return (
        f"None of {len(found)} workers takes a point; those that lack memory do not. Give each 2 "
        "GB (dask worker --memory-limit), or end with Ctrl-C: finished points are kept."
    )


def _work(model: Model, options: RunOptions, folder: str) -> Found:
    """One point, on a worker."""
    with _ONE_POINT:
        try:
            # names of files are relative to where the sweep was started
            os.chdir(folder)
        except OSError as error:
            raise DistributionError(
                f"cannot be entered by a worker ({error.strerror})",
                place=Place(folder),
                remedy="Workers need the same files at the same paths",
            ) from error
        return run_point(model, options)
