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
        "chip.read_out",
    ),
    "sense_amplifier": ("chip.read_out",),
    "gru_logic": ("chip.logic", *_LOGIC),
    "adc": ("chip.read_out", "chip.drive", "chip.weight_coding"),
    "shift_and_add": ("chip.read_out", "technology.arithmetic", "technology.flip_flop"),
    "activation_unit": ("chip.logic", "technology.arithmetic"),
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
    "sense_amplifier": ("chip.read_out",),
    "gru_logic": ("chip.logic", *_LOGIC),
    "adc": ("chip.read_out", "chip.array"),
    "shift_and_add": ("chip.read_out", "technology.arithmetic_area", "technology.flip_flop"),
    "activation_unit": ("chip.logic",),
    "register": ("technology.flip_flop",),
    "input_encoder": ("chip.input_encoder", *_MAC_AREA),
    "output_unit": ("chip.output_unit", *_MAC_AREA),
    "link": ("chip.link", "technology.flip_flop"),
    "buffer": ("chip.link", "technology.flip_flop"),
    "wiring": ("chip.layout",),
}
LATENCY = {
    "cancel": ("chip.clock", "chip.read_out"),
    "integrate": ("chip.clock", "chip.word_line_driver", "chip.bit_line", "chip.read_out"),
    "decide": ("chip.clock", "chip.read_out"),
    "convert": ("chip.clock", "chip.read_out"),
    "activate": ("chip.clock", "chip.logic"),
    "write": ("chip.clock", "chip.logic", *_LOGIC),
    "transfer": ("chip.clock", "chip.link", "technology.wire", *_LOGIC),
}
