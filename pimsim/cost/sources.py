"""Which blocks of the hardware files each figure rests on, as `file.block`."""

from __future__ import annotations

_LOGIC = ("technology.gate", "technology.flip_flop")
_MACS = ("technology.arithmetic", "technology.memory_read")
_MAC_AREA = ("technology.arithmetic_area", "technology.flip_flop", "technology.memory_area")

ENERGY = {
    "word_line_driver": ("chip.array", "chip.word_line_driver"),
    "array": (
        "device.read",
        "device.states",
        "chip.word_line_driver",
        "chip.bit_line",
        "chip.sense_amplifier",
    ),
    "sense_amplifier": ("chip.sense_amplifier",),
    "gru_logic": ("chip.gru_logic", *_LOGIC),
    "adc": ("chip.adc", "chip.bit_slicing"),
    "shift_and_add": ("chip.adc", "technology.arithmetic", "technology.flip_flop"),
    "activation_unit": ("chip.activation_unit", "technology.arithmetic"),
    "input_encoder": ("chip.input_encoder", *_MACS),
    "output_unit": ("chip.output_unit", *_MACS),
    "link": (
        "chip.link",
        "technology.wire",
        "technology.transistor",
        "technology.flip_flop",
    ),
    "leakage": ("technology.transistor", "technology.gate", "chip.power"),
    "power": ("chip.power",),
}
AREA = {
    "array": ("device.cell", "chip.array"),
    "word_line_driver": ("chip.word_line_driver", "technology.gate"),
    "bit_line": ("chip.bit_line",),
    "sense_amplifier": ("chip.sense_amplifier",),
    "gru_logic": ("chip.gru_logic", *_LOGIC),
    "adc": ("chip.adc", "chip.array"),
    "shift_and_add": ("chip.adc", "technology.arithmetic_area", "technology.flip_flop"),
    "activation_unit": ("chip.activation_unit",),
    "register": ("technology.flip_flop",),
    "input_encoder": ("chip.input_encoder", *_MAC_AREA),
    "output_unit": ("chip.output_unit", *_MAC_AREA),
    "link": ("chip.link", "technology.flip_flop"),
    "buffer": ("chip.link", "technology.flip_flop"),
    "wiring": ("chip.layout",),
}
LATENCY = {
    "cancel": ("chip.clock", "chip.sense_amplifier"),
    "integrate": ("chip.clock", "chip.word_line_driver", "chip.bit_line", "chip.sense_amplifier"),
    "decide": ("chip.clock", "chip.sense_amplifier"),
    "convert": ("chip.clock", "chip.adc"),
    "activate": ("chip.clock", "chip.activation_unit"),
    "write": ("chip.clock", "chip.gru_logic", *_LOGIC),
    "transfer": ("chip.clock", "chip.link", "technology.wire", *_LOGIC),
}
