"""Hostile values for every number of every hardware and model file, and what a run makes of them.

A leaf is a key whose value is a number, a quantity or a word. Its values are of its kind: of a
number those of the file over many decades, and what is no number.
"""

from __future__ import annotations

import copy
import dataclasses
import re
import resource
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from networks import random_gru

from pimsim.config import bundled_root, load, read_yaml
from pimsim.config.bundled import FOLDERS
from pimsim.data.catalog import load as load_data
from pimsim.errors import PimsimError
from pimsim.report.documents import RunDocument, parse
from pimsim.report.html import html_of
from pimsim.report.pages import page_of
from pimsim.studies.document import run_document
from pimsim.studies.options import RunOptions
from pimsim.studies.plan import plan
from pimsim.studies.prepare import Shared
from pimsim.studies.run import measure, price
from pimsim.workload import write_network

# files that have every kind of block between them; each leaf is taken from the first that has it
FILES = {
    "chip": ("ba_mlw_16nm", "adc_pim_16nm", "digital_cim_16nm", "adc_4b_16nm", "isaac_32nm",
             "ba_mlw_mixed_16nm"),
    "device": ("reram", "pcm", "sonos", "cmos_mlc_measured", "reram_neurram", "fefet"),
    "technology": ("16nm",),
}  # fmt: skip
DECADES = (-18, -9, -6, -3, -2, -1, 1, 2, 3, 6, 9, 18)
STRANGE = (
    "0", "-1", "5e-324", "1e300", "1e999", "nan", ".inf", "010", "1:20", "1_000", "0x10", "true",
    "~", "[]", "x", "9^9", "9" * 99,
)  # fmt: skip
WHOLE = ("1", "2", "3", "7", "255", "1000", "65536", "1000000", "1000001", "2147483648",
         "18446744073709551616", "1e2", "1.5")  # fmt: skip
WORDS = (
    "", "~", "0", "[]", "x" * 300, '"\\e[31mred"', '"\\u202Eleft"', '"\\ud800"', "=1+1",
    "$\\frac{1", "../../x", '"a\\nb"', "!!python/name:os.system",
)  # fmt: skip
SECONDS = 60
MEMORY_BYTES = 1 << 30
MODEL = """\
schema: pimsim.run/1
name: small
networks: {levels: n.safetensors, codes: n.safetensors, binary: b.safetensors}
chip: ba_mlw_16nm
device: reram
data: synthetic-speech
chips: 2
seed: 3
limit: 2
"""


class Leaf(NamedTuple):
    """A value of a file: the option that chooses the file, its key for `--set`, and its text."""

    kind: str
    file: str
    key: str
    value: Any

    def __str__(self) -> str:
        return f"{self.file}: {self.key}"


def leaves() -> list[Leaf]:
    """Every leaf, once for each kind of its block."""
    found: dict[tuple[str, ...], Leaf] = {}
    for kind, names in FILES.items():
        for name in names:
            tree = yaml.safe_load((bundled_root() / FOLDERS[kind] / f"{name}.yaml").read_text())
            for path, value, kinds in _walk(tree):
                if path[-1] in ("source", "certainty", "schema", "description"):
                    continue
                key = ".".join(map(str, (kind, *path)))
                found.setdefault((key, *kinds), Leaf(kind, name, key, value))
    model = {"chips": 2, "seed": 3, "limit": 2, "reads": 1, "read_interval": "1 ms",
             "until_ci95": "50 %", "accuracy_target": "50 %", "time_since_programming": "1 day",
             "frame_interval": "10 ms", "temperature": "85 degC", "lifetime": "1 year",
             "writes": 2, "noise.sigma_eval": 0.1, "name": "small"}  # fmt: skip
    return [*found.values(), *(Leaf("model", "", key, value) for key, value in model.items())]


