"""Types of operations that are read, and what helps with those that are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import onnx

from pimsim.errors import nearest
from pimsim.importers.onnx import linear, pointwise, quantisers, recurrent, shapes, weights
from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import Axis, Signal, Tensor
from pimsim.importers.ops import NetworkImportError

QONNX_DOMAINS = ("onnx.brevitas", "qonnx.custom_op.general")
Reader = Callable[[Node], Tensor | tuple[Tensor, ...]]


# of these only the class matters, and it stays; and what may follow them
CLASS = frozenset(("ArgMax", "LogSoftmax", "Softmax", "TopK"))
AFTER_CLASS = frozenset(("Cast", "Flatten", "Identity", "Reshape", "Squeeze"))


def _cast(node: Node) -> Tensor:
    """Cast between types of real numbers, which changes nothing here."""
    x = node.signal()
    to = node.attribute("to")
    node.attribute("saturate")  # of 8-bit numbers
    node.attribute("round_mode")
    real = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE,
            onnx.TensorProto.BFLOAT16)  # fmt: skip
    if to not in real:
        raise node.refuse(
            f"turns a signal into {onnx.TensorProto.DataType.Name(to)}",
            "Quantise by Quant of QONNX, or leave the choice of codes to pimsim",
        )
    return x


def _class(node: Node) -> tuple[Tensor, ...]:
    """Softmax and choices of the best class: left out, since they leave the class as it is."""
    x = node.signal()
    default = {"ArgMax": 0, "TopK": -1}.get(node.type, -1 if node.version >= 13 else 1)
    axis = node.axis_of(int(node.attribute("axis", default)), len(x.axes))
    if x.axes[axis] is not Axis.CHANNEL:
        raise node.refuse(f"is taken along '{x.axes[axis]}' of {x}", "Take it over the classes")
    for name in ("keepdims", "select_last_index", "sorted", "k"):
        node.attribute(name)
    if node.type == "TopK":
        node.constant(1)
        node.require("largest", 1, "Take the largest scores")
    ended = replace(x, is_class=True)
    return (ended, ended) if node.type == "TopK" else (ended,)


READERS: dict[tuple[str, str], Reader] = {
    ("", "Add"): pointwise.arithmetic,
    ("", "ArgMax"): _class,
    ("", "AveragePool"): shapes.average_pool,
    ("", "BatchNormalization"): pointwise.batch_normalization,
    ("", "Cast"): _cast,
    ("", "Clip"): pointwise.clip,
    ("", "Concat"): pointwise.concat,
    ("", "Conv"): weights.conv,
    ("", "DequantizeLinear"): linear.dequantize,
    ("", "Div"): pointwise.arithmetic,
    ("", "Dropout"): shapes.same,
    ("", "Flatten"): shapes.flatten,
    ("", "GRU"): recurrent.gru,
    ("", "Gather"): shapes.gather,
    ("", "Gemm"): weights.gemm,
    ("", "GlobalAveragePool"): shapes.global_pool,
    ("", "GlobalMaxPool"): shapes.global_pool,
    ("", "Identity"): shapes.same,
    ("", "LSTM"): recurrent.lstm,
    ("", "LogSoftmax"): _class,
    ("", "MatMul"): weights.matmul,
    ("", "MaxPool"): shapes.max_pool,
    ("", "Mul"): pointwise.arithmetic,
    ("", "Neg"): pointwise.negate,
    ("", "QuantizeLinear"): linear.quantize,
    ("", "ReduceMax"): shapes.reduce,
    ("", "ReduceMean"): shapes.reduce,
    ("", "Relu"): pointwise.activation,
    ("", "Reshape"): shapes.reshape,
    ("", "Shape"): shapes.shape,
    ("", "Sigmoid"): pointwise.activation,
    ("", "Sign"): pointwise.activation,
    ("", "Slice"): shapes.cut,
    ("", "Softmax"): _class,
    ("", "Squeeze"): shapes.squeeze,
    ("", "Sub"): pointwise.arithmetic,
    ("", "Sum"): pointwise.add,
    ("", "Tanh"): pointwise.activation,
    ("", "TopK"): _class,
    ("", "Transpose"): shapes.transpose,
    ("", "Unsqueeze"): shapes.unsqueeze,
    ("qonnx", "BipolarQuant"): quantisers.bipolar_quant,
    ("qonnx", "IntQuant"): quantisers.quant,
    ("qonnx", "Quant"): quantisers.quant,
}

_SMOOTH = "Train with Relu, Clip (ReLU6, Hardtanh), Sigmoid, Tanh or Sign"
_ATTENTION = ("Attention and transformers are not supported; dense layers, convolutions, GRUs and "
              "LSTMs are")  # fmt: skip
_QDQ = ("Export it with pairs of QuantizeLinear and DequantizeLinear (QDQ), with QONNX, as "
        "Brevitas does by export_qonnx, or in floating point and let pimsim choose "
        "codes")  # fmt: skip
_NORMS = "Train with BatchNormalization, whose scales are constants"
# what works in place of an operation that does not
INSTEAD = {
    **dict.fromkeys(("HardSigmoid", "HardSwish", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu",
                     "Gelu", "Erf", "Mish", "Softplus", "Softsign", "Swish",
                     "ThresholdedRelu"), _SMOOTH),
    **dict.fromkeys(("LayerNormalization", "InstanceNormalization", "GroupNormalization", "LRN",
                     "LpNormalization", "MeanVarianceNormalization", "RMSNormalization"), _NORMS),
    **dict.fromkeys(("DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger",
                     "MatMulInteger"), _QDQ),
    **dict.fromkeys(("Attention", "Einsum"), _ATTENTION),
    **dict.fromkeys(("If", "Loop", "Scan"), "Export the network without branches and loops"),
    "RNN": "Train an LSTM, or a GRU with linear_before_reset = 1, as that of PyTorch",
    "ConvTranspose": "Use Conv; maps can shrink, and not grow",
    "Resize": "Use Conv; maps can shrink, and not grow",
    "Upsample": "Use Conv; maps can shrink, and not grow",
    "Pad": "Give the padding to the convolution, as with nn.Conv2d(..., padding=1)",
    "Trunc": "Quantise by Quant, and pool by the largest value or by AveragePool",
    "FloatQuant": "Quantise by Quant or BipolarQuant, to whole numbers",
    "Split": "Use Conv with groups, or two layers that read the same signal",
    "Pow": "Keep powers out of signals; powers of constants are computed",
    "Sqrt": "Keep roots out of signals; roots of constants are computed",
}  # fmt: skip


def unsupported(node: Node) -> NetworkImportError:
    """Error for a type of operation that is not read, with what works instead."""
    known = [name for _, name in READERS]
    domain = node.proto.domain
    where = f" of the domain '{domain}'" if domain else ""
    if any(isinstance(tensor, Signal) and tensor.is_class for tensor in node.peek()):
        return node.refuse(
            "computes with the output of a softmax or a choice of the class",
            "Let the network end with its scores",
        )
    remedy = INSTEAD.get(node.type) or nearest(node.type, known)
    return node.refuse(f"is an operation{where} that is not supported", remedy)
