"""Wires of distributed resistance and capacitance."""

from __future__ import annotations

# delay of a line of distributed R and C, in units of R C: the 50 % point of its step response
# (Rabaey, Chandrakasan, Nikolic, Digital Integrated Circuits, section 4.4)
DISTRIBUTED = 0.38