def _walk(
    tree: Any, path: tuple[Any, ...] = (), kinds: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[Any, ...], Any, tuple[str, ...]]]:
    if isinstance(tree, dict):
        kinds = (*kinds, *(str(tree[k]) for k in ("kind", "model") if k in tree))
        for key, value in tree.items():
            yield from _walk(value, (*path, key), kinds)
    elif isinstance(tree, list):
        # a table: its first and its last value stand for all
        for at in dict.fromkeys((0, len(tree) - 1)):
            yield from _walk(tree[at], (*path, at), kinds)
    else:
        yield path, tree, kinds


# so many are allowed, and take long: a run of minutes is no hang
LONG = {"chips": WHOLE[5:8], "limit": WHOLE[5:10]}


def values_of(leaf: Leaf) -> Iterator[str]:
    """Hostile texts for a leaf."""
    if isinstance(leaf.value, bool) or leaf.value is None:
        yield from STRANGE
        return
    if isinstance(leaf.value, int):
        long = LONG.get(leaf.key, ())
        yield from (text for text in (*STRANGE, *WHOLE) if text not in long)
        return
    number = re.match(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", str(leaf.value))
    if number is None:
        yield from WORDS
        return
    unit = str(leaf.value)[number.end() :]
    middle = float(number[0]) or 1.0
    yield from (f"{middle * 10.0**decade:.3g}{unit}" for decade in DECADES)
    # what is no number is none with any unit: some of them for each leaf
    few = STRANGE[:5] + STRANGE[5 + len(leaf.key) % 3 :: 3]
    yield from (f"{text}{unit}" for text in few)
    yield from (f"{middle:g}", f"{middle:g} furlong", f"{middle:g}{unit} x")


class Lab:
    """A small model, and its run under any setting."""

    def __init__(self, folder: Path) -> None:
        classes = load_data("synthetic-speech").classes
        for name, levels in (("n", 7), ("b", 2)):
            network = random_gru(hidden=5, bits=4, n_levels=levels)
            write_network(
                dataclasses.replace(network, classes=classes), folder / f"{name}.safetensors"
            )
        self.model = folder / "model.yaml"
        self.model.write_text(MODEL)
        self.shared = Shared()
        # kernels that no run has needed yet are compiled out of the clock
        for chip in FILES["chip"]:
            options = RunOptions.of(chip=chip, noise_sources=False)
            planned = plan(self.model, options, self.shared)
            price(planned, measure(planned))

    def fault(self, leaf: Leaf, text: str, *, whole: bool = False) -> str | None:
        """What may never happen under a value; None if all is well.

        Parameters
        ----------
        whole
            Whether the page is drawn too, with its pictures.
        """
        chosen = {leaf.kind: leaf.file} if leaf.kind in ("chip", "device") else {}
        if leaf.kind == "device" and leaf.file == "sonos":
            chosen["chip"] = "adc_4b_16nm"
        options = RunOptions.of(set=(f"{leaf.key}={text}",), noise_sources=False, **chosen)
        try:
            with bounded(), warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                planned = plan(self.model, options, self.shared)
                document = run_document(price(planned, measure(planned)))
                parse(document.as_dict(), RunDocument, "document")
                page = page_of(document)
                if whole:
                    html_of(page)
        except PimsimError as error:
            return None if str(error).isprintable() or "\n" in str(error) else "unprintable message"
        except BaseException as error:  # the finding
            if isinstance(error, KeyboardInterrupt):
                raise
            return f"{type(error).__name__}: {error}"[:200]
        return None


@cache
def _read(path: Path) -> Any:
    return read_yaml(path)


@contextmanager
def files_read_once() -> Iterator[None]:
    """Let `load_setup` take copies of files that were read before."""
    before = load.read_yaml
    load.read_yaml = lambda path: copy.deepcopy(_read(path))
    try:
        yield
    finally:
        load.read_yaml = before


class Hangs(BaseException):
    """A run took too long."""


@contextmanager
def bounded(seconds: int = SECONDS) -> Iterator[None]:
    """End what takes too long, or asks for more than a gigabyte."""

    def ring(*_: object) -> None:
        raise Hangs(f"longer than {seconds} s")

    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    # seconds of this process: other work may slow the machine down
    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY_BYTES, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
