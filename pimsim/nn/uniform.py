"""One setting for all layers of a network, of weights, signals and ADCs; or one gain of ADCs."""

from __future__ import annotations

from torch import nn

from pimsim.errors import PimsimError
from pimsim.nn.activations import Codes, Real
from pimsim.nn.adcs import ArrayAdcs, GainAdc, SharedGain, UniformScale
from pimsim.nn.array import ArrayBlock
from pimsim.nn.avgpool2d import AvgPool2d
from pimsim.nn.conv2d import Conv2d
from pimsim.nn.dense import Dense
from pimsim.nn.quantiser import Quantiser
from pimsim.nn.residual import ResidualConv2d

# what hands codes on as they are
BETWEEN = (nn.Flatten, nn.MaxPool2d)


def make_uniform(network: nn.Sequential, scale: UniformScale) -> None:
    """Give all layers of a network one setting.

    Parameters
    ----------
    network : torch.nn.Sequential
        A `Quantiser` of two bits or more, then `Dense` and `Conv2d` layers with neurons of unsigned
        codes, as many bits as the quantiser has; those of the last one may be signed, and are
        scores.  Max pools may stand between them.  Layers have a bias and no normalisation;
        convolutions have no groups.  All weights have the same levels.
    scale : UniformScale

    Raises
    ------
    PimsimError
        If there is something else in it.
    """
    modules = list(network)
    first, *others = modules
    layers = [module for module in others if not isinstance(module, BETWEEN)]
    if not isinstance(first, Quantiser) or first.bits < 2:
        raise PimsimError("begins without a quantiser of 2 bits or more, which a DAC needs")
    levels = {getattr(getattr(layer, "matrix", None), "levels", None) for layer in layers}
    n_levels = levels.pop() if len(levels) == 1 else None
    if n_levels is None or n_levels < 3:
        raise PimsimError(
            "has weights of several numbers of levels, or of full precision",
            remedy="Give all layers the same levels, 3 or more",
        )
    step, zero, channels = first.step, -first.lowest, 0
    for module in others:
        if isinstance(module, nn.Flatten):
            _tell_channels(others[others.index(module) + 1 :], channels)
        if isinstance(module, BETWEEN):
            continue
        is_last = module is layers[-1]
        layer, neuron = _checked(module, first.bits, is_last)
        channels = len(layer.matrix.weight)
        layer.matrix.fix_range(scale.weight_range(n_levels))
        top_level = (n_levels - 1) // 2
        weight_step = scale.weight_range(n_levels) / top_level
        is_signed = layer.matrix.polarity == "bipolar"
        layer.adcs = ArrayAdcs(scale, step, zero, weight_step, is_signed)
        # scores are codes of the ADC as they are
        own = weight_step * step * scale.step * (1 if is_last else 2**scale.shift)
        neuron.fix_range(own * neuron.top)
        zero = -neuron.lowest


def _tell_channels(after: list[nn.Module], channels: int) -> None:
    """Tell the dense layer after a flattened map how many channels that has."""
    if not channels:
        raise PimsimError(
            "flattens maps of its inputs, whose channels it does not know",
            remedy="Set the recipe's layout to row",
        )
    if after and isinstance(after[0], Dense):
        after[0].map_channels = channels


def share_gain(network: nn.Sequential, gain: SharedGain) -> None:
    """Give the ADCs of all layers of a network one gain.

    Parameters
    ----------
    network : torch.nn.Sequential
        A `Quantiser` of two bits or more, then layers of arrays with 3 levels or more whose neurons
        are codes, and pools. Scores may be real numbers: those of a last layer that is digital.
    gain : SharedGain

    Raises
    ------
    PimsimError
        If there is something else in it.
    """
    first, *modules = list(network)
    if not isinstance(first, Quantiser) or first.bits < 2:
        raise PimsimError("begins without a quantiser of 2 bits or more, which a DAC needs")
    source: Quantiser | Codes = first
    for module in modules:
        if not isinstance(module, ArrayBlock):
            if any(True for _ in module.parameters()) and not isinstance(module, AvgPool2d):
                raise PimsimError(
                    f"has a {type(module).__name__}; layers that share a gain are dense layers "
                    "and convolutions",
                    remedy="Leave `gain` out of the recipe",
                )
            continue
        is_digital = module is modules[-1] and isinstance(module.neuron, Real)
        if is_digital:
            continue
        matrix = module.matrix
        if not isinstance(module.neuron, Codes) or (matrix.levels or 0) < 3:
            raise PimsimError(
                "has a layer whose neurons are no codes, or whose weights have no levels of 3 or "
                "more",
                remedy="Give it levels and neuron: {kind: codes, bits: B}",
            )
        module.adc = GainAdc(gain, source, source.bits, matrix.largest)
        source = module.neuron


def _checked(layer: nn.Module, bits: int, is_last: bool) -> tuple[Dense | Conv2d, Codes]:
    """A layer and its neurons; raises a PimsimError if a uniform network cannot have them."""
    is_plain = isinstance(layer, Conv2d) and not isinstance(layer, ResidualConv2d)
    if not isinstance(layer, Dense) and not (is_plain and layer.groups == 1):
        raise PimsimError(
            f"has a {type(layer).__name__}, and a uniform network is of dense layers and of "
            "convolutions without groups",
            remedy="Leave `uniform` out of the recipe",
        )
    if layer.norm is not None or layer.bias is None:
        raise PimsimError(
            "has a normalisation, or no bias: a column of a uniform network has no factor of its "
            "own, and a whole number that is added",
            remedy="Set norm: false and bias: true",
        )
    neuron = layer.neuron
    if not isinstance(neuron, Codes) or (not is_last and (neuron.signed or neuron.bits != bits)):
        raise PimsimError(
            f"has neurons that are no unsigned codes of {bits} bits, as its inputs are"
            if not is_last
            else "has scores that are no codes",
            remedy="Give it neuron: {kind: codes, bits: B}"
            + (", of the last layer with signed: true" if is_last else ""),
        )
    return layer, neuron
