"""The graph of `torch.export`, node by node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from pimsim.importers import ops
from pimsim.importers.ops import INPUT, NetworkImportError, Op, Real, Trained

# operations that hand their input on in evaluation, or change no class at the end
PASSED = frozenset(
    [
        "dropout",
        "dropout_",
        "alias",
        "clone",
        "contiguous",
        "detach",
        "lift_fresh_copy",
        "to",
        "_to_copy",
        "feature_dropout",
        "detach_",
        "identity",
    ]
)
AT_END = frozenset(("softmax", "log_softmax", "_softmax", "_log_softmax"))
NEAREST = {
    "leaky_relu": "ReLU", "elu": "ReLU", "gelu": "ReLU", "silu": "ReLU or Hardtanh",
    "mish": "ReLU", "hardswish": "ReLU6", "hardsigmoid": "Sigmoid", "prelu": "ReLU",
    "softplus": "ReLU", "layer_norm": "BatchNorm", "group_norm": "BatchNorm",
    "instance_norm": "BatchNorm", "lstm": "GRU", "conv_transpose2d": "Conv2d",
    "conv3d": "Conv2d", "embedding": "Linear on one-hot inputs",
    "scaled_dot_product_attention": "GRU or convolution",
}  # fmt: skip


class Reader:
    """Turns an exported program into operations.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode; its blocks of `pimsim.nn` describe themselves (`as_ops`).
    program : torch.export.ExportedProgram
    """

    def __init__(self, module: torch.nn.Module, program: Any) -> None:
        self.module, self.graph = module, program.graph
        signature = program.graph_signature
        tensors = {**program.state_dict, **program.constants}
        self.held = {
            node: tensors[target]
            for table in (
                signature.inputs_to_parameters,
                signature.inputs_to_buffers,
                signature.inputs_to_lifted_tensor_constants,
            )
            for node, target in table.items()
        }
        inputs = signature.user_inputs
        if len(inputs) != 1:
            raise NetworkImportError(
                f"the module takes {len(inputs)} inputs",
                remedy="Networks of pimsim take one; join them before",
            )
        self.input = inputs[0]
        self.blocks = {
            path: block for path, block in module.named_modules() if hasattr(block, "as_ops")
        }
        self.ops: list[Op] = []
        # of each node of the graph: the operation that gives its value
        self.signals: dict[str, str] = {}
        self.of_block: dict[str, str] = {}
        self.handlers = self._handlers()

    def trained(self) -> Trained:
        """All operations, in order."""
        result: Any = None
        for node in self.graph.nodes:
            if node.op == "placeholder":
                if node.name == self.input:
                    self.signals[node.name] = INPUT
            elif node.op == "call_function":
                self._call(node)
            elif node.op == "output":
                result = node.args[0]
            else:
                raise NetworkImportError(f"{node.name} is a node of kind {node.op}")
        last = result[0] if isinstance(result, tuple | list) else result
        name = self._signal(last)
        # what comes after the scores, such as a loss, is left out
        end = next(i for i, op in enumerate(self.ops) if op.name == name)
        sizes, has_steps = self._sizes()
        source = {
            "framework": f"torch {torch.__version__.split('+')[0]}",
            "module": type(self.module).__name__,
        }
        return Trained(tuple(self.ops[: end + 1]), sizes, has_steps, source)

    # -- values

    def _signal(self, node: Any) -> str:
        """Name of the operation that gives a node's value."""
        if node.name in self.of_block:
            return self.of_block[node.name]
        if node.name not in self.signals:
            raise NetworkImportError(
                f"{self._path(node)} is a number that does not depend on the input"
            )
        return self.signals[node.name]

    def _is_signal(self, value: Any) -> bool:
        return isinstance(value, torch.fx.Node) and (
            value.name in self.signals or value.name in self.of_block
        )

    def _constant(self, value: Any) -> Real | None:
        """A parameter, a buffer or a number, in 64 bits."""
        if value is None:
            return None
        if isinstance(value, torch.fx.Node):
            if value.name not in self.held:
                raise NetworkImportError(f"{self._path(value)} is computed, and not a parameter")
            value = self.held[value.name].detach().cpu().numpy()
        return np.asarray(value, np.float64)

    @staticmethod
    def _path(node: Any) -> str:
        """Path of the module that a node belongs to, or the node's own name."""
        stack = node.meta.get("nn_module_stack") or {}
        paths = [path for path, _ in stack.values() if path]
        return paths[-1] if paths else str(node.name)

    @staticmethod
    def _shape(node: Any) -> tuple[int, ...]:
        return tuple(int(side) for side in node.meta["val"].shape)

    def _name(self, node: Any) -> str:
        base = self._path(node)
        taken = {op.name for op in self.ops}
        names = (base, f"{base}.{node.name}", *(f"{base}.{node.name}_{i}" for i in range(99)))
        return next(name for name in names if name not in taken)

    def _add(self, node: Any, op: Op) -> None:
        self.ops.append(op)
        self.signals[node.name] = op.name

    # -- nodes

    def _call(self, node: Any) -> None:
        stack = node.meta.get("nn_module_stack") or {}
        inside = [path for path, _ in stack.values() if path in self.blocks]
        if inside:
            self._in_block(node, inside[0])
            return
        if not any(self._is_signal(argument) for argument in _flat(node.args)):
            return
        target = getattr(node.target, "__name__", str(node.target)).split(".")[0].rstrip("_")
        if target in PASSED:
            self.signals[node.name] = self._signal(node.args[0])
            return
        if target in AT_END:
            self.signals[node.name] = self._signal(node.args[0])
            return
        handler = self.handlers.get(target)
        if handler is None:
            remedy = f"Take {NEAREST[target]}" if target in NEAREST else (
                "Take Linear, Conv, GRU, BatchNorm, ReLU, Hardtanh, Sigmoid, Tanh, sign, pooling, "
                "add, cat, flatten"
            )  # fmt: skip
            raise NetworkImportError(
                f"{self._path(node)} uses {target}, which pimsim cannot bring over", remedy=remedy
            )
        handler(node)

    def _handlers(self) -> dict[str, Callable[[Any], None]]:
        """What is done with each operation of torch, by its name."""
        return {
            "linear": self._linear,
            "conv1d": lambda node: self._conv(node, 1),
            "conv2d": lambda node: self._conv(node, 2),
            "batch_norm": self._batch_norm,
            "relu": lambda node: self._activate(node, "relu"),
            "relu6": lambda node: self._activate(node, "hardtanh", 0.0, 6.0),
            "sigmoid": lambda node: self._activate(node, "sigmoid"),
            "tanh": lambda node: self._activate(node, "tanh"),
            "sign": lambda node: self._activate(node, "sign"),
            "hardtanh": self._hardtanh,
            "clamp": self._clamp,
            "max_pool1d": lambda node: self._pool(node, "max", 1),
            "max_pool2d": lambda node: self._pool(node, "max", 2),
            "avg_pool1d": lambda node: self._pool(node, "average", 1),
            "avg_pool2d": lambda node: self._pool(node, "average", 2),
            "adaptive_avg_pool1d": self._adaptive,
            "adaptive_avg_pool2d": self._adaptive,
            "mean": self._mean,
            "add": lambda node: self._combine(node, 1.0),
            "sub": lambda node: self._combine(node, -1.0),
            "mul": self._mul,
            "div": self._div,
            "cat": self._cat,
            "flatten": self._flatten,
            "view": self._flatten,
            "reshape": self._flatten,
            "squeeze": self._squeeze,
            "gru": self._gru,
            "getitem": self._getitem,
            "select": self._select,
            "slice": self._slice,
        }

    def _in_block(self, node: Any, path: str) -> None:
        """A node of a block of pimsim.nn, which says itself what it means."""
        outside = [
            self._signal(argument)
            for argument in _flat(node.args)
            if self._is_signal(argument) and self.of_block.get(argument.name, "") not in
            {op.name for op in self.ops if op.name.startswith(path)}
        ]  # fmt: skip
        known = [op for op in self.ops if op.name == path or op.name.startswith(f"{path}.")]
        if not known and outside:
            known = list(self.blocks[path].as_ops(path, tuple(dict.fromkeys(outside))))
            self.ops += known
        if known:
            self.of_block[node.name] = known[-1].name

    def _linear(self, node: Any) -> None:
        weight = self._constant(node.args[1])
        assert weight is not None
        bias = self._constant(node.args[2]) if len(node.args) > 2 else None
        bias = np.zeros(len(weight)) if bias is None else bias
        source = self._signal(node.args[0])
        self._add(node, ops.Dense(self._name(node), (source,), weight.T, bias))

    def _conv(self, node: Any, sides: int) -> None:
        arguments = [*node.args, *[None] * (7 - len(node.args))]
        weight, bias = self._constant(arguments[1]), self._constant(arguments[2])
        assert weight is not None
        weight = weight if sides == 2 else weight[:, :, None]
        name = self._name(node)
        if isinstance(arguments[4], str):
            raise NetworkImportError(
                f"{name} has padding '{arguments[4]}'", remedy="Give it as a number"
            )
        op = ops.Conv(
            name,
            (self._signal(node.args[0]),),
            weight.transpose(2, 3, 1, 0),
            np.zeros(len(weight)) if bias is None else bias,
            _pair(arguments[3], 1, sides),
            _pair(arguments[4], 0, sides),
            _pair(arguments[5], 1, sides),
            1 if arguments[6] is None else int(arguments[6]),
        )
        self._add(node, op)

    def _batch_norm(self, node: Any) -> None:
        scale, shift, mean, variance = (self._constant(node.args[i]) for i in range(1, 5))
        if mean is None or variance is None:
            raise NetworkImportError(
                f"{self._path(node)} has no running mean", remedy="Set track_running_stats"
            )
        epsilon = float(node.args[7])
        factor = 1 / np.sqrt(variance + epsilon) * (1 if scale is None else scale)
        offset = -mean * factor + (0 if shift is None else shift)
        self._add(node, ops.Norm(self._name(node), (self._signal(node.args[0]),), factor, offset))

    def _activate(self, node: Any, kind: str, low: float = -1.0, high: float = 1.0) -> None:
        source = (self._signal(node.args[0]),)
        self._add(node, ops.Activation(self._name(node), source, kind, low, high))

    def _hardtanh(self, node: Any) -> None:
        bounds = [*node.args[1:3], *(-1.0, 1.0)[len(node.args) - 1 :]]
        self._activate(node, "hardtanh", float(bounds[0]), float(bounds[1]))

    def _clamp(self, node: Any) -> None:
        low, high = (*node.args[1:], None, None)[:2]
        if low is None or high is None:
            if low == 0:
                self._activate(node, "relu")
                return
            raise NetworkImportError(f"{self._path(node)} clamps on one side", remedy="Use ReLU")
        self._activate(node, "hardtanh", float(low), float(high))

    def _pool(self, node: Any, kind: str, sides: int) -> None:
        arguments = [*node.args[1:], *[None] * 6]
        size = _pair(arguments[0], 1, sides)
        stride = _pair(arguments[1] or arguments[0], 1, sides)
        extra = arguments[3:5] if kind == "max" else arguments[3:4]
        if any(value not in (None, False, 1, [1], [1, 1]) for value in extra):
            raise NetworkImportError(f"{self._path(node)} is a dilated or rounded-up pool")
        padding = _pair(arguments[2], 0, sides)
        source = (self._signal(node.args[0]),)
        self._add(node, ops.Pool(self._name(node), source, kind, size, stride, padding))

    def _whole(self, node: Any) -> None:
        self._add(node, ops.Pool(self._name(node), (self._signal(node.args[0]),), "average", None))

    def _adaptive(self, node: Any) -> None:
        size = node.args[1] if isinstance(node.args[1], list | tuple) else [node.args[1]]
        if any(side != 1 for side in size):
            raise NetworkImportError(
                f"{self._path(node)} pools to {list(size)}", remedy="Pool to 1, or by windows"
            )
        self._whole(node)

    def _mean(self, node: Any) -> None:
        axes = sorted(axis % len(self._shape(node.args[0])) for axis in node.args[1])
        if axes != list(range(2, len(self._shape(node.args[0])))):
            raise NetworkImportError(
                f"{self._path(node)} takes a mean over axes {axes}",
                remedy="Take it over all places of a map",
            )
        self._whole(node)
        kept = len(node.args) > 2 and node.args[2]
        if not kept:
            pooled = self.ops[-1].name
            self._add(node, ops.Flatten(f"{pooled}.row", (pooled,)))

    def _combine(self, node: Any, sign: float) -> None:
        """A sum of two signals, or of a signal and a constant."""
        first, second = node.args[:2]
        if self._is_signal(first) and self._is_signal(second):
            if sign < 0:
                raise NetworkImportError(
                    f"{self._path(node)} takes a difference", remedy="Add, with weights turned"
                )
            sources = (self._signal(first), self._signal(second))
            self._add(node, ops.Add(self._name(node), sources))
            return
        if not self._is_signal(first):
            if sign < 0:
                raise NetworkImportError(f"{self._path(node)} subtracts a signal from a number")
            first, second = second, first
        self._norm(node, first, np.ones(1), sign * self._channels(second))

    def _mul(self, node: Any) -> None:
        first, second = node.args[:2]
        if self._is_signal(first) and self._is_signal(second):
            raise NetworkImportError(
                f"{self._path(node)} multiplies two signals", remedy="Use a GRU for gates"
            )
        if not self._is_signal(first):
            first, second = second, first
        self._norm(node, first, self._channels(second), np.zeros(1))

    def _div(self, node: Any) -> None:
        if not self._is_signal(node.args[0]) or self._is_signal(node.args[1]):
            raise NetworkImportError(f"{self._path(node)} divides by a signal")
        self._norm(node, node.args[0], 1 / self._channels(node.args[1]), np.zeros(1))

    def _norm(self, node: Any, source: Any, scale: Real, shift: Real) -> None:
        self._add(node, ops.Norm(self._name(node), (self._signal(source),), scale, shift))

    def _channels(self, value: Any) -> Real:
        """A constant of one number, or of one for each channel."""
        found = self._constant(value)
        assert found is not None
        if found.size > 1 and sum(side > 1 for side in found.shape) > 1:
            raise NetworkImportError(f"a constant of shape {found.shape} is no number per channel")
        return np.ravel(found)

    def _cat(self, node: Any) -> None:
        axis = node.args[1] if len(node.args) > 1 else 0
        n_axes = len(self._shape(node))
        wanted = 1 if n_axes != 3 or not self._has_steps() else 2
        if axis % n_axes != wanted:
            raise NetworkImportError(f"{self._path(node)} joins along axis {axis}, not channels")
        sources = tuple(self._signal(argument) for argument in node.args[0])
        self._add(node, ops.Concat(self._name(node), sources))

    def _flatten(self, node: Any) -> None:
        source, shape = node.args[0], self._shape(node)
        if len(shape) != 2:
            raise NetworkImportError(f"{self._path(node)} flattens to {len(shape)} axes")
        if len(self._shape(source)) == 2:
            self.signals[node.name] = self._signal(source)
            return
        self._add(node, ops.Flatten(self._name(node), (self._signal(source),)))

    def _squeeze(self, node: Any) -> None:
        if len(self._shape(node)) == 2:
            self._flatten(node)
            return
        raise NetworkImportError(f"{self._path(node)} takes axes away", remedy="Use flatten")

    def _gru(self, node: Any) -> None:
        (signal, _, held, has_biases, n_layers, _, _, is_bidirectional, is_batch_first) = node.args
        path = self._path(node)
        if is_bidirectional:
            raise NetworkImportError(f"{path} is bidirectional", remedy="Use one direction")
        if not is_batch_first:
            raise NetworkImportError(f"{path} takes time first", remedy="Set batch_first=True")
        source, each = self._signal(signal), 4 if has_biases else 2
        for layer in range(n_layers):
            parts = [self._constant(p) for p in held[layer * each : (layer + 1) * each]]
            below, recurrent = (np.asarray(part).T for part in parts[:2])
            biases = parts[2:] if has_biases else [np.zeros(below.shape[1])] * 2
            name = path if n_layers == 1 else f"{path}.{layer}"
            op = ops.Gru(
                name, (source,), below, recurrent, np.asarray(biases[0]), np.asarray(biases[1])
            )
            self.ops.append(op)
            source = name
        self.signals[node.name] = source

    def _getitem(self, node: Any) -> None:
        # of a GRU: all steps, or the state after the last one
        self.signals[node.name] = self._signal(node.args[0])
        if node.args[1] == 1:
            self._last(node, self.signals[node.name])

    def _last(self, node: Any, source: str) -> None:
        self._add(node, ops.LastStep(f"{source}.last", (source,)))

    def _select(self, node: Any) -> None:
        signal, axis, index = node.args
        source = self._signal(signal)
        shape = self._shape(signal)
        if isinstance(self._op(source), ops.LastStep):
            # h[-1] of the states of all layers: the last layer's
            self.signals[node.name] = source
            return
        if axis == 1 and len(shape) == 3 and index in (-1, shape[1] - 1):
            self._last(node, source)
            return
        raise NetworkImportError(
            f"{self._path(node)} takes one part of a signal", remedy="Take the last time step"
        )

    def _slice(self, node: Any) -> None:
        if self._shape(node) != self._shape(node.args[0]):
            raise NetworkImportError(f"{self._path(node)} cuts a part out of a signal")
        self.signals[node.name] = self._signal(node.args[0])

    def _op(self, name: str) -> Op | None:
        return next((op for op in self.ops if op.name == name), None)

    # -- the input

    def _has_steps(self) -> bool:
        """Whether a recurrent layer reads the input, perhaps through others."""
        return any(
            "gru" in str(getattr(node.target, "__name__", "")) for node in self.graph.nodes
        ) or any(getattr(block, "takes_steps", False) for block in self.blocks.values())

    def _sizes(self) -> tuple[tuple[int, ...], bool]:
        """Sizes of an input, channels last, and whether it has time steps."""
        node = next(n for n in self.graph.nodes if n.name == self.input)
        sizes = self._shape(node)[1:]
        if self._has_steps():
            if len(sizes) != 2:
                raise NetworkImportError(f"time steps of {len(sizes) - 1} axes, and not of one")
            return (sizes[-1],), True
        if len(sizes) == 1:
            return sizes, False
        if len(sizes) in (2, 3):
            return (*sizes[1:], sizes[0]), False
        raise NetworkImportError(f"inputs of {len(sizes)} axes, and not of 1 to 3")


def _flat(arguments: Any) -> list[Any]:
    found: list[Any] = []
    for argument in arguments:
        found += _flat(argument) if isinstance(argument, list | tuple) else [argument]
    return found


def _pair(value: Any, default: int, sides: int) -> tuple[int, int]:
    """(vertical, horizontal) of an argument; of sequences, the vertical one is the neutral one."""
    values = list(value) if isinstance(value, list | tuple) else [value] * sides
    values = [default if v is None else int(v) for v in values] or [default] * sides
    values = values * sides if len(values) == 1 else values
    neutral = 0 if default == 0 else 1
    return (neutral, values[0]) if sides == 1 else (values[0], values[1])
