"""Values: programmed chips x sequences -> bits, predictions, action counts."""

from pimsim.simulate.backends import BACKENDS
from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.encoding import encode_inputs
from pimsim.simulate.execute import ChipRun, run_chips

__all__ = ["BACKENDS", "ActionCounts", "ChipRun", "encode_inputs", "run_chips"]
