"""Encoder kinds: from real inputs to bits or codes."""

from pimsim.workload.ends import ConvEncoder, DenseEncoder, Encoder
from pimsim.workload.one_hot import OneHotEncoder
from pimsim.workload.quantiser import QuantiserEncoder
from pimsim.workload.thermometer import ThermometerEncoder

# encoder kinds by the word that network files use
ENCODERS: dict[str, type[Encoder]] = {
    encoder.kind: encoder
    for encoder in (DenseEncoder, ConvEncoder, QuantiserEncoder, ThermometerEncoder, OneHotEncoder)
}
