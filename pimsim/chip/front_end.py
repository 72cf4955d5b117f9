"""Units that normalise features before the input layer; a network's input says which."""

from __future__ import annotations

import math

from pimsim.chip.demand import Demand, Reading
from pimsim.circuits import front_end as circuits
from pimsim.circuits.bill import Bill
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import ChipConfig
from pimsim.workload.inputs import Input, SpeechInput


class FrontEnd:
    """No unit: features need no normalisation, or are images.

    A unit works as frames come and is no stage: `bands_per_cycle` keeps pace with what follows.
    """

    def bill(self, scaling: Input, n_steps: int, config: ChipConfig, costs: LogicCosts) -> Bill:
        """Parts and prices, for inferences of so many frames."""
        return Bill()

    def arrivals(self, demand: Demand) -> Demand:
        """The demand of the chip's first component, whose inputs come in real time, behind it."""
        return demand


class ClipFrontEnd(FrontEnd):
    """Level and means of the whole clip, which a memory holds."""

    def bill(self, scaling: Input, n_steps: int, config: ChipConfig, costs: LogicCosts) -> Bill:
        lanes = config.front_end.bands_per_cycle
        return circuits.clip_bill(_frames(scaling, n_steps), lanes, costs, config.power)

    def arrivals(self, demand: Demand) -> Demand:
        inputs, *others = demand.readings
        # no operation begins before the last frame has come
        whole = Reading([inputs.tokens] * len(inputs.needs), inputs.releases, inputs.tokens)
        return Demand((whole, *others), demand.emits)


class RunningFrontEnd(FrontEnd):
    """Running level and means, which registers hold."""

    def bill(self, scaling: Input, n_steps: int, config: ChipConfig, costs: LogicCosts) -> Bill:
        lanes = config.front_end.bands_per_cycle
        return circuits.running_bill(_frames(scaling, n_steps), lanes, costs, config.power)


# units by `Input.normalisation`
FRONT_ENDS: dict[str, FrontEnd] = {
    "none": FrontEnd(),
    "clip": ClipFrontEnd(),
    "running": RunningFrontEnd(),
}


def _frames(scaling: Input, n_steps: int) -> circuits.Frames:
    assert isinstance(scaling, SpeechInput)
    bits = 8 + math.ceil(math.log2(scaling.frame_average))
    return circuits.Frames(n_steps, len(scaling.mean), bits)
