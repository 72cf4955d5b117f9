"""Input kinds: from stored features to the real numbers that an encoder sees; one file each."""

from pimsim.workload.inputs.base import Features, Input
from pimsim.workload.inputs.direct import DirectInput
from pimsim.workload.inputs.image import ImageInput
from pimsim.workload.inputs.running import Running
from pimsim.workload.inputs.speech import (
    SpeechInput,
    averaged_bands,
    band_means,
    cosine_transform,
    mfcc,
    normal_means,
    relative_to_clip,
    speech_inputs,
)
from pimsim.workload.inputs.tensor import TensorInput
from pimsim.workload.inputs.text import TextInput

# input kinds by the word that network files use
INPUTS: dict[str, type[Input]] = {
    kind.kind: kind for kind in (SpeechInput, ImageInput, TextInput, TensorInput)
}

__all__ = [
    "INPUTS",
    "DirectInput",
    "Features",
    "ImageInput",
    "Input",
    "Running",
    "SpeechInput",
    "TensorInput",
    "TextInput",
    "averaged_bands",
    "band_means",
    "cosine_transform",
    "mfcc",
    "normal_means",
    "relative_to_clip",
    "speech_inputs",
]
