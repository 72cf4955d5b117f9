"""Figures of networks with one setting for all layers and weights of one sign."""

from __future__ import annotations

from pimsim.studies.chip_figure import ChipVariant
from pimsim.studies.reproduce import ChipsFigure

SOURCE = "Garcia-Redondo et al., arXiv 1910.13850"
# keys of unipolar_16nm.yaml that make another chip of it
PAIRS = ("chip.weight_coding={kind: differential_pair}", "chip.array.columns=256")
TWO_LINES = (
    "chip.weight_coding.mixed_columns=two_lines",
    "chip.weight_coding.correction=none",
    "chip.array.columns=256",
)
TUNED = ("chip.read_out.full_scale=null", "chip.read_out.range=calibrated")


def full_scale(step: int, top_code: int, top_level: int) -> str:
    """The ADCs' full scale for a step of levels x codes, with DACs of 4 bits."""
    return f"chip.read_out.full_scale={step * top_code / (top_level * 15):.9g}"


TUNED_4 = ChipVariant("bipolar, tuned, 4 bits", "har_tuned_4b", "ideal", (*PAIRS, *TUNED))
TUNED_2 = ChipVariant("bipolar, tuned, 2 bits", "har_tuned_2b", "ideal", (*PAIRS, *TUNED))
UNIFORM_4 = ChipVariant(
    "bipolar, uniform, 4 bits", "har_uniform_4b", "ideal", (*PAIRS, full_scale(16, 127, 7))
)
UNIFORM_2 = ChipVariant(
    "bipolar, uniform, 2 bits", "har_uniform_2b", "ideal", (*PAIRS, full_scale(4, 127, 1))
)
UNIPOLAR_4 = ChipVariant(
    "positive, uniform, 4 bits", "har_unipolar_4b", "ideal", (full_scale(32, 255, 15),)
)
UNIPOLAR_2 = ChipVariant(
    "positive, uniform, 2 bits", "har_unipolar_2b", "ideal", (), "92.91 % at best"
)


# of colour pictures: the same settings, networks of three convolutions
PICTURES = tuple(
    ChipVariant(v.label, v.network.replace("har", "cifar10"), v.device, v.assignments)
    for v in (TUNED_4, UNIFORM_4, UNIPOLAR_4, TUNED_2, UNIFORM_2, UNIPOLAR_2)
)


def on_reram(variant: ChipVariant, label: str, *further: str) -> ChipVariant:
    """The variant with cells of ReRAM, whose level 0 draws a current, and further keys."""
    return ChipVariant(
        f"{variant.label}, {label}", variant.network, "reram", (*variant.assignments, *further)
    )


UNIPOLAR: dict[str, ChipsFigure] = {
    "unipolar_har": ChipsFigure(
        title="Human activities with one setting for all layers",
        source=SOURCE,
        data="har-test",
        model="har_unipolar",
        variants=(
            TUNED_4,
            UNIFORM_4,
            UNIPOLAR_4,
            TUNED_2,
            UNIFORM_2,
            UNIPOLAR_2,
            on_reram(TUNED_2, "ReRAM"),
            on_reram(UNIPOLAR_2, "ReRAM"),
            on_reram(UNIPOLAR_2, "ReRAM, corrected at level 1",
                     "chip.weight_coding.correction=level_1"),
            on_reram(UNIPOLAR_2, "ReRAM, not corrected", "chip.weight_coding.correction=none"),
        ),
        says=(
            "Human activities with positive weights of 2 bits: up to 92.91 %, against 95 % in "
            "floating point.",
        ),
    ),
    "unipolar_cost": ChipsFigure(
        title="Energy and area of chips for human activities, 2 bits",
        source=SOURCE,
        data="har-test",
        model="har_unipolar",
        variants=(
            ChipVariant("bipolar, tuned, two lines each", "har_tuned_2b", "reram",
                        (*TWO_LINES, *TUNED)),
            ChipVariant("bipolar, tuned, pairs", "har_tuned_2b", "reram", (*PAIRS, *TUNED)),
            ChipVariant("positive, uniform", "har_unipolar_2b", "reram"),
        ),
        says=(
            "Uniform layers and unipolar weights together take up to 80 % of the area and up to "
            "45 % of the energy away.",
        ),
    ),
    "unipolar_cifar10": ChipsFigure(
        title="Colour pictures with one setting for all layers",
        source=SOURCE,
        data="cifar10-test",
        model=None,
        chip="unipolar_16nm",
        variants=PICTURES,
        says=(
            "Weights of 4 and 2 bits, of one sign in each matrix or part of it; the accuracy "
            "could not be read.",
        ),
        our_choice=(
            "Three convolutions of 5 x 5 with 32, 32 and 64 channels, pools of 2 x 2, then scores; "
            "in convolutions of one sign, half of the columns are positive, half negative.",
        ),
    ),
}  # fmt: skip
