"""Every command of pimsim with its parameters, and a process that runs commands within bounds.

`parameters()` finds all commands and gives each parameter a role. Numbers and files are known by
their types; plain texts stand in `TEXTS`, and a command that is not in `CALLS` or a text that is
not in `TEXTS` is an error: whoever adds one says here what it is, and the walks take it along.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import json
import os
import pkgutil
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import click

import pimsim
from pimsim.cli.main import cli
from pimsim.cli.options import Target, TargetFolder

TESTS = Path(__file__).resolve().parents[1]
SECONDS = 60  # a command that takes longer hangs; other work may slow the machine down
MEMORY_BYTES = 1 << 30  # beside what imported modules take


class Role(Enum):
    """What a parameter is."""

    READ = "a file or folder that is read, or the name of a bundled one"
    WRITTEN = "a file that is written"
    FOLDER = "a folder that is written into"
    NUMBER = "a number"
    QUANTITY = "a quantity with its unit, or a percentage, or several"
    ASSIGNMENT = "key=value"
    WORD = "a word of free choice, or one of a list"
    SWITCH = "a switch, or one of a few words that click checks"


class Parameter(NamedTuple):
    """A parameter of a command, such as `--chip` of ("sweep",)."""

    command: tuple[str, ...]
    name: str
    flag: str | None  # None for an argument
    role: Role
    click: click.Parameter

    def __str__(self) -> str:
        return f"{' '.join(self.command)} {self.flag or self.name.upper()}"


# a call of each command that works, with the places that hostile values take: {model} is a model
# file, {report} the folder of a finished run, {cells} measured cells, {out} something to write
CALLS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("run",): ("{model}", "--out", "{out}"),
    ("inspect",): ("{network}",),
    ("compare",): ("{report}", "--out", "{out}"),
    ("sweep",): ("{model}", "--axis", "seed=1", "--out", "{out}"),
    ("sensitivity",): ("{model}", "--key", "chip.array.rows", "--out", "{out}"),
    ("report",): ("{report}", "--out", "{out}.html"),
    ("trace",): ("{model}", "--out", "{out}.json"),
    ("floorplan",): ("{model}", "--out", "{out}.svg"),
    ("device", "list"): (),
    ("device", "show"): ("{device}",),
    ("device", "plot"): ("{device}", "--out", "{out}.svg"),
    ("device", "fit"): ("{cells}", "--out", "{out}.yaml", "--figure", "{out}.svg"),
    ("device", "age"): ("{model}", "--ages", "1 s", "--out", "{out}"),
    ("device", "program"): ("{device}", "--out", "{out}.svg"),
    ("chip", "list"): (),
    ("chip", "show"): ("ba_mlw_16nm",),
    ("schema",): ("device", "--out", "{out}.json"),
    ("validate",): ("{validation}", "--out", "{out}.json"),
    ("vectors",): ("{model}", "--out", "{out}.npz"),
    ("faults",): ("{model}", "--set", "noise.faults.open=0.1", "--out", "{out}.npz"),
    ("spice",): (
        "{model}",
        "--layer",
        "gru0",
        "--columns",
        "0:2",
        "--input",
        "0:1",
        "--out",
        "{out}.cir",
    ),
    ("init",): ("{out}",),
    ("reproduce",): ("fig5", "--samples", "1", "--limit", "6", "--out", "{out}"),
    ("data", "list"): (),
    ("data", "get"): ("mnist", "--to", "{out}"),
    ("doctor",): (),
    ("import",): ("{onnx}", "--data", "{npz}", "--out", "{out}.safetensors"),
    ("train",): ("{recipe}", "--device", "cpu", "--out", "{out}"),
    ("search",): ("{recipe}", "--out", "{out}"),
    ("export",): ("{checkpoint}", "--out", "{out}.safetensors"),
}

# plain texts by command and parameter, or by the parameter alone where it is one thing everywhere
TEXTS: dict[tuple[str, ...] | str, Role] = {
    "model": Role.READ,
    "network": Role.READ,
    "device": Role.READ,
    "chip": Role.READ,
    "data": Role.READ,
    "devices": Role.READ,
    "networks": Role.READ,
    "on_chips": Role.READ,
    "what": Role.READ,
    "names": Role.READ,
    "recipe": Role.READ,
    "scheduler": Role.READ,
    "name": Role.WORD,
    ("device", "show", "name"): Role.READ,
    ("device", "plot", "name"): Role.READ,
    ("device", "program", "name"): Role.READ,
    ("chip", "show", "name"): Role.READ,
    ("train", "device"): Role.WORD,
    ("search", "device"): Role.WORD,
    ("device", "fit", "levels"): Role.WORD,
    ("sweep", "where"): Role.WORD,
    ("sensitivity", "keys"): Role.WORD,
    ("sensitivity", "step"): Role.QUANTITY,
    ("sweep", "best"): Role.WORD,
    ("spice", "layer"): Role.WORD,
    ("spice", "columns"): Role.WORD,
    ("spice", "read"): Role.WORD,
    ("spice", "amplifier"): Role.WORD,
    "note": Role.WORD,
    "figure": Role.WORD,
    "kernel": Role.WORD,
    "time_since_programming": Role.QUANTITY,
    "read_interval": Role.QUANTITY,
    "frame_interval": Role.QUANTITY,
    "until_ci95": Role.QUANTITY,
    "accuracy_target": Role.QUANTITY,
    "read_voltage": Role.QUANTITY,
    "cell_area": Role.QUANTITY,
    "temperature": Role.QUANTITY,
    "lifetime": Role.QUANTITY,
    "age": Role.QUANTITY,
    "ages": Role.QUANTITY,
    "cycles": Role.NUMBER,
    "assignments": Role.ASSIGNMENT,
    "axes": Role.ASSIGNMENT,
    "units": Role.ASSIGNMENT,
}
# paths that are read; what is written has the type of a target
READ = {
    ("device", "fit", "data"),
    ("export", "checkpoint"),
    ("reproduce", "networks"),
    ("reproduce", "start"),
    ("import", "file"),
    ("inspect", "file"),
    ("report", "what"),
    ("sweep", "table"),
    ("train", "start"),
}
NEEDS = {"import": "onnx", "train": "torch", "search": "torch", "export": "torch"}


def commands(
    group: click.Group = cli, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that runs, with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        else:
            yield (*above, name), command


def is_installed(command: tuple[str, ...]) -> bool:
    """Whether the package that a command needs is here."""
    needed = NEEDS.get(command[0])
    return needed is None or importlib.util.find_spec(needed) is not None


def parameters() -> list[Parameter]:
    """Every parameter of every command with its role."""
    return [
        Parameter(
            words,
            parameter.name or "",
            _flag(parameter),
            _role(words, parameter),
            parameter,
        )
        for words, command in commands()
        for parameter in command.params
    ]


def _flag(parameter: click.Parameter) -> str | None:
    if isinstance(parameter, click.Argument):
        return None
    return next(text for text in parameter.opts if text.startswith("--"))


def _role(words: tuple[str, ...], parameter: click.Parameter) -> Role:
    key = (*words, parameter.name or "")
    kind = parameter.type
    if isinstance(kind, Target):
        return Role.WRITTEN
    if isinstance(kind, TargetFolder):
        return Role.FOLDER
    if isinstance(kind, click.Path | click.File):
        assert key in READ, f"{key}: is it read? What is written is a Target or a TargetFolder"
        return Role.READ
    if isinstance(kind, click.Choice | click.types.BoolParamType):
        return Role.SWITCH
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return Role.NUMBER
    role = TEXTS.get(key) or TEXTS.get(parameter.name or "")
    assert role is not None, f"{key}: say in TEXTS what this text is"
    return role


def call(parameter: Parameter, value: str | list[str], places: dict[str, str]) -> list[str]:
    """Words of a command with a value for one parameter, and what works for the others."""
    words, value = list(CALLS[parameter.command]), [value] if isinstance(value, str) else value
    if parameter.flag is None:
        before = next((i for i, word in enumerate(words) if word.startswith("--")), len(words))
        arguments = [p for p in parameters() if p.command == parameter.command and p.flag is None]
        index = [p.name for p in arguments].index(parameter.name)
        words = [*words[:index], *value, *words[min(index + 1, before) :]]
    elif parameter.flag in words:
        at = words.index(parameter.flag)
        words[at + 1 : at + 2] = value
    else:
        words += [parameter.flag, *value]
    return [
        *parameter.command,
        *(word if word in value else word.format(**places) for word in words),
    ]


class Ended(NamedTuple):
    """End of a command: its exit code (None where it hung), words, seconds and memory [bytes]."""

    code: int | None
    out: str
    err: str
    seconds: float
    memory: int

    def fault(self) -> str | None:
        """What may never happen: a traceback, a hang, too much memory, a crash; None if well."""
        if self.code is None:
            return "hangs"
        if "Traceback (most recent call last)" in self.err + self.out:
            return "traceback"
        if self.code not in (0, 1, 2):
            return f"ends with {self.code}"
        if self.memory > MEMORY_BYTES:
            return f"takes {self.memory >> 20} MiB"
        if self.code == 2 and not self.err.strip():
            return "says nothing"
        return None


class Runner:
    """A process with pimsim imported, which forks for every command: quick, and nobody can hang it.

    Use it as a context manager.
    """

    def __enter__(self) -> Runner:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "COLUMNS": "120", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def run(
        self,
        arguments: list[str],
        folder: Path | str,
        *,
        seconds: int = SECONDS,
        environment: dict[str, str] | None = None,
        user: int | None = None,
        before: str = "",
    ) -> Ended:
        """Run a command in a folder.

        Parameters
        ----------
        environment
            Variables that are set beside those of this process.
        user
            Number of the user that runs it; the process has to be root's.
        before
            Python code that runs in the command's process before it.
        """
        request = {"arguments": arguments, "folder": str(folder), "seconds": seconds,
                   "environment": environment or {}, "user": user, "before": before}  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


def _serve() -> None:
    """Fork for each line of stdin, and answer with the child's end as a line of JSON."""
    _import_all()
    gc.collect()
    gc.freeze()
    at_rest = _memory_of_a_child()
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            begun = _clock()
            child = os.fork()
            if child == 0:
                _child(request, out.fileno(), err.fileno())
            _, status, used = os.wait4(child, 0)
            with contextlib.suppress(ProcessLookupError):  # its workers, where it left any
                os.killpg(child, signal.SIGKILL)
            killed = os.WIFSIGNALED(status)
            hung = killed and os.WTERMSIG(status) == signal.SIGALRM
            ended = {
                "code": None if hung else os.waitstatus_to_exitcode(status),
                "out": _read(out),
                "err": _read(err),
                "seconds": _clock() - begun,
                "memory": max(0, used.ru_maxrss - at_rest) * 1024,
            }
        print(json.dumps(ended), flush=True)


