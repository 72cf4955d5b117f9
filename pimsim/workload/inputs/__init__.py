"""Input kinds: from stored features to the real numbers that an encoder sees; one file each."""

from pimsim.workload.inputs.base import Features, Input
from pimsim.workload.inputs.direct import DirectInput
from pimsim.workload.inputs.image import ImageInput
from pimsim.workload.inputs.speech import SpeechInput, cosine_transform, mfcc, speech_inputs
from pimsim.workload.inputs.tensor import TensorInput

# input kinds by the word that network files use
INPUTS: dict[str, type[Input]] = {
    kind.kind: kind for kind in (SpeechInput, ImageInput, TensorInput)
}

__all__ = [
    "INPUTS",
    "DirectInput",
    "Features",
    "ImageInput",
    "Input",
    "SpeechInput",
    "TensorInput",
    "cosine_transform",
    "mfcc",
    "speech_inputs",
]
