"""Values: programmed chips x sequences -> bits, predictions, action counts."""

from pimsim.simulate.counts import ActionCounts
from pimsim.simulate.execute import ChipRun, encode_inputs, run_chips

__all__ = ["ActionCounts", "ChipRun", "encode_inputs", "run_chips"]
