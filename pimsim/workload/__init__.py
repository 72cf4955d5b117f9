"""Workloads: trained networks as layers of integer levels, their files, and their exact meaning."""

from pimsim.workload.inputs import encoder_inputs, mfcc, speech_inputs
from pimsim.workload.layers import (
    INPUT_GRID,
    INPUT_LIMIT,
    WEIGHT_GRID,
    WEIGHT_LIMIT,
    Conv2d,
    ConvEncoder,
    Dense,
    DenseEncoder,
    Gru,
    ImageInput,
    LevelMatrix,
    MaxPool,
    Output,
    SpeechInput,
    to_grid,
)
from pimsim.workload.network import Network
from pimsim.workload.reference import ReferenceRun, run_reference
from pimsim.workload.smooth import SmoothRun, gaussian, run_smooth
from pimsim.workload.storage import format_of, read_network, write_network

__all__ = [
    "INPUT_GRID",
    "INPUT_LIMIT",
    "WEIGHT_GRID",
    "WEIGHT_LIMIT",
    "Conv2d",
    "ConvEncoder",
    "Dense",
    "DenseEncoder",
    "Gru",
    "ImageInput",
    "LevelMatrix",
    "MaxPool",
    "Network",
    "Output",
    "ReferenceRun",
    "SmoothRun",
    "SpeechInput",
    "encoder_inputs",
    "format_of",
    "gaussian",
    "mfcc",
    "read_network",
    "run_reference",
    "run_smooth",
    "speech_inputs",
    "to_grid",
    "write_network",
]
