"""A network of spoken words on one array of phase-change cells, after AnalogNets."""

from __future__ import annotations

from pimsim.studies.chip_figure import ChipVariant
from pimsim.studies.reproduce import ChipsFigure

SOURCE = "Zhou et al., IEEE Micro 2022 (arXiv 2111.06503)"
# time since programming, and published operations per energy at the bits of activations
AGES = ("25 s", "1 h", "1 day")
PUBLISHED = {8: "8.55 TOPS/W", 6: "26.55 TOPS/W", 4: "56.67 TOPS/W"}


def _variant(bits: int, age: str) -> ChipVariant:
    says = PUBLISHED[bits]
    if bits == 8 and age == "1 day":
        says += ", at most 0.8 points lost"
    return ChipVariant(
        f"{bits} bits, {age}",
        f"kws_analog_{bits}b",
        "pcm_14nm",
        (
            f"chip.drive.bits={bits}",
            f"chip.read_out.bits={bits}",
            f"time_since_programming={age}",
        ),
        says,
    )


ANALOGNETS: dict[str, ChipsFigure] = {
    "analognets": ChipsFigure(
        title="Spoken words on one array of phase-change cells, layer after layer",
        source=SOURCE,
        data="speech-cepstra-test",
        model=None,
        chip="analog_kws_14nm",
        variants=tuple(_variant(bits, age) for bits in PUBLISHED for age in AGES),
        says=(
            "At most 0.8 points are lost at 8 bits after 24 hours of drift.",
            "8.55, 26.55 and 56.67 TOPS/W with activations of 8, 6 and 4 bits.",
        ),
        our_choice=(
            "Channels of the network, its training, and all circuits; weights of 21 levels, since "
            "the device file has 11 states.",
            "ADCs of one gain for all layers, which is fixed, not learned.",
            "The front end of our data: means of two log-mel frames, ten coefficients.",
        ),
    )
}
