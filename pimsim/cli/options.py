"""Click options made from the options of a run (`pimsim.studies.options`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.errors import shown
from pimsim.studies.options import MAX_AT_ONCE, Group, Option, RunOptions, declared

Decorator = Callable[[Any], Any]
# of an index or a number of things
MAX_WHOLE = 1_000_000_000


def run_options(*groups: Group, without: Sequence[str] = ()) -> Callable[[Any], Any]:
    """Add the options of a run, of some groups; the command receives them as `**options`.

    Parameters
    ----------
    without
        Fields that the command has options of its own for.
    """
    chosen = [o for o in declared() if o.group in groups and o.field not in without]

    def decorate(command: Any) -> Any:
        for option in reversed(chosen):
            command = click_option(option)(command)
        return command

    return decorate


def options_of(given: dict[str, Any]) -> RunOptions:
    """Make `RunOptions` from the values of `run_options`."""
    return RunOptions(**given)


def click_option(option: Option) -> Callable[[Any], Any]:
    """Click option for an option of a run."""
    said: dict[str, Any] = {"help": option.help, "metavar": option.metavar}
    if option.type == "bool":
        said |= {"default": option.default}
        if "/" not in option.flag:
            said |= {"is_flag": True}
    elif option.type.startswith("tuple"):
        said |= {"multiple": True}
    elif option.group == "speed" and option.type.startswith("int"):
        said |= {"type": Whole(1, MAX_AT_ONCE)}
    elif option.type.startswith("int"):
        # the model file's bounds hold: a seed has 64 bits
        said |= {"type": Whole(most=1 << 64)}
    if option.default not in (None, (), True, False):
        said |= {"default": option.default, "show_default": True}
    if option.field in ("network", "device", "chip", "data"):
        said |= {"shell_complete": completed(option.field)}
    if option.field in _READ:
        said |= {"callback": _READ[option.field]}
    return click.option(option.flag, *_SPELLINGS.get(option.field, ()), option.field, **said)


def _half_width(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """The number in `ci=0.1%`."""
    if text is None:
        return None
    name, _, value = text.partition("=")
    if name.strip() != "ci" or not value.strip():
        raise click.BadParameter(f"'{text}' is no precision; write it as ci=0.1%")
    return value.strip()


# how the words on the command line are read, where that is not as they stand
_READ = {"until_ci95": _half_width}
# other spellings of an option
_SPELLINGS = {"noise_sources": (" /--no-contributions",)}


class Whole(click.IntRange):
    """A whole number within bounds, as model files write it: `010` is ten, `1_0` is none."""

    def __init__(self, least: int = -MAX_WHOLE, most: int = MAX_WHOLE) -> None:
        super().__init__(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Any:
        from pimsim.config.scalars import whole_number

        if isinstance(value, str):
            try:
                value = whole_number(value.strip())
            except ValueError:
                self.fail(f"{shown(value)} is no whole number.", param, ctx)
        return super().convert(value, param, ctx)


class Target(click.Path):
    """A file that a command writes: looked at before the command begins.

    Parameters
    ----------
    beside
        Tells another file that is written beside it.
    """

    def __init__(self, beside: Callable[[Path], Path] | None = None) -> None:
        super().__init__(path_type=Path)
        self.beside = beside

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Path:
        from pimsim.files import claim

        path, option = Path(os.fsdecode(super().convert(_named(value), param, ctx))), _flag(param)
        _forget_at_the_end(ctx)
        claim(path, option)
        if self.beside is not None:
            claim(self.beside(path), f"what stands beside {option}")
        return path


class TargetFolder(click.Path):
    """A folder that a command writes into: looked at before the command begins.

    Parameters
    ----------
    names
        Files that are written in it, and that the command does not read; and folders, with a slash.
    """

    def __init__(self, *names: str) -> None:
        super().__init__(path_type=Path)
        self.names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Path:
        from pimsim.files import claim_folder

        path = Path(os.fsdecode(super().convert(_named(value), param, ctx)))
        _forget_at_the_end(ctx)
        return claim_folder(path, self.names, _flag(param))


def claimed(path: Path, by: str) -> Path:
    """The path of a further file that the present command will write, after checking it."""
    from pimsim.files import claim

    _forget_at_the_end(click.get_current_context(silent=True))
    return claim(path, by)


def _forget_at_the_end(ctx: Any) -> None:
    """Let the next command of this process, as in a program of the user's, claim files anew."""
    from pimsim.files import forget_claims

    if ctx is not None:
        ctx.call_on_close(forget_claims)


def _named(value: Any) -> Any:
    """A value that is no empty text, which would be the working folder."""
    if value == "":
        raise click.BadParameter("names nothing; name a file or a folder")
    return value


def _flag(param: click.Parameter | None) -> str:
    """What a user writes for a parameter, such as `--out`."""
    if param is None:
        return "the command"
    return max(param.opts, key=len) if isinstance(param, click.Option) else str(param.name).upper()


def out_option(
    help: str,
    kind: Target | TargetFolder,
    *,
    required: bool = False,
    spellings: Sequence[str] = (),
) -> Decorator:
    """`-o`, `--out`: where results go."""
    return click.option("-o", "--out", *spellings, type=kind, required=required, help=help)
