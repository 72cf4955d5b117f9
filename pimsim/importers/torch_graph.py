"""The graph of `torch.export`, node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from pimsim.importers.ops import INPUT, NetworkImportError, Op, Real, Trained
from pimsim.importers.torch_ops import HANDLERS, ZEROS, require_zero_states

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
    "instance_norm": "BatchNorm", "rnn_tanh": "GRU or LSTM", "rnn_relu": "GRU or LSTM",
    "conv_transpose2d": "Conv2d",
    "conv3d": "Conv2d", "embedding": "Linear on one-hot inputs",
    "scaled_dot_product_attention": "GRU, LSTM or convolution",
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

    def trained(self) -> Trained:
        """All operations, in order."""
        result: Any = None
        require_zero_states(self)
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
        name = self.signal(last)
        # what comes after the scores, such as a loss, is left out
        end = next(i for i, op in enumerate(self.ops) if op.name == name)
        sizes, has_steps = self._sizes()
        source = {
            "framework": f"torch {torch.__version__.split('+')[0]}",
            "module": type(self.module).__name__,
        }
        return Trained(tuple(self.ops[: end + 1]), sizes, has_steps, source)

    # -- values

    def signal(self, node: Any) -> str:
        """Name of the operation that gives a node's value."""
        if node.name in self.of_block:
            return self.of_block[node.name]
        if node.name not in self.signals:
            raise NetworkImportError(
                f"{self.path(node)} is a number that does not depend on the input"
            )
        return self.signals[node.name]

    def is_signal(self, value: Any) -> bool:
        return isinstance(value, torch.fx.Node) and (
            value.name in self.signals or value.name in self.of_block
        )

    def constant(self, value: Any) -> Real | None:
        """A parameter, a buffer or a number, in 64 bits."""
        if value is None:
            return None
        if isinstance(value, torch.fx.Node):
            if value.name not in self.held:
                raise NetworkImportError(f"{self.path(value)} is computed, and not a parameter")
            value = self.held[value.name].detach().cpu().numpy()
        return np.asarray(value, np.float64)

    @staticmethod
    def path(node: Any) -> str:
        """Path of the module that a node belongs to, or the node's own name."""
        stack = node.meta.get("nn_module_stack") or {}
        paths = [path for path, _ in stack.values() if path]
        return paths[-1] if paths else str(node.name)

    @staticmethod
    def target(node: Any) -> str:
        """Name of the operation of torch that a node calls."""
        return getattr(node.target, "__name__", str(node.target)).split(".")[0].rstrip("_")

    @staticmethod
    def shape(node: Any) -> tuple[int, ...]:
        return tuple(int(side) for side in node.meta["val"].shape)

    def name_of(self, node: Any) -> str:
        base = self.path(node)
        taken = {op.name for op in self.ops}
        names = (base, f"{base}.{node.name}", *(f"{base}.{node.name}_{i}" for i in range(99)))
        return next(name for name in names if name not in taken)

    def add(self, node: Any, op: Op) -> None:
        self.ops.append(op)
        self.signals[node.name] = op.name

    # -- nodes

    def _call(self, node: Any) -> None:
        stack = node.meta.get("nn_module_stack") or {}
        inside = [path for path, _ in stack.values() if path in self.blocks]
        if inside:
            self._in_block(node, inside[0])
            return
        if not any(self.is_signal(argument) for argument in _flat(node.args)):
            return
        target = self.target(node)
        if target in ZEROS:
            return
        if target in PASSED:
            self.signals[node.name] = self.signal(node.args[0])
            return
        if target in AT_END:
            self.signals[node.name] = self.signal(node.args[0])
            return
        handler = HANDLERS.get(target)
        if handler is None:
            remedy = f"Take {NEAREST[target]}" if target in NEAREST else (
                "Take Linear, Conv, GRU, LSTM, BatchNorm, ReLU, Hardtanh, Sigmoid, Tanh, sign, "
                "pooling, add, cat, flatten"
            )  # fmt: skip
            raise NetworkImportError(
                f"{self.path(node)} uses {target}, which pimsim cannot bring over", remedy=remedy
            )
        handler(self, node)

    def _in_block(self, node: Any, path: str) -> None:
        """A node of a block of pimsim.nn, which says itself what it means."""
        outside = [
            self.signal(argument)
            for argument in _flat(node.args)
            if self.is_signal(argument) and self.of_block.get(argument.name, "") not in
            {op.name for op in self.ops if op.name.startswith(path)}
        ]  # fmt: skip
        known = [op for op in self.ops if op.name == path or op.name.startswith(f"{path}.")]
        if not known and outside:
            known = list(self.blocks[path].as_ops(path, tuple(dict.fromkeys(outside))))
            self.ops += known
        if known:
            self.of_block[node.name] = known[-1].name

    def op(self, name: str) -> Op | None:
        return next((op for op in self.ops if op.name == name), None)

    # -- the input

    def has_steps(self) -> bool:
        """Whether a recurrent layer reads the input, perhaps through others."""
        return any(
            kind in str(getattr(node.target, "__name__", ""))
            for node in self.graph.nodes
            for kind in ("gru", "lstm")
        ) or any(getattr(block, "takes_steps", False) for block in self.blocks.values())

    def _sizes(self) -> tuple[tuple[int, ...], bool]:
        """Sizes of an input, channels last, and whether it has time steps."""
        node = next(n for n in self.graph.nodes if n.name == self.input)
        sizes = self.shape(node)[1:]
        if self.has_steps():
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
