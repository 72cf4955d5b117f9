"""Torch modules, by `torch.export`: the graph of their operations as those of `ops`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pimsim.data.dataset import Dataset
from pimsim.errors import DataError
from pimsim.importers import build, check, float_run
from pimsim.importers.ops import NetworkImportError, Real, Trained
from pimsim.importers.torch_graph import Reader
from pimsim.importers.tracing import traced
from pimsim.workload import Network

# samples on which the operations are compared to the module itself
COMPARED = 256
# largest difference of scores, of their largest, that 32-bit rounding may make
ROUNDING = 1e-3


def export(
    module: torch.nn.Module,
    example: Any,
    data: Dataset | NDArray[Any],
    *,
    bits: int = 8,
    weight_bits: int = 8,
    input_bits: int = 8,
    half_levels: bool = False,
    name: str | None = None,
) -> Network:
    """Make a network of a torch module.

    Parameters
    ----------
    module : torch.nn.Module
        Of `pimsim.nn` blocks and plain torch: Linear, Conv1d, Conv2d, GRU, LSTM, BatchNorm, ReLU,
        ReLU6, Hardtanh, Sigmoid, Tanh, sign, pooling, add, cat, flatten, Dropout, Identity.
    example : tensor
        An input of the module, its first axis the batch.
    data : Dataset or array
        Inputs from which ranges of codes are chosen, and on which classes are compared. Features of
        a data set have their channels last; bytes stand for 0 to 1, as `ToTensor` makes of them. An
        array has the module's own layout.
    bits, weight_bits, input_bits : int
        Bits of codes, of weights and of inputs where the module names no format.
    half_levels : bool
        Whether cells hold thresholds of bits half-way between two sums, so that no sum meets one.
        A cell then needs twice the levels.

    Raises
    ------
    NetworkImportError
        If a part cannot be brought over, named by its path in the module.
    """
    was_training = module.training
    module.eval()
    try:
        trained = read(module, torch.as_tensor(example))
        own = data if isinstance(data, Dataset) else _dataset(module, trained, data)
        _compare(module, trained, own)
        return build.network(
            trained,
            own,
            bits=bits,
            weight_bits=weight_bits,
            input_bits=input_bits,
            half_levels=half_levels,
            name=name or type(module).__name__,
        )
    finally:
        module.train(was_training)


def read(module: torch.nn.Module, example: torch.Tensor) -> Trained:
    """Operations of a module."""
    try:
        with torch.no_grad(), traced():
            program = torch.export.export(module, (example,))
    except Exception as error:
        raise NetworkImportError(
            f"torch.export cannot trace {type(module).__name__}: {str(error).splitlines()[0]}",
            remedy="Its forward must be traceable: no branches on values, no loops over data",
        ) from error
    return Reader(module, program).trained()


def to_module(trained: Trained, values: Real) -> torch.Tensor:
    """Inputs (n, ..., channels) in the module's layout."""
    if len(trained.sizes) > 1:
        values = np.moveaxis(values, -1, 1)
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32)


def _dataset(module: torch.nn.Module, trained: Trained, values: NDArray[Any]) -> Dataset:
    """A data set of inputs in the module's layout, labelled by the module."""
    values = np.asarray(values, np.float32)
    if values.ndim < 2:
        raise DataError(f"data have shape {values.shape}; (n, ...) is needed")
    with torch.no_grad():
        labels = _scores(module, torch.as_tensor(values)).argmax(axis=1)
    if len(trained.sizes) > 1:
        values = np.moveaxis(values, 1, -1)
    features = np.ascontiguousarray(values)
    return Dataset(features, labels, name="calibration", description="inputs that were given")


def _scores(module: torch.nn.Module, inputs: torch.Tensor) -> Real:
    found = module(inputs)
    return np.asarray(found.detach().reshape(len(inputs), -1).numpy(), np.float64)


def _compare(module: torch.nn.Module, trained: Trained, data: Dataset) -> None:
    """Raise a NetworkImportError where the operations mean something else than the module."""
    inputs = check.as_numbers(trained, data.limit(min(COMPARED, len(data))))
    with torch.no_grad():
        expected = _scores(module, to_module(trained, inputs))
    found = float_run.scores(trained, inputs)
    if found.shape != expected.shape:
        raise NetworkImportError(
            f"the module gives {expected.shape[1]} scores, and its operations {found.shape[1]}"
        )
    largest = float(np.abs(expected).max()) or 1.0
    same = np.abs(found - expected).max(axis=1) <= ROUNDING * largest
    # signs and roundings of sums near a bound may differ in 32 bits
    alike = found.argmax(axis=1) == expected.argmax(axis=1)
    if not same.all() and (alike | same).mean() < 0.98:
        raise NetworkImportError(
            f"its operations give other scores than the module for {int((~same).sum())} of "
            f"{len(same)} samples, by {np.abs(found - expected).max():.3g} at most",
            remedy="This is an error of pimsim: please report it with the module",
        )