def _memory_of_a_child() -> int:
    """Most memory of a process that is forked and ends [KiB]: less than this one's.

    Pages of files, such as those of libraries, count only once a child has touched them.
    """
    child = os.fork()
    if child == 0:
        os._exit(0)
    return os.wait4(child, 0)[2].ru_maxrss


def _import_all() -> None:
    """Import what commands import when they are called: another user may not read it."""
    names = [module.name for module in pkgutil.walk_packages(pimsim.__path__, "pimsim.")]
    for name in (*names, "scipy.stats", "PIL.Image", "click._textwrap"):
        with contextlib.suppress(ImportError):  # of an extra that is not installed
            if not name.endswith("__main__"):
                importlib.import_module(name)


def _child(request: dict[str, Any], out: int, err: int) -> None:
    try:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        signal.alarm(request["seconds"])
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        bound = held + 3 * MEMORY_BYTES  # reserved, not used: threads reserve much
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.chdir(request["folder"])
        if request["user"] is not None:
            os.setgroups([])
            os.setgid(request["user"])
            os.setuid(request["user"])
        os.environ.update(request["environment"])
        sys.stdin = os.fdopen(0)
        sys.stdout = os.fdopen(1, "w")
        sys.stderr = os.fdopen(2, "w", errors="backslashreplace")
        exec(request["before"], {})
        sys.argv = ["pimsim", *(os.fsdecode(os.fsencode(word)) for word in request["arguments"])]
        from pimsim.cli.main import main

        main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    else:
        code = 0
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _read(file: Any) -> str:
    file.seek(0)
    return file.read(1 << 20).decode(errors="replace")


def _clock() -> float:
    import time

    return time.monotonic()


if __name__ == "__main__":
    _serve()
