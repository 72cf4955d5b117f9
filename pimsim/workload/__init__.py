"""Workloads: trained networks as layers of integer levels, their files, and their exact meaning."""

from pimsim.workload.inputs import encoder_inputs, mfcc
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
from pimsim.workload.network import Workload
from pimsim.workload.reference import ReferenceRun, run_reference
from pimsim.workload.smooth import SmoothRun, gaussian, run_smooth
from pimsim.workload.storage import FORMAT_VERSION, read_workload, write_workload

__all__ = [
    "FORMAT_VERSION",
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
    "Output",
    "ReferenceRun",
    "SmoothRun",
    "SpeechInput",
    "Workload",
    "encoder_inputs",
    "gaussian",
    "mfcc",
    "read_workload",
    "run_reference",
    "run_smooth",
    "to_grid",
    "write_workload",
]
