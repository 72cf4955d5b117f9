"""Values: programmed chips x sequences -> bits, predictions, action counts."""

from pimsim.simulate.choice import KERNELS
from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.execute import ChipRun, encode_inputs, run_chips

__all__ = ["KERNELS", "ActionCounts", "ChipRun", "encode_inputs", "run_chips"]
