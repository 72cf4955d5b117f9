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

    def arrivals(self, scaling: Input, demand: Demand) -> Demand:
        """The demand of the chip's first component, whose inputs come in real time, behind it."""
        return demand


class ClipFrontEnd(FrontEnd):
    """Level and means of the whole clip, which a memory holds."""

    def bill(self, scaling: Input, n_steps: int, config: ChipConfig, costs: LogicCosts) -> Bill:
        lanes = config.front_end.bands_per_cycle
        return circuits.clip_bill(_frames(scaling, n_steps), lanes, costs, config.power)

    def arrivals(self, scaling: Input, demand: Demand) -> Demand:
        # no operation begins before the last frame has come
        return _waiting(demand, demand.readings[0].tokens)


class RunningFrontEnd(FrontEnd):
    """Running level and means, which registers hold; a memory holds frames that wait for them."""

    def bill(self, scaling: Input, n_steps: int, config: ChipConfig, costs: LogicCosts) -> Bill:
        lanes = config.front_end.bands_per_cycle
        frames = _frames(scaling, n_steps)
        return circuits.running_bill(frames, lanes, costs, config.power, _delay(scaling))

    def arrivals(self, scaling: Input, demand: Demand) -> Demand:
        return _waiting(demand, _delay(scaling))


# units by `Input.normalisation`
FRONT_ENDS: dict[str, FrontEnd] = {
    "none": FrontEnd(),
    "clip": ClipFrontEnd(),
    "running": RunningFrontEnd(),
}


def _waiting(demand: Demand, n_steps: int) -> Demand:
    """The demand of operations that wait for so many inputs more, or for the last one."""
    inputs, *others = demand.readings
    needs = [min(need + n_steps, inputs.tokens) for need in inputs.needs]
    return Demand((Reading(needs, inputs.releases, inputs.tokens), *others), demand.emits)


def _delay(scaling: Input) -> int:
    assert isinstance(scaling, SpeechInput)
    assert scaling.running is not None
    return scaling.running.delay


def _frames(scaling: Input, n_steps: int) -> circuits.Frames:
    assert isinstance(scaling, SpeechInput)
    bits = 8 + math.ceil(math.log2(scaling.frame_average))
    return circuits.Frames(n_steps, len(scaling.mean), bits)
