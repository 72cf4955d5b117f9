"""`pimsim`: the group of commands, and its exit codes for errors."""

from __future__ import annotations

import errno
import gc
import importlib
import keyword
import os
import sys

import click

from pimsim import __version__
from pimsim.cli.environment import check_environment, settle_streams
from pimsim.errors import PimsimError, unprintable
from pimsim.files import forget_claims

COMMANDS = {
    "run": "Simulate a network on chips drawn from a device, and report.",
    "inspect": "Print the content of a network file.",
    "compare": "Compare several chips, devices or networks.",
    "sweep": "Run a model at every point of a grid, and plot the results.",
    "sensitivity": "Rank parameters by what a step of each does.",
    "report": "Write the HTML page of a finished run or study again.",
    "trace": "Trace an inference cycle by cycle, for a waveform viewer or Perfetto.",
    "floorplan": "Draw a model's chip to scale.",
    "device": "List, show and plot devices, and fit them to measurements.",
    "chip": "List and show chips.",
    "validate": "Compare the models with published chips.",
    "vectors": "Write test vectors for an RTL or SPICE bench.",
    "spice": "Write a deck of a chip's columns for ngspice.",
    "schema": "Write the JSON Schema of a kind of YAML file, for editors.",
    "faults": "Write which cells of a chip fail, for a training on it.",
    "init": "Copy the bundled models and hardware files, to edit them.",
    "reproduce": "Compute a figure or table of the paper again.",
    "data": "Find and download data sets.",
    "doctor": "Check the installation.",
    "import": "Bring a trained network over from an ONNX file (needs the 'onnx' extra).",
    "train": "Train a network from a recipe (needs the 'train' extra).",
    "search": "Search among variants of a recipe (needs the 'train' extra).",
    "export": "Export a trained checkpoint for the simulator (needs the 'train' extra).",
}

# Imported modules and compiled kernels are half a million objects that live until the program ends.
# Running the garbage collector over them took a fifth of the time of a short run; numpy arrays and
# most other objects are freed without it.
OBJECTS_BETWEEN_COLLECTIONS = 500_000

# a full disk is noticed first in the cache of compiled kernels, before any result is written
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def command_of(name: str) -> click.Command:
    """The command of a name, from the module of that name; `import` is a word of Python."""
    name = f"{name}_" if keyword.iskeyword(name) else name
    command: click.Command = getattr(importlib.import_module(f"pimsim.cli.{name}"), name)
    return command


class LazyGroup(click.Group):
    """Group of commands whose modules are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return command_of(name) if name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pimsim")
def cli() -> None:
    """Simulate processing-in-memory chips with multi-level eNVM cells.

    Start with `pimsim run gru.yaml`.
    """


def check_start() -> None:
    """Refuse to start where no command can end well: its words stand in every result.

    Raises
    ------
    PimsimError
        If the working folder was removed; or if it or a word of the command line is not UTF-8, or
        holds a character that is no letter.
    """
    try:
        here = os.getcwd()  # noqa: PTH109
    except OSError as error:
        raise PimsimError(
            f"the working folder cannot be used ({error.strerror})",
            remedy="Go to a folder that exists, with `cd`",
        ) from error
    for what, text in [("the working folder", here), *(("the word", t) for t in sys.argv[1:])]:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise PimsimError(
                f"{what} {text!r} is no text in UTF-8", remedy="Rename it, or link to it"
            ) from error
        if found := unprintable(text):
            raise PimsimError(
                f"{what} {text!r} holds {found}, which is no letter", remedy="Leave it out"
            )


def main() -> None:
    """Entry point: bad input ends with its message and exit code 2, Ctrl-C with 130."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    try:
        settle_streams()
        forget_claims()
        check_start()
        check_environment()
        code = cli.main(standalone_mode=False)
    except PimsimError as error:
        for text in error.texts:
            click.echo(f"Error: {text}", err=True)
        code = 2
    except click.exceptions.Abort as abort:
        # click takes the end of a file for the end of what is typed, which no command asks for
        if isinstance(abort.__cause__, EOFError):
            raise abort.__cause__ from None
        click.echo("Interrupted; nothing half-written was left.", err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        # the reader of our output has closed the pipe; print nothing more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        remedy = "Make room, or set NUMBA_CACHE_DIR and TMPDIR to folders that have some"
        click.echo(f"Error: {error.filename or 'a file'} cannot be written ({error.strerror}). "
                   f"{remedy}", err=True)  # fmt: skip
        code = 2
    finally:
        forget_claims()
    try:
        sys.stdout.flush()
    except OSError as error:  # a full disk: the results are written by then
        click.echo(f"Error: standard output cannot be written ({error.strerror})", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = code or 2
    gc.freeze()
    sys.exit(code if isinstance(code, int) else 0)
