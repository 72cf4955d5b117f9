"""Content of a checkpoint, checked entry by entry before any of it is used."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pimsim.errors import DataError, Place, shown

KEYS = {"recipe", "network", "average", "optimizer", "teacher", "spread", "stage", "epoch", "log"}
# what each optimizer remembers of a parameter
MOMENTS: dict[type[torch.optim.Optimizer], set[str]] = {
    torch.optim.AdamW: {"step", "exp_avg", "exp_avg_sq"},
    torch.optim.SGD: {"momentum_buffer"},
    torch.optim.Muon: {"momentum_buffer"},
}
REMEDY = "Name a .pt file that `pimsim train` wrote"


def check_progress(saved: Any, recipe: Any, place: Place) -> None:
    """Refuse a checkpoint whose stage, epoch, log or numbers cannot be those of its recipe.

    Parameters
    ----------
    saved
        Content of the file.
    recipe
        The recipe in it.

    Raises
    ------
    DataError
        For the first entry that is missing, unknown, of another type or out of its range.
    """
    if set(saved) != KEYS:
        wrong = ", ".join(sorted(map(shown, set(saved) ^ KEYS)))
        raise _error(f"lacks or adds entries: {wrong}", place)
    n_stages, stage, epoch = len(recipe.stages), saved["stage"], saved["epoch"]
    _whole("stage", stage, n_stages, place)
    _whole("epoch", epoch, recipe.stages[stage].epochs if stage < n_stages else 0, place)
    done = sum(each.epochs for each in recipe.stages[:stage]) + epoch
    if done == 0:
        raise _error("has no finished epoch", place)
    _number("spread", saved["spread"], place)
    log = saved["log"]
    if not isinstance(log, list) or len(log) != done:
        raise _error(f"has a log that is no list of {done} epochs", place)
    for entry in log:
        _check_entry(entry, place)


def _check_entry(entry: Any, place: Place) -> None:
    """Check one epoch of a log: a stage, its epoch, and numbers."""
    if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
        raise _error("has a log with an epoch that is no table", place)
    if not isinstance(entry.get("stage"), str):
        raise _error("has a log with an epoch of no stage", place)
    for key in {"epoch", "loss", "wall_s"} | (entry.keys() - {"stage", "arithmetic"}):
        _number(f"log: {key}", entry.get(key), place)
    if not isinstance(entry.get("arithmetic", ""), str):
        raise _error(f"has {shown(entry['arithmetic'])} as log: arithmetic", place)


def check_tensors(saved: Mapping[str, Any], network: torch.nn.Module, place: Place) -> None:
    """Refuse parameters that are not whole, finite and those of the recipe's network.

    Raises
    ------
    DataError
        For the first tensor that is missing, unknown, of another shape or type, or not finite;
        of `network`, and of `average` and `teacher` where there are any.
    """
    wanted = network.state_dict()
    for name in ("network", "average", "teacher"):
        given = saved[name]
        if given is None and name != "network":
            continue
        if not isinstance(given, dict) or given.keys() != wanted.keys():
            raise _error(f"has a table '{name}' of another network than its recipe's", place)
        for key, tensor in given.items():
            _check_tensor(f"{name}: {key}", tensor, wanted[key].shape, wanted[key].dtype, place)


def check_optimizers(saved: Any, optimizers: Sequence[torch.optim.Optimizer], place: Place) -> None:
    """Refuse states of optimizers that are not those of a stage.

    Parameters
    ----------
    saved : list
        A state for each optimizer.
    optimizers
        Those that the stage begins with.

    Raises
    ------
    DataError
        For groups of other parameters, a setting that is no plain number, and moments that are
        missing, unknown, not finite, or of another shape than their parameter.
    """
    if not isinstance(saved, list) or len(saved) != len(optimizers):
        raise _error("has the state of other optimizers than its stage's", place)
    for state, optimizer in zip(saved, optimizers, strict=True):
        if not isinstance(state, dict) or state.keys() != {"state", "param_groups"}:
            raise _error("has an optimizer without state or groups", place)
        _check_groups(state["param_groups"], optimizer.state_dict()["param_groups"], place)
        _check_moments(state["state"], optimizer, place)


def _check_groups(groups: Any, wanted: list[dict[str, Any]], place: Place) -> None:
    if not isinstance(groups, list) or len(groups) != len(wanted):
        raise _error("has an optimizer of other groups than its stage's", place)
    for group, own in zip(groups, wanted, strict=True):
        indices = group.get("params") if isinstance(group, dict) else None
        if not isinstance(indices, list) or list(map(repr, indices)) != list(
            map(repr, own["params"])
        ):
            raise _error("has an optimizer of other parameters than its stage's", place)
        for key in own.keys() - {"params"}:
            _check_setting(f"optimizer: {shown(key)}", group.get(key), own[key], place)


def _check_setting(what: str, value: Any, own: Any, place: Place) -> None:
    """Check a setting: of the kind that torch gives it, and finite."""
    if isinstance(own, tuple):
        if not isinstance(value, tuple) or len(value) != len(own):
            raise _error(f"has {shown(value)} as {what}", place)
        for one, other in zip(value, own, strict=True):
            _check_setting(what, one, other, place)
    elif type(own) in (int, float):
        _number(what, value, place)
    elif repr(value) != repr(own):
        raise _error(f"has {shown(value)} as {what}", place)


def _check_moments(state: Any, optimizer: torch.optim.Optimizer, place: Place) -> None:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    names = next(names for kind, names in MOMENTS.items() if isinstance(optimizer, kind))
    if not isinstance(state, dict):
        raise _error("has an optimizer whose state is no table", place)
    for index, moments in state.items():
        known = type(index) is int and 0 <= index < len(parameters)
        if not known or not isinstance(moments, dict) or moments.keys() != names:
            raise _error(f"has no state of an optimizer at {shown(index)}", place)
        own = parameters[index]
        for name, value in moments.items():
            what = f"optimizer: {name}"
            if name == "step":
                shape = torch.Size()
                _check_tensor(what, value, shape, torch.float32, place)
            elif value is not None or not isinstance(optimizer, torch.optim.SGD):
                _check_tensor(what, value, own.shape, own.dtype, place)


def _check_tensor(
    what: str, tensor: Any, shape: torch.Size, dtype: torch.dtype, place: Place
) -> None:
    if not isinstance(tensor, Tensor) or tensor.layout != torch.strided or tensor.is_meta:
        raise _error(f"has {what}, which is no plain tensor", place)
    if tensor.shape != shape or tensor.dtype != dtype:
        found = f"{list(tensor.shape)} of {tensor.dtype}".replace("torch.", "")
        wanted = f"{list(shape)} of {dtype}".replace("torch.", "")
        raise _error(f"has {what} of shape {found}; its recipe's network has {wanted}", place)
    if not bool(torch.isfinite(tensor).all()):
        raise _error(f"has {what} that is not finite", place)


def _whole(key: str, value: Any, most: int, place: Place) -> None:
    if type(value) is not int or not 0 <= value <= most:
        raise _error(f"has {shown(value)} as {key}; it is a whole number from 0 to {most}", place)


def _number(key: str, value: Any, place: Place) -> None:
    if type(value) not in (int, float) or abs(value) > 1e300 or not math.isfinite(value):
        raise _error(f"has {shown(value)} as {key}, which is no finite number", place)


def _error(message: str, place: Place) -> DataError:
    return DataError(message, place=place, remedy=REMEDY)
