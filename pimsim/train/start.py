"""A training that begins with the weights of another network of blocks, such as a float one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pimsim.errors import DataError, Place
from pimsim.nn.activations import Codes
from pimsim.nn.lstm import Lstm
from pimsim.nn.quantiser import Quantiser
from pimsim.nn.weights import LevelWeight


@torch.no_grad()
def take_weights(
    network: nn.Sequential, other: nn.Sequential, inputs: Tensor, place: Place
) -> None:
    """Give a network the weights of another one, whose quantisers may be others.

    Ranges of what is quantised alike go with them; others begin as in a new network, those of
    weights from the weights.

    Parameters
    ----------
    network, other : torch.nn.Sequential
    inputs : (n, ...) Tensor
        Inputs of some samples: ranges of the inputs of an LSTM follow from them.
    place : Place
        Of the other network, for errors.

    Raises
    ------
    DataError
        If the other network lacks a module, or a weight of the same shape.
    """
    others = dict(other.named_modules())
    for name, module in network.named_modules():
        if isinstance(module, Codes):
            _take_codes(module, others.get(name))
        elif not isinstance(module, Quantiser):
            _take(name, module, others.get(name), place)
    for index, module in enumerate(network):
        if isinstance(module, Lstm):
            before = others[str(index)]
            assert isinstance(before, Lstm)
            below = _below(list(network)[:index], inputs) if _has_no_range(module) else inputs
            _fit_inputs(module, before, below)


def _take(name: str, module: nn.Module, other: nn.Module | None, place: Place) -> None:
    own = _tensors(module)
    if not own:
        return
    given = {} if other is None or type(other) is not type(module) else _tensors(other)
    for key, tensor in own.items():
        if key in given and given[key].shape == tensor.shape:
            if not _is_range(module, other, key):
                tensor.copy_(given[key])
        else:
            raise DataError(
                f"has no {key} of {'x'.join(map(str, tensor.shape)) or 'one number'} for block "
                f"{name}",
                place=place,
                remedy="Start from a network with as many units and the same kinds of blocks",
            )
    if isinstance(module, LevelWeight):
        assert isinstance(other, LevelWeight)
        if module.levels != other.levels:
            module.reset_range()


def _is_range(module: nn.Module, other: nn.Module | None, key: str) -> bool:
    """Whether a tensor is the range of a quantiser that the other network does not have."""
    if isinstance(module, Lstm) and isinstance(other, Lstm):
        return key in ("sum_range", "is_set") and module.sum_bits != other.sum_bits
    if isinstance(module, LevelWeight) and isinstance(other, LevelWeight):
        return key == "range" and module.levels != other.levels
    return False


def _take_codes(module: Codes, other: nn.Module | None) -> None:
    is_alike = isinstance(other, Codes) and (module.bits, module.signed) == (
        other.bits,
        other.signed,
    )
    if is_alike and module.range.requires_grad:
        assert isinstance(other, Codes)
        module.range.copy_(other.range)
        module.is_set.copy_(other.is_set)


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers of a module, without those of modules in it."""
    own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    return dict(own)


def _has_no_range(module: Lstm) -> bool:
    return module.inputs is not None and not bool(module.inputs.is_set)


def _below(modules: Sequence[nn.Module], inputs: Tensor) -> Tensor:
    """Output of the first modules, as deployed."""
    for module in modules:
        inputs = module.eval()(inputs)
        module.train()
    return inputs


def _fit_inputs(module: Lstm, before: Lstm, below: Tensor) -> None:
    """Make weights of inputs mean what they did: they count steps of inputs as those of states."""
    if module.inputs is not None and _has_no_range(module):
        module.inputs.set_range(below)
    factor = module.inputs_over_states / before.inputs_over_states
    if factor != 1:
        for matrix in module.matrices:
            matrix.weight[:, module.n_hidden :] *= factor
            if matrix.quantizer is not None:
                matrix.reset_range()
