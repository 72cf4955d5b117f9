"""Networks as graphs of layers of integer levels, their files, and their exact meaning."""

from pimsim.workload.ends import ConvEncoder, DenseEncoder, Encoder, Output
from pimsim.workload.exact import (
    ExactRun,
    SmoothRun,
    gaussian,
    run_quantized,
    run_reference,
    run_smooth,
)
from pimsim.workload.graph import ENCODER, Network, Node, chain
from pimsim.workload.grid import INPUT_GRID, INPUT_LIMIT, WEIGHT_GRID, WEIGHT_LIMIT, to_grid
from pimsim.workload.inputs import (
    Features,
    ImageInput,
    Input,
    Running,
    SpeechInput,
    TensorInput,
    TextInput,
    mfcc,
    speech_inputs,
)
from pimsim.workload.layers import LAYERS, Conv2d, Dense, Gru, Layer, MaxPool
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.metrics import METRICS, Metric
from pimsim.workload.one_hot import OneHotEncoder
from pimsim.workload.storage import (
    FORMAT_VERSION,
    NetworkFile,
    read_network,
    read_network_file,
    write_network,
)
from pimsim.workload.thermometer import ThermometerEncoder, limits_of

__all__ = [
    "ENCODER",
    "FORMAT_VERSION",
    "INPUT_GRID",
    "INPUT_LIMIT",
    "LAYERS",
    "METRICS",
    "WEIGHT_GRID",
    "WEIGHT_LIMIT",
    "Conv2d",
    "ConvEncoder",
    "Dense",
    "DenseEncoder",
    "Encoder",
    "ExactRun",
    "Features",
    "Gru",
    "ImageInput",
    "Input",
    "Layer",
    "LevelMatrix",
    "MaxPool",
    "Metric",
    "Network",
    "NetworkFile",
    "Node",
    "OneHotEncoder",
    "Output",
    "Running",
    "SmoothRun",
    "SpeechInput",
    "TensorInput",
    "TextInput",
    "ThermometerEncoder",
    "chain",
    "gaussian",
    "limits_of",
    "mfcc",
    "read_network",
    "read_network_file",
    "run_quantized",
    "run_reference",
    "run_smooth",
    "speech_inputs",
    "to_grid",
    "write_network",
]
